#include "metric/encode_query.h"

#include "base/date.h"
#include "metric/encode_json.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define LONG_NAME                                                              \
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
  "aaaaaaaaaaaaaa"                                                             \
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
  "aaaaaaaaaaaaaa"                                                             \
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
  "aaaaaaaaaaaaaa"

static const struct {
  const char *label;
  size_t number;
  const char *text, *want;
} cases[] = {
    {"the least there is", 1,
     "{\"MetricName\":\"Sockets Used\",\"Timestamp\":1440938160,\"Value\":12}",
     "&MetricData.member.1.MetricName=Sockets%20Used"
     "&MetricData.member.1.Timestamp=2015-08-30T12%3A36%3A00Z"
     "&MetricData.member.1.Value=12"},
    {"lists count from 1, objects by name", 1000,
     "{\"Dimensions\":[{\"Name\":\"a\",\"Value\":\"b\"},{\"Name\":\"c\","
     "\"Value\":\"d\"}],\"Values\":[1,-2.5]}",
     "&MetricData.member.1000.Dimensions.member.1.Name=a"
     "&MetricData.member.1000.Dimensions.member.1.Value=b"
     "&MetricData.member.1000.Dimensions.member.2.Name=c"
     "&MetricData.member.1000.Dimensions.member.2.Value=d"
     "&MetricData.member.1000.Values.member.1=1"
     "&MetricData.member.1000.Values.member.2=-2.5"},
    {"an object inside", 2, "{\"StatisticValues\":{\"Sum\":1e+21}}",
     "&MetricData.member.2.StatisticValues.Sum=1e%2B21"},
    {"all that is reserved is encoded", 1,
     "{\"Unit\":\" !\\\"#$%&'()*+,/:;<=>?@[\\\\]^`{|}\"}",
     "&MetricData.member.1.Unit=%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A"
     "%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D"},
    {"nothing else is", 1, "{\"Unit\":\"AZaz09-._~\"}",
     "&MetricData.member.1.Unit=AZaz09-._~"},
    {"bytes above ASCII", 1, "{\"Unit\":\"\xc3\xa9\"}",
     "&MetricData.member.1.Unit=%C3%A9"},
    {"a text called Timestamp is a text", 1, "{\"Timestamp\":\"x\"}",
     "&MetricData.member.1.Timestamp=x"},
    {"the last second there is", 1, "{\"Timestamp\":253402300799}",
     "&MetricData.member.1.Timestamp=9999-12-31T23%3A59%3A59Z"},
    {"a name cannot break out of its place", 1, "{\"a&b=c\":1}",
     "&MetricData.member.1.a%26b%3Dc=1"},
};

static void writes_each_form(void **state) {
  (void)state;
  for (size_t i = 0; i < N(cases); i++) {
    struct buf to = BUF_INIT(4096);
    struct err err = {""};
    if (encode_query_datum(&to, cases[i].number, str_of(cases[i].text), &err) !=
            0 ||
        strcmp(buf_str(&to), cases[i].want) != 0)
      fail_msg("%s: %s %s", cases[i].label, buf_str(&to), err.text);
    buf_clear(&to);
  }
}

static const struct {
  const char *label, *text;
} refused[] = {
    {"nothing", ""},
    {"half a text", "{\"Value\":1"},
    {"a list", "[1]"},
    {"a number", "1"},
    {"no member", "{}"},
    {"no value in any member", "{\"Values\":[],\"StatisticValues\":{}}"},
    {"null", "{\"Value\":1,\"Unit\":null}"},
    {"a truth", "{\"Value\":1,\"Unit\":true}"},
    {"a time before 1970", "{\"Value\":1,\"Timestamp\":-1}"},
    {"a time with a fraction", "{\"Value\":1,\"Timestamp\":1.5}"},
    {"a time after 9999", "{\"Value\":1,\"Timestamp\":253402300800}"},
    {"a long name", "{\"Value\":1,\"" LONG_NAME "\":1}"},
};

static void refuses_what_is_no_datum(void **state) {
  (void)state;
  for (size_t i = 0; i < N(refused); i++) {
    struct buf to = BUF_INIT(4096);
    struct err err = {""};
    buf_puts(&to, "before");
    if (encode_query_datum(&to, 1, str_of(refused[i].text), &err) != -1 ||
        err.text[0] == '\0' || strcmp(buf_str(&to), "before") != 0)
      fail_msg("%s: %s %s", refused[i].label, buf_str(&to), err.text);
    buf_clear(&to);
  }
}

static void says_when_there_is_no_room(void **state) {
  (void)state;
  struct buf to = BUF_INIT(30);
  struct err err = {""};
  assert_int_equal(
      encode_query_datum(&to, 1, STR("{\"MetricName\":\"abcdefgh\"}"), &err),
      -1);
  assert_false(buf_ok(&to));
  assert_true(err.text[0] != '\0');
  buf_clear(&to);
}

static void opens_a_body(void **state) {
  (void)state;
  struct buf to = BUF_INIT(4096);
  encode_query_open(&to, "My App/1");
  assert_string_equal(buf_str(&to), "Action=PutMetricData&Version=2010-08-01"
                                    "&Namespace=My%20App%2F1");
  buf_clear(&to);
}

/* ---- a random datum, against a plain second writer ---------------------- */

static void expect(struct buf *want, const char *path, const char *value) {
  buf_printf(want, "&MetricData.member.7.%s=", path);
  for (const char *p = value; *p != '\0'; p++) {
    bool plain = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789-._~",
                        *p) != NULL;
    if (plain)
      buf_putc(want, *p);
    else
      buf_printf(want, "%%%02X", (unsigned)(unsigned char)*p);
  }
}

static void expect_double(struct buf *want, const char *path, double value) {
  struct buf text = BUF_INIT(64);
  str_put_double(&text, value);
  expect(want, path, buf_str(&text));
  buf_clear(&text);
}

static void expect_doubles(struct buf *want, const char *name,
                           const double *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    char path[64];
    snprintf(path, sizeof(path), "%s.member.%zu", name, i + 1);
    expect_double(want, path, values[i]);
  }
}

static void expect_datum(struct buf *want, const struct datum *datum) {
  const struct series_name *series = datum->series;
  char array[64];
  bool once = true;

  for (size_t i = 0; i < series->n_dimensions; i++) {
    snprintf(array, sizeof(array), "Dimensions.member.%zu.Name", i + 1);
    expect(want, array, series->dimensions[i].name);
    snprintf(array, sizeof(array), "Dimensions.member.%zu.Value", i + 1);
    expect(want, array, series->dimensions[i].value);
  }
  expect(want, "MetricName", series->name);
  if (strcmp(series->unit, "None") != 0)
    expect(want, "Unit", series->unit);
  if (series->resolution_s == 1)
    expect(want, "StorageResolution", "1");
  struct buf when = BUF_INIT(64);
  date_put_iso(&when, datum->time_s);
  expect(want, "Timestamp", buf_str(&when));
  buf_clear(&when);

  if (datum->form == DATUM_VALUE) {
    expect_double(want, "Value", datum->value);
  } else if (datum->form == DATUM_VALUES) {
    for (size_t i = 0; i < datum->n_values; i++)
      once = once && !(datum->counts[i] < 1 || datum->counts[i] > 1);
    expect_doubles(want, "Values", datum->values, datum->n_values);
    if (!once)
      expect_doubles(want, "Counts", datum->counts, datum->n_values);
  } else {
    expect_double(want, "StatisticValues.SampleCount", datum->sample_count);
    expect_double(want, "StatisticValues.Sum", datum->sum);
    expect_double(want, "StatisticValues.Minimum", datum->minimum);
    expect_double(want, "StatisticValues.Maximum", datum->maximum);
  }
}

static void agrees_with_a_plain_writer(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("encode_query");
  struct json_out *json = json_out_new();
  static struct wire_datum data;

  assert_non_null(json);
  for (int i = 0; i < 500; i++) {
    struct buf text = BUF_INIT(CW_BODY_MAX), want = BUF_INIT(CW_BODY_MAX),
               got = BUF_INIT(CW_BODY_MAX);
    struct err err = {""};
    wire_fill(&random, &data);
    assert_int_equal(encode_json_datum(json, &data.datum, &text), 0);
    expect_datum(&want, &data.datum);
    if (encode_query_datum(&got, 7, (struct str){buf_str(&text), text.len},
                           &err) != 0)
      fail_msg("%s: %s", err.text, buf_str(&text));
    assert_string_equal(buf_str(&got), buf_str(&want));
    buf_clear(&text);
    buf_clear(&want);
    buf_clear(&got);
  }
  json_out_free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_each_form),
      cmocka_unit_test(refuses_what_is_no_datum),
      cmocka_unit_test(says_when_there_is_no_room),
      cmocka_unit_test(opens_a_body),
      cmocka_unit_test(agrees_with_a_plain_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
