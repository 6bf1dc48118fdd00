/* rule: which values are taken, and the name, unit, resolution and dimensions
 * they get.
 *
 * A <Metric> block is described by plain data (struct rule_spec), compiled once
 * (struct rules), and run once per collectd identifier: rules_map() says which
 * series its values go to.  What is compiled never changes, so any thread may
 * use it. */
#ifndef METRIC_RULE_H
#define METRIC_RULE_H

#include "base/buf.h"
#include "base/err.h"
#include "metric/metric.h"
#include "metric/tmpl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- as configured ------------------------------------------------------ */

struct text_list {
  char **text; /* owned */
  size_t n;
};

/* Selectors: one for each part of the identifier, and the data source. */
#define SELECT_DATA_SOURCE N_PARTS
#define N_SELECTORS (N_PARTS + 1)

enum counters { COUNTERS_RATE, COUNTERS_DELTA, COUNTERS_RAW };

enum combine {
  COMBINE_NONE,
  COMBINE_SUM,
  COMBINE_AVERAGE,
  COMBINE_MIN,
  COMBINE_MAX,
  COMBINE_COUNT,
};

enum rounding { ROUND_NOT, ROUND_CEIL, ROUND_FLOOR, ROUND_NEAREST };

struct dimension_spec {
  char *name;     /* owned */
  char *template; /* owned */
};

/* Dimensions and the sets of them, inside or outside a <Metric>. */
struct where_spec {
  char *namespace; /* template, owned; NULL: not said here */
  struct dimension_spec *dimensions;
  size_t n_dimensions;
  struct text_list *sets; /* names of dimensions; no text: the empty set */
  size_t n_sets;
};

struct rule_spec {
  char *name; /* template, owned: the argument of <Metric> */
  struct text_list select[N_SELECTORS];
  bool enabled;
  const char *unit; /* as unit_find() gives it; NULL: by type */
  bool nan_is_zero;
  enum counters counters;
  enum combine combine;
  double scale, offset;
  enum rounding rounding;
  enum statistics statistics;
  int resolution_s; /* 1 or 60 */
  struct where_spec where;
};

struct rules_spec {
  struct where_spec where; /* outside the <Metric> blocks */
  struct rule_spec *rules; /* owned */
  size_t n_rules;
};

/* The defaults of an empty <Metric> block. */
#define RULE_SPEC_INIT                                                         \
  { .enabled = true, .scale = 1, .resolution_s = 60 }

void where_spec_clear(struct where_spec *where);
void rule_spec_clear(struct rule_spec *spec);
void rules_spec_clear(struct rules_spec *spec);

/* Whether text is a good selector: a literal, or a POSIX extended regular
 * expression between slashes, either with a leading "!".  0, or -1 with *err
 * set. */
int rule_check_selector(struct str text, struct err *err);

/* ---- compiled ----------------------------------------------------------- */

struct rule {
  enum counters counters;
  enum combine combine;
  double scale, offset;
  enum rounding rounding;
  bool nan_is_zero;
  uint16_t number; /* among the enabled blocks, from 0: see rules_label() */
  enum statistics statistics;
  const char *label; /* the block's argument, for messages */
};

#define RULES_MAX UINT16_MAX /* enabled blocks; so no rule has this number */

struct rules;

/* Compiles what is configured: templates, expressions, sets; leaves out blocks
 * that are not enabled.
 *
 * spec      borrowed for the call
 * default_namespace  used where none is configured
 * env       answers %{env:NAME}
 * warnings  each warning is appended as one line
 *
 * NULL with *err set, naming block, option, value and remedy: no block is
 * enabled, or more than RULES_MAX, a bad template or expression, a set that
 * names an undefined dimension, more than 30 dimensions in a set, a namespace,
 * name or dimension that CloudWatch would refuse, two blocks that can feed one
 * series and do not agree in Unit, StorageResolution, Statistics or Combine. */
struct rules *rules_compile(const struct rules_spec *spec,
                            const char *default_namespace, tmpl_env_fn env,
                            struct buf *warnings, struct err *err);
void rules_free(struct rules *rules);

/* The argument of the block whose rule has this number, borrowed; NULL beyond
 * the last. */
const char *rules_label(const struct rules *rules, size_t number);

/* The meta data keys whose values struct input must bring, in order. */
size_t rules_n_meta_keys(const struct rules *rules);
const char *rules_meta_key(const struct rules *rules, size_t i);

/* The values of the instance that the templates name; borrowed. */
const struct ec2_keys *rules_ec2_keys(const struct rules *rules);

/* Told once for each series that a reading goes to.  name is borrowed for the
 * call; everything in it is fit for CloudWatch. */
typedef void (*rules_series_fn)(void *context, size_t reading,
                                const struct rule *rule,
                                const struct series_name *name);

/* Told for each reason why a selected reading goes nowhere (an empty name, a
 * namespace that CloudWatch reserves), or where a text had to be changed; the
 * sentence is borrowed for the call. */
typedef void (*rules_notice_fn)(void *context, const char *sentence);

/* Runs the rules on one value list.  Series are told per reading and rule in
 * ascending number of dimensions; equal ones of one rule and reading once.
 * 0, or -1 for lack of memory (some may have been told). */
int rules_map(const struct rules *rules, const struct input *in,
              rules_series_fn series, rules_notice_fn notice, void *context);

#endif
