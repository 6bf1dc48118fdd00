#include "metric/period.h"

#include "metric/bind.h"
#include "metric/fold.h"
#include "metric/number.h"
#include "metric/summary.h"

#include <stdbool.h>

#define MINUTE_S 60

uint32_t period_length(int64_t flush_interval_s) {
  uint32_t length_s =
      flush_interval_s < MINUTE_S ? (uint32_t)flush_interval_s : MINUTE_S;

  while (length_s > 1 && MINUTE_S % length_s != 0)
    length_s--;
  return length_s > 0 ? length_s : 1;
}

/* A datum in which all but the values is said. */
static struct datum datum_of(const struct series *series, uint32_t start_s,
                             enum datum_form form) {
  return (struct datum){.series = &series->name,
                        .identifier = series->identifier,
                        .rule = series->rule,
                        .time_s = start_s,
                        .form = form};
}

static void emit_value(const struct series *series, uint32_t start_s,
                       double value, period_fn emit, void *context) {
  struct datum datum = datum_of(series, start_s, DATUM_VALUE);

  datum.value = value;
  emit(context, &datum);
}

/* Distinct values with their counts, at most CW_VALUES_MAX a datum. */
static void emit_values(const struct sample *sample, size_t n, uint32_t start_s,
                        period_fn emit, void *context) {
  double values[CW_VALUES_MAX], counts[CW_VALUES_MAX];
  struct datum datum = datum_of(sample[0].series, start_s, DATUM_VALUES);

  datum.values = values;
  datum.counts = counts;
  for (size_t i = 0; i < n; i++) {
    size_t last = datum.n_values;
    if (last > 0 && values[last - 1] == sample[i].value) {
      counts[last - 1] += sample[i].n;
      continue;
    }
    if (last == CW_VALUES_MAX) {
      emit(context, &datum);
      datum.n_values = last = 0;
    }
    values[last] = sample[i].value;
    counts[last] = sample[i].n;
    datum.n_values++;
  }
  emit(context, &datum);
}

/* All samples as one StatisticValues; false when their sum is beyond what
 * CloudWatch takes. */
static bool emit_set(const struct series *series, const struct summary *summary,
                     uint32_t start_s, period_fn emit, void *context) {
  struct datum datum = datum_of(series, start_s, DATUM_SET);

  datum.sample_count = (double)summary->n;
  datum.sum = summary_sum(summary);
  datum.minimum = summary->least;
  datum.maximum = summary->greatest;
  if (number_check(&datum.sum) != NUMBER_OK)
    return false;
  emit(context, &datum);
  return true;
}

/* The average, which may be too near to 0, and by rounding alone beyond the
 * samples. */
static double average_of(const struct summary *summary) {
  double average = summary_sum(summary) / (double)summary->n;

  if (average < summary->least)
    average = summary->least;
  if (average > summary->greatest)
    average = summary->greatest;
  (void)number_check(&average);
  return average;
}

/* The one number that the statistics ask for, of several samples; false when
 * they ask for more. */
static bool is_one_value(enum statistics statistics,
                         const struct summary *summary, double *value) {
  switch (statistics) {
  case STATISTICS_AVERAGE:
    *value = average_of(summary);
    return true;
  case STATISTICS_MAX:
    *value = summary->greatest;
    return true;
  case STATISTICS_MIN:
    *value = summary->least;
    return true;
  case STATISTICS_SET:
  case STATISTICS_VALUES:
  case STATISTICS_LAST:
    break;
  }
  return false;
}

void period_reduce(const struct sample *sample, size_t n, uint32_t start_s,
                   struct tally *tally, period_fn emit, void *context) {
  const struct series *series = sample[0].series;
  enum statistics statistics = series->statistics;
  double value = sample[n - 1].value;

  if (statistics == STATISTICS_LAST || (n == 1 && sample[0].n == 1)) {
    emit_value(series, start_s, value, emit, context);
    return;
  }
  if (statistics == STATISTICS_VALUES && !fold_is_summed(sample, n)) {
    emit_values(sample, n, start_s, emit, context);
    return;
  }

  struct summary summary = summary_of(sample, n);
  if (is_one_value(statistics, &summary, &value))
    emit_value(series, start_s, value, emit, context);
  else if (!emit_set(series, &summary, start_s, emit, context))
    tally_add_text(tally, REASON_RANGE, summary.n, series->identifier);
  else if (statistics == STATISTICS_VALUES)
    tally_add_text(tally, REASON_FOLDED, summary.n, series->identifier);
}
