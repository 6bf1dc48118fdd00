#include "metric/plan.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What was said, as lines. */
static char said[2048];

static void hear(void *context, const char *sentence) {
  (void)context;
  assert_true(strlen(said) + strlen(sentence) + 2 < sizeof(said));
  strcat(said, sentence);
  strcat(said, "\n");
}

static const char *plan_says(const char *blocks) {
  static const struct reading readings[] = {{.name = "rx", .kind = KIND_GAUGE},
                                            {.name = "tx", .kind = KIND_GAUGE}};
  const struct input in = {.part = {"h", "p", "", "t", "x"},
                           .readings = readings,
                           .n_readings = 2,
                           .time_us = EPOCH * 1000000,
                           .interval_us = 10000000};
  struct rules *rules = stream_rules(blocks);

  said[0] = '\0';
  struct plan *plan = plan_new(rules, &in, hear, NULL);
  assert_non_null(plan);
  plan_free(plan);
  rules_free(rules);
  return said;
}

static void a_value_that_two_blocks_take_for_one_metric_is_told(void **state) {
  (void)state;
  assert_string_equal(
      plan_says("Metric '%{ds}'\nMetric 'rx'\nDataSource 'rx'"),
      "<Metric \"%{ds}\"> and <Metric \"rx\"> select the same values for one "
      "metric, so each counts twice; narrow the selectors of one, or give it "
      "another name\n");
}

static void what_differs_is_no_matter(void **state) {
  (void)state;
  static const char *const fine[] = {
      "Metric '%{ds}'\nMetric 'rx'\nDataSource 'tx'\nDimension 'D' '1'",
      "Metric '%{ds}'\nMetric '%{ds}'\nNamespace 'other'",
      "Metric 'a'\nDataSource 'rx'\nMetric 'a'\nDataSource 'tx'",
      "Metric '%{ds}'\nDimension 'D' '1'\nMetric '%{ds}'\nDimension 'D' '2'",
      "Metric '%{ds}'\nDimension 'D' '1'\nDimensionSet 'D'\nDimensionSet ''",
  };
  for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
    assert_string_equal(plan_says(fine[i]), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_that_two_blocks_take_for_one_metric_is_told),
      cmocka_unit_test(what_differs_is_no_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
