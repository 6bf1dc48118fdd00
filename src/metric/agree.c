/* Two blocks that feed one series must treat it alike.  Here is found what is
 * certain from the configuration; blocks that meet only for some values are
 * found by whoever keeps the series. */
#include "metric/block.h"

#include <string.h>

static const char *const statistics_names[] = {
    [STATISTICS_VALUES] = "values", [STATISTICS_SET] = "set",
    [STATISTICS_LAST] = "last",     [STATISTICS_AVERAGE] = "average",
    [STATISTICS_MAX] = "max",       [STATISTICS_MIN] = "min",
};
static const char *const combine_names[] = {
    [COMBINE_NONE] = "none",       [COMBINE_SUM] = "sum",
    [COMBINE_AVERAGE] = "average", [COMBINE_MIN] = "min",
    [COMBINE_MAX] = "max",         [COMBINE_COUNT] = "count",
};

/* The unit of all values of a block, NULL when it is known by type only. */
static const char *known_unit(const struct block *block) {
  if (block->unit != NULL)
    return block->unit;
  return block_loses_unit(&block->rule) ? unit_find(STR("None")) : NULL;
}

static bool same_dimension(const struct block_dimension *a,
                           const struct block_dimension *b) {
  return strcmp(a->name, b->name) == 0 && strcmp(a->text, b->text) == 0;
}

static bool same_set(const struct block *a, const struct block_set *x,
                     const struct block *b, const struct block_set *y) {
  if (x->n != y->n)
    return false;
  for (size_t i = 0; i < x->n; i++)
    if (!same_dimension(&a->dimensions[x->at[i]], &b->dimensions[y->at[i]]))
      return false;
  return true;
}

static bool set_varies(const struct block *block, const struct block_set *set) {
  for (size_t i = 0; i < set->n; i++)
    if (tmpl_varies(block->dimensions[set->at[i]].tmpl))
      return true;
  return false;
}

/* Whether the two options certainly take a common text: one takes all, or a
 * line stands in both. */
static bool overlap(const struct text_list *a, const struct text_list *b) {
  if (a->n == 0 || b->n == 0)
    return true;
  for (size_t i = 0; i < a->n; i++)
    for (size_t k = 0; k < b->n; k++)
      if (strcmp(a->text[i], b->text[k]) == 0)
        return true;
  return false;
}

static bool select_same(const struct rule_spec *a, const struct rule_spec *b) {
  for (size_t i = 0; i < N_SELECTORS; i++)
    if (!overlap(&a->select[i], &b->select[i]))
      return false;
  return true;
}

/* Whether the blocks feed one series: all their values go to one text, or one
 * value goes to both. */
static bool meet(const struct block *a, const struct rule_spec *a_spec,
                 const struct block *b, const struct rule_spec *b_spec) {
  if (strcmp(a->rule.label, b->rule.label) != 0 ||
      strcmp(a->namespace_text, b->namespace_text) != 0)
    return false;
  bool varies = tmpl_varies(a->name) || tmpl_varies(a->namespace);
  bool select = select_same(a_spec, b_spec);
  for (size_t i = 0; i < a->n_sets; i++)
    for (size_t k = 0; k < b->n_sets; k++)
      if (same_set(a, &a->sets[i], b, &b->sets[k]) &&
          (select || (!varies && !set_varies(a, &a->sets[i]))))
        return true;
  return false;
}

static int refuse(const struct block *a, const struct block *b,
                  const char *option, const char *a_value, const char *b_value,
                  struct err *err) {
  return err_set(err,
                 "Metric blocks number %zu and %zu, both <Metric \"%.100s\">, "
                 "feed one series but differ in %s: \"%s\" and \"%s\"; give "
                 "both the same %s, or one of them another name",
                 a->number, b->number, a->rule.label, option, a_value, b_value,
                 option);
}

int block_agree(const struct block *a, const struct rule_spec *a_spec,
                const struct block *b, const struct rule_spec *b_spec,
                struct err *err) {
  if (!meet(a, a_spec, b, b_spec))
    return 0;
  const char *a_unit = known_unit(a), *b_unit = known_unit(b);
  if (a_unit != NULL && b_unit != NULL && a_unit != b_unit)
    return refuse(a, b, "Unit", a_unit, b_unit, err);
  if (a->resolution_s != b->resolution_s)
    return refuse(a, b, "StorageResolution", a->resolution_s == 1 ? "1" : "60",
                  b->resolution_s == 1 ? "1" : "60", err);
  if (a->rule.statistics != b->rule.statistics)
    return refuse(a, b, "Statistics", statistics_names[a->rule.statistics],
                  statistics_names[b->rule.statistics], err);
  if (a->rule.combine != b->rule.combine)
    return refuse(a, b, "Combine", combine_names[a->rule.combine],
                  combine_names[b->rule.combine], err);
  return 0;
}
