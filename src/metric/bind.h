/* bind: a collectd identifier to its remembered list of series.
 *
 * What a value maps to is decided once.  The rules run without the node's lock
 * and yield a plan; under the lock the plan becomes a binding; from then on a
 * value costs one look-up.  That nothing selects an identifier is remembered
 * too.  Identifiers that fell silent are forgotten.
 *
 * The table belongs to the node's lock.  What is marked so below belongs to the
 * node's thread alone. */
#ifndef METRIC_BIND_H
#define METRIC_BIND_H

#include "metric/metric.h"
#include "metric/rate.h"
#include "metric/rule.h"
#include "metric/series.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One reading of one identifier that feeds one series under one rule: a member
 * of a group, if the rule combines. */
struct target {
  struct series *series; /* NULL: refused, by lack of room or disagreement */
  const struct rule *rule;
  struct group *group; /* NULL without Combine */
  struct binding *binding;
  uint32_t reading; /* its number in the value list */
  uint32_t n_held;  /* the thread's: samples that it keeps for later */

  /* The thread's: the member's newest value, for Combine. */
  struct target *next_member, **member_link; /* what points to this one */
  double newest;
  uint32_t newest_s;   /* when; 0: never */
  uint32_t interval_s; /* between its values, rounded up */
  uint32_t reported_s; /* start of the last slot that it reported in */
  uint32_t before_s;   /* start of the one before that */
};

struct binding {
  struct binding *next; /* in its chain of the table */
  uint64_t hash;
  int64_t seen_s;       /* steady time of the last value */
  uint64_t last_hash;   /* of time and values of the last value list */
  uint32_t interval_s;  /* of its values, rounded up */
  uint32_t n_forgotten; /* of the series table, when refused */
  bool is_refused;      /* a target has no series: worth asking again */
  size_t n_readings;
  struct rate *rates; /* one for each reading; NULL if none is needed */
  size_t n_targets;
  struct target *targets; /* in the order of their reading */
  const char *key;        /* as identifier_key_write(); behind the struct */
};

struct bind_table {
  struct binding **chains; /* owned; n_chains is a power of 2, or 0 */
  size_t n_chains, n;
  size_t max;    /* identifiers at once */
  size_t n_meta; /* meta data values that belong to a key */
  uint64_t seed; /* random: strangers choose identifiers */
  struct series_table series;
};

/* What the rules say about an identifier, before it is in the table. */
struct plan;

/* Runs the rules; pure and without the lock.  notice as in rules_map().  NULL
 * is lack of memory. */
struct plan *plan_new(const struct rules *rules, const struct input *in,
                      rules_notice_fn notice, void *context);
void plan_free(struct plan *plan);

/* The binding of an identifier; NULL when it is not known, or when it is worth
 * running the rules again: a target of it was refused, and a series has been
 * forgotten since.  hash: of identifier_hash(). */
struct binding *bind_find(const struct bind_table *table,
                          const struct input *in, uint64_t hash);

/* Makes the binding of an identifier, or gives a known one the targets that it
 * lacks.  Series are admitted in ascending number of their dimensions; those
 * that are refused are counted in tally.
 *
 * NULL, counted likewise: no memory, or no room for one identifier more; a new
 * one stays unknown, a known one keeps what it has and is asked again. */
struct binding *bind_put(struct bind_table *table, const struct plan *plan,
                         const struct input *in, uint64_t hash,
                         struct tally *tally);

/* Forgets bindings of the chains from first on, n_chains of them, that saw no
 * value since silent_s, less three of their own intervals, and of which the
 * thread keeps nothing; the node's thread only.  Returns the number of the next
 * chain, 0 after the last. */
size_t bind_forget(struct bind_table *table, size_t first, size_t n_chains,
                   int64_t silent_s);

/* Frees all. */
void bind_clear(struct bind_table *table);

#endif
