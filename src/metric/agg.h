/* agg: what the write threads add, and the node's thread takes away.
 *
 * The tables (bindings, series) persist; the numbers go into one list of
 * samples, in the order of their coming.  A flush takes the list away whole and
 * leaves an empty one with the same room, so that a value costs one look-up and
 * one line, and nothing is allocated after the first periods.
 *
 * Everything here belongs to the node's lock, which the caller holds. */
#ifndef METRIC_AGG_H
#define METRIC_AGG_H

#include "metric/bind.h"
#include "metric/metric.h"
#include "metric/rule.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One number for one series.  Of a target with Combine it is the member's value
 * as it came; of others Scale, Offset and Round have been applied. */
struct sample {
  struct target *target;
  double value;        /* finite */
  uint32_t second;     /* since 1970 UTC, of the value list, rounded down */
  uint32_t interval_s; /* of the value list, rounded up */
};

struct samples {
  struct sample *sample; /* owned */
  size_t n, cap;
};

/* Makes room for cap samples.  0, or -1 for lack of memory. */
int samples_reserve(struct samples *samples, size_t cap);
void samples_clear(struct samples *samples);

struct agg {
  struct bind_table table;
  struct samples samples;
  size_t max_samples; /* samples never grow beyond */
  int64_t past_s;     /* how old a value may be */
  int64_t ahead_s;    /* how far in the future it may lie */
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

/* Adds all readings of a value list to what bind_find(), or bind_put(), has
 * found for it in the table of agg. */
void agg_add(struct agg *agg, struct binding *binding, const struct input *in,
             const struct agg_now *now);

/* Swaps the list of samples with *empty, which must hold none; both keep their
 * memory. */
void agg_take(struct agg *agg, struct samples *empty);

#endif
