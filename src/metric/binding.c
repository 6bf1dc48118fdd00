#include "metric/binding.h"

#include "metric/combine.h"
#include "metric/identifier.h"

#include <stdlib.h>

/* ---- birth ---------------------------------------------------------------
 */

static bool needs_rates(const struct plan *plan, const struct input *in) {
  for (size_t i = 0; i < plan->n_targets; i++)
    if (plan->targets[i].rule->counters != COUNTERS_RAW &&
        in->readings[plan->targets[i].reading].kind != KIND_GAUGE)
      return true;
  return false;
}

static bool needs_members(const struct plan *plan) {
  for (size_t i = 0; i < plan->n_targets; i++)
    if (plan->targets[i].rule->combine != COMBINE_NONE)
      return true;
  return false;
}

/* What lies behind the key are words. */
static size_t align_word(size_t bytes) {
  return (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
}

struct binding *binding_new(const struct plan *plan, const struct input *in,
                            size_t n_meta, uint64_t hash) {
  struct binding sized = {.hash = (uint32_t)hash,
                          .n_targets = (uint32_t)plan->n_targets,
                          .n_readings = (uint8_t)in->n_readings,
                          .has_rates = needs_rates(plan, in)};
  size_t n_rates = sized.has_rates ? in->n_readings : 0;
  size_t n_members = needs_members(plan) ? plan->n_targets : 0;

  sized.targets_at = (uint32_t)align_word(offsetof(struct binding, key) +
                                          identifier_key_bytes(in, n_meta));
  struct binding *binding = calloc(
      1, sized.targets_at + sized.n_targets * sizeof(struct target) +
             n_rates * sizeof(struct rate) + n_members * sizeof(struct member));
  if (binding == NULL)
    return NULL;

  *binding = sized;
  identifier_key_write(in, n_meta, binding->key);
  struct target *targets = binding_targets(binding);
  struct member *members =
      (struct member *)(void *)(binding_rates(binding) + n_rates);
  for (size_t i = 0; i < plan->n_targets; i++) {
    targets[i].rule = plan->targets[i].rule;
    targets[i].reading = (uint32_t)plan->targets[i].reading;
    if (binding_is_member(&targets[i]))
      targets[i].member = &members[i];
  }
  return binding;
}

/* ---- what it feeds -------------------------------------------------------
 */

struct series *binding_series(const struct target *target) {
  if (!target->is_admitted)
    return NULL;
  return binding_is_member(target) ? target->member->group->series
                                   : target->series;
}

bool binding_feeds(const struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++)
    if (binding_targets(binding)[i].is_admitted)
      return true;
  return false;
}

bool binding_feeds_groups_only(const struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++) {
    const struct target *target = &binding_targets(binding)[i];
    if (target->is_admitted && !binding_is_member(target))
      return false;
  }
  return true;
}

bool binding_is_held(const struct binding *binding) {
  for (size_t i = 0; i < binding->n_targets; i++) {
    const struct target *target = &binding_targets(binding)[i];
    const struct series *series = binding_series(target);
    if (series == NULL)
      continue;
    if (binding_is_member(target) && target->member->n_held > 0)
      return true;
    if (series->is_held && series->n_users <= binding->n_targets)
      return true;
  }
  return false;
}
