#include "full.h"

#include "host.h"

#include "base/json.h"

#include <stdlib.h>

static char *text(const struct json *object, const char *key) {
  char *copy = str_dup(json_string(object, key, NULL));
  if (copy == NULL || copy[0] == '\0')
    fail("a datum has no %s", key);
  return copy;
}

static double number(const struct json *value) {
  double found = 0;
  if (str_to_double(json_text(value), &found) != 0)
    fail("a datum holds no number where one should be");
  return found;
}

static void read_series(struct full_datum *one, const struct json *object) {
  const struct json *dimensions = json_get(object, "Dimensions");
  struct str unit = json_string(object, "Unit", NULL);

  one->series =
      (struct series_name){.name = text(object, "MetricName"),
                           .dimensions = one->dimensions,
                           .n_dimensions = (uint32_t)json_count(dimensions),
                           .unit = unit.len > 0 ? unit_find(unit) : "None",
                           .resolution_s = 60};
  if (one->series.n_dimensions > FULL_DIMENSIONS)
    fail("a datum has more dimensions than the corpus");
  for (size_t i = 0; i < one->series.n_dimensions; i++)
    one->dimensions[i] =
        (struct dimension){text(json_at(dimensions, i), "Name"),
                           text(json_at(dimensions, i), "Value")};
}

static void read_numbers(struct full_datum *one, const struct json *object) {
  const struct json *values = json_get(object, "Values");
  const struct json *counts = json_get(object, "Counts");
  struct datum *datum = &one->datum;

  if (values == NULL) {
    datum->form = DATUM_VALUE;
    datum->value = number(json_get(object, "Value"));
    return;
  }
  datum->form = DATUM_VALUES;
  datum->values = one->values;
  datum->counts = one->counts;
  datum->n_values = json_count(values);
  if (datum->n_values > FULL_VALUES)
    fail("a datum has more values than a period has intervals");
  for (size_t i = 0; i < datum->n_values; i++) {
    one->values[i] = number(json_at(values, i));
    one->counts[i] = counts != NULL ? number(json_at(counts, i)) : 1;
  }
}

void full_read(struct full *full, const char *body) {
  struct err err = {""};
  struct json *document = json_parse(str_of(body), &err);
  const struct json *data = json_get(document, "MetricData");

  if (json_count(data) != CW_DATA_MAX)
    fail("a body is not full: %s", err.text);
  full->namespace = text(document, "Namespace");
  for (size_t i = 0; i < CW_DATA_MAX; i++) {
    struct full_datum *one = &full->data[i];
    const struct json *object = json_at(data, i);
    *one = (struct full_datum){.datum.series = &one->series};
    read_series(one, object);
    one->datum.time_s = (int64_t)number(json_get(object, "Timestamp"));
    read_numbers(one, object);
  }
  json_free(document);
}

static void free_text(const char *text) { free((char *)(uintptr_t)text); }

void full_clear(struct full *full) {
  for (size_t i = 0; i < CW_DATA_MAX; i++) {
    struct full_datum *one = &full->data[i];
    free_text(one->series.name);
    for (size_t d = 0; d < one->series.n_dimensions; d++) {
      free_text(one->dimensions[d].name);
      free_text(one->dimensions[d].value);
    }
  }
  free(full->namespace);
}
