#include "metric/period.h"

#include "base/buf.h"
#include "metric/bind.h"
#include "metric/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct series series = {
    .name = {.namespace = "N", .name = "m", .unit = "None", .resolution_s = 60},
    .identifier = "h/p/t",
};

/* The largest divisor of 60 not above each, found by trying all. */
static void the_period_divides_a_minute(void **state) {
  (void)state;
  for (int64_t flush_s = 1; flush_s <= 300; flush_s++) {
    uint32_t want = 0;
    for (uint32_t d = 1; d <= 60 && d <= flush_s; d++)
      if (60 % d == 0)
        want = d;
    if (period_length(flush_s) != want)
      fail_msg("FlushInterval %d: %u, wanted %u", (int)flush_s,
               (unsigned)period_length(flush_s), (unsigned)want);
  }
  assert_int_equal(period_length(86400), 60);
  assert_int_equal(period_length(INT64_MAX), 60);
  assert_int_equal(period_length(7), 6);
  assert_int_equal(period_length(25), 20);
  assert_int_equal(period_length(0), 1);
}

/* All that was told, flat. */
struct told {
  struct datum datum[8];
  double values[8 * CW_VALUES_MAX], counts[8 * CW_VALUES_MAX];
  size_t n, n_values;
  uint64_t n_folded; /* counted as published without their own value */
};

static void tell(void *context, const struct datum *datum) {
  struct told *told = context;
  assert_true(told->n < 8);
  assert_ptr_equal(datum->series, &series.name);
  assert_string_equal(datum->identifier, "h/p/t");
  assert_int_equal(datum->time_s, 1200);
  told->datum[told->n++] = *datum;
  if (datum->form != DATUM_VALUES)
    return;
  assert_in_range(datum->n_values, 1, CW_VALUES_MAX);
  memcpy(told->values + told->n_values, datum->values,
         datum->n_values * sizeof(double));
  memcpy(told->counts + told->n_values, datum->counts,
         datum->n_values * sizeof(double));
  told->n_values += datum->n_values;
}

/* Returns how many samples were lost. */
static uint64_t reduce(enum statistics statistics, const double *values,
                       size_t n, struct told *told) {
  struct sample *sample = calloc(n, sizeof(*sample));
  struct tally tally = {0};
  assert_non_null(sample);
  *told = (struct told){.n = 0};
  series.statistics = (uint8_t)statistics;
  for (size_t i = 0; i < n; i++)
    sample[i] = (struct sample){.series = &series,
                                .value = values[i],
                                .second = 1200 + (uint32_t)(i % 60),
                                .n = 1};
  fold_prepare(sample, n, 60);
  samples_sort(sample, n);
  assert_int_equal(fold_group(sample, n, 60), n);
  period_reduce(sample, n, 1200, &tally, tell, told);
  told->n_folded = tally.row[REASON_FOLDED].n;
  free(sample);
  return tally.row[REASON_RANGE].n;
}

#define BIG 0x1p360

static const struct {
  const char *label;
  enum statistics statistics;
  double values[5];
  size_t n;
  size_t lost;
  enum datum_form form;
  double value;  /* DATUM_VALUE, or the only of DATUM_VALUES */
  double set[4]; /* count, sum, least, greatest */
} cases[] = {
    {"one sample", STATISTICS_VALUES, {7}, 1, 0, DATUM_VALUE, 7, {0}},
    {"one sample as a set", STATISTICS_SET, {7}, 1, 0, DATUM_VALUE, 7, {0}},
    {"one sample averaged", STATISTICS_AVERAGE, {7}, 1, 0, DATUM_VALUE, 7, {0}},
    {"a value twice", STATISTICS_VALUES, {7, 7}, 2, 0, DATUM_VALUES, 7, {0}},
    {"the last", STATISTICS_LAST, {9, 1, 3}, 3, 0, DATUM_VALUE, 3, {0}},
    {"the average", STATISTICS_AVERAGE, {9, 1, 5}, 3, 0, DATUM_VALUE, 5, {0}},
    {"the greatest", STATISTICS_MAX, {1, 9, 5}, 3, 0, DATUM_VALUE, 9, {0}},
    {"the greatest below 0",
     STATISTICS_MAX,
     {-9, -1},
     2,
     0,
     DATUM_VALUE,
     -1,
     {0}},
    {"the least", STATISTICS_MIN, {4, -1, 5}, 3, 0, DATUM_VALUE, -1, {0}},
    {"the least above 0", STATISTICS_MIN, {4, 5}, 2, 0, DATUM_VALUE, 4, {0}},
    {"a set", STATISTICS_SET, {4, -1, 5}, 3, 0, DATUM_SET, 0, {3, 8, -1, 5}},
    {"a set of one value",
     STATISTICS_SET,
     {2, 2},
     2,
     0,
     DATUM_SET,
     0,
     {2, 4, 2, 2}},
    {"a set whose sum is as large as can be",
     STATISTICS_SET,
     {BIG / 2, BIG / 2},
     2,
     0,
     DATUM_SET,
     0,
     {2, BIG, BIG / 2, BIG / 2}},
    {"a set whose sum is too large",
     STATISTICS_SET,
     {BIG, BIG},
     2,
     2,
     DATUM_SET,
     0,
     {0}},
    {"a set whose sum is too far below 0",
     STATISTICS_SET,
     {-BIG, -BIG, 1},
     3,
     3,
     DATUM_SET,
     0,
     {0}},
    {"a set whose sum is nearly 0",
     STATISTICS_SET,
     {0x1p-360, -0x1.8p-360},
     2,
     0,
     DATUM_SET,
     0,
     {2, 0, -0x1.8p-360, 0x1p-360}},
    {"the average of large ones",
     STATISTICS_AVERAGE,
     {BIG, BIG, BIG},
     3,
     0,
     DATUM_VALUE,
     BIG,
     {0}},
    {"the average of tiny ones",
     STATISTICS_AVERAGE,
     {0x1p-360, -0x1.8p-360, 0},
     3,
     0,
     DATUM_VALUE,
     0,
     {0}},
    {"the greatest of large ones",
     STATISTICS_MAX,
     {BIG, BIG},
     2,
     0,
     DATUM_VALUE,
     BIG,
     {0}},
};

static void each_statistic(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *label = cases[i].label;
    struct told told;
    uint64_t lost =
        reduce(cases[i].statistics, cases[i].values, cases[i].n, &told);
    const struct datum *datum = &told.datum[0];
    if (lost != cases[i].lost || told.n != (lost == 0))
      fail_msg("%s: %d lost, %zu told", label, (int)lost, told.n);
    if (lost > 0)
      continue;
    if (datum->form != cases[i].form)
      fail_msg("%s: form %d", label, (int)datum->form);
    if (datum->form == DATUM_VALUE && datum->value != cases[i].value)
      fail_msg("%s: %a", label, datum->value);
    if (datum->form == DATUM_VALUES &&
        (told.n_values != 1 || told.values[0] != cases[i].value ||
         told.counts[0] != (double)cases[i].n))
      fail_msg("%s: %a", label, told.values[0]);
    if (datum->form == DATUM_SET &&
        (datum->sample_count != cases[i].set[0] ||
         datum->sum != cases[i].set[1] || datum->minimum != cases[i].set[2] ||
         datum->maximum != cases[i].set[3]))
      fail_msg("%s: n %a sum %a %a..%a", label, datum->sample_count, datum->sum,
               datum->minimum, datum->maximum);
  }
}

/* distinct values, each of them 1 to 3 times, in mixed order. */
static void values_are_exact(void **state) {
  (void)state;
  static const struct {
    size_t n_distinct, n_data;
  } sizes[] = {{1, 1},   {2, 1},   {149, 1}, {150, 1},
               {151, 2}, {300, 2}, {301, 3}};
  unsigned seed = 20261123;
  print_message("seed %u\n", seed);
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    double values[1000];
    size_t n = 0, n_distinct = sizes[i].n_distinct;
    for (size_t k = 0; k < n_distinct; k++)
      for (size_t times = 0; times < k % 3 + 1 || n < 2; times++)
        values[n++] = (double)k - 20.5;
    double count_of_first = n_distinct == 1 ? 2 : n_distinct == 2 ? 2 : 0;
    for (size_t k = n; k-- > 1;) {
      seed = seed * 1664525 + 1013904223;
      size_t other = (seed >> 16) % (k + 1);
      double kept = values[k];
      values[k] = values[other];
      values[other] = kept;
    }

    struct told told;
    assert_int_equal(reduce(STATISTICS_VALUES, values, n, &told), 0);
    assert_int_equal(told.n, sizes[i].n_data);
    assert_int_equal(told.n_values, n_distinct);
    double count = 0;
    for (size_t k = 0; k < n_distinct; k++) {
      if (told.values[k] != (double)k - 20.5)
        fail_msg("%zu values: number %zu is %g", n_distinct, k, told.values[k]);
      count += told.counts[k];
      if (k > 0 && told.counts[k] != (double)(k % 3 + 1))
        fail_msg("%zu values: %zu has %g", n_distinct, k, told.counts[k]);
    }
    if (count_of_first > 0)
      assert_true(told.counts[0] == count_of_first);
    assert_true(count == (double)n);
    for (size_t k = 0; k + 1 < told.n; k++)
      assert_int_equal(told.datum[k].n_values, CW_VALUES_MAX);
  }
}

/* Count, least, greatest, and the sum (of whole numbers) are those of the
 * samples, in whichever order they came. */
static void the_order_is_of_no_matter(void **state) {
  (void)state;
  unsigned seed = 11112026;
  print_message("seed %u\n", seed);
  for (int round = 0; round < 300; round++) {
    double values[60], sum = 0, least = 1e9, greatest = -1e9;
    size_t n = 2 + (size_t)round % 58;
    for (size_t i = 0; i < n; i++) {
      seed = seed * 1664525 + 1013904223;
      values[i] = (double)(int)(seed >> 12 & 0xfffff) - 500000;
      sum += values[i];
      least = values[i] < least ? values[i] : least;
      greatest = values[i] > greatest ? values[i] : greatest;
    }
    for (int pass = 0; pass < 3; pass++) {
      for (size_t k = n; k-- > 1;) {
        seed = seed * 1664525 + 1013904223;
        size_t other = (seed >> 16) % (k + 1);
        double kept = values[k];
        values[k] = values[other];
        values[other] = kept;
      }
      struct told told;
      assert_int_equal(reduce(STATISTICS_SET, values, n, &told), 0);
      assert_true(told.datum[0].sample_count == (double)n);
      assert_true(told.datum[0].sum == sum);
      assert_true(told.datum[0].minimum == least);
      assert_true(told.datum[0].maximum == greatest);

      assert_int_equal(reduce(STATISTICS_VALUES, values, n, &told), 0);
      double count = 0, total = 0;
      for (size_t i = 0; i < told.n_values; i++) {
        count += told.counts[i];
        total += told.counts[i] * told.values[i];
      }
      assert_true(count == (double)n && total == sum);
      assert_true(told.values[0] == least);
      assert_true(told.values[told.n_values - 1] == greatest);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_period_divides_a_minute),
      cmocka_unit_test(each_statistic),
      cmocka_unit_test(values_are_exact),
      cmocka_unit_test(the_order_is_of_no_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
