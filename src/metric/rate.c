#include "metric/rate.h"

#define SECOND_US 1000000.0

double rate_raw(const struct reading *reading) {
  switch (reading->kind) {
  case KIND_GAUGE:
    return reading->value.gauge;
  case KIND_DERIVE:
    return (double)reading->value.derive;
  case KIND_COUNTER:
  case KIND_ABSOLUTE:
    return (double)reading->value.counter;
  }
  return 0; /* not reached: the switch names every kind */
}

/* now - before without overflow: the distance of two int64_t fits a uint64_t.
 */
static double distance(int64_t before, int64_t now) {
  return now >= before ? (double)((uint64_t)now - (uint64_t)before)
                       : -(double)((uint64_t)before - (uint64_t)now);
}

/* How far a counter went when it wrapped, which is beyond its width's end and
 * then up to now. */
static double wrapped(uint64_t before, uint64_t now) {
  if (before <= UINT32_MAX)
    return (double)((UINT64_C(1) << 32) - before + now);
  return (double)(UINT64_MAX - before + now + 1);
}

/* Sets *difference; false when the counter was reset. */
static bool compare(const struct rate *rate, const struct reading *reading,
                    double elapsed_s, double *difference) {
  switch (reading->kind) {
  case KIND_DERIVE:
    *difference = distance(rate->value.derive, reading->value.derive);
    /* An unknown minimum is NaN, for which the comparison is false. */
    return !(*difference < 0 && reading->min >= 0);
  case KIND_COUNTER:
    if (reading->value.counter >= rate->value.counter) {
      *difference = (double)(reading->value.counter - rate->value.counter);
      return true;
    }
    *difference = wrapped(rate->value.counter, reading->value.counter);
    return *difference / elapsed_s < reading->max;
  case KIND_ABSOLUTE:
  case KIND_GAUGE:
    *difference = rate_raw(reading);
    return true;
  }
  return false;
}

enum rate_step rate_step(struct rate *rate, const struct reading *reading,
                         int64_t time_us, int64_t interval_us,
                         struct rate_change *change) {
  struct rate before = *rate;

  if (before.is_known && time_us <= before.time_us)
    return RATE_NOT_NEWER;
  *rate = (struct rate){reading->value, time_us, true};
  if (!before.is_known && reading->kind != KIND_ABSOLUTE)
    return RATE_FIRST;

  int64_t elapsed_us = before.is_known ? time_us - before.time_us : interval_us;
  double elapsed_s = (double)elapsed_us / SECOND_US;
  if (!compare(&before, reading, elapsed_s, &change->difference))
    return RATE_RESET;
  change->per_second = change->difference / elapsed_s;
  return RATE_OK;
}
