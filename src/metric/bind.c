#include "metric/bind.h"

#include "metric/combine.h"
#include "metric/identifier.h"
#include "metric/series_name.h"

#include <assert.h>
#include <stdlib.h>

/* ---- the table --------------------------------------------------------- */

/* What lies behind the targets, in this order. */
struct rate *binding_rates(struct binding *binding) {
  return (struct rate *)(void *)(binding->targets + binding->n_targets);
}

static size_t n_rates(const struct binding *binding) {
  return binding->has_rates ? binding->n_readings : 0;
}

static struct member *members_of(struct binding *binding) {
  return (struct member *)(void *)(binding_rates(binding) + n_rates(binding));
}

static char *key_of(struct binding *binding) {
  return (char *)(members_of(binding) + binding->n_members);
}

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
          !identifier_key_matches(in, table->n_meta, key_of(binding))))
    binding = binding->next;
  return binding;
}

struct binding *bind_find(const struct bind_table *table,
                          const struct input *in, uint64_t hash) {
  struct binding *binding = find(table, in, hash);

  if (binding == NULL || (binding->is_refused &&
                          binding->n_forgotten != table->series.n_forgotten))
    return NULL;
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

static size_t count_members(const struct plan *plan) {
  size_t n = 0;

  for (size_t i = 0; i < plan->n_targets; i++)
    n += plan->targets[i].rule->combine != COMBINE_NONE;
  return n;
}

static bool plan_needs_rate(const struct plan *plan, const struct input *in) {
  for (size_t i = 0; i < plan->n_targets; i++)
    if (plan->targets[i].rule->counters != COUNTERS_RAW &&
        in->readings[plan->targets[i].reading].kind != KIND_GAUGE)
      return true;
  return false;
}

static struct binding *binding_new(const struct bind_table *table,
                                   const struct plan *plan,
                                   const struct input *in, uint64_t hash) {
  struct binding sized = {.hash = (uint32_t)hash,
                          .n_targets = (uint32_t)plan->n_targets,
                          .n_members = (uint32_t)count_members(plan),
                          .n_readings = (uint16_t)in->n_readings,
                          .has_rates = plan_needs_rate(plan, in)};
  struct binding *binding =
      calloc(1, sizeof(sized) + sized.n_targets * sizeof(struct target) +
                    n_rates(&sized) * sizeof(struct rate) +
                    sized.n_members * sizeof(struct member) +
                    identifier_key_bytes(in, table->n_meta));
  if (binding == NULL)
    return NULL;

  *binding = sized;
  identifier_key_write(in, table->n_meta, key_of(binding));
  struct member *member = members_of(binding);
  for (size_t i = 0; i < plan->n_targets; i++) {
    const struct plan_target *planned = &plan->targets[i];
    binding->targets[i] = (struct target){
        .rule = planned->rule, .reading = (uint32_t)planned->reading};
    if (planned->rule->combine != COMBINE_NONE)
      binding->targets[i].member = member++;
  }
  return binding;
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

  if (target->member != NULL) {
    target->member->group = group_use(series, target->rule);
    if (target->member->group == NULL) {
      series_leave(&table->series, series);
      return false;
    }
  }
  target->series = series;
  return true;
}

/* Admits what has no series yet, the fewest dimensions first, so that host
 * series never crowd out fleet series.  False when there was no memory. */
static bool admit_all(struct bind_table *table, struct binding *binding,
                      const struct plan *plan, const struct input *in,
                      struct tally *tally) {
  binding->is_refused = false;
  binding->n_forgotten = table->series.n_forgotten;
  for (size_t n = 0; n <= CW_DIMENSIONS_MAX; n++)
    for (size_t i = 0; i < binding->n_targets; i++)
      if (binding->targets[i].series == NULL &&
          plan->targets[i].name.n_dimensions == n &&
          !admit(table, binding, &binding->targets[i], &plan->targets[i].name,
                 in, tally)) {
        binding->is_refused = true;
        binding->n_forgotten--; /* ask again with the next value */
        return false;
      }
  return true;
}

/* ---- whether it feeds anything ------------------------------------------
 */

static bool feeds(const struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++)
    if (binding->targets[i].series != NULL)
      return true;
  return false;
}

static bool feeds_groups_only(const struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++)
    if (binding->targets[i].series != NULL &&
        binding->targets[i].member == NULL)
      return false;
  return true;
}

/* Whether the thread keeps something that would not outlive it: values of a
 * member, or samples of a series that nobody else is certain to feed. */
static bool is_held(const struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++) {
    const struct target *target = &binding->targets[i];
    if (target->series == NULL)
      continue;
    if (target->member != NULL && target->member->n_held > 0)
      return true;
    if (target->series->n_held > 0 &&
        target->series->n_users <= binding->n_targets)
      return true;
  }
  return false;
}

static void free_binding(struct bind_table *table, struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++) {
    struct target *target = &binding->targets[i];
    if (target->series == NULL)
      continue;
    if (target->member != NULL)
      group_leave(target->member);
    series_leave(&table->series, target->series);
  }
  free(binding);
}

/* Takes *link out of its chain, and frees it. */
static void forget(struct bind_table *table, struct binding **link) {
  struct binding *binding = *link;

  *link = binding->next;
  table->n--;
  table->n_idle -= !feeds(binding);
  free_binding(table, binding);
}

/* Forgets one that feeds nothing.  The hand goes round the chains as that of a
 * clock: who was seen since it came by is marked as not seen and has another
 * round, so that what comes once never drives out what comes each interval. */
static void forget_idle(struct bind_table *table) {
  for (size_t looked = 0; looked <= 2 * table->n_chains; looked++) {
    struct binding **link = &table->chains[table->hand];
    for (; *link != NULL; link = &(*link)->next) {
      if (feeds(*link))
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
  struct binding *binding = binding_new(table, plan, in, hash);
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
  bool fed = feeds(binding);
  bool is_whole = admit_all(table, binding, plan, in, tally);
  table->n_idle -= !fed && feeds(binding);
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
  if (table->n - table->n_idle > table->max / 2 && feeds_groups_only(binding))
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
      if (is_silent(table, *link, now_s, patience) && !is_held(*link))
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
