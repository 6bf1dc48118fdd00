/* explain: what an identifier that no <Metric> selects is told. */
#ifndef METRIC_EXPLAIN_H
#define METRIC_EXPLAIN_H

#include "metric/rule.h"

#include <stdbool.h>

#define EXPLAIN_BECAUSE_MAX 256 /* bytes, the NUL counted */

struct explain_nearest {
  const char *label; /* the block's argument; borrowed from the rules */
  /* The selector that is in the way, as a clause, "Plugin "memory" does not
   * match "cpu"": UTF-8 whatever the texts are, without control characters;
   * long texts are cut with "...". */
  char because[EXPLAIN_BECAUSE_MAX];
};

/* Finds the enabled block that comes nearest to the identifier, and the first
 * of its selectors that does not take it.  Nearest is a block whose Plugin is
 * written and matches; among equals the one with the fewest selectors that
 * fail; then the one of which most that are written match; then the first.
 * DataSource fails when it takes none of the readings.
 *
 * True with *out filled.  False, *out untouched, when a block selects one of
 * the readings, or there are no readings. */
bool explain_nearest(const struct rules *rules, const struct input *in,
                     struct explain_nearest *out);

#endif
