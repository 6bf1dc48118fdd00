#include "metric/period.h"

#include "metric/number.h"

#include <stdlib.h>

#define MINUTE_S 60

uint32_t period_length(int64_t flush_interval_s) {
  uint32_t length_s =
      flush_interval_s < MINUTE_S ? (uint32_t)flush_interval_s : MINUTE_S;

  while (length_s > 1 && MINUTE_S % length_s != 0)
    length_s--;
  return length_s > 0 ? length_s : 1;
}

static int by_value(const void *a, const void *b) {
  const struct point *x = a, *y = b;

  return x->value < y->value ? -1 : x->value > y->value;
}

static void emit_value(const struct series *series, uint32_t start_s,
                       double value, period_fn emit, void *context) {
  struct datum datum = {.series = &series->name,
                        .identifier = series->identifier,
                        .time_s = start_s,
                        .form = DATUM_VALUE,
                        .value = value};
  emit(context, &datum);
}

/* Distinct values with their counts, at most CW_VALUES_MAX a datum. */
static void emit_values(struct point *points, size_t n, uint32_t start_s,
                        period_fn emit, void *context) {
  double values[CW_VALUES_MAX], counts[CW_VALUES_MAX];
  const struct series *series = points[0].series;
  struct datum datum = {.series = &series->name,
                        .identifier = series->identifier,
                        .time_s = start_s,
                        .form = DATUM_VALUES,
                        .values = values,
                        .counts = counts};

  qsort(points, n, sizeof(*points), by_value);
  for (size_t i = 0; i < n; i++) {
    size_t last = datum.n_values;
    if (last > 0 && values[last - 1] == points[i].value) {
      counts[last - 1]++;
      continue;
    }
    if (last == CW_VALUES_MAX) {
      emit(context, &datum);
      datum.n_values = last = 0;
    }
    values[last] = points[i].value;
    counts[last] = 1;
    datum.n_values++;
  }
  emit(context, &datum);
}

/* Least, greatest and sum in one pass. */
static struct datum summarise(const struct point *points, size_t n,
                              uint32_t start_s) {
  struct datum datum = {.series = &points[0].series->name,
                        .identifier = points[0].series->identifier,
                        .time_s = start_s,
                        .form = DATUM_SET,
                        .sample_count = (double)n,
                        .minimum = points[0].value,
                        .maximum = points[0].value};

  for (size_t i = 0; i < n; i++) {
    datum.sum += points[i].value;
    if (points[i].value < datum.minimum)
      datum.minimum = points[i].value;
    if (points[i].value > datum.maximum)
      datum.maximum = points[i].value;
  }
  return datum;
}

size_t period_reduce(struct point *points, size_t n, uint32_t start_s,
                     period_fn emit, void *context) {
  const struct series *series = points[0].series;
  enum statistics statistics = (enum statistics)series->statistics;

  if (n == 1 || statistics == STATISTICS_LAST) {
    emit_value(series, start_s, points[n - 1].value, emit, context);
    return 0;
  }
  if (statistics == STATISTICS_VALUES) {
    emit_values(points, n, start_s, emit, context);
    return 0;
  }

  struct datum set = summarise(points, n, start_s);
  double average = set.sum / (double)n;
  switch (statistics) {
  case STATISTICS_MAX:
    emit_value(series, start_s, set.maximum, emit, context);
    return 0;
  case STATISTICS_MIN:
    emit_value(series, start_s, set.minimum, emit, context);
    return 0;
  case STATISTICS_AVERAGE:
    /* Never beyond the samples, but it may be too near to 0. */
    (void)number_check(&average);
    emit_value(series, start_s, average, emit, context);
    return 0;
  case STATISTICS_SET:
  case STATISTICS_VALUES:
  case STATISTICS_LAST:
    break;
  }
  if (number_check(&set.sum) != NUMBER_OK)
    return n;
  emit(context, &set);
  return 0;
}
