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

#include <stddef.h>
#include <stdint.h>

struct cut {
  size_t limit_bytes;  /* of what waits in here; set by the owner */
  struct samples open; /* of periods that are not cut yet */
  struct group *busy;  /* groups with values of open slots */
  size_t n_waiting;    /* values in them */
  struct point *due;   /* owned: scratch of one flush */
  size_t n_due, cap_due;
};

/* Takes over all samples; *taken is empty afterwards and keeps its memory.
 * Samples for which there is no memory, or no room within the limit, are
 * counted as lost; but first those make room that wait for the instance's
 * identity, the oldest first.  These have half of the limit at most, so that
 * all else has room to go on.
 *
 * awaited  as in struct horizon */
void cut_put(struct cut *cut, struct samples *taken, uint64_t awaited,
             struct tally *tally);

/* Cuts what the horizon reaches and tells the data, series by series in the
 * order of their birth, each in the order of time.  What was left out is
 * counted. */
void cut_run(struct cut *cut, const struct horizon *horizon,
             struct tally *tally, period_fn emit, void *context);

/* Counts what waits for the instance's identity as lost, which it is with the
 * stop. */
void cut_lose_awaited(const struct cut *cut, uint64_t awaited,
                      struct tally *tally);

/* Bytes that wait in here. */
size_t cut_bytes(const struct cut *cut);

/* The limit stays. */
void cut_clear(struct cut *cut);

#endif
