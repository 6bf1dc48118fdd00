/* One reading is worked out whole before anything is told: so its sets can be
 * put in order, and compared with those of the readings before it. */
#include "metric/block.h"
#include "metric/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What one reading becomes under one block. */
struct outcome {
  bool goes;              /* selected, and not refused */
  char *namespace, *name; /* owned; fit for CloudWatch, or marked */
  char **values;          /* owned, one for each dimension; "" where empty */
  size_t n_values;
  struct block_set *sets; /* owned; ascending in number of dimensions */
  size_t n_sets;
};

struct call {
  const struct block *block;
  const struct input *in;
  rules_series_fn series;
  rules_notice_fn notice;
  void *context;
};

static void clear_outcome(struct outcome *outcome) {
  free(outcome->namespace);
  free(outcome->name);
  for (size_t i = 0; i < outcome->n_values; i++)
    free(outcome->values[i]);
  free(outcome->values);
  free(outcome->sets);
  *outcome = (struct outcome){0};
}

static void say(const struct call *call, const char *what) {
  char sentence[512];
  struct buf b = BUF_OVER(sentence);
  buf_printf(&b, "<Metric \"%.100s\">: %s", call->block->rule.label, what);
  call->notice(call->context, buf_str(&b));
}

/* The text of reading i, fit for CloudWatch, on the heap; "" when it is
 * blank.  A marked one is made fit when it is filled in.  NULL is lack of
 * memory.
 *
 * what  names the text in a message. */
static char *expand(const struct call *call, const struct tmpl *tmpl, size_t i,
                    size_t max, const char *what) {
  struct buf raw = BUF_INIT(SIZE_MAX / 2), fit = BUF_INIT(max);
  char *text = NULL;

  tmpl_expand(tmpl, call->in, i, &raw);
  if (!buf_ok(&raw))
    goto out;
  struct str all = str_of_buf(&raw);
  if (tmpl_is_marked(tmpl, call->in)) {
    text = str_dup(all);
    goto out;
  }
  if (names_is_blank(all)) {
    text = str_dup(STR(""));
    goto out;
  }
  bool changed = tmpl_put_fit(&fit, all, max);
  if (!buf_ok(&fit))
    goto out;
  text = str_dup(str_of_buf(&fit));
  if (text != NULL && changed) {
    struct err sentence;
    err_set(&sentence,
            "CloudWatch takes printable ASCII, at most %zu characters; where "
            "%s is not so, it is published changed, with a hash at its end",
            max, what);
    say(call, sentence.text);
  }
out:
  buf_clear(&raw);
  buf_clear(&fit);
  return text;
}

/* Whether the reading must go nowhere; said. */
static bool refused(const struct call *call, const struct outcome *outcome) {
  if (outcome->name[0] == '\0') {
    say(call, "values for which the name is empty are not published; give it "
              "a text for that case, as in \"%{type_instance|other}\"");
    return true;
  }
  if (outcome->namespace[0] == '\0') {
    say(call, "values for which the namespace is empty are not published; "
              "give it a text for that case, as in \"%{meta:team|other}\"");
    return true;
  }
  if (names_is_reserved(str_of(outcome->namespace))) {
    say(call, "values for which the namespace begins with \":\" or \"AWS/\" "
              "are not published, because CloudWatch refuses them; put a text "
              "before it");
    return true;
  }
  return false;
}

/* Adds set without the dimensions that are empty, unless it is there. */
static void add_set(struct outcome *outcome, const struct block_set *set) {
  struct block_set kept = {0};

  for (size_t i = 0; i < set->n; i++)
    if (outcome->values[set->at[i]][0] != '\0')
      kept.at[kept.n++] = set->at[i];
  size_t place = outcome->n_sets;
  for (size_t i = 0; i < outcome->n_sets; i++) {
    const struct block_set *other = &outcome->sets[i];
    if (other->n == kept.n &&
        memcmp(other->at, kept.at, kept.n * sizeof(kept.at[0])) == 0)
      return;
    if (other->n > kept.n && place == outcome->n_sets)
      place = i;
  }
  memmove(&outcome->sets[place + 1], &outcome->sets[place],
          (outcome->n_sets - place) * sizeof(outcome->sets[0]));
  outcome->sets[place] = kept;
  outcome->n_sets++;
}

/* The value that a dimension has for reading i; NULL is lack of memory.  One
 * that no set uses is not worked out, so that nothing is said of it. */
static char *expand_value(const struct call *call,
                          const struct block_dimension *dimension, size_t i) {
  struct err what;

  if (!dimension->used)
    return str_dup(STR(""));
  err_set(&what, "the value of Dimension \"%.60s\"", dimension->name);
  return expand(call, dimension->tmpl, i, CW_DIMENSION_VALUE_MAX, what.text);
}

static int expand_values(const struct call *call, size_t i,
                         struct outcome *out) {
  const struct block *block = call->block;

  out->values = calloc(block->n_dimensions + 1, sizeof(out->values[0]));
  out->sets = calloc(block->n_sets, sizeof(out->sets[0]));
  if (out->values == NULL || out->sets == NULL)
    return -1;
  for (size_t k = 0; k < block->n_dimensions; k++) {
    out->values[k] = expand_value(call, &block->dimensions[k], i);
    if (out->values[k] == NULL)
      return -1;
    out->n_values++;
  }
  for (size_t k = 0; k < block->n_sets; k++)
    add_set(out, &block->sets[k]);
  return 0;
}

static int work_out(const struct call *call, size_t i, struct outcome *out) {
  const struct block *block = call->block;

  out->name = expand(call, block->name, i, CW_NAME_MAX, "the name");
  out->namespace =
      expand(call, block->namespace, i, CW_NAMESPACE_MAX, "the namespace");
  if (out->name == NULL || out->namespace == NULL)
    return -1;
  if (refused(call, out))
    return 0;
  out->goes = true;
  return expand_values(call, i, out);
}

static const char *unit_of(const struct call *call, size_t i) {
  const struct rule *rule = &call->block->rule;

  if (call->block->unit != NULL)
    return call->block->unit;
  if (block_loses_unit(rule))
    return unit_find(STR("None"));
  if (rule->combine == COMBINE_COUNT)
    return unit_find(STR("Count")); /* of members, whatever they measure */
  return unit_of_type(call->in->part[PART_TYPE],
                      call->in->readings[i].kind != KIND_GAUGE);
}

static void tell(const struct call *call, size_t i,
                 const struct outcome *outcome) {
  const struct block *block = call->block;
  struct dimension dimensions[CW_DIMENSIONS_MAX];
  struct series_name name = {.namespace = outcome->namespace,
                             .name = outcome->name,
                             .dimensions = dimensions,
                             .unit = unit_of(call, i),
                             .resolution_s = block->resolution_s};

  for (size_t k = 0; k < outcome->n_sets; k++) {
    const struct block_set *set = &outcome->sets[k];
    for (size_t d = 0; d < set->n; d++)
      dimensions[d] = (struct dimension){block->dimensions[set->at[d]].name,
                                         outcome->values[set->at[d]]};
    name.n_dimensions = (uint32_t)set->n;
    call->series(call->context, i, &block->rule, &name);
  }
}

static bool same_dimensions(const struct outcome *a, const struct block_set *x,
                            const struct outcome *b,
                            const struct block_set *y) {
  if (x->n != y->n)
    return false;
  for (size_t i = 0; i < x->n; i++)
    if (x->at[i] != y->at[i] ||
        strcmp(a->values[x->at[i]], b->values[y->at[i]]) != 0)
      return false;
  return true;
}

static bool share_series(const struct outcome *a, const struct outcome *b) {
  if (!a->goes || !b->goes || strcmp(a->name, b->name) != 0 ||
      strcmp(a->namespace, b->namespace) != 0)
    return false;
  for (size_t i = 0; i < a->n_sets; i++)
    for (size_t k = 0; k < b->n_sets; k++)
      if (same_dimensions(a, &a->sets[i], b, &b->sets[k]))
        return true;
  return false;
}

/* One sentence for a type, whatever the identifiers are: it is said once. */
static void warn_of_shared(const struct call *call,
                           const struct outcome *outcomes) {
  const struct input *in = call->in;

  if (call->block->rule.combine != COMBINE_NONE)
    return;
  for (size_t i = 1; i < in->n_readings; i++)
    for (size_t k = 0; k < i; k++)
      if (share_series(&outcomes[k], &outcomes[i])) {
        struct err what;
        err_set(&what,
                "the data sources \"%.60s\" and \"%.60s\" of type \"%.60s\" "
                "go to one metric; put %%{.ds} into the name, or choose one "
                "with DataSource, or say how to Combine them",
                in->readings[k].name, in->readings[i].name,
                in->part[PART_TYPE]);
        say(call, what.text);
        return;
      }
}

static bool selects(const struct block *block, const struct input *in) {
  for (size_t i = 0; i < N_PARTS; i++)
    if (!select_match(&block->select[i], in->part[i]))
      return false;
  return true;
}

static int map_block(const struct call *call) {
  const struct select *sources = &call->block->select[SELECT_DATA_SOURCE];
  size_t n = call->in->n_readings;
  struct outcome *outcomes = calloc(n, sizeof(outcomes[0]));
  int rc = -1;

  if (outcomes == NULL)
    return -1;
  for (size_t i = 0; i < n; i++) {
    if (!select_match(sources, call->in->readings[i].name))
      continue;
    if (work_out(call, i, &outcomes[i]) != 0)
      goto out;
    if (outcomes[i].goes)
      tell(call, i, &outcomes[i]);
  }
  warn_of_shared(call, outcomes);
  rc = 0;
out:
  for (size_t i = 0; i < n; i++)
    clear_outcome(&outcomes[i]);
  free(outcomes);
  return rc;
}

int rules_map(const struct rules *rules, const struct input *in,
              rules_series_fn series, rules_notice_fn notice, void *context) {
  if (in->n_readings == 0)
    return 0;
  for (size_t i = 0; i < rules->n_blocks; i++) {
    struct call call = {&rules->blocks[i], in, series, notice, context};
    if (selects(call.block, in) && map_block(&call) != 0)
      return -1;
  }
  return 0;
}
