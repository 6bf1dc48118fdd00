#include "metric/summary.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

static const struct {
  const char *label;
  struct sample sample[5];
  size_t n;
  double want[4]; /* count, sum, least, greatest */
} cases[] = {
    {"one", {{.value = -3, .n = 1}}, 1, {1, -3, -3, -3}},
    {"ten times 0.1", {{.value = 0.1, .n = 10}}, 1, {10, 1, 0.1, 0.1}},
    {"five times, and five times",
     {{.value = 0.1, .n = 5}, {.value = 0.1, .n = 5}},
     2,
     {10, 1, 0.1, 0.1}},
    {"a small one between large ones",
     {{.value = 1e100, .n = 1},
      {.value = 1, .n = 1},
      {.value = -1e100, .n = 1}},
     3,
     {3, 1, -1e100, 1e100}},
    {"the same, many times",
     {{.value = 1e20, .n = 1000001},
      {.value = 1, .n = 3},
      {.value = -1e20, .n = 1000001}},
     3,
     {2000005, 3, -1e20, 1e20}},
    {"as often as can be counted",
     {{.value = 0x1p360, .n = SAMPLE_SUM - 1}},
     1,
     {SAMPLE_SUM - 1, 0x1p360 * (SAMPLE_SUM - 1.0), 0x1p360, 0x1p360}},
    {"a sum of others, and one more",
     {{.value = 100, .n = 10 | SAMPLE_SUM},
      {.value = 0.5, .n = SAMPLE_SUM},
      {.value = 2, .n = 0},
      {.value = 20, .n = 0},
      {.value = 30, .n = 1}},
     5,
     {11, 130.5, 2, 30}},
    {"the least comes last",
     {{.value = 100, .n = 10 | SAMPLE_SUM},
      {.value = 20, .n = 0},
      {.value = 2, .n = 0},
      {.value = -1, .n = 2}},
     4,
     {12, 98, -1, 20}},
};

static void entries_are_summed_up(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct summary got = summary_of(cases[i].sample, cases[i].n);
    const double *want = cases[i].want;
    if ((double)got.n != want[0] || summary_sum(&got) != want[1] ||
        got.least != want[2] || got.greatest != want[3])
      fail_msg("%s: %g samples, %a in %a..%a", cases[i].label, (double)got.n,
               summary_sum(&got), got.least, got.greatest);
  }
}

/* Written and read again, with others between, in any order. */
static void what_was_summed_up_goes_on(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("summary");
  for (int round = 0; round < 2000; round++) {
    struct sample all[40], part[40 + SUMMARY_ENTRIES];
    size_t n = 2 + wire_below(&random, 38),
           split = 1 + wire_below(&random, n - 1);
    for (size_t i = 0; i < n; i++) {
      double sign = wire_below(&random, 2) == 0 ? 1 : -1;
      /* Few enough bits that sum and carry have them all. */
      double value = sign * ldexp((double)wire_below(&random, 1 << 30),
                                  (int)wire_below(&random, 20));
      all[i] = (struct sample){.value = value,
                               .n = 1 + (uint32_t)wire_below(&random, 100000)};
    }
    struct summary want = summary_of(all, n);

    struct summary first = summary_of(all, split);
    for (size_t i = split; i < n; i++)
      part[i - split] = all[i];
    summary_write(&first, part + n - split);
    struct summary got = summary_of(part, n - split + SUMMARY_ENTRIES);
    if (got.n != want.n || summary_sum(&got) != summary_sum(&want) ||
        got.least != want.least || got.greatest != want.greatest)
      fail_msg("round %d: %a, not %a", round, summary_sum(&got),
               summary_sum(&want));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(entries_are_summed_up),
      cmocka_unit_test(what_was_summed_up_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
