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
#include "metric/plan.h"
#include "metric/rate.h"
#include "metric/rule.h"
#include "metric/series.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One reading of one identifier that feeds one series under one rule. */
struct target {
  struct series *series; /* NULL: refused, by lack of room or disagreement */
  const struct rule *rule;
  struct member *member; /* NULL without Combine */
  uint32_t reading;      /* its number in the value list */
};

/* The target as a member of a group, for Combine. */
struct member {
  struct group *group; /* NULL: the target has no series */

  /* The thread's: its newest value. */
  struct member *next, **link; /* what points to this one */
  double newest;
  uint32_t n_held;     /* values that the thread keeps for later */
  uint32_t newest_s;   /* when; 0: never */
  uint32_t interval_s; /* between its values, rounded up */
  uint32_t reported_s; /* start of the last slot that it reported in */
  uint32_t before_s;   /* start of the one before that */
};

/* One block of memory: the struct with its targets, a rate for each reading if
 * a counter is among them, a member for each target of a Combine, and the key,
 * as identifier_key_write() has it. */
struct binding {
  struct binding *next; /* in its chain of the table */
  uint64_t last;        /* a hash of time and values of the last value list */
  uint32_t hash;        /* of the key, as much of it as fits */
  uint32_t seen_s;      /* steady time; bind_forget() sets it if is_seen */
  uint32_t interval_s;  /* of its values, rounded up */
  uint32_t n_forgotten; /* of the series table, when refused */
  uint32_t n_targets;
  uint32_t n_members;
  uint16_t n_readings;
  bool is_seen;    /* a value came since bind_forget() looked */
  bool is_refused; /* a target has no series: worth asking again */
  bool has_rates;
  struct target targets[]; /* in the order of their reading */
};

/* The last values of its readings; only if has_rates. */
struct rate *binding_rates(struct binding *binding);

struct bind_table {
  struct binding **chains; /* owned; n_chains is a power of 2, or 0 */
  size_t n_chains, n;
  size_t max;    /* identifiers at once that feed a series */
  size_t n_idle; /* identifiers that feed none */
  size_t max_idle;
  size_t hand;   /* the chain where the next of them is sought, to forget it */
  size_t n_meta; /* meta data values that belong to a key */
  uint64_t seed; /* random: strangers choose identifiers */
  struct series_table series;
};

/* The binding of an identifier, marked as seen; NULL when it is not known, or
 * when it is worth running the rules again: a target of it was refused, and a
 * series has been forgotten since.  hash: of identifier_hash(). */
struct binding *bind_find(const struct bind_table *table,
                          const struct input *in, uint64_t hash);

/* Makes the binding of an identifier, or gives a known one the targets that it
 * lacks.  Series are admitted in ascending number of their dimensions; those
 * that are refused are counted in tally.
 *
 * Identifiers that feed nothing, as no rule selects them or no series was
 * admitted, never are in the way: beyond max_idle, one of them is forgotten for
 * each new one, not seen of late if there is such.
 *
 * NULL, counted likewise: no memory, or no room for one more that feeds a
 * series; a new one stays unknown, a known one keeps what it has and is asked
 * again. */
struct binding *bind_put(struct bind_table *table, const struct plan *plan,
                         const struct input *in, uint64_t hash,
                         struct tally *tally);

/* How long an identifier is remembered after its last value, in seconds; three
 * of its own intervals come on top. */
struct bind_patience {
  uint32_t usual_s;
  uint32_t member_s; /* while the table is more than half full, for what feeds
                        nothing but groups: their series live on */
};

/* Forgets bindings of the chains from first on, n_chains of them, that fell
 * silent and of which the thread keeps nothing; the node's thread only.
 *
 * now_s  steady time
 * Returns the number of the next chain, 0 after the last. */
size_t bind_forget(struct bind_table *table, size_t first, size_t n_chains,
                   uint32_t now_s, const struct bind_patience *patience);

/* Frees all. */
void bind_clear(struct bind_table *table);

#endif
