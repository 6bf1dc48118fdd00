/* period: the samples of one series and one period to data.
 *
 * "values" is exact: each distinct value with its count, in as many data of the
 * same timestamp as 150 values a datum need; CloudWatch merges them. */
#ifndef METRIC_PERIOD_H
#define METRIC_PERIOD_H

#include "metric/metric.h"
#include "metric/series.h"

#include <stddef.h>
#include <stdint.h>

/* The period of series with StorageResolution 60: the largest divisor of 60
 * seconds not above flush_interval_s (at least 1). */
uint32_t period_length(int64_t flush_interval_s);

/* One sample of a series that is to be published. */
struct point {
  const struct series *series;
  double value;    /* fit for CloudWatch */
  uint32_t second; /* since 1970 UTC */
  uint32_t order;  /* of coming */
};

/* Told each datum, borrowed for the call. */
typedef void (*period_fn)(void *context, const struct datum *datum);

/* Turns n points (at least 1) of one series and one period into data.
 *
 * points   in the order of second and coming; changed
 * start_s  of the period
 *
 * Returns how many samples were lost because their sum is beyond what
 * CloudWatch takes: 0 or n. */
size_t period_reduce(struct point *points, size_t n, uint32_t start_s,
                     period_fn emit, void *context);

#endif
