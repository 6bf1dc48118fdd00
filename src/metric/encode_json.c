#include "metric/encode_json.h"

#define RESOLUTION_DEFAULT_S 60

static void put_text(struct json_out *json, struct str key, const char *value) {
  json_put_str(json, key);
  json_put_str(json, str_of(value));
}

static void put_double(struct json_out *json, struct str key, double value) {
  json_put_str(json, key);
  json_put_double(json, value);
}

static void put_doubles(struct json_out *json, struct str key,
                        const double *values, size_t n) {
  json_put_str(json, key);
  json_open_array(json);
  for (size_t i = 0; i < n; i++)
    json_put_double(json, values[i]);
  json_close_array(json);
}

static void put_dimensions(struct json_out *json,
                           const struct series_name *series) {
  json_put_str(json, STR("Dimensions"));
  json_open_array(json);
  for (size_t i = 0; i < series->n_dimensions; i++) {
    json_open_object(json);
    put_text(json, STR("Name"), series->dimensions[i].name);
    put_text(json, STR("Value"), series->dimensions[i].value);
    json_close_object(json);
  }
  json_close_array(json);
}

static bool all_once(const double *counts, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (counts[i] < 1 || counts[i] > 1)
      return false;
  }
  return true;
}

static void put_form(struct json_out *json, const struct datum *datum) {
  switch (datum->form) {
  case DATUM_VALUE:
    put_double(json, STR("Value"), datum->value);
    return;
  case DATUM_VALUES:
    put_doubles(json, STR("Values"), datum->values, datum->n_values);
    if (!all_once(datum->counts, datum->n_values))
      put_doubles(json, STR("Counts"), datum->counts, datum->n_values);
    return;
  case DATUM_SET:
    json_put_str(json, STR("StatisticValues"));
    json_open_object(json);
    put_double(json, STR("SampleCount"), datum->sample_count);
    put_double(json, STR("Sum"), datum->sum);
    put_double(json, STR("Minimum"), datum->minimum);
    put_double(json, STR("Maximum"), datum->maximum);
    json_close_object(json);
    return;
  }
}

static void put_series(struct json_out *json,
                       const struct series_name *series) {
  if (series->n_dimensions > 0)
    put_dimensions(json, series);
  put_text(json, STR("MetricName"), series->name);
  if (!str_eq(str_of(series->unit), STR("None")))
    put_text(json, STR("Unit"), series->unit);
  if (series->resolution_s != RESOLUTION_DEFAULT_S) {
    json_put_str(json, STR("StorageResolution"));
    json_put_int(json, series->resolution_s);
  }
}

int encode_json_datum(struct json_out *json, const struct datum *datum,
                      struct buf *to) {
  json_begin(json, to);
  json_open_object(json);
  put_series(json, datum->series);
  json_put_str(json, STR("Timestamp"));
  json_put_int(json, datum->time_s);
  put_form(json, datum);
  json_close_object(json);
  return json_end(json);
}

/* Inside a JSON string a quotation mark has a backslash before it, and none
 * follows a comma without ending the string: so no name can look like this. */
struct str encode_json_series(struct str text) {
  return (struct str){text.p, str_find(text, STR(",\"Timestamp\":"))};
}

/* The brackets of the body are written by hand, because the elements between
 * them are texts already, and a writer's text must be whole. */
int encode_json_open(struct json_out *json, const char *namespace,
                     struct buf *to) {
  buf_puts(to, "{\"Namespace\":");
  json_begin(json, to);
  json_put_str(json, str_of(namespace));
  int rc = json_end(json);
  buf_puts(to, ",\"MetricData\":[");
  return rc == 0 && buf_ok(to) ? 0 : -1;
}

void encode_json_close(struct buf *to) { buf_puts(to, "]}"); }
