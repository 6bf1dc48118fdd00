/* What goes when more waits than there is room for. */
#include "metric/cut.h"
#include "metric/fold.h"
#include "metric/summary.h"

#include <string.h>

/* What waits for identity leaves half of the memory to all else, which must go
 * on meanwhile. */
#define AWAITED_SHARE 2

/* After a list was full, this part of it is free. */
#define FREED_SHARE 4

/* Counts the samples that an entry stands for. */
static void count_entry(struct tally *tally, enum reason reason,
                        const struct sample *sample) {
  bool is_last = sample->series->statistics == STATISTICS_LAST;

  tally_add_text(tally, reason, is_last ? 1 : summary_times(sample),
                 sample->series->identifier);
}

static void count_entries(struct tally *tally, enum reason reason,
                          const struct sample *sample, size_t n) {
  for (size_t i = 0; i < n; i++)
    count_entry(tally, reason, &sample[i]);
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

/* The periods of what is open, and waits for identity or, as is said, does
 * not. */
static struct span find_open(const struct cut *cut, uint64_t awaited,
                             bool if_awaited) {
  struct span span = {.is_some = false};

  for (size_t i = 0; i < cut->open.n; i++) {
    const struct sample *sample = &cut->open.sample[i];
    uint32_t start_s = fold_start(sample, cut->period_s);
    if (horizon_awaits(awaited, sample->series) == if_awaited)
      widen(&span, start_s, start_s);
  }
  return span;
}

/* The same of all that waits for identity, values of slots too. */
static struct span find_awaited(const struct cut *cut, uint64_t awaited) {
  struct span span = find_open(cut, awaited, true);

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

/* Which of what is open may be dropped. */
struct choice {
  uint64_t awaited;
  bool if_awaited; /* what waits for identity, or all else */
  uint32_t last_s; /* of periods that began by then */
};

static bool is_chosen(const struct cut *cut, const struct choice *choice,
                      const struct sample *sample) {
  return horizon_awaits(choice->awaited, sample->series) ==
             choice->if_awaited &&
         fold_start(sample, cut->period_s) <= choice->last_s;
}

/* Drops n of what is chosen, or all, and a little more: only whole periods of a
 * series, as what is left of one would be published as the whole; and those of
 * the youngest series, so that it is always the same that lack.  The entries
 * come from fold_equal().  Returns how many went, at least one if one is
 * chosen. */
static size_t drop_open(struct cut *cut, const struct choice *choice, size_t n,
                        struct tally *tally) {
  struct samples *open = &cut->open;
  size_t n_before = open->n, n_chosen = 0, kept = 0, n_group;

  for (size_t i = 0; i < open->n; i++)
    n_chosen += is_chosen(cut, choice, &open->sample[i]);
  size_t n_stay = n_chosen > n ? n_chosen - n : 0;

  for (size_t i = 0; i < n_before; i += n_group) {
    n_group = fold_group(&open->sample[i], n_before - i, cut->period_s);
    bool may_go = is_chosen(cut, choice, &open->sample[i]);
    bool goes = may_go && n_group > n_stay;
    if (may_go)
      n_stay = goes ? 0 : n_stay - n_group;
    if (goes) {
      count_entries(tally, choice->if_awaited ? REASON_AWAITED : REASON_FULL,
                    &open->sample[i], n_group);
      continue;
    }
    memmove(&open->sample[kept], &open->sample[i],
            n_group * sizeof(*open->sample));
    kept += n_group;
  }
  open->n = kept;
  return n_before - kept;
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
  size_t n;

  if (count_awaited(cut, awaited) > n_most)
    open->n = fold_equal(open->sample, open->n, cut->period_s);
  while ((n = count_awaited(cut, awaited)) > n_most) {
    struct span span = find_awaited(cut, awaited);
    struct choice choice = {awaited, true, oldest_of(&span)};
    if (drop_open(cut, &choice, n - n_most, tally) < n - n_most)
      drop_slots(cut, awaited, choice.last_s, tally);
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

size_t cut_room_beside(const struct cut *cut, size_t n) {
  size_t limit = cut->limit_bytes / sizeof(struct sample), half = limit / 2;

  return limit - (n < half ? n : half);
}

/* Drops so many of the oldest that are open and wait for identity, or do not.
 * Returns how many more would have had to go. */
static size_t drop_oldest(struct cut *cut, uint64_t awaited, bool if_awaited,
                          size_t n, struct tally *tally) {
  while (n > 0) {
    struct span span = find_open(cut, awaited, if_awaited);
    struct choice choice = {awaited, if_awaited, oldest_of(&span)};
    if (!span.is_some)
      return n;
    size_t n_dropped = drop_open(cut, &choice, n, tally);
    n -= n_dropped < n ? n_dropped : n;
  }
  return 0;
}

/* Drops n of what is open: what waits for identity first. */
static void make_way(struct cut *cut, uint64_t awaited, size_t n,
                     struct tally *tally) {
  n = drop_oldest(cut, awaited, true, n, tally);
  (void)drop_oldest(cut, awaited, false, n, tally);
}

void cut_limit(struct cut *cut, uint64_t awaited, struct tally *tally) {
  struct samples *open = &cut->open;
  size_t room = cut_room_beside(cut, cut->n_waiting);
  size_t n_wanted = room - room / FREED_SHARE;

  if (open->n > room) {
    open->n = fold_equal(open->sample, open->n, cut->period_s);
    if (open->n > n_wanted)
      open->n = fold_largest(open->sample, open->n, n_wanted, cut->period_s);
  }
  if (awaited != 0)
    limit_awaited(cut, awaited, cut_room_beside(cut, 0) / AWAITED_SHARE, tally);
  if (open->n > room)
    make_way(cut, awaited, open->n - n_wanted, tally);
  samples_fit(open);
}
