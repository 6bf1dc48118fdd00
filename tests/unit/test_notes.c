/* notes, and what DryRun says of them. */
#include "run/notes.h"

#include "run/dry_run.h"

#include "heard.h"
#include "rule_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

static struct rules *compile(const char *text) {
  struct rules_spec spec = rule_text_read(text);
  struct buf warnings = BUF_INIT(4096);
  struct err err = {""};
  struct rules *rules =
      rules_compile(&spec, "collectd", no_environment, &warnings, &err);

  assert_non_null(rules);
  rules_spec_clear(&spec);
  buf_clear(&warnings);
  return rules;
}

static void ignore(void *context, const char *sentence) {
  (void)context;
  (void)sentence;
}

static struct notes notes;

/* Leaves what the rules say of host/PLUGIN/gauge-INSTANCE. */
static void leave(const struct rules *rules, const char *plugin,
                  const char *instance) {
  struct reading reading = {.name = "value", .kind = KIND_GAUGE};
  struct input in = {.part = {"host", plugin, "", "gauge", instance},
                     .readings = &reading,
                     .n_readings = 1,
                     .time_us = 1,
                     .interval_us = 1};
  struct plan *plan = plan_new(rules, &in, ignore, NULL);
  struct explain_nearest nearest;

  assert_non_null(plan);
  bool is_told = explain_nearest(rules, &in, &nearest);
  notes_leave(&notes, plan, &in, is_told ? &nearest : NULL);
  plan_free(plan);
}

static void clear(void **state, const struct rules *rules) {
  (void)state;
  notes_clear(&notes);
  rules_free((struct rules *)rules);
  said[0] = '\0';
}

/* ---- what is left ------------------------------------------------------- */

static void what_nothing_selects(void **state) {
  struct rules *rules = compile("Metric 'm'\nPlugin 'cpu'\n");
  leave(rules, "df", "x");
  assert_int_equal(notes.n, 1);
  assert_int_equal(notes.note[0].kind, NOTE_UNSELECTED);
  assert_string_equal(notes.note[0].identifier, "host/df/gauge-x");
  assert_string_equal(notes.note[0].label, "m");
  assert_string_equal(notes.note[0].because,
                      "Plugin \"cpu\" does not match \"df\"");
  clear(state, rules);
}

static void what_is_published_needs_no_note(void **state) {
  struct rules *rules = compile("Metric 'm'\nPlugin 'cpu'\n");
  leave(rules, "cpu", "x");
  assert_int_equal(notes.n, 0);
  clear(state, rules);
}

/* Of each block that combines, once, however many dimension sets it has. */
static void members(void **state) {
  struct rules *rules = compile("Metric 'a'\nCombine 'sum'\n"
                                "Dimension 'D' 'd'\nDimensionSet ''\n"
                                "DimensionSet 'D'\n"
                                "Metric 'b'\nMetric 'c'\nCombine 'max'\n");
  leave(rules, "df", "x");
  assert_int_equal(notes.n, 2);
  assert_int_equal(notes.note[0].kind, NOTE_MEMBER);
  assert_string_equal(notes.note[0].label, "a");
  assert_null(notes.note[0].because);
  assert_string_equal(notes.note[1].label, "c");
  clear(state, rules);
}

static void they_are_taken_once(void **state) {
  struct rules *rules = compile("Metric 'm'\nPlugin 'cpu'\n");
  struct notes taken;
  leave(rules, "df", "x");
  notes_take(&notes, &taken);
  assert_int_equal(taken.n, 1);
  assert_int_equal(notes.n, 0);
  leave(rules, "df", "y");
  assert_string_equal(taken.note[0].identifier, "host/df/gauge-x");
  assert_string_equal(notes.note[0].identifier, "host/df/gauge-y");
  notes_clear(&taken);
  assert_int_equal(taken.n, 0);
  clear(state, rules);
}

static void not_more_than_may_wait(void **state) {
  struct rules *rules = compile("Metric 'm'\nPlugin 'cpu'\n");
  for (int i = 0; i < NOTES_MAX + 100; i++)
    leave(rules, "df", "x");
  assert_int_equal(notes.n, NOTES_MAX);
  clear(state, rules);
}

/* ---- what is said of them ----------------------------------------------- */

static struct note note_of(enum note_kind kind, char *identifier) {
  return (struct note){.kind = kind,
                       .label = "m",
                       .identifier = identifier,
                       .because = kind == NOTE_MEMBER ? NULL : identifier};
}

static void each_is_said_once(void **state) {
  (void)state;
  struct dry_run *dry_run = dry_run_new("", true);
  char a[] = "a", b[] = "b";
  struct note of_a = note_of(NOTE_UNSELECTED, a),
              of_b = note_of(NOTE_UNSELECTED, b),
              member = note_of(NOTE_MEMBER, a), other = member;
  const struct note *const told[] = {&of_a,  &of_b,   &member, &of_a,
                                     &other, &member, &other};

  assert_non_null(dry_run);
  other.label = "n";
  said[0] = '\0';
  for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
    dry_run_note(dry_run, told[i]);
  assert_string_equal(
      said, "write_cloudwatch plugin: nothing selects a; nearest is <Metric "
            "\"m\">, but a\n"
            "write_cloudwatch plugin: nothing selects b; nearest is <Metric "
            "\"m\">, but b\n"
            "write_cloudwatch plugin: <Metric \"m\"> combines a with others\n"
            "write_cloudwatch plugin: <Metric \"n\"> combines a with others\n");
  dry_run_free(dry_run);
}

static size_t n_lines;

static void count(enum log_level level, const char *message) {
  (void)level;
  (void)message;
  n_lines++;
}

static void the_end_is_said_once(void **state) {
  (void)state;
  struct dry_run *dry_run = dry_run_new("", false);

  assert_non_null(dry_run);
  log_set_sink(count);
  n_lines = 0;
  for (int i = 0; i < DRY_RUN_MAX + 50; i++) {
    char identifier[16];
    (void)snprintf(identifier, sizeof(identifier), "%d", i);
    struct note note = note_of(NOTE_MEMBER, identifier);
    dry_run_note(dry_run, &note);
    assert_int_equal(n_lines, i < DRY_RUN_MAX ? i + 1 : DRY_RUN_MAX + 1);
  }
  log_set_sink(hear);
  dry_run_free(dry_run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_nothing_selects),
      cmocka_unit_test(what_is_published_needs_no_note),
      cmocka_unit_test(members),
      cmocka_unit_test(they_are_taken_once),
      cmocka_unit_test(not_more_than_may_wait),
      cmocka_unit_test(each_is_said_once),
      cmocka_unit_test(the_end_is_said_once),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
