/* cut: the samples that were taken away, to the data of the periods that a
 * flush cuts.
 *
 * Keeps what belongs to periods and slots that are still open.  Belongs to the
 * node's thread; pure, and told how far the flush reaches. */
#ifndef METRIC_CUT_H
#define METRIC_CUT_H

#include "metric/agg.h"
#include "metric/combine.h"
#include "metric/period.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cut {
  size_t limit_bytes;  /* of what waits in here; set by the owner */
  uint32_t period_s;   /* of series with StorageResolution 60; likewise */
  struct samples open; /* of periods that are not cut yet */
  struct group *busy;  /* groups with values of open slots */
  size_t n_waiting;    /* values in them */
};

/* Takes over all samples; *taken is empty afterwards, and has no memory. Values
 * of slots are counted as lost where there is no room within the limit: they
 * have what others leave, and half in any case. */
void cut_put(struct cut *cut, struct samples *taken, struct tally *tally);

/* Cuts what the horizon reaches and tells the data, series by series in the
 * order of their birth, each in the order of time.  What was left out is
 * counted.  What is due is sorted where it lies; its memory is given back. */
void cut_run(struct cut *cut, const struct horizon *horizon,
             struct tally *tally, period_fn emit, void *context);

/* Sees to it that what waits keeps the limit: to be called after cut_put(), and
 * where a flush follows, after cut_run().  What is open has what values of
 * slots leave, and half in any case.
 *
 * Where that is passed, equal samples are counted together, and then the
 * largest periods are summed up (fold.h).  If that is not enough, those that
 * wait for the instance's identity are dropped, the oldest first, and then the
 * oldest of all others; these are counted as lost.  What waits for identity has
 * half of the limit at most.
 *
 * awaited  as in struct horizon */
void cut_limit(struct cut *cut, uint64_t awaited, struct tally *tally);

/* How many samples there is room for beside n others: all that those leave, and
 * half in any case. */
size_t cut_room_beside(const struct cut *cut, size_t n);

/* Counts what waits for the instance's identity as lost, which it is with the
 * stop. */
void cut_lose_awaited(const struct cut *cut, uint64_t awaited,
                      struct tally *tally);

/* Marks the series of what waits in here as held, so that bind_forget() leaves
 * them, or no longer. */
void cut_hold(const struct cut *cut, bool is_held);

/* Memory that what waits in here takes, in bytes. */
size_t cut_bytes(const struct cut *cut);

/* What the owner has set stays. */
void cut_clear(struct cut *cut);

#endif
