/* rate: counters to rates or differences, from the predecessor of the same
 * source.
 *
 * The predecessor is the plugin's own, value and time of both: correct with any
 * number of write threads and any lag of the daemon's queue, which the daemon's
 * cache is not. */
#ifndef METRIC_RATE_H
#define METRIC_RATE_H

#include "metric/metric.h"

#include <stdbool.h>
#include <stdint.h>

/* The last value of one data source of one identifier.  All zero before the
 * first. */
struct rate {
  union number value;
  int64_t time_us;
  bool is_known;
};

enum rate_step {
  RATE_OK,        /* change is set */
  RATE_FIRST,     /* nothing to compare with yet */
  RATE_NOT_NEWER, /* not newer than the predecessor, which stays */
  RATE_RESET,     /* the counter began again; this value is the new first */
};

struct rate_change {
  double difference;
  double per_second;
};

/* Compares a reading of any kind but KIND_GAUGE with its predecessor and puts
 * it in its place.
 *
 * A decreasing DERIVE is a reset when types.db gives it a minimum of 0 or more.
 * A decreasing COUNTER wrapped at 2^32 (or 2^64, if it was beyond) when the
 * rate that follows is below its maximum in types.db, else it was reset;
 * without a maximum nothing shows that it wrapped.  An ABSOLUTE counts from its
 * last reading, so that even the first has a rate, over interval_us. */
enum rate_step rate_step(struct rate *rate, const struct reading *reading,
                         int64_t time_us, int64_t interval_us,
                         struct rate_change *change);

/* The number of a reading as it is. */
double rate_raw(const struct reading *reading);

#endif
