#include "metric/bind.h"

#include "metric/combine.h"
#include "metric/identifier.h"
#include "metric/series_name.h"

#include <assert.h>
#include <stdlib.h>

/* ---- the table --------------------------------------------------------- */

static struct binding **chain_of(const struct bind_table *table,
                                 uint32_t hash) {
  return &table->chains[hash & (table->n_chains - 1)];
}

static struct binding *find(const struct bind_table *table,
                            const struct input *in, uint64_t hash) {
  if (table->n_chains == 0)
    return NULL;
  struct binding *binding = *chain_of(table, (uint32_t)hash);
  while (binding != NULL &&
         (binding->hash != (uint32_t)hash ||
          binding->n_readings != in->n_readings ||
          !identifier_key_matches(in, table->n_meta, binding->key)))
    binding = binding->next;
  return binding;
}

struct binding *bind_find(const struct bind_table *table,
                          const struct input *in, uint64_t hash) {
  struct binding *binding = find(table, in, hash);

  if (binding == NULL || (binding->is_refused &&
                          binding->n_forgotten != table->series.n_forgotten))
    return NULL;
  if (!binding->is_seen) /* else its line of the cache stays clean */
    binding->is_seen = true;
  return binding;
}

static int make_room(struct bind_table *table) {
  if (table->n < table->n_chains)
    return 0;
  size_t n_chains = table->n_chains == 0 ? 16 : table->n_chains * 2;
  struct binding **chains = calloc(n_chains, sizeof(*chains));
  if (chains == NULL)
    return -1;

  for (size_t i = 0; i < table->n_chains; i++)
    while (table->chains[i] != NULL) {
      struct binding *binding = table->chains[i];
      struct binding **chain = &chains[binding->hash & (n_chains - 1)];
      table->chains[i] = binding->next;
      binding->next = *chain;
      *chain = binding;
    }
  free(table->chains);
  table->chains = chains;
  table->n_chains = n_chains;
  return 0;
}

/* Gives a target its series; false when there was no memory. */
static bool admit(struct bind_table *table, struct binding *binding,
                  struct target *target, const struct series_name *name,
                  const struct input *in, struct tally *tally) {
  char identifier[TALLY_EXAMPLE_BYTES];
  struct series *series = NULL;

  identifier_print(identifier, sizeof(identifier), in);
  switch (series_use(&table->series, name, target->rule, identifier, &series)) {
  case SERIES_FOUND:
    break;
  case SERIES_FULL:
    binding->is_refused = true;
    tally_add(tally, REASON_MAX_METRICS, in);
    return true;
  case SERIES_DISAGREES:
    binding->is_refused = true; /* until the other is forgotten */
    tally_add(tally, REASON_DISAGREE, in);
    return true;
  case SERIES_NO_MEMORY:
    return false;
  }

  target->is_admitted = true;
  if (!binding_is_member(target)) {
    target->series = series;
    return true;
  }
  target->member->group = group_use(series, target->rule);
  if (target->member->group != NULL)
    return true;
  series_leave(&table->series, series);
  target->is_admitted = false;
  return false;
}

/* Admits what has no series yet, the fewest dimensions first, so that host
 * series never crowd out fleet series.  False when there was no memory. */
static bool admit_all(struct bind_table *table, struct binding *binding,
                      const struct plan *plan, const struct input *in,
                      struct tally *tally) {
  struct target *targets = binding_targets(binding);

  binding->is_refused = false;
  binding->n_forgotten = table->series.n_forgotten;
  for (size_t n = 0; n <= CW_DIMENSIONS_MAX; n++)
    for (size_t i = 0; i < binding->n_targets; i++)
      if (!targets[i].is_admitted && plan->targets[i].name.n_dimensions == n &&
          !admit(table, binding, &targets[i], &plan->targets[i].name, in,
                 tally)) {
        binding->is_refused = true;
        binding->n_forgotten--; /* ask again with the next value */
        return false;
      }
  return true;
}

static void free_binding(struct bind_table *table, struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++) {
    const struct target *target = &binding_targets(binding)[i];
    struct series *series = binding_series(target);
    if (series == NULL)
      continue;
    if (binding_is_member(target))
      group_leave(target->member);
    series_leave(&table->series, series);
  }
  free(binding);
}

/* Takes *link out of its chain, and frees it. */
static void forget(struct bind_table *table, struct binding **link) {
  struct binding *binding = *link;

  *link = binding->next;
  table->n--;
  table->n_idle -= !binding_feeds(binding);
  free_binding(table, binding);
}

/* Forgets one that feeds nothing.  The hand goes round the chains as that of a
 * clock: who was seen since it came by is marked as not seen and has another
 * round, so that what comes once never drives out what comes each interval. */
static void forget_idle(struct bind_table *table) {
  for (size_t looked = 0; looked <= 2 * table->n_chains; looked++) {
    struct binding **link = &table->chains[table->hand];
    for (; *link != NULL; link = &(*link)->next) {
      if (binding_feeds(*link))
        continue;
      if (!(*link)->is_seen) {
        forget(table, link);
        return;
      }
      (*link)->is_seen = false;
    }
    table->hand = (table->hand + 1) & (table->n_chains - 1);
  }
}

/* ---- one more -----------------------------------------------------------
 */

/* A new binding in the table, whose targets have no series yet.  NULL is lack
 * of memory. */
static struct binding *add(struct bind_table *table, const struct plan *plan,
                           const struct input *in, uint64_t hash) {
  if (make_room(table) != 0)
    return NULL;
  struct binding *binding = binding_new(plan, in, table->n_meta, hash);
  if (binding == NULL)
    return NULL;

  struct binding **chain = chain_of(table, binding->hash);
  binding->next = *chain;
  *chain = binding;
  table->n++;
  table->n_idle++;
  return binding;
}

struct binding *bind_put(struct bind_table *table, const struct plan *plan,
                         const struct input *in, uint64_t hash,
                         struct tally *tally) {
  struct binding *binding = find(table, in, hash);

  if (binding == NULL && plan->n_targets > 0 &&
      table->n - table->n_idle >= table->max) {
    tally_add(tally, REASON_CROWDED, in);
    return NULL;
  }
  if (binding == NULL && table->n_idle >= table->max_idle)
    forget_idle(table);
  if (binding == NULL)
    binding = add(table, plan, in, hash);
  if (binding == NULL) {
    tally_add(tally, REASON_MEMORY, in);
    return NULL;
  }

  /* A plan is the same each time, so its targets are those of the binding. */
  assert(binding->n_targets == plan->n_targets);
  binding->is_seen = true;
  bool fed = binding_feeds(binding);
  bool is_whole = admit_all(table, binding, plan, in, tally);
  table->n_idle -= !fed && binding_feeds(binding);
  if (!is_whole) {
    tally_add(tally, REASON_MEMORY, in);
    return NULL;
  }
  return binding;
}

/* ---- silence ------------------------------------------------------------
 */

static bool is_silent(const struct bind_table *table, struct binding *binding,
                      uint32_t now_s, const struct bind_patience *patience) {
  uint64_t patience_s = patience->usual_s;

  if (binding->is_seen) {
    binding->is_seen = false;
    binding->seen_s = now_s;
    return false;
  }
  if (table->n - table->n_idle > table->max / 2 &&
      binding_feeds_groups_only(binding))
    patience_s = patience->member_s;
  patience_s += 3 * (uint64_t)binding->interval_s;
  return binding->seen_s + patience_s < now_s;
}

size_t bind_forget(struct bind_table *table, size_t first, size_t n_chains,
                   uint32_t now_s, const struct bind_patience *patience) {
  size_t end = first + n_chains;
  if (end > table->n_chains)
    end = table->n_chains;

  for (size_t i = first; i < end; i++) {
    struct binding **link = &table->chains[i];
    while (*link != NULL)
      if (is_silent(table, *link, now_s, patience) && !binding_is_held(*link))
        forget(table, link);
      else
        link = &(*link)->next;
  }
  return end < table->n_chains ? end : 0;
}

void bind_clear(struct bind_table *table) {
  for (size_t i = 0; i < table->n_chains; i++)
    while (table->chains[i] != NULL)
      forget(table, &table->chains[i]);
  free(table->chains);
  series_clear(&table->series);
  table->chains = NULL;
  table->n_chains = 0;
}
