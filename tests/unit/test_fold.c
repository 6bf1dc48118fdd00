#include "metric/fold.h"

#include "metric/bind.h"
#include "metric/summary.h"
#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_S 10
#define N_SERIES 6

/* One for each of enum statistics. */
static struct series series[N_SERIES];

static void make_series(void) {
  for (uint32_t i = 0; i < N_SERIES; i++) {
    series[i] = (struct series){
        .serial = i, .statistics = (uint8_t)i, .name = {.resolution_s = 60}};
  }
}

/* A list of one series: "5=1 7=2x3" is the value 1 at second 5 and three times
 * the value 2 at second 7. */
static size_t read_list(const char *text, enum statistics statistics,
                        struct sample *sample) {
  size_t n = 0;
  int used = 0;
  char word[32];

  make_series();
  for (; sscanf(text, "%31s%n", word, &used) == 1; text += used) {
    char *end;
    sample[n] = (struct sample){.series = &series[statistics], .n = 1};
    sample[n].second = (uint32_t)strtoul(word, &end, 10);
    sample[n].value = strtod(end + 1, &end);
    if (*end == 'x')
      sample[n].n = (uint32_t)strtoul(end + 1, &end, 10);
    n++;
  }
  return n;
}

/* As read_list() reads them; "+" before a value: it is a sum. */
static const char *write_list(const struct sample *sample, size_t n) {
  static char text[512];
  size_t len = 0;

  text[0] = '\0';
  for (size_t i = 0; i < n; i++)
    len += (size_t)snprintf(
        text + len, sizeof(text) - len, "%s%u=%s%gx%u", i > 0 ? " " : "",
        (unsigned)sample[i].second, (sample[i].n & SAMPLE_SUM) != 0 ? "+" : "",
        sample[i].value, (unsigned)summary_times(&sample[i]));
  return text;
}

static const struct {
  const char *label;
  enum statistics statistics;
  const char *list, *want;
} cases[] = {
    {"one", STATISTICS_VALUES, "5=1", "0=1x1"},
    {"equal ones", STATISTICS_VALUES, "5=1 3=2 9=1 11=1 0=1",
     "0=1x3 0=2x1 10=1x1"},
    {"equal ones, counted before", STATISTICS_VALUES, "5=1x7 3=2 9=1x3",
     "0=1x10 0=2x1"},
    {"no more than can be counted", STATISTICS_VALUES,
     "5=1x2147483647 3=1x5 4=1x2147483640", "0=1x2147483647 0=1x2147483645"},
    {"different ones stay", STATISTICS_VALUES, "5=9 3=8 9=7 1=6 0=5",
     "0=5x1 0=6x1 0=7x1 0=8x1 0=9x1"},
    {"of a set only what is needed", STATISTICS_SET, "5=9 3=8 9=7 1=6 0=5x3",
     "0=+45x7 0=+0x0 0=5x0 0=9x0"},
    {"each period of a set", STATISTICS_SET,
     "5=9 13=8 9=7 11=6 0=5 1=9 2=9 12=1 15=2 19=3",
     "0=+39x5 0=+0x0 0=5x0 0=9x0 10=+20x5 10=+0x0 10=1x0 10=8x0"},
    {"four are as short as a sum", STATISTICS_SET, "5=9 3=8 9=7 0=5x3",
     "0=5x3 0=7x1 0=8x1 0=9x1"},
    {"the last of each period", STATISTICS_LAST, "5=9 13=8 5=7 3=6 11=5",
     "5=7x2 13=8x1"},
};

static void lists_get_shorter(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct sample sample[20];
    size_t n = read_list(cases[i].list, cases[i].statistics, sample);
    n = fold_equal(sample, n, PERIOD_S);
    const char *got = write_list(sample, n);
    if (strcmp(got, cases[i].want) != 0)
      fail_msg("%s: got \"%s\", wanted \"%s\"", cases[i].label, got,
               cases[i].want);
    n = fold_equal(sample, n, PERIOD_S);
    if (strchr(cases[i].want, '+') == NULL &&
        cases[i].statistics != STATISTICS_LAST &&
        strcmp(write_list(sample, n), cases[i].want) != 0)
      fail_msg("%s: twice is not as once", cases[i].label);
  }
}

/* Of periods of 4, 5, 8 and 20 values, and one of 20 that are one. */
static size_t make_periods(struct sample *sample) {
  static const size_t sizes[] = {4, 5, 8, 20};
  size_t n = 0;

  make_series();
  for (size_t p = 0; p < 5; p++)
    for (size_t i = 0; i < (p < 4 ? sizes[p] : 20); i++) {
      sample[n++] =
          (struct sample){.series = &series[0],
                          .value = p < 4 ? (double)i : 1,
                          .second = (uint32_t)(p * PERIOD_S + i % PERIOD_S),
                          .n = 1};
    }
  return n;
}

static void the_largest_are_summed_up_first(void **state) {
  (void)state;
  static const struct {
    size_t n_wanted, n_left;
    const char *sizes; /* of the periods afterwards */
  } sizes[] = {{100, 38, "4 5 8 20 1"}, {38, 38, "4 5 8 20 1"},
               {37, 22, "4 5 8 4 1"},   {22, 22, "4 5 8 4 1"},
               {21, 18, "4 5 4 4 1"},   {17, 17, "4 4 4 4 1"},
               {0, 17, "4 4 4 4 1"}};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct sample sample[80];
    char got[64] = "";
    size_t n = make_periods(sample);
    n = fold_equal(sample, n, PERIOD_S);
    assert_int_equal(n, 38);
    n = fold_largest(sample, n, sizes[i].n_wanted, PERIOD_S);
    for (size_t k = 0, n_group; k < n; k += n_group) {
      n_group = fold_group(&sample[k], n - k, PERIOD_S);
      (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%zu",
                     k > 0 ? " " : "", n_group);
    }
    if (n != sizes[i].n_left || strcmp(got, sizes[i].sizes) != 0)
      fail_msg("%zu wanted: %zu left, \"%s\"", sizes[i].n_wanted, n, got);
  }
}

static void a_period_has_so_many_values_at_most(void **state) {
  (void)state;
  struct sample *sample = calloc(FOLD_VALUES_MAX + 2, sizeof(*sample));
  assert_non_null(sample);
  for (size_t more = 0; more < 2; more++) {
    size_t n = FOLD_VALUES_MAX + 1 + more;
    make_series();
    for (size_t i = 0; i < n; i++)
      sample[i] = (struct sample){
          .series = &series[0], .value = (double)(i % (n - 1)), .n = 1};
    n = fold_equal(sample, n, PERIOD_S);
    assert_int_equal(n, more == 0 ? FOLD_VALUES_MAX : SUMMARY_ENTRIES);
    assert_int_equal(fold_is_summed(sample, n), more);
    struct summary summary = summary_of(sample, n);
    assert_int_equal(summary.n, FOLD_VALUES_MAX + 1 + more);
    assert_true(summary.least == 0);
    assert_true(summary.greatest == FOLD_VALUES_MAX - 1.0 + (double)more);
  }
  free(sample);
}

/* ---- whatever is folded, and how often ------------------------------------
 */

#define N_PERIODS 4

/* What is known of one series and period. */
struct known {
  uint64_t n;
  double sum, least, greatest, last;
};

static void learn(struct known *known, double value) {
  known->sum += value;
  known->least = known->n == 0 || value < known->least ? value : known->least;
  known->greatest =
      known->n == 0 || value > known->greatest ? value : known->greatest;
  known->last = value;
  known->n++;
}

static void compare(const struct sample *sample, size_t n,
                    const struct known *known) {
  if (sample[0].series->statistics == STATISTICS_LAST) {
    if (sample[n - 1].value != known->last)
      fail_msg("last is %g, not %g", sample[n - 1].value, known->last);
    return;
  }
  struct summary got = summary_of(sample, n);
  if (got.n != known->n || summary_sum(&got) != known->sum ||
      got.least != known->least || got.greatest != known->greatest)
    fail_msg("%d samples, sum %g, %g..%g; not %d, %g, %g..%g", (int)got.n,
             summary_sum(&got), got.least, got.greatest, (int)known->n,
             known->sum, known->least, known->greatest);
}

/* Samples of six series come (their values are whole numbers, so that all sums
 * are exact), each after the one before it; the list is folded now and then.
 * In the end count, sum, least, greatest and last are those of all. */
static void nothing_is_lost(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("fold");
  static struct sample sample[4096];
  for (int round = 0; round < 300; round++) {
    struct known known[N_SERIES][N_PERIODS] = {{{0}}};
    size_t n = 0, n_come = wire_below(&random, 4000);
    size_t range = 1 + wire_below(&random, 200);
    make_series();
    for (size_t i = 0; i < n_come; i++) {
      struct series *of = &series[wire_below(&random, N_SERIES)];
      double value = (double)wire_below(&random, range) - 50;
      uint32_t second = (uint32_t)(i * N_PERIODS * PERIOD_S / (n_come + 1));
      sample[n++] = (struct sample){
          .series = of, .value = value, .second = second, .n = 1};
      learn(&known[of->serial][second / PERIOD_S], value);
      if (wire_below(&random, 500) > 0)
        continue;
      n = fold_equal(sample, n, PERIOD_S);
      if (wire_often(&random, 50))
        n = fold_largest(sample, n, wire_below(&random, n + 1), PERIOD_S);
    }
    fold_prepare(sample, n, PERIOD_S);
    samples_sort(sample, n);
    size_t n_groups = 0, n_known = 0;
    for (size_t i = 0, n_group; i < n; i += n_group) {
      n_group = fold_group(&sample[i], n - i, PERIOD_S);
      compare(&sample[i], n_group,
              &known[sample[i].series->serial][sample[i].second / PERIOD_S]);
      n_groups++;
    }
    for (size_t i = 0; i < N_SERIES * N_PERIODS; i++)
      n_known += known[i / N_PERIODS][i % N_PERIODS].n > 0;
    assert_int_equal(n_groups, n_known);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_get_shorter),
      cmocka_unit_test(the_largest_are_summed_up_first),
      cmocka_unit_test(a_period_has_so_many_values_at_most),
      cmocka_unit_test(nothing_is_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
