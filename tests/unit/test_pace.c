#include "aws/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW INT64_C(1000000)

static void the_backlog_has_its_rate(void **state) {
  (void)state;
  static const struct {
    double rate;
    int64_t gap_ms;
  } cases[] = {{1, 1000},  {0.1, 10000}, {0, 0},     {1000, 1},
               {300, 4},   {2.5, 400},   {-1, 0},    {1e-300, 1000000000000},
               {1e300, 1}, {0.7, 1429},  {999.9, 2}, {0.0001, 10000000}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct pace pace;
    pace_init(&pace, cases[i].rate);
    pace_begin(&pace, NOW);
    pace_take_turn(&pace);
    if (pace_next(&pace, true) != NOW + cases[i].gap_ms)
      fail_msg("%g: %lld ms", cases[i].rate,
               (long long)(pace_next(&pace, true) - NOW));
  }
}

/* A fresh flush goes at once, and does not move the backlog's turn. */
static void what_is_fresh_has_no_turn(void **state) {
  (void)state;
  struct pace pace;
  pace_init(&pace, 0.1);
  assert_true(pace_next(&pace, true) <= NOW);
  pace_begin(&pace, NOW);
  pace_take_turn(&pace);
  pace_accepted(&pace);
  assert_true(pace_next(&pace, false) <= NOW);
  pace_begin(&pace, NOW + 3000);
  pace_accepted(&pace);
  assert_true(pace_next(&pace, false) <= NOW + 3000);
  assert_int_equal(pace_next(&pace, true), NOW + 10000);
}

static void throttling_doubles_and_success_halves(void **state) {
  (void)state;
  static const int64_t up[] = {500, 1000, 2000, 4000, 8000, 10000, 10000};
  static const int64_t down[] = {5000, 2500, 1250, 625, 0, 0};
  struct pace pace;
  pace_init(&pace, 0);
  pace_begin(&pace, NOW);
  for (size_t i = 0; i < sizeof(up) / sizeof(up[0]); i++) {
    pace_throttled(&pace);
    assert_int_equal(pace_next(&pace, false), NOW + up[i]);
    assert_int_equal(pace_next(&pace, true), NOW + up[i]);
  }
  for (size_t i = 0; i < sizeof(down) / sizeof(down[0]); i++) {
    pace_accepted(&pace);
    assert_int_equal(pace_next(&pace, false), NOW + down[i]);
  }
}

/* The later of both counts. */
static void the_backlog_is_throttled_too(void **state) {
  (void)state;
  struct pace pace;
  pace_init(&pace, 1);
  pace_begin(&pace, NOW);
  pace_take_turn(&pace);
  pace_throttled(&pace);
  assert_int_equal(pace_next(&pace, true), NOW + 1000);
  pace_throttled(&pace);
  pace_throttled(&pace);
  assert_int_equal(pace_next(&pace, true), NOW + 2000);
}

/* With every other request refused, all that there is goes out, at a rate that
 * neither falls to nothing nor stays what it was. */
static void half_of_it_throttled(void **state) {
  (void)state;
  unsigned seed = 7;
  struct pace pace;
  int64_t now_ms = NOW, longest_ms = 0;
  pace_init(&pace, 0);
  for (int i = 0; i < 10000; i++) {
    pace_begin(&pace, now_ms);
    seed = seed * 1664525u + 1013904223u;
    if (seed >> 31)
      pace_throttled(&pace);
    else
      pace_accepted(&pace);
    int64_t wait_ms = pace_next(&pace, false) - now_ms;
    longest_ms = wait_ms > longest_ms ? wait_ms : longest_ms;
    now_ms += wait_ms;
  }
  int64_t average_ms = (now_ms - NOW) / 10000;
  assert_true(average_ms > 500 && average_ms < 8000);
  assert_int_equal(longest_ms, PACE_GAP_MAX_MS);
}

static void hurry_forgets_both(void **state) {
  (void)state;
  struct pace pace;
  pace_init(&pace, 0.001);
  pace_begin(&pace, NOW);
  pace_take_turn(&pace);
  pace_throttled(&pace);
  pace_hurry(&pace);
  assert_true(pace_next(&pace, true) <= NOW);
  assert_true(pace_next(&pace, false) <= NOW);
  pace_begin(&pace, NOW + 1);
  pace_take_turn(&pace);
  assert_int_equal(pace_next(&pace, true), NOW + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_backlog_has_its_rate),
      cmocka_unit_test(what_is_fresh_has_no_turn),
      cmocka_unit_test(throttling_doubles_and_success_halves),
      cmocka_unit_test(the_backlog_is_throttled_too),
      cmocka_unit_test(half_of_it_throttled),
      cmocka_unit_test(hurry_forgets_both),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
