#include "metric/summary.h"

#include <math.h>
#include <stdbool.h>

#define HALF_MASK UINT32_C(0xffff)
#define SPLITTER 0x8000001p0 /* 2^27 + 1 */

static void add(struct summary *summary, double value) {
  double sum = summary->sum + value;

  if (fabs(summary->sum) >= fabs(value))
    summary->carry += summary->sum - sum + value;
  else
    summary->carry += value - sum + summary->sum;
  summary->sum = sum;
}

/* Adds the value so many times: the halves of both (Veltkamp 1968) have 26 and
 * 16 bits, so that their products are exact. */
static void add_times(struct summary *summary, double value, uint32_t times) {
  double scaled = value * SPLITTER;
  double high = scaled - (scaled - value);
  double low = value - high;

  if (times == 1) {
    add(summary, value);
    return;
  }
  add(summary, high * (times & ~HALF_MASK));
  add(summary, high * (times & HALF_MASK));
  add(summary, low * (times & ~HALF_MASK));
  add(summary, low * (times & HALF_MASK));
}

struct summary summary_of(const struct sample *sample, size_t n) {
  struct summary summary = {0};
  bool is_first = true;

  for (size_t i = 0; i < n; i++) {
    double value = sample[i].value;
    summary.n += summary_times(&sample[i]);
    if ((sample[i].n & SAMPLE_SUM) != 0) {
      add(&summary, value);
      continue;
    }
    if (sample[i].n > 0)
      add_times(&summary, value, sample[i].n);
    if (is_first || value < summary.least)
      summary.least = value;
    if (is_first || value > summary.greatest)
      summary.greatest = value;
    is_first = false;
  }
  return summary;
}

double summary_sum(const struct summary *summary) {
  return summary->sum + summary->carry;
}

void summary_write(const struct summary *summary, struct sample *sample) {
  sample[0].value = summary->sum;
  sample[0].n = (uint32_t)summary->n | SAMPLE_SUM;
  sample[1].value = summary->carry;
  sample[1].n = SAMPLE_SUM;
  sample[2].value = summary->least;
  sample[2].n = 0;
  sample[3].value = summary->greatest;
  sample[3].n = 0;
}
