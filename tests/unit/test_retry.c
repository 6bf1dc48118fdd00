#include "aws/retry.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
  const char *label;
  unsigned n_failed; /* before */
  int64_t base_ms;
  int64_t at_least_ms;
  double dice;
  int64_t want_ms;
} cases[] = {
    {"first, half", 0, RETRY_BASE_MS, 0, 0.5, 500},
    {"second doubles", 1, RETRY_BASE_MS, 0, 0.5, 1000},
    {"fifth", 4, RETRY_BASE_MS, 0, 0.5, 8000},
    {"ninth, below the cap", 8, RETRY_BASE_MS, 0, 0.5, 128000},
    {"tenth, at the cap", 9, RETRY_BASE_MS, 0, 0.5, 150000},
    {"long after", 100, RETRY_BASE_MS, 0, 0.5, 150000},
    {"no luck: a tenth of base", 5, RETRY_BASE_MS, 0, 0.0, 100},
    {"slow, first", 0, RETRY_SLOW_MS, 0, 0.5, 30000},
    {"slow, no luck", 0, RETRY_SLOW_MS, 0, 0.0, 6000},
    {"slow, at the cap", 3, RETRY_SLOW_MS, 0, 0.5, 150000},
    {"the server asks for more", 0, RETRY_BASE_MS, 7000, 0.5, 7000},
    {"the server asks for less", 4, RETRY_BASE_MS, 7000, 0.5, 8000},
    {"the server asks too much", 0, RETRY_BASE_MS, INT64_MAX, 0.5,
     RETRY_CAP_MS},
    {"the server asks nonsense", 0, RETRY_BASE_MS, -5, 0.5, 500},
    {"dice above", 3, RETRY_BASE_MS, 0, 2.0, 8000},
    {"dice below", 3, RETRY_BASE_MS, 0, -1.0, 100},
};

static void waits_as_the_table_says(void **state) {
  (void)state;
  for (size_t i = 0; i < N(cases); i++) {
    struct retry retry = {cases[i].n_failed};
    int64_t at = retry_next(&retry, 1000000, cases[i].base_ms,
                            cases[i].at_least_ms, cases[i].dice);
    if (at - 1000000 != cases[i].want_ms)
      fail_msg("%s: %lld ms", cases[i].label, (long long)(at - 1000000));
    if (retry.n_failed != cases[i].n_failed + 1)
      fail_msg("%s: not counted", cases[i].label);
  }
}

static double roll(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return (double)(*state >> 8) / (double)(1u << 24);
}

static void stays_within_bounds_for_ever(void **state) {
  (void)state;
  unsigned seed = (unsigned)time(NULL), dice = seed;
  print_message("seed %u\n", seed);
  struct retry retry = {0};
  int64_t longest = 0;
  for (int i = 0; i < 1000000; i++) {
    int64_t wait = retry_next(&retry, 0, RETRY_BASE_MS, 0, roll(&dice));
    if (wait < RETRY_BASE_MS / 10 || wait > RETRY_CAP_MS)
      fail_msg("failure %d: %lld ms", i, (long long)wait);
    if (wait > longest)
      longest = wait;
  }
  assert_int_equal(retry.n_failed, 1000000);
  assert_true(longest > RETRY_CAP_MS / 10 * 9);
}

static void survives_the_largest_numbers(void **state) {
  (void)state;
  struct retry retry = {UINT_MAX};
  assert_true(retry_next(&retry, INT64_MAX - 5, INT64_MAX, 0, 0.9) ==
              INT64_MAX);
  assert_int_equal(retry.n_failed, UINT_MAX);
  int64_t wait = retry_next(&retry, 0, INT64_MAX, 0, 0.9);
  assert_true(wait >= 0 && wait <= RETRY_CAP_MS);
  assert_int_equal(retry_next(&retry, 0, 0, 0, 0.9), 0);
  assert_int_equal(retry_next(&retry, 0, -100, 0, 0.9), 0);
}

static void reset_begins_anew(void **state) {
  (void)state;
  struct retry retry = {12};
  retry_reset(&retry);
  assert_int_equal(retry_next(&retry, 0, RETRY_BASE_MS, 0, 0.5), 500);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waits_as_the_table_says),
      cmocka_unit_test(stays_within_bounds_for_ever),
      cmocka_unit_test(survives_the_largest_numbers),
      cmocka_unit_test(reset_begins_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
