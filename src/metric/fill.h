/* fill: the name of a series, with the instance's values in place of the marks
 * that templates left (metric/ec2.h).
 *
 * Belongs to the node's thread; pure. */
#ifndef METRIC_FILL_H
#define METRIC_FILL_H

#include "base/buf.h"
#include "metric/ec2.h"
#include "metric/metric.h"

#include <stdbool.h>
#include <stddef.h>

enum filled {
  FILLED,
  FILL_LACKING, /* a value that has no text to stand for it is not there */
  FILL_REFUSED, /* the name or namespace is blank now, or kept for AWS */
  FILL_NO_MEMORY,
};

/* What was filled in last. */
struct fill {
  const struct series_name *of; /* NULL: nothing yet */
  enum filled result;
  size_t number;           /* of the value, with FILL_LACKING */
  bool is_changed;         /* with FILLED: a text had to be made fit */
  struct series_name name; /* with FILLED; its texts lie in text */
  struct buf text;
  struct dimension dimensions[CW_DIMENSIONS_MAX];
};
#define FILL_TEXT_MAX (1 << 18)
#define FILL_INIT                                                              \
  { .text = BUF_INIT(FILL_TEXT_MAX) }
void fill_clear(struct fill *fill);

/* Values may have changed: forgets what was filled in last. */
void fill_reset(struct fill *fill);

/* Fills in the values; a name that was the last one costs nothing.  What is in
 * *fill is valid until the next call. */
enum filled fill_name(struct fill *fill, const struct series_name *marked,
                      const struct ec2_values *values);

#endif
