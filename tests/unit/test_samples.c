#include "metric/samples.h"

#include "metric/bind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void room_is_made_and_given_back(void **state) {
  (void)state;
  struct samples samples = {0};
  samples_fit(&samples);
  assert_null(samples.sample);
  assert_int_equal(samples_reserve(&samples, 10), 0);
  assert_int_equal(samples_reserve(&samples, 5), 0);
  assert_int_equal(samples.cap, 10);
  assert_int_equal(samples_reserve(&samples, SIZE_MAX / 2), -1);
  assert_int_equal(samples.cap, 10);

  samples.sample[0] = (struct sample){.value = 7};
  samples.n = 1;
  samples_fit(&samples);
  assert_int_equal(samples.cap, 1);
  assert_true(samples.sample[0].value == 7);
  samples.n = 0;
  samples_fit(&samples);
  assert_null(samples.sample);
  assert_int_equal(samples.cap, 0);
  samples_clear(&samples);
  samples_clear(&samples);
}

/* ---- order -------------------------------------------------------------- */

#define N_SERIES 5

static struct series series[N_SERIES];

static void make_series(void) {
  for (uint32_t i = 0; i < N_SERIES; i++) {
    series[i].serial = N_SERIES - i; /* not in the order of addresses */
    series[i].statistics = i == 2 ? STATISTICS_LAST : STATISTICS_VALUES;
  }
}

static unsigned seed;

static unsigned draw(unsigned below) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % below;
}

/* As the header says it, written in another way. */
static bool is_in_order(const struct sample *a, const struct sample *b) {
  double x[4] = {a->series->serial, a->second, a->value, 0};
  double y[4] = {b->series->serial, b->second, b->value, 0};
  if (a->series->statistics == STATISTICS_LAST)
    x[2] = a->n;
  if (b->series->statistics == STATISTICS_LAST)
    y[2] = b->n;
  for (size_t i = 0; i < 3; i++)
    if (x[i] != y[i])
      return x[i] < y[i];
  return true;
}

static int by_bytes(const void *a, const void *b) {
  return memcmp(a, b, sizeof(struct sample));
}

/* Sorted, and the same entries as before. */
static void check(const char *label, struct sample *sample, size_t n) {
  struct sample *before = malloc(n * sizeof(*before));
  assert_non_null(before);
  memcpy(before, sample, n * sizeof(*sample));
  samples_sort(sample, n);
  for (size_t i = 1; i < n; i++)
    if (!is_in_order(&sample[i - 1], &sample[i]))
      fail_msg("%s: number %zu of %zu is out of order", label, i, n);
  qsort(before, n, sizeof(*before), by_bytes);
  qsort(sample, n, sizeof(*sample), by_bytes);
  if (memcmp(before, sample, n * sizeof(*sample)) != 0)
    fail_msg("%s: other entries than before", label);
  free(before);
}

static void entries_are_sorted(void **state) {
  (void)state;
  struct sample sample[300];
  make_series();
  seed = 27112026;
  print_message("seed %u\n", seed);
  for (int round = 0; round < 3000; round++) {
    size_t n = 1 + draw(300);
    unsigned range = 1 + draw(20);
    for (size_t i = 0; i < n; i++) {
      memset(&sample[i], 0, sizeof(sample[i]));
      sample[i].series = &series[draw(N_SERIES)];
      sample[i].value = (double)draw(range) - 10;
      sample[i].second = draw(3);
      sample[i].n = draw(range);
    }
    check("random", sample, n);
  }
}

/* ---- many: steps that grew as the square would not end --------------------
 */

#define MANY 1000000

static double ascending(size_t i) { return (double)i; }
static double descending(size_t i) { return (double)(MANY - i); }
static double equal(size_t i) { return (double)(i - i); }
static double two(size_t i) { return (double)(i % 2); }
static double in_six_runs(size_t i) { return (double)(i % (MANY / 6)); }
static double up_and_down(size_t i) {
  return (double)(i < MANY / 2 ? i : MANY - i);
}
static double random_value(size_t i) {
  (void)i;
  return draw(1 << 24);
}
/* What makes the middle of three the second least each time (Musser 1997). */
static double bad_for_three(size_t i) {
  size_t half = MANY / 2;
  if (i >= half)
    return (double)(2 * (i - half + 1));
  return (double)(i % 2 == 0 ? i + 1 : half + i);
}

static void a_million_is_sorted(void **state) {
  (void)state;
  static const struct {
    const char *label;
    double (*value)(size_t i);
  } cases[] = {{"ascending", ascending},  {"descending", descending},
               {"equal", equal},          {"two values", two},
               {"six runs", in_six_runs}, {"up and down", up_and_down},
               {"random", random_value},  {"bad for three", bad_for_three}};
  struct sample *sample = calloc(MANY, sizeof(*sample));
  assert_non_null(sample);
  make_series();
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    for (size_t i = 0; i < MANY; i++)
      sample[i] = (struct sample){
          .series = &series[0], .value = cases[c].value(i), .n = 1};
    samples_sort(sample, MANY);
    for (size_t i = 1; i < MANY; i++)
      if (sample[i].value < sample[i - 1].value)
        fail_msg("%s: number %zu is out of order", cases[c].label, i);
  }
  free(sample);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(room_is_made_and_given_back),
      cmocka_unit_test(entries_are_sorted),
      cmocka_unit_test(a_million_is_sorted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
