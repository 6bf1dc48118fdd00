#include "metric/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void there_are_27_and_each_is_found(void **state) {
  (void)state;
  for (size_t i = 0; i < UNITS_MAX; i++) {
    const char *unit = unit_at(i);
    if (unit == NULL || unit_find(str_of(unit)) != unit)
      fail_msg("unit %zu", i);
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(unit, unit_at(k));
  }
  assert_null(unit_at(UNITS_MAX));
}

static void only_the_exact_spelling_is_found(void **state) {
  (void)state;
  const char *wrong[] = {"",       "megabytes", "MegaBytes",   "Byte",
                         "Bytes ", "none",      "Count/second"};
  assert_string_equal(unit_find(STR("Megabytes")), "Megabytes");
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
    if (unit_find(str_of(wrong[i])) != NULL)
      fail_msg("\"%s\" was found", wrong[i]);
}

static void the_unit_meant_is_suggested(void **state) {
  (void)state;
  static const struct {
    const char *written, *meant;
  } cases[] = {
      {"MegaBytes", "Megabytes"},
      {"PERCENT", "Percent"},
      {"count/second", "Count/Second"},
      {"Megabites", "Megabytes"}, /* the nearer of two */
      {"Milisecond", "Milliseconds"},
      {"Byte", "Bytes"},
      {"Counts", "Count"},
      {"MB", "Megabytes"},
      {"MiB", "Megabytes"},
      {"Mb", "Megabits"},
      {"KB", "Kilobytes"},
      {"ms", "Milliseconds"},
      {"s", "Seconds"},
      {"%", "Percent"},
      {"B/s", "Bytes/Second"},
      {"b/s", "Bits/Second"},
      {"Kilobytes per second", "Kilobytes/Second"},
      {"Foo", NULL},
      {"Hz", NULL},
      {"degrees celsius", NULL},
      {"", NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *got = unit_suggest(str_of(cases[i].written));
    const char *want = cases[i].meant;
    if ((got == NULL) != (want == NULL) ||
        (want != NULL && strcmp(got, want) != 0))
      fail_msg("\"%s\" suggests %s", cases[i].written,
               got != NULL ? got : "nothing");
  }
}

static void a_word_of_any_length_may_be_asked_for(void **state) {
  (void)state;
  char word[300];
  memset(word, 'x', sizeof(word));
  assert_null(unit_suggest((struct str){word, sizeof(word)}));
}

static void the_unit_follows_the_type(void **state) {
  (void)state;
  static const struct {
    const char *type;
    bool is_rate;
    const char *unit;
  } cases[] = {
      {"percent", false, "Percent"},
      {"memory", false, "Bytes"},
      {"swap", false, "Bytes"},
      {"df", false, "Bytes"},
      {"df_complex", false, "Bytes"},
      {"response_time", false, "Seconds"},
      {"ping", false, "Milliseconds"},
      {"uptime", false, "Seconds"},
      {"duration", false, "Seconds"},
      {"tcp_connections", false, "Count"},
      {"users", false, "Count"},
      {"ps_count", false, "Count"},
      {"operations_per_second", false, "Count/Second"},
      {"if_octets", true, "Bytes/Second"},
      {"disk_octets", true, "Bytes/Second"},
      {"total_bytes", true, "Bytes/Second"},
      {"if_packets", true, "Count/Second"},
      {"disk_ops", true, "Count/Second"},
      {"if_errors", true, "Count/Second"},
      /* not in the form that collectd gives it */
      {"if_octets", false, "None"},
      {"disk_ops", false, "None"},
      {"memory", true, "None"},
      /* no unit at all, or one that collectd does not fix */
      {"load", false, "None"},
      {"gauge", false, "None"},
      {"cpu", true, "None"},
      {"derive", true, "None"},
      {"latency", false, "None"},
      {"", false, "None"},
      {"of_my_own", false, "None"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *got = unit_of_type(cases[i].type, cases[i].is_rate);
    if (strcmp(got, cases[i].unit) != 0 || unit_find(str_of(got)) != got)
      fail_msg("%s%s has %s", cases[i].type,
               cases[i].is_rate ? " a second" : "", got);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(there_are_27_and_each_is_found),
      cmocka_unit_test(only_the_exact_spelling_is_found),
      cmocka_unit_test(the_unit_meant_is_suggested),
      cmocka_unit_test(a_word_of_any_length_may_be_asked_for),
      cmocka_unit_test(the_unit_follows_the_type),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
