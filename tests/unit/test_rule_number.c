/* rules_label(), and the numbers that rules have. */
#include "metric/rule.h"

#include "rule_text.h"

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

/* What each series is told of its rule, one line each. */
static void put_rule(void *context, size_t reading, const struct rule *rule,
                     const struct series_name *name) {
  (void)reading;
  buf_printf(context, "%s %u %s\n", name->name, rule->number, rule->label);
}

static void ignore_notice(void *context, const char *sentence) {
  (void)context;
  (void)sentence;
}

static void rules_are_numbered_without_the_disabled(void **state) {
  (void)state;
  static const struct reading reading = {.name = "value"};
  static const struct input in = {
      .part = {"h", "p", "", "t", ""}, .readings = &reading, .n_readings = 1};
  struct rules_spec spec =
      rule_text_read("Metric 'off'\nEnabled 'false'\nMetric '%{plugin}'\n"
                     "Metric 'no'\nEnabled 'false'\nMetric 'b'\nMetric 'c'");
  struct buf warnings = BUF_INIT(100), told = BUF_INIT(1000);
  struct err err;
  struct rules *rules =
      rules_compile(&spec, "collectd", no_variable, &warnings, &err);

  assert_non_null(rules);
  rules_spec_clear(&spec);
  assert_int_equal(rules_map(rules, &in, put_rule, ignore_notice, &told), 0);
  assert_string_equal(buf_str(&told), "p 0 %{plugin}\nb 1 b\nc 2 c\n");
  assert_string_equal(rules_label(rules, 0), "%{plugin}");
  assert_string_equal(rules_label(rules, 1), "b");
  assert_string_equal(rules_label(rules, 2), "c");
  assert_null(rules_label(rules, 3));
  assert_null(rules_label(rules, SIZE_MAX));
  rules_free(rules);
  buf_clear(&told);
}

/* One rule more than there are numbers. */
static void too_many_rules_are_refused(void **state) {
  (void)state;
  struct rules_spec spec = {0};
  struct buf warnings = BUF_INIT(100);
  struct err err;

  spec.n_rules = (size_t)RULES_MAX + 1;
  spec.rules = rule_text_alloc(spec.n_rules, sizeof(spec.rules[0]));
  for (size_t i = 0; i < spec.n_rules; i++) {
    spec.rules[i] = (struct rule_spec)RULE_SPEC_INIT;
    spec.rules[i].name = str_dup(STR("m"));
  }
  assert_null(rules_compile(&spec, "collectd", no_variable, &warnings, &err));
  assert_string_equal(err.text, "more than 65535 <Metric> blocks; let one take "
                                "more with expressions and templates");
  rules_spec_clear(&spec);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rules_are_numbered_without_the_disabled),
      cmocka_unit_test(too_many_rules_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
