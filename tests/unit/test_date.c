#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NONE INT64_MIN /* refused */

struct date_case {
  const char *text;
  int64_t want;
};

typedef int parse_fn(struct str text, int64_t *seconds);

static void check(const struct date_case *cases, size_t n, parse_fn *parse) {
  for (size_t i = 0; i < n; i++) {
    int64_t got = NONE;
    int rc = parse(str_of(cases[i].text), &got);
    if (got != cases[i].want || (rc == 0) != (got != NONE))
      fail_msg("%s: %lld", cases[i].text, (long long)got);
  }
}

static void reads_iso_dates(void **state) {
  (void)state;
  static const struct date_case cases[] = {
      {"2015-08-30T12:36:00Z", 1440938160},
      {"20150830T123600Z", 1440938160},
      {"2015-08-30t12:36:00z", 1440938160},
      {"2015-08-30 12:36:00Z", 1440938160},
      {"2015-08-30T12:36:00", 1440938160},
      {"20150830T123600", 1440938160},
      {"2015-08-30T12:36:00.999999Z", 1440938160},
      {"2015-08-30T12:36:00,5Z", 1440938160},
      {"2015-08-30T14:36:00+02:00", 1440938160},
      {"2015-08-30T14:36:00+0200", 1440938160},
      {"20150830T023600-1000", 1440938160},
      {"2015-08-30T07:06:00.0-05:30", 1440938160},
      {"2015-08-30T12:36:00-00:00", 1440938160},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:00:00-01:00", 0},
      {"1969-12-31T23:59:59Z", NONE},
      {"1970-01-01T00:00:00+00:01", NONE},
      {"9999-12-31T23:59:59Z", DATE_MAX},
      {"9999-12-31T23:59:59-00:01", NONE},
      {"0000-01-01T00:00:00Z", NONE},
      {"2016-12-31T23:59:60Z", 1483228799},
      {"2016-12-31T23:59:61Z", NONE},
      {"2016-12-31T23:60:00Z", NONE},
      {"2016-12-31T24:00:00Z", NONE},
      {"2016-02-29T00:00:00Z", 1456704000},
      {"2015-02-29T00:00:00Z", NONE},
      {"2000-02-29T00:00:00Z", 951782400},
      {"2100-02-29T00:00:00Z", NONE},
      {"2015-02-30T00:00:00Z", NONE},
      {"2015-04-31T00:00:00Z", NONE},
      {"2015-13-01T00:00:00Z", NONE},
      {"2015-00-01T00:00:00Z", NONE},
      {"2015-01-00T00:00:00Z", NONE},
      {"2015-01-32T00:00:00Z", NONE},
      {"", NONE},
      {"2015", NONE},
      {"2015-08-30", NONE},
      {"2015-08-30T12:36Z", NONE},
      {"2015-08-30T12:36:00.Z", NONE},
      {"2015-08-30T12:36:00+02", NONE},
      {"2015-08-30T12:36:00+24:00", NONE},
      {"2015-08-30T12:36:00+02:60", NONE},
      {"2015-08-30T12:36:00+2:00", NONE},
      {"2015-08-30T12:36:00ZZ", NONE},
      {"2015-08-30T12:36:00Z ", NONE},
      {" 2015-08-30T12:36:00Z", NONE},
      {"2015-0830T12:36:00Z", NONE},
      {"20150830T12:36:00Z", NONE},
      {"2015-08-30T123600Z", NONE},
      {"2015-8-30T12:36:00Z", NONE},
      {"+015-08-30T12:36:00Z", NONE},
      {"2015-08-30X12:36:00Z", NONE},
  };
  check(cases, sizeof(cases) / sizeof(cases[0]), date_parse_iso);
}

static void reads_http_dates(void **state) {
  (void)state;
  static const struct date_case cases[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Fri, 31 Dec 9999 23:59:59 GMT", DATE_MAX},
      {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
      {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228799},
      {"Mon, 06 Nov 1994 08:49:37 GMT", NONE},
      {"Wed, 30 Feb 2000 00:00:00 GMT", NONE},
      {"Sunday, 06-Nov-94 08:49:37 GMT", NONE},
      {"Sun Nov  6 08:49:37 1994", NONE},
      {"Sun, 6 Nov 1994 08:49:37 GMT", NONE},
      {"Sun, 06 nov 1994 08:49:37 GMT", NONE},
      {"Sun, 06 Nov 1994 08:49:37 UTC", NONE},
      {"Sun, 06 Nov 1994 08:49:37", NONE},
      {"Sun, 06 Nov 1994 08:49:37 GMT ", NONE},
      {"Wed, 31 Dec 1969 23:59:59 GMT", NONE},
      {"", NONE},
      {"Sun", NONE},
      {"un,", NONE},
  };
  check(cases, sizeof(cases) / sizeof(cases[0]), date_parse_http);
}

static void reads_no_further_than_the_slice(void **state) {
  (void)state;
  int64_t got;
  const char *text = "2015-08-30T12:36:00Z";
  for (size_t len = 0; len < 19; len++)
    if (date_parse_iso((struct str){text, len}, &got) != -1)
      fail_msg("%zu bytes", len);
  assert_int_equal(date_parse_iso((struct str){text, 19}, &got), 0);
  assert_int_equal(date_parse_iso((struct str){NULL, 0}, &got), -1);
  assert_int_equal(date_parse_http((struct str){NULL, 0}, &got), -1);
  assert_int_equal(
      date_parse_iso((struct str){"2015-08-30\00012:36:00Z", 20}, &got), -1);
}

static void writes_both_forms(void **state) {
  (void)state;
  struct buf out = BUF_INIT(64);
  date_put_iso(&out, 1440938160);
  date_put_basic(&out, 1440938160);
  date_put_iso(&out, DATE_MAX);
  assert_string_equal(buf_str(&out),
                      "2015-08-30T12:36:00Z20150830T123600Z9999-12-31T23:59:"
                      "59Z");
  buf_clear(&out);
}

static void a_time_out_of_range_fails_the_buffer(void **state) {
  (void)state;
  static const int64_t times[] = {-1, DATE_MAX + 1, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    struct buf iso = BUF_INIT(64), basic = BUF_INIT(64);
    date_put_iso(&iso, times[i]);
    date_put_basic(&basic, times[i]);
    assert_false(buf_ok(&iso));
    assert_false(buf_ok(&basic));
    buf_clear(&iso);
    buf_clear(&basic);
  }
}

/* Counts the days with a calendar of its own, one by one. */
static void each_day_comes_back(void **state) {
  (void)state;
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t day = 0;
  for (int year = 1970; year <= 2400; year++)
    for (int month = 1; month <= 12; month++) {
      bool leap =
          year % 4 == 0 && (year % 100 != 0 || year == 2000 || year == 2400);
      int length = lengths[month - 1] + (month == 2 && leap);
      for (int d = 1; d <= length; d++, day++) {
        char want[40], array[40];
        struct buf got = BUF_OVER(array);
        int64_t back = NONE, seconds = day * 86400 + (day * 7919) % 86400;
        int s = (int)(seconds % 86400);
        snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
                 month, d, s / 3600, s / 60 % 60, s % 60);
        date_put_iso(&got, seconds);
        assert_string_equal(buf_str(&got), want);
        assert_int_equal(date_parse_iso(str_of(buf_str(&got)), &back), 0);
        assert_true(back == seconds);
        buf_reset(&got);
        date_put_basic(&got, seconds);
        assert_int_equal(date_parse_iso(str_of(buf_str(&got)), &back), 0);
        assert_true(back == seconds);
      }
    }
  assert_true(day == 157420); /* 431 years of 365 days, 105 leap days */
}

static void each_year_begins_and_ends(void **state) {
  (void)state;
  for (int64_t t = 0; t <= DATE_MAX; t += 86400 * INT64_C(61) - 1) {
    char array[40];
    struct buf text = BUF_OVER(array);
    int64_t back = NONE;
    date_put_iso(&text, t);
    assert_int_equal(date_parse_iso(str_of(buf_str(&text)), &back), 0);
    assert_true(back == t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_iso_dates),
      cmocka_unit_test(reads_http_dates),
      cmocka_unit_test(reads_no_further_than_the_slice),
      cmocka_unit_test(writes_both_forms),
      cmocka_unit_test(a_time_out_of_range_fails_the_buffer),
      cmocka_unit_test(each_day_comes_back),
      cmocka_unit_test(each_year_begins_and_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
