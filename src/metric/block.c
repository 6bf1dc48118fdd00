#include "metric/block.h"

#include "metric/names.h"
#include "metric/where.h"

#include <stdlib.h>
#include <string.h>

static const char *const selector_names[N_SELECTORS] = {
    [PART_HOST] = "Host",
    [PART_PLUGIN] = "Plugin",
    [PART_PLUGIN_INSTANCE] = "PluginInstance",
    [PART_TYPE] = "Type",
    [PART_TYPE_INSTANCE] = "TypeInstance",
    [SELECT_DATA_SOURCE] = "DataSource",
};

const char *block_selector_name(size_t i) { return selector_names[i]; }

static int check_name(struct str text, struct err *why) {
  return names_check(text, CW_NAME_MAX, why);
}

static int compile_selectors(const struct rule_spec *spec, struct block *out,
                             struct err *err) {
  for (size_t i = 0; i < N_SELECTORS; i++) {
    const struct text_list *lines = &spec->select[i];
    struct err why;
    size_t bad;
    if (select_compile(lines->text, lines->n, &out->select[i], &bad, &why) != 0)
      return where_refuse_value(spec->name, selector_names[i], lines->text[bad],
                                why.text, err);
  }
  return 0;
}

static int compile_name(const struct block_context *context,
                        const struct rule_spec *spec, struct block *out,
                        struct err *err) {
  struct err why;

  if (where_compile_text(context, spec->name, check_name, &out->name, &why) !=
      0)
    return err_set(err, "<Metric \"%.100s\">, the metric's name: %s",
                   spec->name, why.text);
  return 0;
}

static int compile_namespace(const struct block_context *context,
                             const struct rule_spec *spec, struct block *out,
                             struct err *err) {
  const char *text = spec->where.namespace, *label = spec->name;
  struct err why;

  if (text == NULL) {
    text = context->outside->namespace;
    label = NULL;
  }
  if (text == NULL)
    text = context->default_namespace;
  out->namespace_text = str_dup(str_of(text));
  if (out->namespace_text == NULL)
    return err_set(err, "out of memory");
  if (where_compile_text(context, text, names_check_namespace, &out->namespace,
                         &why) != 0)
    return where_refuse_value(label, "Namespace", text, why.text, err);
  return 0;
}

int block_compile(const struct block_context *context,
                  const struct rule_spec *spec, size_t number,
                  struct block *out, struct err *err) {
  *out = (struct block){
      .rule = {.counters = spec->counters,
               .combine = spec->combine,
               .scale = spec->scale,
               .offset = spec->offset,
               .rounding = spec->rounding,
               .nan_is_zero = spec->nan_is_zero,
               .statistics = spec->statistics,
               .label = str_dup(str_of(spec->name))},
      .number = number,
      .unit = spec->unit,
      .resolution_s = spec->resolution_s,
  };
  if (out->rule.label == NULL) {
    err_set(err, "out of memory");
    goto fail;
  }
  if (compile_name(context, spec, out, err) != 0 ||
      compile_selectors(spec, out, err) != 0 ||
      compile_namespace(context, spec, out, err) != 0 ||
      where_compile_dimensions(context, &spec->where, spec->name, out, err) !=
          0 ||
      where_compile_sets(context, &spec->where, out, err) != 0)
    goto fail;
  return 0;
fail:
  block_clear(out);
  return -1;
}

void block_clear(struct block *block) {
  free((char *)block->rule.label);
  for (size_t i = 0; i < N_SELECTORS; i++)
    select_clear(&block->select[i]);
  free(block->namespace_text);
  tmpl_free(block->namespace);
  tmpl_free(block->name);
  for (size_t i = 0; i < block->n_dimensions; i++) {
    free(block->dimensions[i].name);
    free(block->dimensions[i].text);
    tmpl_free(block->dimensions[i].tmpl);
  }
  free(block->dimensions);
  free(block->sets);
  *block = (struct block){0};
}

int block_check_outside(const struct block_context *context, struct err *err) {
  struct tmpl_keys keys = {0}; /* only what a block uses needs a number */
  struct block_context scratch = *context;
  struct block block = {0};
  struct tmpl *namespace = NULL;
  const char *text = context->outside->namespace;
  struct err why;
  int rc = -1;

  scratch.keys = &keys;
  if (text != NULL && where_compile_text(&scratch, text, names_check_namespace,
                                         &namespace, &why) != 0) {
    where_refuse_value(NULL, "Namespace", text, why.text, err);
    goto out;
  }
  rc = where_compile_dimensions(&scratch, context->outside, NULL, &block, err);
out:
  tmpl_free(namespace);
  block_clear(&block);
  tmpl_keys_clear(&keys);
  return rc;
}

bool block_loses_unit(const struct rule *rule) {
  return rule->scale != 1 || rule->counters != COUNTERS_RATE;
}
