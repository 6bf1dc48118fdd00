/* wire_random: random data within CloudWatch's limits, for the tests of what
 * goes over the wire.  TEST_SEED repeats a run. */
#ifndef TESTS_WIRE_RANDOM_H
#define TESTS_WIRE_RANDOM_H

#include "metric/metric.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct wire_random {
  uint64_t state;
};

static inline struct wire_random wire_random_new(const char *what) {
  const char *given = getenv("TEST_SEED");
  uint64_t seed = given != NULL ? strtoull(given, NULL, 10)
                                : (uint64_t)time(NULL) % 1000000000;
  fprintf(stderr, "%s: TEST_SEED=%llu\n", what, (unsigned long long)seed);
  return (struct wire_random){seed};
}

/* splitmix64 */
static inline uint64_t wire_next(struct wire_random *random) {
  uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* 0 to n - 1 */
static inline size_t wire_below(struct wire_random *random, size_t n) {
  return (size_t)(wire_next(random) % n);
}

static inline bool wire_often(struct wire_random *random, size_t percent) {
  return wire_below(random, 100) < percent;
}

/* A number as CloudWatch takes it: of all sizes, both signs, exact ones, and
 * the ends of the range. */
static inline double wire_double(struct wire_random *random) {
  static const double chosen[] = {0.0,
                                  -0.0,
                                  1,
                                  -1,
                                  0.1,
                                  1.0 / 3,
                                  1e15,
                                  1e16,
                                  1e-5,
                                  1e20,
                                  1e21,
                                  CW_VALUE_MAX,
                                  -CW_VALUE_MAX,
                                  1e-7,
                                  123456789012345678.0,
                                  CW_VALUE_MIN};
  double fraction = (double)(wire_next(random) >> 11) * 0x1p-53;
  double sign = wire_often(random, 50) ? 1 : -1;

  switch (wire_below(random, 4)) {
  case 0:
    return chosen[wire_below(random, sizeof(chosen) / sizeof(chosen[0]))];
  case 1:
    return sign * (double)wire_below(random, 1000000);
  case 2:
    return sign * (double)wire_below(random, 100000) / 100;
  default:
    return sign * ldexp(0.5 + fraction / 2, (int)wire_below(random, 719) - 358);
  }
}

/* 1 to max printable ASCII characters, mostly few, the awkward ones often; the
 * first is a letter.  out has room for max + 1 bytes. */
static inline void wire_text(struct wire_random *random, char *out,
                             size_t max) {
  static const char awkward[] = "\"\\/ %&=+?#;:'<>{}[],.~`|*$@!^()-_";
  size_t most = wire_often(random, 5) ? max : 24;
  size_t len = 1 + wire_below(random, most);
  if (wire_often(random, 2))
    len = max;
  for (size_t i = 0; i < len; i++)
    out[i] = wire_often(random, 20)
                 ? awkward[wire_below(random, sizeof(awkward) - 1)]
                 : (char)(' ' + wire_below(random, 95));
  out[0] = (char)('a' + wire_below(random, 26));
  out[len] = '\0';
}

static inline const char *wire_unit(struct wire_random *random) {
  if (wire_often(random, 20))
    return "None";
  return unit_at(wire_below(random, UNITS_MAX));
}

/* A datum with all that it points to. */
struct wire_datum {
  struct datum datum;
  struct series_name series;
  struct dimension dimensions[CW_DIMENSIONS_MAX];
  char name[CW_NAME_MAX + 1];
  char dimension_names[CW_DIMENSIONS_MAX][CW_DIMENSION_NAME_MAX + 1];
  char dimension_values[CW_DIMENSIONS_MAX][CW_DIMENSION_VALUE_MAX + 1];
  double values[CW_VALUES_MAX], counts[CW_VALUES_MAX];
};

static inline void wire_fill_values(struct wire_random *random,
                                    struct wire_datum *out) {
  bool once = wire_often(random, 40);
  out->datum.n_values =
      1 + wire_below(random, wire_often(random, 10) ? CW_VALUES_MAX : 6);
  for (size_t i = 0; i < out->datum.n_values; i++) {
    out->values[i] = wire_double(random);
    out->counts[i] = once ? 1 : (double)(1 + wire_below(random, 9));
  }
  if (wire_often(random, 5))
    out->counts[0] = 0.5; /* the API's type allows it */
}

/* *out must stay where it is, it points into itself. */
static inline void wire_fill(struct wire_random *random,
                             struct wire_datum *out) {
  *out = (struct wire_datum){.series = {.namespace = "N", .name = out->name}};
  struct datum *datum = &out->datum;
  struct series_name *series = &out->series;

  wire_text(random, out->name, CW_NAME_MAX);
  series->dimensions = out->dimensions;
  series->n_dimensions = (uint32_t)wire_below(
      random, wire_often(random, 3) ? CW_DIMENSIONS_MAX + 1 : 4);
  for (size_t i = 0; i < series->n_dimensions; i++) {
    wire_text(random, out->dimension_names[i], CW_DIMENSION_NAME_MAX);
    wire_text(random, out->dimension_values[i], CW_DIMENSION_VALUE_MAX);
    out->dimensions[i] =
        (struct dimension){out->dimension_names[i], out->dimension_values[i]};
  }
  series->unit = wire_unit(random);
  series->resolution_s = wire_often(random, 30) ? 1 : 60;

  datum->series = series;
  datum->identifier = "host/plugin/type";
  datum->time_s = (int64_t)(1500000000 + wire_below(random, 600000000));
  datum->form = (enum datum_form)wire_below(random, 3);
  datum->values = out->values;
  datum->counts = out->counts;
  wire_fill_values(random, out);
  datum->value = wire_double(random);
  datum->sample_count = (double)(1 + wire_below(random, 100));
  datum->sum = wire_double(random);
  datum->minimum = wire_double(random);
  datum->maximum = wire_double(random);
}

#endif
