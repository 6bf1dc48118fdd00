#include "metric/encode_json.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct dimension two[] = {{"Host", "a b"}, {"Zone", "\"1\\"}};

static const struct {
  const char *label;
  struct series_name series;
  struct datum datum;
  const char *want;
} cases[] = {
    {"the least there is",
     {.name = "Sockets Used", .unit = "None", .resolution_s = 60},
     {.time_s = 1600000020, .form = DATUM_VALUE, .value = 12},
     "{\"MetricName\":\"Sockets Used\",\"Timestamp\":1600000020,"
     "\"Value\":12}"},
    {"unit, resolution, dimensions",
     {.name = "m",
      .dimensions = two,
      .n_dimensions = 2,
      .unit = "Bytes/Second",
      .resolution_s = 1},
     {.time_s = 1600000021, .form = DATUM_VALUE, .value = -0.1},
     "{\"Dimensions\":[{\"Name\":\"Host\",\"Value\":\"a b\"},{\"Name\":"
     "\"Zone\",\"Value\":\"\\\"1\\\\\"}],\"MetricName\":\"m\",\"Unit\":"
     "\"Bytes/Second\",\"StorageResolution\":1,\"Timestamp\":1600000021,"
     "\"Value\":-0.1}"},
    {"values that were each seen once",
     {.name = "m", .unit = "Count", .resolution_s = 60},
     {.time_s = 1,
      .form = DATUM_VALUES,
      .n_values = 3,
      .values = (const double[]){1.5, 0, 1e21},
      .counts = (const double[]){1, 1, 1}},
     "{\"MetricName\":\"m\",\"Unit\":\"Count\",\"Timestamp\":1,"
     "\"Values\":[1.5,0,1e+21]}"},
    {"values that were seen more often",
     {.name = "m", .unit = "None", .resolution_s = 60},
     {.time_s = 1,
      .form = DATUM_VALUES,
      .n_values = 2,
      .values = (const double[]){1, 2},
      .counts = (const double[]){1, 2}},
     "{\"MetricName\":\"m\",\"Timestamp\":1,\"Values\":[1,2],"
     "\"Counts\":[1,2]}"},
    {"counts below 1 are counts",
     {.name = "m", .unit = "None", .resolution_s = 60},
     {.time_s = 1,
      .form = DATUM_VALUES,
      .n_values = 1,
      .values = (const double[]){7},
      .counts = (const double[]){0.5}},
     "{\"MetricName\":\"m\",\"Timestamp\":1,\"Values\":[7],\"Counts\":[0.5]"
     "}"},
    {"a statistic set",
     {.name = "m", .unit = "Percent", .resolution_s = 60},
     {.time_s = 1,
      .form = DATUM_SET,
      .sample_count = 6,
      .sum = 21,
      .minimum = 1,
      .maximum = 6},
     "{\"MetricName\":\"m\",\"Unit\":\"Percent\",\"Timestamp\":1,"
     "\"StatisticValues\":{\"SampleCount\":6,\"Sum\":21,\"Minimum\":1,"
     "\"Maximum\":6}}"},
};

static void writes_each_form(void **state) {
  struct json_out *json = *state;
  for (size_t i = 0; i < N(cases); i++) {
    struct buf text = BUF_INIT(4096);
    struct datum datum = cases[i].datum;
    datum.series = &cases[i].series;
    if (encode_json_datum(json, &datum, &text) != 0 ||
        strcmp(buf_str(&text), cases[i].want) != 0)
      fail_msg("%s: %s", cases[i].label, buf_str(&text));
    buf_clear(&text);
  }
}

/* ---- what names a series ------------------------------------------------ */

static const struct dimension hostile[] = {
    {"A", ",\"Timestamp\":"}, {"B", ","}, {",\"Timestamp\":1}", "\\"}};

static const struct series_name each[] = {
    {.name = "m", .unit = "None", .resolution_s = 60},
    {.name = "m", .unit = "None", .resolution_s = 1},
    {.name = "m", .unit = "Count", .resolution_s = 60},
    {.name = "m", .unit = "Count", .resolution_s = 1},
    {.name = "n", .unit = "None", .resolution_s = 60},
    {.name = "m,", .unit = "None", .resolution_s = 60},
    {.name = "m,\"Timestamp\":", .unit = "None", .resolution_s = 60},
    {.name = "m\\", .unit = "None", .resolution_s = 60},
    {.name = "m", .dimensions = two, .n_dimensions = 1, .unit = "None"},
    {.name = "m", .dimensions = two, .n_dimensions = 2, .unit = "None"},
    {.name = "m", .dimensions = hostile, .n_dimensions = 1, .unit = "None"},
    {.name = "m", .dimensions = hostile, .n_dimensions = 2, .unit = "None"},
    {.name = "m", .dimensions = hostile, .n_dimensions = 3, .unit = "None"},
};

static void put(struct json_out *json, struct buf *text,
                const struct series_name *series, int64_t time_s,
                double value) {
  const struct datum datum = {
      .series = series, .time_s = time_s, .form = DATUM_VALUE, .value = value};
  buf_reset(text);
  assert_int_equal(encode_json_datum(json, &datum, text), 0);
}

static void one_series_begins_alike_and_no_other_does(void **state) {
  struct json_out *json = *state;
  struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);
  for (size_t i = 0; i < N(each); i++)
    for (size_t k = 0; k < N(each); k++) {
      put(json, &a, &each[i], 1, 2.5);
      put(json, &b, &each[k], 1600000000, -7);
      struct str begin = encode_json_series(str_of_buf(&a));
      assert_true(begin.len > 0 && begin.len < a.len);
      if (str_eq(begin, encode_json_series(str_of_buf(&b))) != (i == k))
        fail_msg("%s and %s", buf_str(&a), buf_str(&b));
    }
  buf_clear(&a);
  buf_clear(&b);
}

static const struct {
  const char *label;
  const char *name;
  double value;
  size_t limit;
} refused[] = {
    {"a name that is no UTF-8", "m\xff", 1, 4096},
    {"no number", "m", NAN, 4096},
    {"infinity", "m", INFINITY, 4096},
    {"a full buffer", "m", 1, 40},
};

static void refuses_what_is_no_text(void **state) {
  struct json_out *json = *state;
  for (size_t i = 0; i < N(refused); i++) {
    struct buf text = BUF_INIT(refused[i].limit);
    struct series_name series = {
        .name = refused[i].name, .unit = "None", .resolution_s = 60};
    struct datum datum = {
        .series = &series, .form = DATUM_VALUE, .value = refused[i].value};
    if (encode_json_datum(json, &datum, &text) != -1 || buf_ok(&text))
      fail_msg("%s", refused[i].label);

    /* The writer is not spoilt for the next one. */
    buf_reset(&text);
    series.name = "";
    datum.value = 1;
    text.limit = 4096;
    if (encode_json_datum(json, &datum, &text) != 0)
      fail_msg("%s: and then a good one", refused[i].label);
    buf_clear(&text);
  }
}

static void frames_a_body(void **state) {
  struct buf body = BUF_INIT(4096);
  assert_int_equal(encode_json_open(*state, "My \"App\"", &body), 0);
  buf_puts(&body, "{},{}");
  encode_json_close(&body);
  assert_string_equal(buf_str(&body), "{\"Namespace\":\"My \\\"App\\\"\","
                                      "\"MetricData\":[{},{}]}");
  buf_reset(&body);
  assert_int_equal(encode_json_open(*state, "\xff", &body), -1);
  assert_false(buf_ok(&body));
  buf_reset(&body);
  body.limit = 20;
  assert_int_equal(encode_json_open(*state, "twenty bytes", &body), -1);
  buf_clear(&body);
}

/* ---- a random datum, decoded again -------------------------------------- */

static void assert_text(const struct json *object, const char *key,
                        const char *want) {
  const struct json *value = json_get(object, key);
  if (json_kind(value) != JSON_STRING ||
      !str_eq(json_text(value), str_of(want)))
    fail_msg("%s is not %s", key, want);
}

static void assert_number(const struct json *value, double want) {
  double got;
  assert_int_equal(json_kind(value), JSON_NUMBER);
  assert_int_equal(str_to_double(json_text(value), &got), 0);
  assert_memory_equal(&got, &want, sizeof(got));
}

static void assert_numbers(const struct json *array, const double *want,
                           size_t n) {
  assert_int_equal(json_kind(array), JSON_ARRAY);
  assert_int_equal(json_count(array), n);
  for (size_t i = 0; i < n; i++)
    assert_number(json_at(array, i), want[i]);
}

static size_t assert_form(const struct json *got, const struct datum *want) {
  const struct json *set = json_get(got, "StatisticValues");
  bool once = true;

  switch (want->form) {
  case DATUM_VALUE:
    assert_number(json_get(got, "Value"), want->value);
    return 1;
  case DATUM_VALUES:
    for (size_t i = 0; i < want->n_values; i++)
      once = once && !(want->counts[i] < 1 || want->counts[i] > 1);
    assert_numbers(json_get(got, "Values"), want->values, want->n_values);
    if (once)
      return 1;
    assert_numbers(json_get(got, "Counts"), want->counts, want->n_values);
    return 2;
  case DATUM_SET:
    assert_int_equal(json_count(set), 4);
    assert_number(json_get(set, "SampleCount"), want->sample_count);
    assert_number(json_get(set, "Sum"), want->sum);
    assert_number(json_get(set, "Minimum"), want->minimum);
    assert_number(json_get(set, "Maximum"), want->maximum);
    return 1;
  }
  fail_msg("no such form");
  return 0;
}

static void assert_datum(const struct json *got, const struct datum *want) {
  const struct series_name *series = want->series;
  size_t n_members = 2 + assert_form(got, want);

  assert_text(got, "MetricName", series->name);
  assert_number(json_get(got, "Timestamp"), (double)want->time_s);
  if (series->n_dimensions > 0) {
    const struct json *dimensions = json_get(got, "Dimensions");
    assert_int_equal(json_count(dimensions), series->n_dimensions);
    for (size_t i = 0; i < series->n_dimensions; i++) {
      const struct json *dimension = json_at(dimensions, i);
      assert_int_equal(json_count(dimension), 2);
      assert_text(dimension, "Name", series->dimensions[i].name);
      assert_text(dimension, "Value", series->dimensions[i].value);
    }
    n_members++;
  }
  if (strcmp(series->unit, "None") != 0) {
    assert_text(got, "Unit", series->unit);
    n_members++;
  }
  if (series->resolution_s != 60) {
    assert_number(json_get(got, "StorageResolution"), series->resolution_s);
    n_members++;
  }
  assert_int_equal(json_count(got), n_members);
}

static void a_datum_read_again_is_the_same(void **state) {
  struct wire_random random = wire_random_new("encode_json");
  static struct wire_datum data;
  struct err err = {""};

  for (int i = 0; i < 1000; i++) {
    struct buf text = BUF_INIT(CW_BODY_MAX);
    wire_fill(&random, &data);
    assert_int_equal(encode_json_datum(*state, &data.datum, &text), 0);
    struct json *got = json_parse((struct str){buf_str(&text), text.len}, &err);
    if (got == NULL)
      fail_msg("%s: %s", err.text, buf_str(&text));
    assert_datum(got, &data.datum);
    json_free(got);
    buf_clear(&text);
  }
}

static int set_up(void **state) {
  *state = json_out_new();
  return *state == NULL ? -1 : 0;
}

static int tear_down(void **state) {
  json_out_free(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_each_form),
      cmocka_unit_test(one_series_begins_alike_and_no_other_does),
      cmocka_unit_test(refuses_what_is_no_text),
      cmocka_unit_test(frames_a_body),
      cmocka_unit_test(a_datum_read_again_is_the_same),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
