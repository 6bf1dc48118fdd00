#include "metric/agg.h"

#include "metric/number.h"

#include <math.h>

#define SECOND_US 1000000
#define INTERVAL_MAX_S 86400
#define SAMPLES_MORE 64 /* than a list is expected to hold */

/* How many identifiers are remembered that feed a series, and as many that feed
 * none. */
#define IDENTIFIERS_MIN 65536
#define IDENTIFIERS_EACH 16 /* more for each metric that is allowed */

void agg_init(struct agg *agg, size_t max_metrics, size_t max_samples,
              int64_t past_s, int64_t ahead_s, size_t n_meta, uint64_t seed) {
  *agg = (struct agg){.max_samples = max_samples,
                      .past_s = past_s < CW_PAST_S ? past_s : CW_PAST_S,
                      .ahead_s = ahead_s < CW_FUTURE_S ? ahead_s : CW_FUTURE_S};
  agg->table.max = IDENTIFIERS_MIN + IDENTIFIERS_EACH * max_metrics;
  agg->table.max_idle = agg->table.max;
  agg->table.n_meta = n_meta;
  agg->table.seed = seed;
  agg->table.series.max = max_metrics;
}

void agg_clear(struct agg *agg) {
  samples_clear(&agg->samples);
  bind_clear(&agg->table);
}

static void append(struct agg *agg, const struct sample *sample,
                   const struct input *in) {
  struct samples *samples = &agg->samples;

  /* The limit may have become less than there is room for. */
  if (samples->n >= agg->max_samples) {
    tally_add(&agg->tally, REASON_FULL, in);
    return;
  }
  if (samples->n == samples->cap) {
    size_t cap = samples->cap == 0 ? 64 : samples->cap * 2;
    if (cap > agg->max_samples)
      cap = agg->max_samples;
    if (samples_reserve(samples, cap) != 0) {
      tally_add(&agg->tally, REASON_MEMORY, in);
      return;
    }
  }
  samples->sample[samples->n++] = *sample;
}

/* Reading to number, by OnNaN and Counters.  False when there is none. */
static bool number_of(struct agg *agg, const struct target *target,
                      const struct reading *reading, enum rate_step step,
                      const struct rate_change *change, const struct input *in,
                      double *value) {
  const struct rule *rule = target->rule;

  if (reading->kind == KIND_GAUGE || rule->counters == COUNTERS_RAW) {
    *value = rate_raw(reading);
  } else {
    switch (step) {
    case RATE_OK:
      break;
    case RATE_FIRST:
      return false;
    case RATE_NOT_NEWER:
      tally_add(&agg->tally, REASON_NOT_NEWER, in);
      return false;
    case RATE_RESET:
      tally_add(&agg->tally, REASON_RESET, in);
      return false;
    }
    *value = rule->counters == COUNTERS_RATE ? change->per_second
                                             : change->difference;
  }

  if (isnan(*value)) {
    if (!rule->nan_is_zero) {
      tally_add(&agg->tally, REASON_NAN, in);
      return false;
    }
    *value = 0;
  }
  return true;
}

/* Seconds, rounded up, within what a Combine can wait for. */
static uint32_t interval_of(const struct input *in) {
  int64_t interval_s = (in->interval_us + SECOND_US - 1) / SECOND_US;

  if (interval_s < 1)
    return 1;
  return interval_s > INTERVAL_MAX_S ? INTERVAL_MAX_S : (uint32_t)interval_s;
}

/* Whether a number goes on.  That of a member is scaled with the others of its
 * slot, and only then has to be one that CloudWatch takes. */
static enum number_check check(const struct target *target, double *value) {
  if (binding_is_member(target))
    return isfinite(*value) ? NUMBER_OK : NUMBER_INFINITE;
  *value = number_convert(target->rule, *value);
  return number_check(value);
}

/* Adds one reading's number to one series. */
static void add_one(struct agg *agg, const struct target *target, double value,
                    const struct input *in, uint32_t second) {
  switch (check(target, &value)) {
  case NUMBER_OK:
    break;
  case NUMBER_INFINITE:
    tally_add(&agg->tally, REASON_INFINITE, in);
    return;
  case NUMBER_OUT_OF_RANGE:
    tally_add(&agg->tally, REASON_RANGE, in);
    return;
  }
  struct sample sample = {.series = target->series,
                          .value = value,
                          .second = second,
                          .interval_s = interval_of(in)};
  if (binding_is_member(target)) {
    sample.member = target->member;
    sample.interval_s |= SAMPLE_MEMBER;
  }
  append(agg, &sample, in);
}

bool agg_is_in_time(struct agg *agg, const struct input *in,
                    const struct agg_now *now) {
  int64_t service_s = now->wall_s + now->offset_s;
  int64_t second = in->time_us / SECOND_US;

  if (second < service_s - agg->past_s || second <= 0) {
    tally_add(&agg->tally, REASON_OLD, in);
    return false;
  }
  if (second > now->wall_s + agg->ahead_s || second > service_s + CW_FUTURE_S ||
      second > UINT32_MAX) {
    tally_add(&agg->tally, REASON_AHEAD, in);
    return false;
  }
  return true;
}

/* A predecessor further ahead than a value can be came under a clock that has
 * been set back since: nothing would be newer for as long. */
static void forget_the_future(struct rate *rate, int64_t latest_s) {
  if (rate->time_us / SECOND_US > latest_s)
    rate->is_known = false;
}

/* One word more into a hash that need not withstand anybody. */
static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ hash >> 32;
}

/* Whether this is the value list of last time once more, time and values: a
 * filter chain may write one twice. */
static bool is_twice(struct binding *binding, const struct input *in) {
  uint64_t hash = mix(0, (uint64_t)in->time_us);

  for (size_t i = 0; i < in->n_readings; i++)
    hash = mix(hash, in->readings[i].value.counter);
  bool is_twice = hash == binding->last;
  binding->last = hash;
  return is_twice;
}

void agg_add(struct agg *agg, struct binding *binding, const struct input *in,
             const struct agg_now *now) {
  int64_t second = in->time_us / SECOND_US;
  const struct target *targets = binding_targets(binding);
  struct rate *rates = binding->has_rates ? binding_rates(binding) : NULL;

  binding->interval_s = interval_of(in);
  if (binding->n_targets == 0 || !agg_is_in_time(agg, in, now))
    return;
  if (is_twice(binding, in)) {
    tally_add(&agg->tally, REASON_TWICE, in);
    return;
  }

  size_t t = 0;
  for (size_t i = 0; i < in->n_readings; i++) {
    const struct reading *reading = &in->readings[i];
    struct rate_change change = {0};
    enum rate_step step = RATE_OK;
    double value;

    if (rates != NULL && reading->kind != KIND_GAUGE) {
      forget_the_future(&rates[i], now->wall_s + agg->ahead_s);
      step =
          rate_step(&rates[i], reading, in->time_us, in->interval_us, &change);
    }
    for (; t < binding->n_targets && targets[t].reading == i; t++)
      if (targets[t].is_admitted &&
          number_of(agg, &targets[t], reading, step, &change, in, &value))
        add_one(agg, &targets[t], value, in, (uint32_t)second);
  }
}

bool agg_is_half_full(const struct agg *agg) {
  return agg->samples.n >= agg->max_samples / 2;
}

size_t agg_room(const struct agg *agg) {
  size_t most = agg->samples.n;

  for (size_t i = 0; i < AGG_TAKEN; i++)
    if (agg->n_taken[i] > most)
      most = agg->n_taken[i];
  size_t room = most + most / 4 + SAMPLES_MORE;
  return room < agg->max_samples ? room : agg->max_samples;
}

void agg_take(struct agg *agg, struct samples *empty) {
  struct samples taken = agg->samples;

  agg->n_taken[agg->next_taken] = taken.n;
  agg->next_taken = (agg->next_taken + 1) % AGG_TAKEN;
  agg->samples = *empty;
  *empty = taken;
}
