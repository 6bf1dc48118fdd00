/* plan: what the rules say about an identifier, before it is bound.
 *
 * The rules take long, so they run without the node's lock; what they say is
 * kept here until bind_put() takes it over under the lock. */
#ifndef METRIC_PLAN_H
#define METRIC_PLAN_H

#include "metric/metric.h"
#include "metric/rule.h"
#include "metric/series_name.h"

#include <stdbool.h>
#include <stddef.h>

struct plan {
  struct plan_target {
    size_t reading;
    const struct rule *rule;
    struct series_name name; /* a copy, in block */
    void *block;             /* owned: what the name points to */
  } * targets;               /* in the order of their reading */
  size_t n_targets, cap_targets;
  bool failed; /* lack of memory */

  rules_notice_fn notice;
  void *context;
};

/* Runs the rules; pure.  notice as in rules_map(), and where two blocks select
 * one reading for one series.  NULL is lack of memory. */
struct plan *plan_new(const struct rules *rules, const struct input *in,
                      rules_notice_fn notice, void *context);
void plan_free(struct plan *plan);

#endif
