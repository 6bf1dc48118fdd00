#include "metric/plan.h"

#include "base/err.h"

#include <stdint.h>
#include <stdlib.h>

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

/* Two blocks for one metric are meant to take different values. */
static void warn_of_pair(const struct plan *plan, const struct plan_target *a,
                         const struct plan_target *b) {
  struct err sentence;

  (void)err_set(&sentence,
                "<Metric \"%.100s\"> and <Metric \"%.100s\"> select the same "
                "values for one metric, so each counts twice; narrow the "
                "selectors of one, or give it another name",
                a->rule->label, b->rule->label);
  plan->notice(plan->context, sentence.text);
}

static void warn_of_double(const struct plan *plan) {
  for (size_t i = 1; i < plan->n_targets; i++) {
    const struct plan_target *b = &plan->targets[i];
    for (size_t k = i; k-- > 0 && plan->targets[k].reading == b->reading;) {
      const struct plan_target *a = &plan->targets[k];
      if (a->rule != b->rule && series_name_eq(&a->name, &b->name))
        warn_of_pair(plan, a, b);
    }
  }
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
  warn_of_double(plan);
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
