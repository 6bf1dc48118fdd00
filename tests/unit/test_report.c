#include "run/report.h"

#include "run/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct {
  size_t n;
  enum log_level level[64];
  char text[64][1100];
} heard;

static void hear(enum log_level level, const char *message) {
  assert_true(heard.n < 64);
  heard.level[heard.n] = level;
  (void)snprintf(heard.text[heard.n++], sizeof(heard.text[0]), "%s", message);
}

static int listen(void **state) {
  (void)state;
  memset(&heard, 0, sizeof(heard));
  log_set_sink(hear);
  return 0;
}

static void flush(struct report *report) {
  struct report_queue taken = {.n = 0};
  report_take(report, &taken);
  report_say(&taken, "prod");
  assert_int_equal(taken.n, 0);
}

static void a_sentence_is_said_once(void **state) {
  (void)state;
  static struct report report;
  report_leave(&report, "one");
  report_leave(&report, "two");
  report_leave(&report, "one");
  assert_int_equal(heard.n, 0);
  flush(&report);
  report_leave(&report, "two");
  report_leave(&report, "three");
  flush(&report);
  flush(&report);
  assert_int_equal(heard.n, 3);
  assert_string_equal(heard.text[0], "write_cloudwatch plugin: prod: one");
  assert_string_equal(heard.text[1], "write_cloudwatch plugin: prod: two");
  assert_string_equal(heard.text[2], "write_cloudwatch plugin: prod: three");
  assert_int_equal(heard.level[0], SAY_WARNING);
}

static void many_sentences_wait_for_their_turn(void **state) {
  (void)state;
  static struct report report;
  char text[40];
  for (int turn = 0; turn < 2; turn++) {
    for (int i = 0; i < REPORT_QUEUE + 5; i++) {
      (void)snprintf(text, sizeof(text), "sentence %d", i);
      report_leave(&report, text);
    }
    flush(&report);
    assert_int_equal(heard.n, turn == 0 ? REPORT_QUEUE : REPORT_QUEUE + 5);
  }
}

static void the_number_of_sentences_is_bounded(void **state) {
  (void)state;
  static struct report report;
  char text[40];
  size_t n = 0;
  for (int i = 0; i < 2 * REPORT_REMEMBER; i++) {
    (void)snprintf(text, sizeof(text), "sentence %d", i);
    report_leave(&report, text);
    flush(&report);
    n += heard.n;
    heard.n = 0;
  }
  assert_int_equal(n, REPORT_REMEMBER);
}

static void what_is_never_said_is_freed(void **state) {
  (void)state;
  static struct report report;
  report_leave(&report, "one");
  report_clear(&report.queue);
  report_clear(&report.queue);
  flush(&report);
  assert_int_equal(heard.n, 0);
}

static void counts_move_with_their_example(void **state) {
  (void)state;
  static struct tally from, to;
  tally_add_text(&from, REASON_NAN, 3, "first");
  report_move_tally(&to, &from);
  tally_add_text(&from, REASON_NAN, 2, "second");
  tally_add_text(&from, REASON_OLD, 1, NULL);
  report_move_tally(&to, &from);
  report_move_tally(&to, &from);
  assert_int_equal(from.row[REASON_NAN].n, 0);
  assert_int_equal(to.row[REASON_NAN].n, 5);
  assert_string_equal(to.row[REASON_NAN].example, "first");
  assert_int_equal(to.row[REASON_OLD].n, 1);
  assert_int_equal(report_total(&to), 6);
}

static void a_reason_is_said_once_with_its_example(void **state) {
  (void)state;
  static struct tally tally;
  report_say_tally(&tally, "");
  assert_int_equal(heard.n, 0);
  tally_add_text(&tally, REASON_NAN, 3, "h/p/t");
  tally_add_text(&tally, REASON_INFINITE, 1, NULL);
  report_say_tally(&tally, "");
  tally_add_text(&tally, REASON_NAN, 3, "other");
  report_say_tally(&tally, "");
  assert_int_equal(heard.n, 2);
  assert_string_equal(heard.text[0],
                      "write_cloudwatch plugin: h/p/t is not a number: OnNaN "
                      "\"zero\" publishes it as 0; left out; others like "
                      "it are only counted");
  assert_int_equal(heard.level[0], SAY_INFO);
  assert_string_equal(heard.text[1],
                      "write_cloudwatch plugin: a value is infinite, which "
                      "CloudWatch refuses; left out; others like it are "
                      "only counted");
  assert_int_equal(heard.level[1], SAY_WARNING);
}

/* A late value still counts in its Combine. */
static void what_is_kept_is_not_called_lost(void **state) {
  (void)state;
  static struct tally tally;
  tally_add_text(&tally, REASON_LATE, 3, "h/p/t");
  report_say_tally(&tally, "");
  assert_int_equal(heard.n, 1);
  assert_null(strstr(heard.text[0], "left out"));
  assert_int_equal(report_total(&tally), 0);
  tally_add_text(&tally, REASON_RANGE, 2, "h/p/t");
  assert_int_equal(report_total(&tally), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_sentence_is_said_once, listen),
      cmocka_unit_test_setup(many_sentences_wait_for_their_turn, listen),
      cmocka_unit_test_setup(the_number_of_sentences_is_bounded, listen),
      cmocka_unit_test_setup(what_is_never_said_is_freed, listen),
      cmocka_unit_test_setup(counts_move_with_their_example, listen),
      cmocka_unit_test_setup(a_reason_is_said_once_with_its_example, listen),
      cmocka_unit_test_setup(what_is_kept_is_not_called_lost, listen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
