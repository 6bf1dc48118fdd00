/* diff_body: random data, and the bodies that we make of them.
 *
 * Prints one JSON line per request for the two judges, body_oracle.mjs and
 * body_oracle.py:
 *
 *   what   the data in the words of the API, with all defaults written out
 *   json   headers and body of AWS JSON
 *   query  the same of AWS Query
 *
 * The data are written here by hand, not by the encoder that is judged. */
#include "metric/batch.h"
#include "metric/encode_json.h"
#include "metric/encode_query.h"

#include "wire_random.h"

#define N_REQUESTS 400
#define DATA_MAX 4

static void print_text(const char *text) {
  putchar('"');
  for (const char *p = text; *p != '\0'; p++)
    printf("\\u%04x", (unsigned)(unsigned char)*p);
  putchar('"');
}

static void print_numbers(const char *name, const double *values, size_t n) {
  printf(",\"%s\":[", name);
  for (size_t i = 0; i < n; i++)
    printf("%s%.17g", i > 0 ? "," : "", values[i]);
  putchar(']');
}

static void print_datum(const struct datum *datum) {
  const struct series_name *series = datum->series;

  printf("{\"MetricName\":");
  print_text(series->name);
  printf(",\"Dimensions\":[");
  for (size_t i = 0; i < series->n_dimensions; i++) {
    printf("%s{\"Name\":", i > 0 ? "," : "");
    print_text(series->dimensions[i].name);
    printf(",\"Value\":");
    print_text(series->dimensions[i].value);
    putchar('}');
  }
  printf("],\"Timestamp\":%lld", (long long)datum->time_s);
  switch (datum->form) {
  case DATUM_VALUE:
    printf(",\"Value\":%.17g", datum->value);
    break;
  case DATUM_VALUES:
    print_numbers("Values", datum->values, datum->n_values);
    print_numbers("Counts", datum->counts, datum->n_values);
    break;
  case DATUM_SET:
    printf(",\"StatisticValues\":{\"SampleCount\":%.17g,\"Sum\":%.17g,"
           "\"Minimum\":%.17g,\"Maximum\":%.17g}",
           datum->sample_count, datum->sum, datum->minimum, datum->maximum);
    break;
  }
  printf(",\"Unit\":\"%s\",\"StorageResolution\":%d}", series->unit,
         series->resolution_s);
}

/* Ours: the whole way from parcel to body. */
static int make_body(enum protocol protocol, struct json_out *json,
                     struct parcel *parcel, struct batch *batch) {
  struct err err = {""};
  if (batch_begin(batch, protocol, json, parcel->namespace, &err) != 0 ||
      batch_add(batch, parcel, &err) != parcel->n_data ||
      batch_end(batch, &err) != 0) {
    fprintf(stderr, "diff_body: %s\n", err.text);
    return -1;
  }
  return 0;
}

static int print_bodies(struct json_out *json, struct parcel *parcel) {
  struct batch batch = BATCH_INIT;
  int rc = -1;

  if (make_body(PROTOCOL_JSON, json, parcel, &batch) != 0)
    goto out;
  printf(",\"json\":{\"headers\":{\"content-type\":\"%s\","
         "\"x-amz-target\":\"%s\",\"x-amzn-query-mode\":\"%s\"},\"body\":",
         ENCODE_JSON_CONTENT_TYPE, ENCODE_JSON_TARGET, ENCODE_JSON_QUERY_MODE);
  print_text(buf_str(&batch.body));
  if (make_body(PROTOCOL_QUERY, json, parcel, &batch) != 0)
    goto out;
  printf("},\"query\":{\"headers\":{\"content-type\":\"%s\"},\"body\":",
         ENCODE_QUERY_CONTENT_TYPE);
  print_text(buf_str(&batch.body));
  printf("}}\n");
  rc = 0;
out:
  batch_clear(&batch);
  return rc;
}

static int add_datum(struct json_out *json, const struct datum *datum,
                     struct parcel *parcel) {
  struct buf text = BUF_INIT(CW_BODY_MAX);
  int rc = -1;
  if (encode_json_datum(json, datum, &text) == 0)
    rc = parcel_add(parcel, (struct str){buf_str(&text), text.len},
                    datum->identifier, datum->time_s);
  buf_clear(&text);
  return rc;
}

static int print_request(struct wire_random *random, struct json_out *json) {
  static struct wire_datum data;
  char namespace[CW_NAMESPACE_MAX + 1];
  int rc = -1;

  wire_text(random, namespace, CW_NAMESPACE_MAX);
  struct parcel *parcel = parcel_new(namespace, 0);
  if (parcel == NULL)
    return -1;
  printf("{\"what\":{\"Namespace\":");
  print_text(namespace);
  printf(",\"MetricData\":[");
  size_t n = 1 + wire_below(random, DATA_MAX);
  for (size_t i = 0; i < n; i++) {
    wire_fill(random, &data);
    if (i > 0)
      putchar(',');
    print_datum(&data.datum);
    if (add_datum(json, &data.datum, parcel) != 0)
      goto out;
  }
  printf("]}");
  rc = print_bodies(json, parcel);
out:
  parcel_free(parcel);
  return rc;
}

int main(void) {
  struct wire_random random = wire_random_new("diff_body");
  struct json_out *json = json_out_new();
  int rc = json == NULL ? -1 : 0;

  for (int i = 0; i < N_REQUESTS && rc == 0; i++)
    rc = print_request(&random, json);
  json_out_free(json);
  return rc == 0 ? 0 : 1;
}
