#include "metric/bind.h"

#include "metric/combine.h"
#include "metric/identifier.h"
#include "metric/series_name.h"

#include <assert.h>
#include <stdlib.h>

/* ---- plan -------------------------------------------------------------- */

struct plan {
  struct plan_target {
    size_t reading;
    const struct rule *rule;
    struct series_name name; /* a copy, in block */
    void *block;             /* owned: what the name points to */
  } * targets;
  size_t n_targets, cap_targets;
  bool failed; /* lack of memory */

  rules_notice_fn notice;
  void *context;
};

static void plan_target(void *context, size_t reading, const struct rule *rule,
                        const struct series_name *name) {
  struct plan *plan = context;

  if (plan->failed)
    return;
  if (plan->n_targets == plan->cap_targets) {
    size_t cap = plan->cap_targets == 0 ? 4 : plan->cap_targets * 2;
    struct plan_target *grown =
        realloc(plan->targets, cap * sizeof(*plan->targets));
    if (grown == NULL) {
      plan->failed = true;
      return;
    }
    plan->targets = grown;
    plan->cap_targets = cap;
  }
  struct plan_target target = {.reading = reading,
                               .rule = rule,
                               .block = malloc(series_name_bytes(name))};
  if (target.block == NULL) {
    plan->failed = true;
    return;
  }
  target.name = series_name_copy(name, target.block);

  /* Behind those of the same reading: a binding's targets are in the order of
   * their readings, while the rules tell theirs block by block. */
  size_t place = plan->n_targets++;
  for (; place > 0 && plan->targets[place - 1].reading > reading; place--)
    plan->targets[place] = plan->targets[place - 1];
  plan->targets[place] = target;
}

static void plan_notice(void *context, const char *sentence) {
  struct plan *plan = context;

  plan->notice(plan->context, sentence);
}

struct plan *plan_new(const struct rules *rules, const struct input *in,
                      rules_notice_fn notice, void *context) {
  struct plan *plan = calloc(1, sizeof(*plan));
  if (plan == NULL)
    return NULL;

  plan->notice = notice;
  plan->context = context;
  if (rules_map(rules, in, plan_target, plan_notice, plan) != 0 ||
      plan->failed) {
    plan_free(plan);
    return NULL;
  }
  return plan;
}

void plan_free(struct plan *plan) {
  if (plan == NULL)
    return;
  for (size_t i = 0; i < plan->n_targets; i++)
    free(plan->targets[i].block);
  free(plan->targets);
  free(plan);
}

/* ---- the table --------------------------------------------------------- */

static struct binding *find(const struct bind_table *table,
                            const struct input *in, uint64_t hash) {
  if (table->n_chains == 0)
    return NULL;
  struct binding *binding = table->chains[hash & (table->n_chains - 1)];
  while (binding != NULL &&
         (binding->hash != hash || binding->n_readings != in->n_readings ||
          !identifier_key_matches(in, table->n_meta, binding->key)))
    binding = binding->next;
  return binding;
}

struct binding *bind_find(const struct bind_table *table,
                          const struct input *in, uint64_t hash) {
  struct binding *binding = find(table, in, hash);

  if (binding != NULL && binding->is_refused &&
      binding->n_forgotten != table->series.n_forgotten)
    return NULL;
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

static bool plan_needs_rate(const struct plan *plan, const struct input *in) {
  for (size_t i = 0; i < plan->n_targets; i++)
    if (plan->targets[i].rule->counters != COUNTERS_RAW &&
        in->readings[plan->targets[i].reading].kind != KIND_GAUGE)
      return true;
  return false;
}

/* One block of memory: the struct, its targets, its rates, its key. */
static struct binding *binding_new(const struct bind_table *table,
                                   const struct plan *plan,
                                   const struct input *in) {
  bool needs_rate = plan_needs_rate(plan, in);
  size_t n_rates = needs_rate ? in->n_readings : 0;
  struct binding *binding =
      calloc(1, sizeof(*binding) + plan->n_targets * sizeof(struct target) +
                    n_rates * sizeof(struct rate) +
                    identifier_key_bytes(in, table->n_meta));
  if (binding == NULL)
    return NULL;

  binding->targets = (struct target *)(binding + 1);
  binding->n_targets = plan->n_targets;
  struct rate *rates =
      (struct rate *)(void *)(binding->targets + plan->n_targets);
  char *key = (char *)(rates + n_rates);
  binding->rates = needs_rate ? rates : NULL;
  binding->n_readings = in->n_readings;
  identifier_key_write(in, table->n_meta, key);
  binding->key = key;
  for (size_t i = 0; i < plan->n_targets; i++)
    binding->targets[i] =
        (struct target){.rule = plan->targets[i].rule,
                        .reading = (uint32_t)plan->targets[i].reading,
                        .binding = binding};
  return binding;
}

/* Gives a target its series; false when there was no memory. */
static bool admit(struct bind_table *table, struct target *target,
                  const struct series_name *name, const struct input *in,
                  struct tally *tally) {
  char identifier[TALLY_EXAMPLE_BYTES];
  struct series *series = NULL;

  identifier_print(identifier, sizeof(identifier), in);
  switch (series_use(&table->series, name, target->rule, identifier, &series)) {
  case SERIES_FOUND:
    break;
  case SERIES_FULL:
    target->binding->is_refused = true;
    tally_add(tally, REASON_MAX_METRICS, in);
    return true;
  case SERIES_DISAGREES:
    target->binding->is_refused = true; /* until the other is forgotten */
    tally_add(tally, REASON_DISAGREE, in);
    return true;
  case SERIES_NO_MEMORY:
    return false;
  }

  if (target->rule->combine != COMBINE_NONE) {
    target->group = group_use(series, target->rule);
    if (target->group == NULL) {
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
          !admit(table, &binding->targets[i], &plan->targets[i].name, in,
                 tally)) {
        binding->is_refused = true;
        binding->n_forgotten--; /* ask again with the next value */
        return false;
      }
  return true;
}

static void free_binding(struct bind_table *table, struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++) {
    struct target *target = &binding->targets[i];
    if (target->group != NULL)
      group_leave(target);
    if (target->series != NULL)
      series_leave(&table->series, target->series);
  }
  free(binding);
}

/* A new binding in the table, whose targets have no series yet.  NULL is lack
 * of memory. */
static struct binding *add(struct bind_table *table, const struct plan *plan,
                           const struct input *in, uint64_t hash) {
  if (make_room(table) != 0)
    return NULL;
  struct binding *binding = binding_new(table, plan, in);
  if (binding == NULL)
    return NULL;

  struct binding **chain = &table->chains[hash & (table->n_chains - 1)];
  binding->hash = hash;
  binding->next = *chain;
  *chain = binding;
  table->n++;
  return binding;
}

struct binding *bind_put(struct bind_table *table, const struct plan *plan,
                         const struct input *in, uint64_t hash,
                         struct tally *tally) {
  struct binding *binding = find(table, in, hash);

  if (binding == NULL && table->n >= table->max) {
    tally_add(tally, REASON_CROWDED, in);
    return NULL;
  }
  if (binding == NULL)
    binding = add(table, plan, in, hash);
  /* A plan is the same each time, so its targets are those of the binding. */
  assert(binding == NULL || binding->n_targets == plan->n_targets);
  if (binding == NULL || !admit_all(table, binding, plan, in, tally)) {
    tally_add(tally, REASON_MEMORY, in);
    return NULL;
  }
  return binding;
}

static bool is_held(const struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++)
    if (binding->targets[i].n_held > 0)
      return true;
  return false;
}

size_t bind_forget(struct bind_table *table, size_t first, size_t n_chains,
                   int64_t silent_s) {
  size_t end = first + n_chains;
  if (end > table->n_chains)
    end = table->n_chains;

  for (size_t i = first; i < end; i++) {
    struct binding **link = &table->chains[i];
    while (*link != NULL) {
      struct binding *binding = *link;
      int64_t patience_s = 3 * (int64_t)binding->interval_s;
      if (binding->seen_s + patience_s >= silent_s || is_held(binding)) {
        link = &binding->next;
        continue;
      }
      *link = binding->next;
      table->n--;
      free_binding(table, binding);
    }
  }
  return end < table->n_chains ? end : 0;
}

void bind_clear(struct bind_table *table) {
  for (size_t i = 0; i < table->n_chains; i++)
    while (table->chains[i] != NULL) {
      struct binding *binding = table->chains[i];
      table->chains[i] = binding->next;
      free_binding(table, binding);
    }
  free(table->chains);
  series_clear(&table->series);
  table->chains = NULL;
  table->n_chains = table->n = 0;
}
