/* rule_text: <Metric> blocks for tests, written as a user writes them.
 *
 * Lines of "Option 'text' 'text'"; "Metric 'name'" begins a block, what stands
 * before the first is outside. */
#ifndef RULE_TEXT_H
#define RULE_TEXT_H

#include "metric/rule.h"

#include <stdlib.h>
#include <string.h>

#define RULE_TEXT_MAX 40 /* texts of a line, elements of a list */

static inline void *rule_text_alloc(size_t n, size_t size) {
  void *p = calloc(n, size);
  if (p == NULL)
    abort();
  return p;
}

/* Takes apart a line; the first word has no quotes. */
static inline size_t rule_text_words(struct str line, char **word) {
  struct str part;
  size_t n = 0;
  bool inside = false;

  while (n < RULE_TEXT_MAX && str_split(&line, '\'', &part)) {
    if (n == 0)
      word[n++] = str_dup(str_trim(part));
    else if (inside)
      word[n++] = str_dup(part);
    inside = !inside;
  }
  return n;
}

static inline size_t rule_text_find(const char *word, const char *const *list,
                                    size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(word, list[i]) == 0)
      return i;
  return n;
}

/* Options that stand outside and inside; whether it was one. */
static inline bool rule_text_where(struct where_spec *where, char **word,
                                   size_t n) {
  if (strcmp(word[0], "Namespace") == 0) {
    where->namespace = str_dup(str_of(word[1]));
  } else if (strcmp(word[0], "Dimension") == 0) {
    if (where->dimensions == NULL)
      where->dimensions =
          rule_text_alloc(RULE_TEXT_MAX, sizeof(where->dimensions[0]));
    where->dimensions[where->n_dimensions++] = (struct dimension_spec){
        str_dup(str_of(word[1])), str_dup(str_of(word[2]))};
  } else if (strcmp(word[0], "DimensionSet") == 0) {
    if (where->sets == NULL)
      where->sets = rule_text_alloc(RULE_TEXT_MAX, sizeof(where->sets[0]));
    struct text_list *set = &where->sets[where->n_sets++];
    set->text = rule_text_alloc(RULE_TEXT_MAX, sizeof(set->text[0]));
    for (size_t i = 1; i < n; i++)
      set->text[set->n++] = str_dup(str_of(word[i]));
  } else {
    return false;
  }
  return true;
}

static inline void rule_text_option(struct rule_spec *rule, char **word) {
  static const char *const selectors[] = {
      "Host", "Plugin", "PluginInstance", "Type", "TypeInstance", "DataSource"};
  static const char *const counters[] = {"rate", "delta", "raw"};
  static const char *const combine[] = {"none", "sum", "average",
                                        "min",  "max", "count"};
  static const char *const statistics[] = {"values",  "set", "last",
                                           "average", "max", "min"};
  static const char *const roundings[] = {"not", "ceil", "floor", "nearest"};
  size_t selector = rule_text_find(word[0], selectors, N_SELECTORS);

  if (selector < N_SELECTORS) {
    struct text_list *lines = &rule->select[selector];
    if (lines->text == NULL)
      lines->text = rule_text_alloc(RULE_TEXT_MAX, sizeof(lines->text[0]));
    lines->text[lines->n++] = str_dup(str_of(word[1]));
  } else if (strcmp(word[0], "Enabled") == 0) {
    rule->enabled = strcmp(word[1], "true") == 0;
  } else if (strcmp(word[0], "Unit") == 0) {
    rule->unit = unit_find(str_of(word[1]));
  } else if (strcmp(word[0], "Scale") == 0) {
    str_to_double(str_of(word[1]), &rule->scale);
  } else if (strcmp(word[0], "Offset") == 0) {
    str_to_double(str_of(word[1]), &rule->offset);
  } else if (strcmp(word[0], "Round") == 0) {
    rule->rounding = (enum rounding)rule_text_find(word[1], roundings, 4);
  } else if (strcmp(word[0], "OnNaN") == 0) {
    rule->nan_is_zero = strcmp(word[1], "zero") == 0;
  } else if (strcmp(word[0], "StorageResolution") == 0) {
    rule->resolution_s = strcmp(word[1], "1") == 0 ? 1 : 60;
  } else if (strcmp(word[0], "Counters") == 0) {
    rule->counters = (enum counters)rule_text_find(word[1], counters, 3);
  } else if (strcmp(word[0], "Combine") == 0) {
    rule->combine = (enum combine)rule_text_find(word[1], combine, 6);
  } else if (strcmp(word[0], "Statistics") == 0) {
    rule->statistics = (enum statistics)rule_text_find(word[1], statistics, 6);
  } else {
    abort(); /* a slip in the test */
  }
}

/* What text says, to be given back with rules_spec_clear(). */
static inline struct rules_spec rule_text_read(const char *text) {
  struct rules_spec spec = {0};
  struct str rest = str_of(text), line;

  spec.rules = rule_text_alloc(RULE_TEXT_MAX, sizeof(spec.rules[0]));
  while (str_split(&rest, '\n', &line)) {
    char *word[RULE_TEXT_MAX] = {0};
    size_t n = rule_text_words(line, word);
    struct rule_spec *rule =
        spec.n_rules > 0 ? &spec.rules[spec.n_rules - 1] : NULL;
    if (n > 0 && strcmp(word[0], "Metric") == 0) {
      rule = &spec.rules[spec.n_rules++];
      *rule = (struct rule_spec)RULE_SPEC_INIT;
      rule->name = str_dup(str_of(word[1]));
    } else if (n > 0 &&
               !rule_text_where(rule != NULL ? &rule->where : &spec.where, word,
                                n)) {
      if (rule == NULL)
        abort(); /* a slip in the test */
      rule_text_option(rule, word);
    }
    for (size_t i = 0; i < n; i++)
      free(word[i]);
  }
  return spec;
}

#endif
