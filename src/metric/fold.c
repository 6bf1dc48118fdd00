#include "metric/fold.h"

#include "metric/combine.h"
#include "metric/summary.h"

#include <string.h>

#define SIZES 64 /* powers of 2 */

/* ---- groups of one series and period ------------------------------------- */

uint32_t fold_start(const struct sample *sample, uint32_t period_s) {
  const struct horizon horizon = {.period_s = period_s};

  return horizon_period(&horizon, sample->series, sample->second);
}

void fold_prepare(struct sample *sample, size_t n, uint32_t period_s) {
  for (size_t i = 0; i < n; i++)
    if (sample[i].series->statistics == STATISTICS_LAST)
      sample[i].n = (uint32_t)i;
    else
      sample[i].second = fold_start(&sample[i], period_s);
}

size_t fold_group(const struct sample *sample, size_t n, uint32_t period_s) {
  const struct series *series = sample->series;
  bool is_last = series->statistics == STATISTICS_LAST;
  uint32_t start_s = fold_start(sample, period_s);
  size_t i = 1;

  while (i < n && sample[i].series == series &&
         (is_last ? fold_start(&sample[i], period_s) : sample[i].second) ==
             start_s)
    i++;
  return i;
}

static bool is_sum(const struct sample *sample) {
  return (sample->n & SAMPLE_SUM) != 0;
}

bool fold_is_summed(const struct sample *sample, size_t n) {
  size_t n_values = 1;

  for (size_t i = 0; i < n; i++) {
    if (is_sum(&sample[i]))
      return true;
    n_values += i > 0 && sample[i].value != sample[i - 1].value;
  }
  return n_values > FOLD_VALUES_MAX;
}

/* ---- made shorter; each returns how many entries of a group are left ------
 */

static size_t merge_equal(struct sample *sample, size_t n) {
  size_t last = 0;

  for (size_t i = 1; i < n; i++) {
    struct sample *to = &sample[last];
    if (sample[i].value != to->value || is_sum(&sample[i]) || is_sum(to) ||
        sample[i].n >= SAMPLE_SUM - to->n) {
      sample[++last] = sample[i];
      continue;
    }
    to->n += sample[i].n;
  }
  return last + 1;
}

static size_t keep_last(struct sample *sample, size_t n) {
  sample[0] = sample[n - 1];
  return 1;
}

static size_t sum_up(struct sample *sample, size_t n) {
  if (n <= SUMMARY_ENTRIES)
    return n;
  struct summary summary = summary_of(sample, n);
  if (summary.n >= SAMPLE_SUM)
    return n;
  summary_write(&summary, sample);
  return SUMMARY_ENTRIES;
}

static size_t shorten(struct sample *sample, size_t n) {
  switch (sample->series->statistics) {
  case STATISTICS_LAST:
    return keep_last(sample, n);
  case STATISTICS_VALUES:
    n = merge_equal(sample, n);
    return fold_is_summed(sample, n) ? sum_up(sample, n) : n;
  case STATISTICS_SET:
  case STATISTICS_AVERAGE:
  case STATISTICS_MAX:
  case STATISTICS_MIN:
    break;
  }
  return sum_up(sample, n);
}

/* ---- all groups -----------------------------------------------------------
 */

size_t fold_equal(struct sample *sample, size_t n, uint32_t period_s) {
  size_t kept = 0, n_group;

  fold_prepare(sample, n, period_s);
  samples_sort(sample, n);
  for (size_t i = 0; i < n; i += n_group) {
    n_group = fold_group(&sample[i], n - i, period_s);
    size_t n_left = shorten(&sample[i], n_group);
    memmove(&sample[kept], &sample[i], n_left * sizeof(*sample));
    kept += n_left;
  }
  return kept;
}

static size_t size_class(size_t n) {
  size_t class = 0;

  while (n >>= 1)
    class ++;
  return class;
}

/* The largest size of groups, as the power of 2, such that enough is left out
 * when all of that size and above are summed up. */
static size_t find_size(const struct sample *sample, size_t n, size_t n_wanted,
                        uint32_t period_s) {
  size_t saved[SIZES] = {0}, class = SIZES, n_group, left = n;

  for (size_t i = 0; i < n; i += n_group) {
    n_group = fold_group(&sample[i], n - i, period_s);
    if (n_group > SUMMARY_ENTRIES)
      saved[size_class(n_group)] += n_group - SUMMARY_ENTRIES;
  }
  while (class > 0 && left > n_wanted)
    left -= saved[--class];
  return class;
}

size_t fold_largest(struct sample *sample, size_t n, size_t n_wanted,
                    uint32_t period_s) {
  size_t class = find_size(sample, n, n_wanted, period_s);
  size_t kept = 0, n_group;

  for (size_t i = 0; i < n; i += n_group) {
    n_group = fold_group(&sample[i], n - i, period_s);
    size_t n_left = n_group;
    if (size_class(n_group) >= class)
      n_left = sum_up(&sample[i], n_group);
    memmove(&sample[kept], &sample[i], n_left * sizeof(*sample));
    kept += n_left;
  }
  return kept;
}
