/* metric: the vocabulary of this room: what comes in, what goes out, and
 * CloudWatch's limits in one list. */
#ifndef METRIC_METRIC_H
#define METRIC_METRIC_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what CloudWatch takes (API reference of MetricDatum) --------------- */

#define CW_NAMESPACE_MAX 255        /* characters */
#define CW_NAME_MAX 255             /* characters of a metric name */
#define CW_DIMENSION_NAME_MAX 255   /* characters */
#define CW_DIMENSION_VALUE_MAX 1024 /* characters */
#define CW_DIMENSIONS_MAX 30        /* per metric */
#define CW_VALUES_MAX 150           /* distinct values of one datum */
#define CW_DATA_MAX 1000            /* data of one request */
#define CW_BODY_MAX 1000000         /* bytes of a request, before compression */
#define CW_VALUE_MAX 0x1p360        /* greatest magnitude */
#define CW_VALUE_MIN 0x1p-360       /* least magnitude but 0 */
#define CW_PAST_S (14 * 86400)      /* how old a timestamp may be */
#define CW_FUTURE_S (2 * 3600)      /* how far ahead it may be */

/* ---- units -------------------------------------------------------------- */

#define UNITS_MAX 27

/* The exact spelling of unit i, NULL beyond the last. */
const char *unit_at(size_t i);

/* The unit spelled exactly so (static text), NULL when there is none. */
const char *unit_find(struct str spelling);

/* The unit that somebody who wrote this probably meant; NULL when none is
 * near. */
const char *unit_suggest(struct str spelling);

/* The unit that values of a collectd type have, "None" when it is not known.
 *
 * type    name in types.db
 * is_rate whether the value was turned into a rate per second */
const char *unit_of_type(const char *type, bool is_rate);

/* ---- what comes in ------------------------------------------------------ */

/* The five texts of a collectd identifier. */
enum part {
  PART_HOST,
  PART_PLUGIN,
  PART_PLUGIN_INSTANCE,
  PART_TYPE,
  PART_TYPE_INSTANCE,
  N_PARTS,
};

enum kind { KIND_GAUGE, KIND_DERIVE, KIND_COUNTER, KIND_ABSOLUTE };

union number {
  double gauge;
  int64_t derive;
  uint64_t counter; /* of KIND_COUNTER and KIND_ABSOLUTE */
};

/* One data source of a value list. */
struct reading {
  const char *name; /* in types.db, "value" for most types of one source */
  enum kind kind;
  double min, max; /* in types.db; NaN where it says U */
  union number value;
};

/* One value list of the daemon, all borrowed for the call. */
struct input {
  const char *part[N_PARTS]; /* never NULL; "" where there is none */
  const char *const *meta;   /* values of rules_meta_key(0..), "" where none */
  bool is_local;             /* whether the host is this daemon's own */
  const struct reading *readings;
  size_t n_readings;
  int64_t time_us;     /* since 1970 UTC */
  int64_t interval_us; /* between two readings; above 0 */
};

/* ---- what goes out ------------------------------------------------------ */

struct dimension {
  const char *name;
  const char *value;
};

/* How the samples of a period become a datum. */
enum statistics {
  STATISTICS_VALUES, /* Values and Counts: exact */
  STATISTICS_SET,    /* one StatisticValues */
  STATISTICS_LAST,   /* one Value, as the next three */
  STATISTICS_AVERAGE,
  STATISTICS_MAX,
  STATISTICS_MIN,
};

/* What a CloudWatch metric is, and how it is sent.  All texts are within the
 * limits above, in printable ASCII, and owned by whoever owns the struct. */
struct series_name {
  const char *namespace;
  const char *name;
  const struct dimension *dimensions; /* sorted by name, no name twice */
  const char *unit;                   /* static, as unit_find() gives it */
  uint32_t n_dimensions;              /* CW_DIMENSIONS_MAX at most */
  int resolution_s;                   /* 1 or 60 */
};

enum datum_form { DATUM_VALUE, DATUM_VALUES, DATUM_SET };

/* One element of MetricData. */
struct datum {
  const struct series_name *series;
  const char *identifier; /* of a collectd value in it, for messages */
  uint16_t rule;          /* number of a <Metric> block that feeds the series */
  int64_t time_s;         /* start of its period, since 1970 UTC */
  enum datum_form form;
  double value;                               /* DATUM_VALUE */
  const double *values, *counts;              /* DATUM_VALUES */
  size_t n_values;                            /* 1 to CW_VALUES_MAX */
  double sample_count, sum, minimum, maximum; /* DATUM_SET */
};

#endif
