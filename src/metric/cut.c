#include "metric/cut.h"

#include <stdlib.h>

/* What waits for identity leaves half of the memory to all else, which must go
 * on meanwhile. */
#define AWAITED_SHARE 2

static void lose(struct tally *tally, enum reason reason,
                 const struct target *target) {
  tally_add_text(tally, reason, 1, target->series->identifier);
}

/* A sample of a series without Combine stays here until its period is cut. */
static int keep(struct cut *cut, const struct sample *sample) {
  struct samples *open = &cut->open;

  if (open->n == open->cap &&
      samples_reserve(open, open->cap == 0 ? 64 : open->cap * 2) != 0)
    return -1;
  open->sample[open->n++] = *sample;
  sample->target->n_held++;
  return 0;
}

static int keep_member(struct cut *cut, const struct sample *sample) {
  struct group *group = sample->target->member->group;

  if (combine_add(group, sample) != 0)
    return -1;
  cut->n_waiting++;
  if (!group->is_busy) {
    group->is_busy = true;
    group->next_busy = cut->busy;
    cut->busy = group;
  }
  return 0;
}

/* ---- what waits for the instance's identity -------------------------------
 */

/* What waits so, from the oldest to the newest. */
struct span {
  bool is_some;
  uint32_t oldest_s, newest_s;
};

static void widen(struct span *span, uint32_t oldest_s, uint32_t newest_s) {
  if (!span->is_some || oldest_s < span->oldest_s)
    span->oldest_s = oldest_s;
  if (!span->is_some || newest_s > span->newest_s)
    span->newest_s = newest_s;
  span->is_some = true;
}

static struct span find_span(const struct cut *cut, uint64_t awaited) {
  struct span span = {.is_some = false};

  for (size_t i = 0; i < cut->open.n; i++) {
    const struct sample *sample = &cut->open.sample[i];
    if (horizon_awaits(awaited, sample->target->series))
      widen(&span, sample->second, sample->second);
  }
  for (const struct group *g = cut->busy; g != NULL; g = g->next_busy) {
    uint32_t oldest_s, newest_s;
    if (g->n_waiting == 0 || !horizon_awaits(awaited, g->series))
      continue;
    combine_span(g, &oldest_s, &newest_s);
    widen(&span, oldest_s, newest_s);
  }
  return span;
}

/* How many samples wait so. */
static size_t count_awaited(const struct cut *cut, uint64_t awaited) {
  size_t n = 0;

  if (awaited == 0)
    return 0;
  for (size_t i = 0; i < cut->open.n; i++)
    n += horizon_awaits(awaited, cut->open.sample[i].target->series);
  for (const struct group *g = cut->busy; g != NULL; g = g->next_busy)
    if (horizon_awaits(awaited, g->series))
      n += g->n_waiting;
  return n;
}

/* Drops what waits and is older than a second; returns how many samples. */
static size_t drop_awaited(struct cut *cut, uint64_t awaited, uint32_t before_s,
                           struct tally *tally) {
  struct samples *open = &cut->open;
  size_t kept = 0, n_dropped = 0;

  for (size_t i = 0; i < open->n; i++) {
    const struct sample *sample = &open->sample[i];
    if (!horizon_awaits(awaited, sample->target->series) ||
        sample->second >= before_s) {
      open->sample[kept++] = *sample;
      continue;
    }
    sample->target->n_held--;
    lose(tally, REASON_AWAITED, sample->target);
  }
  n_dropped = open->n - kept;
  open->n = kept;
  for (struct group *g = cut->busy; g != NULL; g = g->next_busy) {
    if (!horizon_awaits(awaited, g->series))
      continue;
    size_t n = combine_drop(g, before_s);
    cut->n_waiting -= n;
    n_dropped += n;
    tally_add_text(tally, REASON_AWAITED, n,
                   n > 0 ? g->series->identifier : NULL);
  }
  return n_dropped;
}

/* Whether there is room for one sample more, made if need be.  An eighth of the
 * time for which things wait goes at once, so that it is not sought for each
 * sample.
 *
 * n_awaited  how many samples wait; less afterwards if some had to go */
static bool make_room(struct cut *cut, uint64_t awaited, size_t *n_awaited,
                      struct tally *tally) {
  size_t most = cut->limit_bytes / AWAITED_SHARE / sizeof(struct sample);
  bool is_full = cut_bytes(cut) >= cut->limit_bytes;

  if (*n_awaited == 0 || (!is_full && *n_awaited < most))
    return !is_full;
  struct span span = find_span(cut, awaited);
  *n_awaited -= drop_awaited(
      cut, awaited, span.oldest_s + (span.newest_s - span.oldest_s) / 8 + 1,
      tally);
  return cut_bytes(cut) < cut->limit_bytes;
}

void cut_lose_awaited(const struct cut *cut, uint64_t awaited,
                      struct tally *tally) {
  for (size_t i = 0; i < cut->open.n; i++)
    if (horizon_awaits(awaited, cut->open.sample[i].target->series))
      lose(tally, REASON_AWAITED, cut->open.sample[i].target);
  for (const struct group *g = cut->busy; g != NULL; g = g->next_busy)
    if (horizon_awaits(awaited, g->series))
      tally_add_text(tally, REASON_AWAITED, g->n_waiting,
                     g->series->identifier);
}

/* ---- what comes -----------------------------------------------------------
 */

void cut_put(struct cut *cut, struct samples *taken, uint64_t awaited,
             struct tally *tally) {
  size_t n_awaited = count_awaited(cut, awaited);

  for (size_t i = 0; i < taken->n; i++) {
    const struct sample *sample = &taken->sample[i];
    if (!make_room(cut, awaited, &n_awaited, tally)) {
      lose(tally, REASON_FULL, sample->target);
      continue;
    }
    int rc = sample->target->member != NULL ? keep_member(cut, sample)
                                            : keep(cut, sample);
    if (rc != 0)
      lose(tally, REASON_MEMORY, sample->target);
    else
      n_awaited += horizon_awaits(awaited, sample->target->series);
  }
  taken->n = 0;
}

/* ---- what is due -------------------------------------------------------- */

static int add_due(struct cut *cut, const struct series *series, double value,
                   uint32_t second) {
  if (cut->n_due == cut->cap_due) {
    size_t cap = cut->cap_due == 0 ? 64 : cut->cap_due * 2;
    struct point *grown = realloc(cut->due, cap * sizeof(*cut->due));
    if (grown == NULL)
      return -1;
    cut->due = grown;
    cut->cap_due = cap;
  }
  cut->due[cut->n_due] =
      (struct point){series, value, second, (uint32_t)cut->n_due};
  cut->n_due++;
  return 0;
}

static void take_open(struct cut *cut, const struct horizon *horizon,
                      struct tally *tally) {
  struct samples *open = &cut->open;
  size_t kept = 0;

  for (size_t i = 0; i < open->n; i++) {
    const struct sample *sample = &open->sample[i];
    const struct series *series = sample->target->series;
    if (!horizon_holds(horizon, series, sample->second)) {
      open->sample[kept++] = *sample;
      continue;
    }
    sample->target->n_held--;
    if (add_due(cut, series, sample->value, sample->second) != 0)
      lose(tally, REASON_MEMORY, sample->target);
  }
  open->n = kept;
}

struct emission {
  struct cut *cut;
  struct tally *tally;
};

static void take_combined(void *context, struct group *group, double value,
                          uint32_t second) {
  struct emission *e = context;

  if (add_due(e->cut, group->series, value, second) != 0)
    tally_add_text(e->tally, REASON_MEMORY, 1, group->series->identifier);
}

static void take_groups(struct cut *cut, const struct horizon *horizon,
                        struct tally *tally) {
  struct emission emission = {cut, tally};
  struct group **link = &cut->busy;

  cut->n_waiting = 0;
  while (*link != NULL) {
    struct group *group = *link;
    combine_cut(group, horizon, tally, take_combined, &emission);
    cut->n_waiting += group->n_waiting;
    if (group->n_waiting > 0) {
      link = &group->next_busy;
      continue;
    }
    *link = group->next_busy;
    group->is_busy = false;
  }
}

/* ---- from points to data ------------------------------------------------ */

static int by_series_and_time(const void *a, const void *b) {
  const struct point *x = a, *y = b;

  if (x->series != y->series)
    return x->series->serial < y->series->serial ? -1 : 1;
  if (x->second != y->second)
    return x->second < y->second ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

void cut_run(struct cut *cut, const struct horizon *horizon,
             struct tally *tally, period_fn emit, void *context) {
  cut->n_due = 0;
  take_open(cut, horizon, tally);
  take_groups(cut, horizon, tally);
  if (cut->n_due == 0)
    return;
  qsort(cut->due, cut->n_due, sizeof(*cut->due), by_series_and_time);

  size_t first = 0;
  while (first < cut->n_due) {
    const struct series *series = cut->due[first].series;
    uint32_t start_s = horizon_period(horizon, series, cut->due[first].second);
    size_t end = first + 1;
    while (end < cut->n_due && cut->due[end].series == series &&
           horizon_period(horizon, series, cut->due[end].second) == start_s)
      end++;
    size_t lost =
        period_reduce(&cut->due[first], end - first, start_s, emit, context);
    if (lost > 0)
      tally_add_text(tally, REASON_RANGE, lost, series->identifier);
    first = end;
  }
}

size_t cut_bytes(const struct cut *cut) {
  return (cut->open.n + cut->n_waiting) * sizeof(struct sample);
}

void cut_clear(struct cut *cut) {
  samples_clear(&cut->open);
  free(cut->due);
  *cut = (struct cut){.limit_bytes = cut->limit_bytes};
}
