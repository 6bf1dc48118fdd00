#include "metric/recent.h"

#include "base/str.h"
#include "metric/series_name.h"

#include <stdlib.h>

struct recent *recent_new(void) {
  struct recent *recent = calloc(1, sizeof(*recent));
  if (recent == NULL)
    return NULL;

  recent->series = calloc(RECENT_MAX, sizeof(*recent->series));
  if (recent->series != NULL)
    return recent;
  free(recent);
  return NULL;
}

static void clear_series(struct recent_series *series) {
  free(series->block);
  free(series->identifier);
  *series = (struct recent_series){0};
}

void recent_free(struct recent *recent) {
  if (recent == NULL)
    return;
  for (size_t i = 0; i < recent->n; i++)
    clear_series(&recent->series[i]);
  free(recent->series);
  free(recent);
}

/* The slot of a key, or the empty one where it belongs. */
static uint16_t *find_slot(struct recent *recent, uint64_t key) {
  size_t at = key % RECENT_SLOTS;

  while (recent->slot[at] != 0 &&
         recent->series[recent->slot[at] - 1].key != key)
    at = (at + 1) % RECENT_SLOTS;
  return &recent->slot[at];
}

/* ---- one datum ---------------------------------------------------------- */

/* What its samples come to. */
struct sums {
  double count, sum, minimum, maximum;
};

static void add(struct sums *to, double value, double count) {
  if (to->count <= 0 || value < to->minimum)
    to->minimum = value;
  if (to->count <= 0 || value > to->maximum)
    to->maximum = value;
  to->count += count;
  to->sum += value * count;
}

static struct sums sums_of(const struct datum *datum) {
  struct sums sums = {0};

  switch (datum->form) {
  case DATUM_VALUE:
    add(&sums, datum->value, 1);
    break;
  case DATUM_VALUES:
    for (size_t i = 0; i < datum->n_values; i++)
      add(&sums, datum->values[i], datum->counts[i]);
    break;
  case DATUM_SET:
    sums = (struct sums){datum->sample_count, datum->sum, datum->minimum,
                         datum->maximum};
    break;
  }
  return sums;
}

/* The datum as that of a period of its own. */
static void set(struct recent_series *series, const struct datum *datum) {
  struct sums sums = sums_of(datum);

  series->time_s = datum->time_s;
  series->count = sums.count;
  series->sum = sums.sum;
  series->minimum = sums.minimum;
  series->maximum = sums.maximum;
}

static void join(struct recent_series *series, const struct datum *datum) {
  struct sums sums = sums_of(datum);

  series->count += sums.count;
  series->sum += sums.sum;
  if (sums.minimum < series->minimum)
    series->minimum = sums.minimum;
  if (sums.maximum > series->maximum)
    series->maximum = sums.maximum;
}

/* A new series at the end; false when there is no memory. */
static bool append(struct recent *recent, const struct datum *datum,
                   uint64_t key, const char *metric) {
  struct recent_series *series = &recent->series[recent->n];

  series->block = malloc(series_name_bytes(datum->series));
  series->identifier = str_dup(str_of(datum->identifier));
  if (series->block == NULL || series->identifier == NULL) {
    clear_series(series);
    return false;
  }
  series->name = series_name_copy(datum->series, series->block);
  series->key = key;
  series->metric = metric;
  set(series, datum);
  recent->n++;
  return true;
}

void recent_put(struct recent *recent, const struct datum *datum, uint64_t key,
                const char *metric, int64_t now_s, int64_t wall_s) {
  uint16_t *slot = find_slot(recent, key);

  if (*slot == 0) {
    if (recent->n == RECENT_MAX || !append(recent, datum, key, metric))
      return;
    *slot = (uint16_t)recent->n;
  } else {
    struct recent_series *series = &recent->series[*slot - 1];
    if (datum->time_s > series->time_s || series->time_s > wall_s)
      set(series, datum);
    else if (datum->time_s == series->time_s)
      join(series, datum);
  }
  recent->series[*slot - 1].seen_s = now_s;
}

/* ---- silence ------------------------------------------------------------ */

void recent_forget(struct recent *recent, int64_t now_s, int64_t patience_s) {
  size_t kept = 0;

  for (size_t i = 0; i < recent->n; i++) {
    struct recent_series *series = &recent->series[i];
    if (series->seen_s + patience_s < now_s)
      clear_series(series);
    else
      recent->series[kept++] = *series;
  }
  if (kept == recent->n)
    return;
  recent->n = kept;
  for (size_t i = 0; i < RECENT_SLOTS; i++)
    recent->slot[i] = 0;
  for (size_t i = 0; i < recent->n; i++)
    *find_slot(recent, recent->series[i].key) = (uint16_t)(i + 1);
}
