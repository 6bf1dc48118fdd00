/* explain_nearest() beside a plain evaluation of what is written.  TEST_SEED
 * repeats a run. */
#include "metric/explain.h"

#include "rule_text.h"
#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const char *no_variable(const char *name) {
  (void)name;
  return NULL;
}

static struct rules *compile(const struct rules_spec *spec) {
  struct buf warnings = BUF_INIT(4096);
  struct err err = {0};
  struct rules *rules =
      rules_compile(spec, "collectd", no_variable, &warnings, &err);

  if (rules == NULL)
    fail_msg("%s", err.text);
  buf_clear(&warnings);
  return rules;
}

/* Whether one text is taken by the lines as the manual tells it; expressions
 * are single letters here. */
static bool plainly_fits(const char *line, const char *text) {
  return line[0] == '/' ? strchr(text, line[1]) != NULL
                        : strcmp(line, text) == 0;
}

static bool plainly_takes(const struct text_list *lines, const char *text) {
  size_t plain = 0, fit = 0;
  for (size_t i = 0; i < lines->n; i++) {
    const char *line = lines->text[i];
    if (line[0] == '!' && plainly_fits(line + 1, text))
      return false;
    plain += line[0] != '!';
    fit += line[0] != '!' && plainly_fits(line, text);
  }
  return plain == 0 || fit > 0;
}

static bool plainly_selects(const struct rule_spec *rule, size_t which,
                            const struct input *in) {
  if (which < N_PARTS)
    return plainly_takes(&rule->select[which], in->part[which]);
  for (size_t i = 0; i < in->n_readings; i++)
    if (plainly_takes(&rule->select[which], in->readings[i].name))
      return true;
  return false;
}

/* The less, the nearer: fewest that fail, then most that match, then Plugin,
 * then the place. */
static size_t plain_rank(const struct rule_spec *rule, size_t place,
                         const struct input *in, size_t *failing) {
  size_t matching = 0;
  bool plugin =
      rule->select[PART_PLUGIN].n > 0 && plainly_selects(rule, PART_PLUGIN, in);
  *failing = 0;
  for (size_t i = 0; i < N_SELECTORS; i++)
    if (!plainly_selects(rule, i, in))
      (*failing)++;
    else if (rule->select[i].n > 0)
      matching++;
  return (((plugin ? 0 : 10) + *failing) * 10 + (9 - matching)) * 100 + place;
}

static const char *const words[] = {"a", "b", "ab", "ba", ""};

static struct rules_spec random_rules(struct wire_random *random) {
  static const char *const lines[] = {"a",   "b",  "ab",  "ba",   "",
                                      "/a/", "!a", "!ab", "!/b/", "!"};
  struct rules_spec spec = {0};

  spec.n_rules = 1 + wire_below(random, 6);
  spec.rules = rule_text_alloc(spec.n_rules, sizeof(spec.rules[0]));
  for (size_t i = 0; i < spec.n_rules; i++) {
    struct rule_spec *rule = &spec.rules[i];
    char name[] = {'m', (char)('0' + i), '\0'};
    *rule = (struct rule_spec)RULE_SPEC_INIT;
    rule->name = str_dup(str_of(name));
    rule->enabled = i == 0 || wire_often(random, 80);
    for (size_t k = 0; k < N_SELECTORS; k++) {
      struct text_list *list = &rule->select[k];
      size_t n = wire_often(random, 50) ? 0 : 1 + wire_below(random, 3);
      list->text = rule_text_alloc(n + 1, sizeof(list->text[0]));
      while (list->n < n)
        list->text[list->n++] = str_dup(str_of(lines[wire_below(random, 10)]));
    }
  }
  return spec;
}

/* Which selector the clause begins with. */
static size_t named_selector(const char *because) {
  static const char *const names[] = {"Host ",           "Plugin ",
                                      "PluginInstance ", "Type ",
                                      "TypeInstance ",   "DataSource "};
  for (size_t i = 0; i < N_SELECTORS; i++)
    if (str_has_prefix(str_of(because), str_of(names[i])))
      return i;
  fail_msg("%s", because);
  return 0;
}

/* The clause with one line, or one of those that are listed, is about a line
 * that is written, and a text that is there. */
static void check_clause(const char *because, const struct rule_spec *rule,
                         const struct input *in) {
  size_t which = named_selector(because);
  bool line = false, text = false;
  struct buf quoted = BUF_INIT(100);

  assert_false(plainly_selects(rule, which, in));
  for (size_t i = 0; i < which; i++)
    assert_true(plainly_selects(rule, i, in));
  for (size_t i = 0; i < rule->select[which].n; i++) {
    buf_reset(&quoted);
    buf_printf(&quoted, " \"%s\"", rule->select[which].text[i]);
    line = line || strstr(because, buf_str(&quoted)) != NULL;
  }
  for (size_t i = 0; i < (which < N_PARTS ? 1 : in->n_readings); i++) {
    buf_reset(&quoted);
    buf_printf(&quoted, " \"%s\"",
               which < N_PARTS ? in->part[which] : in->readings[i].name);
    text = text || str_has_suffix(str_of(because), str_of_buf(&quoted));
  }
  assert_true(line && text);
  buf_clear(&quoted);
}

/* Returns whether no block selected it. */
static bool check_random(struct wire_random *random) {
  struct rules_spec spec = random_rules(random);
  struct rules *rules = compile(&spec);
  struct reading readings[3];
  struct input in = {.readings = readings,
                     .n_readings = 1 + wire_below(random, 3)};
  struct explain_nearest nearest;
  size_t best = SIZE_MAX, at = 0;
  bool selected = false;

  for (size_t i = 0; i < N_PARTS; i++)
    in.part[i] = words[wire_below(random, 5)];
  for (size_t i = 0; i < in.n_readings; i++)
    readings[i] = (struct reading){.name = words[wire_below(random, 4)]};
  for (size_t i = 0; i < spec.n_rules; i++) {
    size_t failing, rank = plain_rank(&spec.rules[i], i, &in, &failing);
    if (!spec.rules[i].enabled)
      continue;
    selected = selected || failing == 0;
    if (rank < best) {
      best = rank;
      at = i;
    }
  }
  assert_int_equal(explain_nearest(rules, &in, &nearest), !selected);
  if (!selected) {
    assert_string_equal(nearest.label, spec.rules[at].name);
    check_clause(nearest.because, &spec.rules[at], &in);
  }
  rules_free(rules);
  rules_spec_clear(&spec);
  return !selected;
}

static void it_is_as_a_plain_evaluation_has_it(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("test_explain_random");
  size_t unselected = 0;

  for (size_t i = 0; i < 5000; i++)
    unselected += check_random(&random) ? 1 : 0;
  assert_in_range(unselected, 1000, 4900); /* both were seen */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_as_a_plain_evaluation_has_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
