#include "metric/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#define S INT64_C(1000000)

struct one {
  enum rate_step step;
  double difference, per_second; /* with RATE_OK */
};

static void expect(const char *label, const struct one *want,
                   enum rate_step step, const struct rate_change *change) {
  if (step != want->step)
    fail_msg("%s: step %d, wanted %d", label, (int)step, (int)want->step);
  if (step == RATE_OK && (change->difference != want->difference ||
                          change->per_second != want->per_second))
    fail_msg("%s: %.17g, %.17g a second", label, change->difference,
             change->per_second);
}

static void derive_goes_up_and_down(void **state) {
  (void)state;
  static const struct {
    const char *label;
    double min;
    int64_t before, now;
    struct one want;
  } cases[] = {
      {"up", 0, 100, 160, {RATE_OK, 60, 6}},
      {"the same", 0, 100, 100, {RATE_OK, 0, 0}},
      {"down with minimum 0: reset", 0, 100, 99, {RATE_RESET, 0, 0}},
      {"down with minimum 5: reset", 5, 100, 99, {RATE_RESET, 0, 0}},
      {"down without minimum", NAN, 100, 40, {RATE_OK, -60, -6}},
      {"down with a negative minimum", -1, 100, 40, {RATE_OK, -60, -6}},
      {"from below 0", NAN, -50, 50, {RATE_OK, 100, 10}},
      {"the whole range up",
       0,
       INT64_MIN,
       INT64_MAX,
       {RATE_OK, 0x1p64, 0x1p64 / 10}},
      {"the whole range down",
       NAN,
       INT64_MAX,
       INT64_MIN,
       {RATE_OK, -0x1p64, -0x1p64 / 10}},
      {"the whole range down, reset",
       0,
       INT64_MAX,
       INT64_MIN,
       {RATE_RESET, 0, 0}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct rate rate = {0};
    struct rate_change change = {0};
    struct reading reading = {.kind = KIND_DERIVE,
                              .min = cases[i].min,
                              .max = NAN,
                              .value.derive = cases[i].before};
    assert_int_equal(rate_step(&rate, &reading, 100 * S, 10 * S, &change),
                     RATE_FIRST);
    reading.value.derive = cases[i].now;
    expect(cases[i].label, &cases[i].want,
           rate_step(&rate, &reading, 110 * S, 10 * S, &change), &change);

    /* What was reset is the new first. */
    reading.value.derive =
        cases[i].now < INT64_MAX - 30 ? cases[i].now + 30 : cases[i].now;
    assert_int_equal(rate_step(&rate, &reading, 120 * S, 10 * S, &change),
                     RATE_OK);
    assert_true(change.difference ==
                (double)(reading.value.derive - cases[i].now));
  }
}

static void counter_wraps_or_begins_again(void **state) {
  (void)state;
  static const struct {
    const char *label;
    double max;
    uint64_t before, now;
    struct one want;
  } cases[] = {
      {"up", NAN, 5, 25, {RATE_OK, 20, 2}},
      {"up, beyond 2^32", NAN, UINT32_MAX, UINT64_C(1) << 32, {RATE_OK, 1, .1}},
      {"the whole range", NAN, 0, UINT64_MAX, {RATE_OK, 0x1p64, 0x1p64 / 10}},
      {"wraps at 2^32", 1000, UINT32_MAX - 9, 10, {RATE_OK, 20, 2}},
      {"wraps at 2^32 to 0", 1000, UINT32_MAX, 0, {RATE_OK, 1, .1}},
      {"wraps at 2^64", 1000, UINT64_MAX - 9, 10, {RATE_OK, 20, 2}},
      {"wraps at 2^64 to 0", 1000, UINT64_MAX, 0, {RATE_OK, 1, .1}},
      {"the first that wraps at 2^64",
       INFINITY,
       UINT64_C(1) << 32,
       0,
       {RATE_OK, 0x1p64 - 0x1p32, (0x1p64 - 0x1p32) / 10}},
      {"without a maximum: reset", NAN, UINT32_MAX, 0, {RATE_RESET, 0, 0}},
      {"without a maximum, 64: reset", NAN, UINT64_MAX, 0, {RATE_RESET, 0, 0}},
      {"above the maximum: reset", 1.9, UINT32_MAX - 9, 10, {RATE_RESET, 0, 0}},
      {"at the maximum: reset", 2, UINT32_MAX - 9, 10, {RATE_RESET, 0, 0}},
      {"began again", 1000, 5000000, 3, {RATE_RESET, 0, 0}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct rate rate = {0};
    struct rate_change change = {0};
    struct reading reading = {.kind = KIND_COUNTER,
                              .min = 0,
                              .max = cases[i].max,
                              .value.counter = cases[i].before};
    assert_int_equal(rate_step(&rate, &reading, 100 * S, 10 * S, &change),
                     RATE_FIRST);
    reading.value.counter = cases[i].now;
    expect(cases[i].label, &cases[i].want,
           rate_step(&rate, &reading, 110 * S, 10 * S, &change), &change);
    reading.value.counter = cases[i].now / 2 + UINT64_C(0x8000000000000000);
    reading.max = NAN;
    if (reading.value.counter >= cases[i].now)
      assert_int_equal(rate_step(&rate, &reading, 120 * S, 10 * S, &change),
                       RATE_OK);
  }
}

static void absolute_counts_from_its_last_reading(void **state) {
  (void)state;
  struct rate rate = {0};
  struct rate_change change = {0};
  struct reading reading = {.kind = KIND_ABSOLUTE, .value.counter = 50};

  expect("the first, over the interval", &(struct one){RATE_OK, 50, 5},
         rate_step(&rate, &reading, 100 * S, 10 * S, &change), &change);
  reading.value.counter = 40;
  expect("later, over the time that passed", &(struct one){RATE_OK, 40, 2},
         rate_step(&rate, &reading, 120 * S, 10 * S, &change), &change);
  reading.value.counter = UINT64_MAX;
  expect("as large as can be", &(struct one){RATE_OK, 0x1p64, 0x1p64 / 10},
         rate_step(&rate, &reading, 130 * S, 10 * S, &change), &change);
  expect("of the same time", &(struct one){RATE_NOT_NEWER, 0, 0},
         rate_step(&rate, &reading, 130 * S, 10 * S, &change), &change);
}

/* Whatever the lag: the predecessor is that of the newest time. */
static void what_is_not_newer_changes_nothing(void **state) {
  (void)state;
  static const enum kind kinds[] = {KIND_DERIVE, KIND_COUNTER, KIND_ABSOLUTE};
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    struct rate rate = {0};
    struct rate_change change = {0};
    struct reading reading = {.kind = kinds[i], .value.counter = 100};

    (void)rate_step(&rate, &reading, 100 * S, 10 * S, &change);
    reading.value.counter = 7;
    assert_int_equal(rate_step(&rate, &reading, 100 * S, 10 * S, &change),
                     RATE_NOT_NEWER);
    assert_int_equal(rate_step(&rate, &reading, 90 * S, 10 * S, &change),
                     RATE_NOT_NEWER);
    assert_int_equal(rate_step(&rate, &reading, 1, 10 * S, &change),
                     RATE_NOT_NEWER);
    assert_int_equal(rate.time_us, 100 * S);
    reading.value.counter = 150;
    assert_int_equal(rate_step(&rate, &reading, 100 * S + 1, 10 * S, &change),
                     RATE_OK);
    assert_true(change.difference == (kinds[i] == KIND_ABSOLUTE ? 150 : 50));
    assert_true(fabs(change.per_second / change.difference - 1e6) < 1e-3);
  }
}

static void a_number_as_it_is(void **state) {
  (void)state;
  struct reading gauge = {.kind = KIND_GAUGE, .value.gauge = -1.5};
  struct reading derive = {.kind = KIND_DERIVE, .value.derive = INT64_MIN};
  struct reading counter = {.kind = KIND_COUNTER, .value.counter = UINT64_MAX};
  struct reading absolute = {.kind = KIND_ABSOLUTE, .value.counter = 7};
  assert_true(rate_raw(&gauge) == -1.5);
  assert_true(rate_raw(&derive) == -0x1p63);
  assert_true(rate_raw(&counter) == 0x1p64);
  assert_true(rate_raw(&absolute) == 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(derive_goes_up_and_down),
      cmocka_unit_test(counter_wraps_or_begins_again),
      cmocka_unit_test(absolute_counts_from_its_last_reading),
      cmocka_unit_test(what_is_not_newer_changes_nothing),
      cmocka_unit_test(a_number_as_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
