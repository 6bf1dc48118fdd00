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

#include "metric/binding.h"
#include "metric/metric.h"
#include "metric/plan.h"
#include "metric/rule.h"
#include "metric/series.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * silent and of which the thread keeps nothing (cut_hold()); the node's thread
 * only.
 *
 * now_s  steady time
 * Returns the number of the next chain, 0 after the last. */
size_t bind_forget(struct bind_table *table, size_t first, size_t n_chains,
                   uint32_t now_s, const struct bind_patience *patience);

/* Frees all. */
void bind_clear(struct bind_table *table);

#endif
