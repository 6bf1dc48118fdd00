/* series: the CloudWatch metrics that are alive, found by name.
 *
 * A series is what AWS charges for: namespace, name and dimensions.  The table
 * holds at most so many; one that nobody feeds any more is forgotten.
 *
 * The table belongs to the node's lock.  What is marked so below belongs to
 * the node's thread alone; names never change. */
#ifndef METRIC_SERIES_H
#define METRIC_SERIES_H

#include "metric/metric.h"
#include "metric/rule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct group; /* metric/combine.h */

struct series {
  struct series *next;     /* in its chain of the table */
  struct series_name name; /* the texts lie behind the struct; marked ones are
                              filled in when a period is cut */
  uint64_t needs;          /* a bit for each value of the instance in it */
  struct group *groups;    /* one for each <Metric> with Combine */
  uint32_t serial;         /* in the order of birth */
  uint32_t n_users;        /* targets that feed it */
  uint8_t statistics;      /* enum statistics */
  uint8_t combine;         /* enum combine */
  uint16_t rule;           /* number of the <Metric> block that made it */
  bool is_held;            /* the thread's: it keeps samples (cut_hold()) */
  char identifier[];       /* of the value that made it, for messages */
};

struct series_table {
  struct series **chains; /* owned; n_chains is a power of 2, or 0 */
  size_t n_chains;
  size_t n, max;
  uint32_t next_serial;
  uint32_t n_forgotten; /* ever: tells that there may be room again */
};

enum series_found {
  SERIES_FOUND,
  SERIES_FULL,
  SERIES_DISAGREES,
  SERIES_NO_MEMORY
};

/* Finds the series, or makes it when there is none and the table has room; adds
 * a user.  *out is set only with SERIES_FOUND.
 *
 * identifier  of the value that asks, copied
 * SERIES_DISAGREES: there is one of this name with another unit, resolution,
 * statistics or combine. */
enum series_found series_use(struct series_table *table,
                             const struct series_name *name,
                             const struct rule *rule, const char *identifier,
                             struct series **out);

/* Takes a user away; the series is freed with its last one. */
void series_leave(struct series_table *table, struct series *series);

/* Frees all series, used or not. */
void series_clear(struct series_table *table);

#endif
