/* period: the samples of one series and one period to data.
 *
 * "values" is exact: each distinct value with its count, in as many data of the
 * same timestamp as 150 values a datum need; CloudWatch merges them.  Beyond
 * what fold.h allows it is one StatisticValues. */
#ifndef METRIC_PERIOD_H
#define METRIC_PERIOD_H

#include "metric/metric.h"
#include "metric/samples.h"
#include "metric/tally.h"

#include <stddef.h>
#include <stdint.h>

/* The period of series with StorageResolution 60: the largest divisor of 60
 * seconds not above flush_interval_s (at least 1). */
uint32_t period_length(int64_t flush_interval_s);

/* Told each datum, borrowed for the call. */
typedef void (*period_fn)(void *context, const struct datum *datum);

/* Turns n entries (at least 1) of one series and one period into data.
 *
 * sample   as samples_sort() leaves them, after fold_prepare()
 * start_s  of the period
 * tally    counts samples that are lost, because their sum is beyond what
 *          CloudWatch takes, or published without their own value (fold.h) */
void period_reduce(const struct sample *sample, size_t n, uint32_t start_s,
                   struct tally *tally, period_fn emit, void *context);

#endif
