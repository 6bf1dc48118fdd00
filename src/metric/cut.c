#include "metric/cut.h"

#include "metric/fold.h"
#include "metric/summary.h"

/* What waits for identity leaves half of the memory to all else, which must go
 * on meanwhile. */
#define AWAITED_SHARE 2

/* After a list was full, this part of it is free. */
#define FREED_SHARE 4

/* Of samples as they come. */
static bool is_member(const struct sample *sample) {
  return (sample->interval_s & SAMPLE_MEMBER) != 0;
}

static const struct series *series_as_it_comes(const struct sample *sample) {
  return is_member(sample) ? sample->member->group->series : sample->series;
}

/* Counts the samples that an entry stands for. */
static void count_entry(struct tally *tally, enum reason reason,
                        const struct sample *sample) {
  bool is_last = sample->series->statistics == STATISTICS_LAST;

  tally_add_text(tally, reason, is_last ? 1 : summary_times(sample),
                 sample->series->identifier);
}

/* A sample that comes is not kept. */
static void lose(struct tally *tally, enum reason reason,
                 const struct sample *sample) {
  tally_add_text(tally, reason, 1, series_as_it_comes(sample)->identifier);
}

static int keep_member(struct cut *cut, const struct sample *sample) {
  struct group *group = sample->member->group;

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
    if (horizon_awaits(awaited, sample->series))
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
    n += horizon_awaits(awaited, cut->open.sample[i].series);
  for (const struct group *g = cut->busy; g != NULL; g = g->next_busy)
    if (horizon_awaits(awaited, g->series))
      n += g->n_waiting;
  return n;
}

/* Drops what is open, was not later than a second, and waits for identity (or
 * does not, as is said). */
static void drop_open(struct cut *cut, uint64_t awaited, bool if_awaited,
                      uint32_t last_s, struct tally *tally) {
  struct samples *open = &cut->open;
  size_t kept = 0;

  for (size_t i = 0; i < open->n; i++) {
    const struct sample *sample = &open->sample[i];
    if (sample->second > last_s ||
        horizon_awaits(awaited, sample->series) != if_awaited)
      open->sample[kept++] = *sample;
    else
      count_entry(tally, if_awaited ? REASON_AWAITED : REASON_FULL, sample);
  }
  open->n = kept;
}

/* Drops whole slots that wait for identity and began by a second. */
static void drop_slots(struct cut *cut, uint64_t awaited, uint32_t last_s,
                       struct tally *tally) {
  for (struct group *g = cut->busy; g != NULL; g = g->next_busy) {
    if (!horizon_awaits(awaited, g->series))
      continue;
    size_t n = combine_drop(g, last_s + 1);
    cut->n_waiting -= n;
    tally_add_text(tally, REASON_AWAITED, n,
                   n > 0 ? g->series->identifier : NULL);
  }
}

/* The last second of the oldest eighth of a span, so that not each sample that
 * comes has to look for room anew. */
static uint32_t oldest_of(const struct span *span) {
  return span->oldest_s + (span->newest_s - span->oldest_s) / 8;
}

/* Drops the oldest of what waits for identity until at most so much does, in
 * samples. */
static void limit_awaited(struct cut *cut, uint64_t awaited, size_t n_most,
                          struct tally *tally) {
  struct samples *open = &cut->open;

  if (count_awaited(cut, awaited) > n_most)
    open->n = fold_equal(open->sample, open->n, cut->period_s);
  while (count_awaited(cut, awaited) > n_most) {
    struct span span = find_span(cut, awaited);
    drop_open(cut, awaited, true, oldest_of(&span), tally);
    drop_slots(cut, awaited, oldest_of(&span), tally);
  }
}

void cut_lose_awaited(const struct cut *cut, uint64_t awaited,
                      struct tally *tally) {
  for (size_t i = 0; i < cut->open.n; i++)
    if (horizon_awaits(awaited, cut->open.sample[i].series))
      count_entry(tally, REASON_AWAITED, &cut->open.sample[i]);
  for (const struct group *g = cut->busy; g != NULL; g = g->next_busy)
    if (horizon_awaits(awaited, g->series))
      tally_add_text(tally, REASON_AWAITED, g->n_waiting,
                     g->series->identifier);
}

/* ---- room -----------------------------------------------------------------
 */

/* How many samples there is room for beside n others: all that those leave, and
 * half in any case. */
static size_t room_beside(const struct cut *cut, size_t n) {
  size_t limit = cut->limit_bytes / sizeof(struct sample), half = limit / 2;

  return limit - (n < half ? n : half);
}

/* Drops the oldest of what does not wait for identity until n samples are open;
 * of one second, those of the youngest series: so that it is always the same
 * that lack. */
static void drop_oldest(struct cut *cut, uint64_t awaited, size_t n,
                        struct tally *tally) {
  struct samples *open = &cut->open;

  while (open->n > n) {
    struct span span = {.is_some = false};
    for (size_t i = 0; i < open->n; i++)
      if (!horizon_awaits(awaited, open->sample[i].series))
        widen(&span, open->sample[i].second, open->sample[i].second);
    if (!span.is_some || span.oldest_s == span.newest_s)
      break;
    drop_open(cut, awaited, false, oldest_of(&span), tally);
  }
  while (open->n > n)
    count_entry(tally, REASON_FULL, &open->sample[--open->n]);
}

/* Drops n of what is open: what waits for identity first. */
static void make_way(struct cut *cut, uint64_t awaited, size_t n,
                     struct tally *tally) {
  size_t n_left = cut->open.n - n;
  size_t n_awaited = count_awaited(cut, awaited);

  limit_awaited(cut, awaited, n_awaited > n ? n_awaited - n : 0, tally);
  drop_oldest(cut, awaited, n_left, tally);
}

void cut_limit(struct cut *cut, uint64_t awaited, struct tally *tally) {
  struct samples *open = &cut->open;
  size_t room = room_beside(cut, cut->n_waiting);
  size_t n_wanted = room - room / FREED_SHARE;

  if (open->n > room) {
    open->n = fold_equal(open->sample, open->n, cut->period_s);
    if (open->n > n_wanted)
      open->n = fold_largest(open->sample, open->n, n_wanted, cut->period_s);
  }
  if (awaited != 0)
    limit_awaited(cut, awaited, room_beside(cut, 0) / AWAITED_SHARE, tally);
  if (open->n > room)
    make_way(cut, awaited, open->n - n_wanted, tally);
  samples_fit(open);
}

/* ---- what comes -----------------------------------------------------------
 */

/* Samples of series without Combine stay here until their period is cut. */
static void keep_open(struct cut *cut, const struct samples *taken,
                      struct tally *tally) {
  struct samples *open = &cut->open;
  size_t n = 0;

  for (size_t i = 0; i < taken->n; i++)
    n += !is_member(&taken->sample[i]);
  /* Without memory there is still room for some. */
  (void)samples_reserve(open, open->n + n);
  for (size_t i = 0; i < taken->n; i++) {
    const struct sample *sample = &taken->sample[i];
    if (is_member(sample))
      continue;
    if (open->n == open->cap) {
      lose(tally, REASON_MEMORY, sample);
      continue;
    }
    open->sample[open->n] = *sample;
    open->sample[open->n++].n = 1;
  }
}

static void keep_members(struct cut *cut, const struct samples *taken,
                         struct tally *tally) {
  size_t room = room_beside(cut, cut->open.n);

  for (size_t i = 0; i < taken->n; i++) {
    const struct sample *sample = &taken->sample[i];
    if (!is_member(sample))
      continue;
    if (cut->n_waiting >= room)
      lose(tally, REASON_FULL, sample);
    else if (keep_member(cut, sample) != 0)
      lose(tally, REASON_MEMORY, sample);
  }
}

void cut_put(struct cut *cut, struct samples *taken, struct tally *tally) {
  keep_open(cut, taken, tally);
  keep_members(cut, taken, tally);
  samples_clear(taken);
}

/* ---- what is due -------------------------------------------------------- */

struct emission {
  struct cut *cut;
  struct tally *tally;
};

/* A sample of a slot is as one of a period that is due. */
static void take_combined(void *context, struct group *group, double value,
                          uint32_t second) {
  struct emission *e = context;
  struct samples *open = &e->cut->open;
  size_t cap = open->n == 0 ? 64 : open->n * 2;

  if (open->n == open->cap && samples_reserve(open, cap) != 0) {
    tally_add_text(e->tally, REASON_MEMORY, 1, group->series->identifier);
    return;
  }
  open->sample[open->n++] = (struct sample){
      .series = group->series, .value = value, .second = second, .n = 1};
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

/* Moves what is not due to the front, in its order; returns how many. */
static size_t put_first(struct samples *open, const struct horizon *horizon) {
  size_t kept = 0;

  for (size_t i = 0; i < open->n; i++) {
    struct sample sample = open->sample[i];
    if (horizon_holds(horizon, sample.series, sample.second))
      continue;
    open->sample[i] = open->sample[kept];
    open->sample[kept++] = sample;
  }
  return kept;
}

/* Puts what is due behind what is not, sorted; returns the number of the
 * first. */
static size_t sort_due(struct cut *cut, const struct horizon *horizon,
                       struct tally *tally) {
  struct samples *open = &cut->open;
  size_t n_samples = open->n;

  fold_prepare(open->sample, n_samples, horizon->period_s);
  size_t first = put_first(open, horizon);
  take_groups(cut, horizon, tally);
  if (open->n == first)
    return first;
  fold_prepare(open->sample + n_samples, open->n - n_samples,
               horizon->period_s);
  samples_sort(open->sample + first, open->n - first);
  return first;
}

void cut_run(struct cut *cut, const struct horizon *horizon,
             struct tally *tally, period_fn emit, void *context) {
  struct samples *open = &cut->open;
  size_t first = sort_due(cut, horizon, tally), n;

  for (size_t i = first; i < open->n; i += n) {
    const struct sample *due = &open->sample[i];
    n = fold_group(due, open->n - i, horizon->period_s);
    period_reduce(due, n, horizon_period(horizon, due->series, due->second),
                  tally, emit, context);
  }
  open->n = first;
  samples_fit(open);
}

void cut_hold(const struct cut *cut, bool is_held) {
  for (size_t i = 0; i < cut->open.n; i++)
    cut->open.sample[i].series->is_held = is_held;
}

size_t cut_bytes(const struct cut *cut) {
  return (cut->open.cap + cut->n_waiting) * sizeof(struct sample);
}

void cut_clear(struct cut *cut) {
  samples_clear(&cut->open);
  *cut =
      (struct cut){.limit_bytes = cut->limit_bytes, .period_s = cut->period_s};
}
