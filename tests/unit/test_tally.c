#include "metric/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static const struct input cpu = {.part = {"h", "cpu", "0", "cpu", "idle"}};
static const struct input load = {.part = {"h", "load", "", "load", ""}};

static void every_reason_can_be_said(void **state) {
  (void)state;
  for (int i = 0; i < N_REASONS; i++) {
    struct reason_text text = tally_text((enum reason)i);
    if (text.what == NULL || text.what[0] == '\0' || text.remedy == NULL)
      fail_msg("reason %d has no text", i);
  }
}

/* All three are lost values; only what is said elsewhere is no warning. */
static void what_names_lack_is_told_apart(void **state) {
  (void)state;
  static const struct {
    enum reason reason;
    const char *what, *remedy;
    bool is_normal;
  } cases[] = {
      {REASON_AWAITED, "waited for a value of the instance", "MetadataWait",
       false},
      {REASON_LACKING, "needs a value of the instance", "", true},
      {REASON_UNFIT, "\"AWS/\"", "put a text before", false},
      {REASON_QUARANTINED, "CloudWatch refused", "<Metric> block", true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct reason_text text = tally_text(cases[i].reason);
    assert_non_null(strstr(text.what, cases[i].what));
    assert_non_null(strstr(text.remedy, cases[i].remedy));
    assert_true(text.is_normal == cases[i].is_normal);
    assert_true(text.is_lost);
  }
}

static void counts_and_keeps_the_first_example(void **state) {
  (void)state;
  struct tally tally = {0};
  tally_add(&tally, REASON_NAN, &cpu);
  tally_add(&tally, REASON_NAN, &load);
  tally_add_text(&tally, REASON_NAN, 5, "other");
  assert_int_equal(tally.row[REASON_NAN].n, 7);
  assert_string_equal(tally.row[REASON_NAN].example, "h/cpu-0/cpu-idle");
  assert_int_equal(tally.row[REASON_OLD].n, 0);
  assert_string_equal(tally.row[REASON_OLD].example, "");

  tally_add_text(&tally, REASON_OLD, 2, NULL);
  tally_add_text(&tally, REASON_OLD, 1, "first");
  tally_add(&tally, REASON_OLD, &cpu);
  assert_int_equal(tally.row[REASON_OLD].n, 4);
  assert_string_equal(tally.row[REASON_OLD].example, "first");
}

static void an_example_is_cut_to_fit(void **state) {
  (void)state;
  static char text[3 * TALLY_EXAMPLE_BYTES];
  struct input in = {.part = {text, "p", "", "t", ""}};

  memset(text, 'x', sizeof(text) - 1);
  struct tally tally = {0};
  tally_add(&tally, REASON_NAN, &in);
  tally_add_text(&tally, REASON_OLD, 1, text);
  assert_int_equal(strlen(tally.row[REASON_NAN].example),
                   TALLY_EXAMPLE_BYTES - 1);
  assert_int_equal(strlen(tally.row[REASON_OLD].example),
                   TALLY_EXAMPLE_BYTES - 1);
  assert_int_equal(tally.row[REASON_INFINITE].n, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_reason_can_be_said),
      cmocka_unit_test(what_names_lack_is_told_apart),
      cmocka_unit_test(counts_and_keeps_the_first_example),
      cmocka_unit_test(an_example_is_cut_to_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
