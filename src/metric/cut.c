#include "metric/cut.h"

#include "metric/fold.h"

/* Of samples as they come. */
static bool is_member(const struct sample *sample) {
  return (sample->interval_s & SAMPLE_MEMBER) != 0;
}

static const struct series *series_as_it_comes(const struct sample *sample) {
  return is_member(sample) ? sample->member->group->series : sample->series;
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
  size_t room = cut_room_beside(cut, cut->open.n);

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
  /* Of a busy group all may have been dropped since it was cut. */
  for (const struct group *g = cut->busy; g != NULL; g = g->next_busy)
    g->series->is_held = is_held;
}

size_t cut_bytes(const struct cut *cut) {
  return (cut->open.cap + cut->n_waiting) * sizeof(struct sample);
}

void cut_clear(struct cut *cut) {
  samples_clear(&cut->open);
  *cut =
      (struct cut){.limit_bytes = cut->limit_bytes, .period_s = cut->period_s};
}
