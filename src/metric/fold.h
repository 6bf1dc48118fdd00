/* fold: a list of samples made shorter, so that whatever comes has room.
 *
 * Equal values of a series and period become one with a count, and what a
 * statistic does not need is summed up: nothing is lost by that.  Where it is
 * not enough, or a period of a series has more different values than
 * FOLD_VALUES_MAX, those of Statistics "values" are summed up as well: they are
 * published as one StatisticValues, from which no percentiles come.
 *
 * All work in place, without memory.  */
#ifndef METRIC_FOLD_H
#define METRIC_FOLD_H

#include "metric/metric.h"
#include "metric/samples.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 100 data for one series and period. */
#define FOLD_VALUES_MAX ((size_t)100 * CW_VALUES_MAX)

/* Makes entries, in the order of their coming, ready for samples_sort(): their
 * time becomes the start of their period, or with Statistics "last" their n the
 * order of coming.
 *
 * period_s  of series with StorageResolution 60, here and below */
void fold_prepare(struct sample *sample, size_t n, uint32_t period_s);

/* Start of the period that an entry belongs to. */
uint32_t fold_start(const struct sample *sample, uint32_t period_s);

/* How many of n entries (at least 1), which are sorted, are of the series and
 * period of the first. */
size_t fold_group(const struct sample *sample, size_t n, uint32_t period_s);

/* Prepares, sorts and folds n entries without loss, but for periods with more
 * than FOLD_VALUES_MAX values.  Returns how many are left. */
size_t fold_equal(struct sample *sample, size_t n, uint32_t period_s);

/* Folds the largest periods of entries that come from fold_equal(), so many
 * that at most n_wanted are left, or as many as can be.  Returns how many are
 * left. */
size_t fold_largest(struct sample *sample, size_t n, size_t n_wanted,
                    uint32_t period_s);

/* Whether n entries of a series with Statistics "values" and a period, which
 * are sorted, must be published as a StatisticValues. */
bool fold_is_summed(const struct sample *sample, size_t n);

#endif
