/* summary: how many samples, their sum, the least and the greatest of them.
 *
 * The sum is compensated (Neumaier 1974: what rounding takes from each step is
 * added up beside it), so that it is the double nearest to the true one but for
 * the rarest cases, and the order of the samples is of no matter: ten times 0.1
 * are 1, not 0.9999999999999999. */
#ifndef METRIC_SUMMARY_H
#define METRIC_SUMMARY_H

#include "metric/samples.h"

#include <stddef.h>
#include <stdint.h>

struct summary {
  uint64_t n;
  double sum, carry; /* the sum is that of both */
  double least, greatest;
};

/* Of n entries, at least 1, not of Statistics "last". */
struct summary summary_of(const struct sample *sample, size_t n);

double summary_sum(const struct summary *summary);

/* How many samples an entry stands for; not with Statistics "last". */
static inline uint32_t summary_times(const struct sample *sample) {
  return sample->n & ~SAMPLE_SUM;
}

/* The entries that a summary can be written as, to be read by summary_of(). */
#define SUMMARY_ENTRIES 4

/* Writes values and counts of SUMMARY_ENTRIES entries, the rest of which stays.
 * summary->n is less than SAMPLE_SUM. */
void summary_write(const struct summary *summary, struct sample *sample);

#endif
