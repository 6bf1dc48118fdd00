#include "run/log.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct {
  size_t n;
  enum log_level level;
  char text[2048];
} heard;

static void hear(enum log_level level, const char *message) {
  heard.n++;
  heard.level = level;
  (void)snprintf(heard.text, sizeof(heard.text), "%s", message);
}

static int listen(void **state) {
  (void)state;
  memset(&heard, 0, sizeof(heard));
  log_set_sink(hear);
  return 0;
}

static void a_message_has_prefix_and_node(void **state) {
  (void)state;
  log_say(SAY_WARNING, "", "it is %d", 7);
  assert_string_equal(heard.text, "write_cloudwatch plugin: it is 7");
  assert_int_equal(heard.level, SAY_WARNING);
  log_say(SAY_INFO, "prod", "it is %d", 8);
  assert_string_equal(heard.text, "write_cloudwatch plugin: prod: it is 8");
}

static void a_message_is_one_line(void **state) {
  (void)state;
  log_say(SAY_INFO, "", "%s", "a\r\nERROR: b\x7f\tc");
  assert_string_equal(heard.text, "write_cloudwatch plugin: a  ERROR: b  c");
  log_say(SAY_INFO, "", "%s",
          "a\xc2\x9b"
          "31m \xc2\xa0\xc3\x9b");
  assert_string_equal(heard.text,
                      "write_cloudwatch plugin: a  31m \xc2\xa0\xc3\x9b");
}

static void a_long_message_is_cut_between_characters(void **state) {
  (void)state;
  for (size_t i = 0; i < 8; i++) {
    char text[3000];
    memset(text, 'a', i);
    text[i] = '\0';
    for (size_t n = i; n < 2900; n += 3)
      memcpy(text + n, "\xe2\x82\xac", 4);
    log_say(SAY_INFO, "", "%s", text);
    assert_in_range(strlen(heard.text), 995, 1000);
    assert_true(str_is_utf8(str_of(heard.text)));
    assert_true(str_has_suffix(str_of(heard.text), STR("\xac...")));
  }
}

static void a_message_that_fits_is_whole(void **state) {
  (void)state;
  char text[1001 - sizeof("write_cloudwatch plugin: ") + 1];
  memset(text, 'a', sizeof(text));
  text[sizeof(text) - 1] = '\0';
  log_say(SAY_INFO, "", "%s", text);
  assert_int_equal(strlen(heard.text), 1000);
  assert_true(str_has_suffix(str_of(heard.text), STR("aaa")));
}

static void a_name_that_fills_the_line_is_cut(void **state) {
  (void)state;
  char name[2000];
  memset(name, 'n', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  log_say(SAY_INFO, name, "%s", "lost");
  assert_int_equal(strlen(heard.text), 1000);
}

static void a_state_is_said_when_it_begins_changes_and_ends(void **state) {
  (void)state;
  struct log_state s = {0};
  assert_false(log_state_good(&s, "", 500, "well"));
  assert_int_equal(heard.n, 0);

  log_state_bad(&s, SAY_WARNING, "prod", 1000, "net", "cannot %s", "reach it");
  assert_int_equal(heard.n, 1);
  assert_string_equal(heard.text,
                      "write_cloudwatch plugin: prod: cannot reach it");
  log_state_bad(&s, SAY_WARNING, "prod", 2000, "net", "cannot %s", "reach him");
  assert_int_equal(heard.n, 1);
  log_state_bad(&s, SAY_ERROR, "prod", 3000, "no", "refused");
  assert_int_equal(heard.n, 2);
  assert_int_equal(heard.level, SAY_ERROR);
  assert_int_equal(s.since_ms, 1000);

  assert_true(log_state_good(&s, "prod", 5000, "well after %d s", 2));
  assert_int_equal(heard.n, 3);
  assert_int_equal(heard.level, SAY_NOTICE);
  assert_string_equal(heard.text,
                      "write_cloudwatch plugin: prod: well after 2 s");
  assert_false(log_state_good(&s, "prod", 6000, "well"));
  assert_int_equal(heard.n, 3);

  log_state_bad(&s, SAY_ERROR, "prod", 9000, "no", "refused");
  assert_int_equal(heard.n, 4);
  assert_int_equal(s.since_ms, 9000);
}

/* A day of a reason that changes at every attempt, once a minute. */
static void a_day_of_changes_is_some_thirty_lines(void **state) {
  (void)state;
  struct log_state s = {0};
  for (int minute = 0; minute < 24 * 60; minute++)
    log_state_bad(&s, SAY_ERROR, "", (int64_t)minute * 60000,
                  minute % 2 == 0 ? "a" : "b", "reason %d", minute);
  assert_in_range(heard.n, 20, 36);
}

/* Bad and good in turn, at every flush of a day. */
static void a_day_of_ups_and_downs_is_no_flood(void **state) {
  (void)state;
  struct log_state s = {0};
  for (int64_t ms = 0; ms < 24 * 3600000; ms += 20000) {
    log_state_bad(&s, SAY_ERROR, "", ms, "a", "refused");
    (void)log_state_good(&s, "", ms + 10000, "well");
  }
  assert_in_range(heard.n, 40, 72);
}

static void after_an_hour_of_health_it_is_said_at_once(void **state) {
  (void)state;
  struct log_state s = {0};
  for (int64_t ms = 0; ms < 3600000; ms += 20000) {
    log_state_bad(&s, SAY_ERROR, "", ms, "a", "refused");
    (void)log_state_good(&s, "", ms + 10000, "well");
  }
  size_t n = heard.n;
  log_state_bad(&s, SAY_ERROR, "", 2 * 3600000, "a", "refused");
  assert_int_equal(heard.n, n + 1);
}

/* The end of a trouble that nobody heard of is no news. */
static void what_was_not_said_does_not_end(void **state) {
  (void)state;
  struct log_state s = {.quiet_ms = 1000};
  log_state_bad(&s, SAY_ERROR, "", 10, "a", "refused");
  assert_true(log_state_good(&s, "", 20, "well"));
  assert_int_equal(heard.n, 0);
}

static void the_first_changes_are_said_at_once(void **state) {
  (void)state;
  struct log_state s = {0};
  log_state_bad(&s, SAY_ERROR, "", 1, "a", "refused");
  log_state_bad(&s, SAY_ERROR, "", 2, "b", "no permission");
  log_state_bad(&s, SAY_ERROR, "", 3, "c", "throttled");
  assert_int_equal(heard.n, 3);
}

static void how_long_it_took_is_no_other_thing(void **state) {
  (void)state;
  struct log_state s = {0};
  log_state_bad(&s, SAY_ERROR, "", 1, "timed out after 2 s", "a");
  log_state_bad(&s, SAY_ERROR, "", 2, "timed out after 2.1 s", "b");
  assert_int_equal(heard.n, 1);
  log_state_bad(&s, SAY_ERROR, "", 3, "status 403", "c");
  log_state_bad(&s, SAY_ERROR, "", 4, "status 500", "d");
  assert_int_equal(heard.n, 3);
}

/* The ids and times that AWS puts into its sentences. */
static void an_id_or_a_time_is_no_other_thing(void **state) {
  (void)state;
  static const char *const same[][2] = {
      {"answered AccessDenied [request 5a-1b]; allow it",
       "answered AccessDenied [request c0-ff]; allow it"},
      {"Token expired: current date/time 1714449238 must be before",
       "Token expired: current date/time 1714449299 must be before"},
      {"Signature expired: 20260801T102030Z is now earlier",
       "Signature expired: 20260802T112233Z is now earlier"},
  };
  for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
    struct log_state s = {0};
    heard.n = 0;
    log_state_bad(&s, SAY_ERROR, "", 1, same[i][0], "a");
    log_state_bad(&s, SAY_ERROR, "", 2, same[i][1], "b");
    assert_int_equal(heard.n, 1);
    log_state_bad(&s, SAY_ERROR, "", 3, "answered ExpiredToken", "c");
    assert_int_equal(heard.n, 2);
  }

  struct log_state s = {0};
  heard.n = 0;
  log_state_bad(&s, SAY_ERROR, "", 1, "web-1/cpu-0/cpu", "a");
  log_state_bad(&s, SAY_ERROR, "", 2, "web-1/cpu-1/cpu", "b");
  log_state_bad(&s, SAY_ERROR, "", 3, "10.0.0.1/tcpconns-8080-local", "c");
  log_state_bad(&s, SAY_ERROR, "", 4, "10.0.0.2/tcpconns-8080-local", "d");
  assert_int_equal(heard.n, 4);
}

/* Each is said, though they are alike; many become rare; an hour without one
 * is a new beginning. */
static void an_event_is_said_each_time(void **state) {
  (void)state;
  struct log_state s = {0};
  const int64_t minute = 60000, day = 1440 * minute;
  for (int i = 0; i < 4; i++)
    log_state_event(&s, SAY_NOTICE, "", day + i, "let back");
  assert_int_equal(heard.n, 4);
  for (int i = 0; i < 1440; i++)
    log_state_event(&s, SAY_NOTICE, "", day + i * minute, "let back");
  assert_in_range(heard.n, 20, 34);
  heard.n = 0;
  for (int i = 0; i < 30; i++)
    log_state_event(&s, SAY_NOTICE, "", 2 * day + i, "let back");
  assert_in_range(heard.n, 0, 1);
  heard.n = 0;
  log_state_event(&s, SAY_NOTICE, "", 3 * day, "let back");
  log_state_event(&s, SAY_NOTICE, "", 3 * day + 1, "let back");
  assert_int_equal(heard.n, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_message_has_prefix_and_node, listen),
      cmocka_unit_test_setup(a_message_is_one_line, listen),
      cmocka_unit_test_setup(a_long_message_is_cut_between_characters, listen),
      cmocka_unit_test_setup(a_message_that_fits_is_whole, listen),
      cmocka_unit_test_setup(a_name_that_fills_the_line_is_cut, listen),
      cmocka_unit_test_setup(a_state_is_said_when_it_begins_changes_and_ends,
                             listen),
      cmocka_unit_test_setup(a_day_of_changes_is_some_thirty_lines, listen),
      cmocka_unit_test_setup(a_day_of_ups_and_downs_is_no_flood, listen),
      cmocka_unit_test_setup(after_an_hour_of_health_it_is_said_at_once,
                             listen),
      cmocka_unit_test_setup(what_was_not_said_does_not_end, listen),
      cmocka_unit_test_setup(the_first_changes_are_said_at_once, listen),
      cmocka_unit_test_setup(how_long_it_took_is_no_other_thing, listen),
      cmocka_unit_test_setup(an_id_or_a_time_is_no_other_thing, listen),
      cmocka_unit_test_setup(an_event_is_said_each_time, listen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
