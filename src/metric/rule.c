#include "metric/rule.h"

#include "metric/block.h"
#include "metric/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- as configured ------------------------------------------------------ */

static void clear_texts(struct text_list *texts) {
  for (size_t i = 0; i < texts->n; i++)
    free(texts->text[i]);
  free(texts->text);
  *texts = (struct text_list){0};
}

void where_spec_clear(struct where_spec *where) {
  free(where->namespace);
  for (size_t i = 0; i < where->n_dimensions; i++) {
    free(where->dimensions[i].name);
    free(where->dimensions[i].template);
  }
  free(where->dimensions);
  for (size_t i = 0; i < where->n_sets; i++)
    clear_texts(&where->sets[i]);
  free(where->sets);
  *where = (struct where_spec){0};
}

void rule_spec_clear(struct rule_spec *spec) {
  free(spec->name);
  for (size_t i = 0; i < N_SELECTORS; i++)
    clear_texts(&spec->select[i]);
  where_spec_clear(&spec->where);
  *spec = (struct rule_spec)RULE_SPEC_INIT;
}

void rules_spec_clear(struct rules_spec *spec) {
  where_spec_clear(&spec->where);
  for (size_t i = 0; i < spec->n_rules; i++)
    rule_spec_clear(&spec->rules[i]);
  free(spec->rules);
  *spec = (struct rules_spec){0};
}

/* ---- compiled ----------------------------------------------------------- */

static int compile_blocks(const struct rules_spec *spec,
                          const struct block_context *context,
                          struct rules *rules, struct err *err) {
  for (size_t i = 0; i < spec->n_rules; i++) {
    if (!spec->rules[i].enabled)
      continue;
    if (rules->n_blocks == RULES_MAX)
      return err_set(err,
                     "more than %d <Metric> blocks; let one take more with "
                     "expressions and templates",
                     RULES_MAX);
    struct block *block = &rules->blocks[rules->n_blocks];
    if (block_compile(context, &spec->rules[i], i + 1, block, err) != 0)
      return -1;
    block->rule.number = (uint16_t)rules->n_blocks++;
  }
  if (rules->n_blocks > 0)
    return 0;
  if (spec->n_rules == 0)
    return err_set(err,
                   "no <Metric> block, so nothing would be published; add one "
                   "for each metric that CloudWatch shall have");
  return err_set(err,
                 "all %zu <Metric> blocks say \"Enabled false\", so nothing "
                 "would be published; enable one",
                 spec->n_rules);
}

static int check_pairs(const struct rules_spec *spec, const struct rules *rules,
                       struct err *err) {
  for (size_t i = 0; i < rules->n_blocks; i++)
    for (size_t k = 0; k < i; k++) {
      const struct block *a = &rules->blocks[k], *b = &rules->blocks[i];
      if (block_agree(a, &spec->rules[a->number - 1], b,
                      &spec->rules[b->number - 1], err) != 0)
        return -1;
    }
  return 0;
}

static void warn_of_units(const struct rules *rules, struct buf *warnings) {
  for (size_t i = 0; i < rules->n_blocks; i++) {
    const struct block *block = &rules->blocks[i];
    if (block->unit != NULL || !block_loses_unit(&block->rule))
      continue;
    buf_printf(warnings,
               "<Metric \"%.100s\">: with %s the unit of the collectd type no "
               "longer fits, so the unit is None; say Unit \"None\" if that is "
               "right, else which unit it is\n",
               block->rule.label,
               block->rule.scale != 1 ? "Scale" : "Counters");
  }
}

/* The text of a template that does not vary; "" of one that does. */
static void put_constant(struct buf *out, const struct tmpl *tmpl) {
  static const struct reading reading = {.name = "value"};
  static const struct input nothing = {
      .part = {"", "", "", "", ""}, .readings = &reading, .n_readings = 1};

  if (!tmpl_varies(tmpl))
    tmpl_expand(tmpl, &nothing, 0, out);
}

/* A dimension that is empty whatever comes: an unset variable, mostly, so that
 * hosts which should be told apart fall into one series. */
static void warn_of_dimensions(const struct block *block,
                               struct buf *warnings) {
  for (size_t i = 0; i < block->n_dimensions; i++) {
    const struct block_dimension *dimension = &block->dimensions[i];
    struct buf value = BUF_INIT(SIZE_MAX / 2);
    put_constant(&value, dimension->tmpl);
    if (dimension->used && !tmpl_varies(dimension->tmpl) &&
        names_is_blank(str_of_buf(&value)))
      buf_printf(warnings,
                 "<Metric \"%.100s\">: Dimension \"%.60s\" is always empty "
                 "and so is left out; set the variable that it names for the "
                 "daemon, or give it a text for that case\n",
                 block->rule.label, dimension->name);
    buf_clear(&value);
  }
}

/* The API's model takes more than the user guide names; what is beyond the
 * guide may be refused. */
static void warn_of_namespace(const struct block *block, struct buf *warnings) {
  static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ ._-/#:";
  struct buf value = BUF_INIT(SIZE_MAX / 2);

  put_constant(&value, block->namespace);
  if (strspn(buf_str(&value), letters) < value.len)
    buf_printf(warnings,
               "<Metric \"%.100s\">: Namespace \"%.100s\" has characters "
               "other than letters, digits, blank and . - _ / # :, which "
               "CloudWatch may refuse\n",
               block->rule.label, buf_str(&value));
  buf_clear(&value);
}

struct rules *rules_compile(const struct rules_spec *spec,
                            const char *default_namespace, tmpl_env_fn env,
                            struct buf *warnings, struct err *err) {
  struct rules *rules = calloc(1, sizeof(*rules));
  if (rules == NULL) {
    err_set(err, "out of memory");
    return NULL;
  }
  struct block_context context = {.outside = &spec->where,
                                  .default_namespace = default_namespace,
                                  .keys = &rules->keys,
                                  .env = env};

  rules->blocks = calloc(spec->n_rules + 1, sizeof(rules->blocks[0]));
  if (rules->blocks == NULL) {
    err_set(err, "out of memory");
    goto fail;
  }
  if (block_check_outside(&context, err) != 0 ||
      compile_blocks(spec, &context, rules, err) != 0 ||
      check_pairs(spec, rules, err) != 0)
    goto fail;
  warn_of_units(rules, warnings);
  for (size_t i = 0; i < rules->n_blocks; i++) {
    warn_of_dimensions(&rules->blocks[i], warnings);
    warn_of_namespace(&rules->blocks[i], warnings);
  }
  return rules;
fail:
  rules_free(rules);
  return NULL;
}

void rules_free(struct rules *rules) {
  if (rules == NULL)
    return;
  for (size_t i = 0; i < rules->n_blocks; i++)
    block_clear(&rules->blocks[i]);
  free(rules->blocks);
  tmpl_keys_clear(&rules->keys);
  free(rules);
}

const char *rules_label(const struct rules *rules, size_t number) {
  return number < rules->n_blocks ? rules->blocks[number].rule.label : NULL;
}

const struct ec2_keys *rules_ec2_keys(const struct rules *rules) {
  return &rules->keys.ec2;
}

size_t rules_n_meta_keys(const struct rules *rules) { return rules->keys.n; }

const char *rules_meta_key(const struct rules *rules, size_t i) {
  return rules->keys.key[i];
}
