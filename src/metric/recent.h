/* recent: the last datum of each series, for people to look at.
 *
 * The table has room for RECENT_MAX series: those that came first, until they
 * have been silent for long.
 *
 * Belongs to the node's thread; pure, told the time. */
#ifndef METRIC_RECENT_H
#define METRIC_RECENT_H

#include "metric/metric.h"

#include <stddef.h>
#include <stdint.h>

#define RECENT_MAX 1000
#define RECENT_SLOTS 2048 /* a power of 2, so that half of them stay empty */

struct recent_series {
  uint64_t key;
  int64_t seen_s;          /* steady time of the last datum */
  struct series_name name; /* its texts lie in block */
  void *block;             /* owned */
  char *identifier;        /* owned: of a collectd value in the last datum */
  const char *metric;      /* borrowed: argument of its <Metric> block */
  int64_t time_s;          /* start of its last period, since 1970 UTC */
  double count, sum, minimum, maximum; /* of the samples of that period */
};

struct recent {
  struct recent_series *series; /* owned; in the order of their coming */
  size_t n;
  uint16_t slot[RECENT_SLOTS]; /* number of a series + 1; 0: empty */
};

/* NULL is lack of memory. */
struct recent *recent_new(void);
void recent_free(struct recent *recent);

/* Takes a datum in: of a later period than the last, instead of it; of the same
 * one, in addition, as CloudWatch does.
 *
 * key     names its series (refuse_key())
 * metric  borrowed for the life of the table
 * now_s   steady time
 * wall_s  this host's: what lies beyond it was stamped by a clock that was
 *         wrong, and gives way to any other
 * A series for which there is no room or no memory is left out. */
void recent_put(struct recent *recent, const struct datum *datum, uint64_t key,
                const char *metric, int64_t now_s, int64_t wall_s);

/* Forgets the series of which no datum came for more than patience_s. */
void recent_forget(struct recent *recent, int64_t now_s, int64_t patience_s);

#endif
