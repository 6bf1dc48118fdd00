/* agg: what the write threads add, and the node's thread takes away.
 *
 * The tables (bindings, series) persist; the numbers go into one list of
 * samples, in the order of their coming.  A flush takes the list away whole and
 * leaves an empty one with as much room as is needed, so that a value costs one
 * look-up and one line, and nothing is allocated after the first periods.
 *
 * Everything here belongs to the node's lock, which the caller holds. */
#ifndef METRIC_AGG_H
#define METRIC_AGG_H

#include "metric/bind.h"
#include "metric/metric.h"
#include "metric/rule.h"
#include "metric/samples.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGG_TAKEN 4 /* lists whose length is remembered */

struct agg {
  struct bind_table table;
  struct samples samples;
  size_t max_samples;        /* samples never grow beyond */
  size_t n_taken[AGG_TAKEN]; /* how many samples were in the last lists */
  size_t next_taken;         /* the number of the oldest of them */
  int64_t past_s;            /* how old a value may be */
  int64_t ahead_s;           /* how far in the future it may lie */
  struct tally tally;
};

/* The clocks when a value comes. */
struct agg_now {
  int64_t wall_s;
  int64_t offset_s; /* the service's clock less wall_s, as far as it is known */
};

/* max_metrics  series alive at once
 * past_s       how old a value may be, by the service's clock; CloudWatch's own
 *              limit holds beside it
 * ahead_s      how far in the future it may lie, by this host's clock, as what
 *              it stamps itself must pass; CloudWatch's limit holds beside it,
 *              by both clocks
 * n_meta       meta data values in struct input
 * seed         random */
void agg_init(struct agg *agg, size_t max_metrics, size_t max_samples,
              int64_t past_s, int64_t ahead_s, size_t n_meta, uint64_t seed);
void agg_clear(struct agg *agg);

/* Whether a value list comes at a time that is of use; if not, it is counted.
 * What is not must not make a series either, whose unit or place others would
 * lack. */
bool agg_is_in_time(struct agg *agg, const struct input *in,
                    const struct agg_now *now);

/* Adds all readings of a value list to what bind_find(), or bind_put(), has
 * found for it in the table of agg. */
void agg_add(struct agg *agg, struct binding *binding, const struct input *in,
             const struct agg_now *now);

/* Whether the list of samples is half full, and ought to be taken before the
 * next flush. */
bool agg_is_half_full(const struct agg *agg);

/* How much room the next list should have, in samples, so that it need not
 * grow: that of the longest of this one and the last few, and a quarter more.
 * A list that was very long is thus forgotten after AGG_TAKEN others. */
size_t agg_room(const struct agg *agg);

/* Swaps the list of samples with *empty, which must hold none; both keep their
 * memory. */
void agg_take(struct agg *agg, struct samples *empty);

#endif
