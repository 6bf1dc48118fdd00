#include "metric/cut.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PER_HOST "Metric 'm'\nDimension 'Host' '%{host}'"

static const struct {
  const char *label, *blocks, *script, *want;
  uint32_t period_s;
} cases[] = {
    {"one value", "Metric 'm'", "a@5=1 |60", "m@0=1", 60},
    {"nothing", "Metric 'm'", "|60", "", 60},
    {"the period has not ended", "Metric 'm'", "a@5=1 |59", "", 60},
    {"it ends exactly now", "Metric 'm'", "a@59=1 |60", "m@0=1", 60},
    {"the next has begun", "Metric 'm'", "a@59=1 a@60=2 |60", "m@0=1", 60},
    {"and ends later", "Metric 'm'", "a@59=1 a@60=2 |60 |119 |120",
     "m@0=1 m@60=2", 60},
    {"six values a minute", "Metric 'm'",
     "a@0=3 a@10=1 a@20=3 a@30=2 a@40=3 a@50=1 |60", "m@0=1x2,2,3x3", 60},
    {"several periods in one flush, in their order", "Metric 'm'",
     "a@25=3 a@5=1 a@15=2 |30", "m@0=1 m@10=2 m@20=3", 10},
    {"series in the order of their birth", PER_HOST,
     "b@5=1 a@6=2 b@15=3 a@16=4 |20", "m{b}@0=1 m{b}@10=3 m{a}@0=2 m{a}@10=4",
     10},
    {"a sample after its period was sent", "Metric 'm'",
     "a@5=1 |60 a@6=2 a@65=3 |120", "m@0=1 m@0=2 m@60=3", 60},
    {"forced: what is open, too", "Metric 'm'", "a@5=1 !6 a@7=2 |60",
     "m@0=1 m@0=2", 60},
    {"a second each for high resolution", "Metric 'm'\nStorageResolution '1'",
     "a@5=1 b@5=2 a@6=3 |6 |7", "m@5=1,2 m@6=3", 60},
    {"high resolution beside ordinary",
     "Metric 'f'\nStorageResolution '1'\nMetric 's'", "a@5=1 |10 |60",
     "f@5=1 s@0=1", 60},
    {"the last by time, not by coming", "Metric 'm'\nStatistics 'last'",
     "a@9=7 b@5=1 |10", "m@0=7", 10},
    {"the last of one second by coming", "Metric 'm'\nStatistics 'last'",
     "a@9=7 b@9=1 |10", "m@0=1", 10},
    {"the average", "Metric 'm'\nStatistics 'average'", "a@9=7 b@9=1 |10",
     "m@0=4", 10},
    {"a set", "Metric 'm'\nStatistics 'set'", "a@9=7 b@9=1 |10",
     "m@0=[n2 s8 1..7]", 10},
    {"several sets of dimensions",
     PER_HOST "\nDimensionSet 'Host'\nDimensionSet ''", "a@1=1 b@2=2 |10",
     "m@0=1,2 m{a}@0=1 m{b}@0=2", 10},
    {"plain and combined of one value", "Metric 'c'\nCombine 'sum'\nMetric 'm'",
     "a@1=1 b@2=2 |10", "c@0=3 m@0=1,2", 10},
};

static void periods_are_cut_when_they_ended(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct stream s;
    stream_open(&s, cases[i].blocks, 100);
    s.period_s = cases[i].period_s;
    stream_play(&s, cases[i].script);
    if (strcmp(buf_str(&s.out), cases[i].want) != 0)
      fail_msg("%s: got \"%s\", wanted \"%s\"", cases[i].label, buf_str(&s.out),
               cases[i].want);
    stream_flush(&s, 7200, false);
    if (stream_held(&s) != 0 || cut_bytes(&s.cut) != 0)
      fail_msg("%s: something is held for ever", cases[i].label);
    stream_close(&s);
  }
}

static void what_is_open_is_held(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'c'\nCombine 'sum'\nMetric 'm'", 100);
  stream_play(&s, "a@1=1 a@11=2 a@61=3 |0");
  assert_int_equal(stream_held(&s), 6);
  assert_int_equal(cut_bytes(&s.cut), 6 * sizeof(struct sample));
  stream_play(&s, "|60");
  assert_int_equal(stream_held(&s), 2);
  assert_int_equal(cut_bytes(&s.cut), 2 * sizeof(struct sample));
  stream_play(&s, "|120");
  assert_int_equal(stream_held(&s), 0);
  assert_int_equal(cut_bytes(&s.cut), 0);

  /* What ends in the middle leaves nothing behind. */
  stream_play(&s, "a@121=1 |121");
  assert_int_equal(stream_held(&s), 2);
  cut_clear(&s.cut);
  cut_clear(&s.cut);
  stream_close(&s);
}

static void a_sum_beyond_the_range_is_counted(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'\nStatistics 'set'", 100);
  stream_play(&s, "a@1=2e108 a@2=2e108 a@3=1 |60 a@61=1 |120");
  assert_string_equal(buf_str(&s.out), "m@60=1");
  assert_int_equal(stream_lost(&s, REASON_RANGE), 3);
  assert_string_equal(s.tally.row[REASON_RANGE].example, "a/p/t");
  stream_close(&s);
}

/* However long a slot is open, what waits for its end is bounded. */
static void what_waits_is_bounded(void **state) {
  (void)state;
  static const char *const blocks[] = {"Metric 'm'",
                                       "Metric 'm'\nCombine 'sum'"};
  for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    struct stream s;
    stream_open(&s, blocks[i], 100);
    s.cut.limit_bytes = 50 * sizeof(struct sample);
    for (int second = 0; second < 60; second++) {
      stream_gauge(&s, "a", 1, second, 60);
      stream_flush(&s, second, false);
    }
    assert_int_equal(cut_bytes(&s.cut), 50 * sizeof(struct sample));
    assert_int_equal(stream_lost(&s, REASON_FULL), 10);
    assert_int_equal(stream_held(&s), 50);
    stream_flush(&s, 60, false);
    assert_string_equal(buf_str(&s.out), i == 0 ? "m@0=1x50" : "m@0=1");
    assert_int_equal(stream_held(&s), 0);
    stream_close(&s);
  }
}

/* Within BufferLimit the oldest of what waits for identity makes room, also for
 * what does not wait; each value that is lost is counted. */
static void what_waits_for_identity_makes_room(void **state) {
  (void)state;
  static const char *const blocks[] = {
      "Metric 'm'\nStorageResolution '1'\nNamespace '%{ec2:region}'",
      "Metric 'm'\nStorageResolution '1'\nNamespace '%{ec2:region}'\n"
      "Combine 'sum'"};
  for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    struct stream s;
    stream_open(&s, blocks[i], 100);
    s.is_local = true;
    s.awaited = 1;
    s.cut.limit_bytes = 50 * sizeof(struct sample);
    for (int second = 0; second < 120; second++) {
      stream_gauge(&s, "a", second, second, 1);
      stream_flush(&s, second, false);
      assert_true(cut_bytes(&s.cut) <= s.cut.limit_bytes);
    }
    size_t n_kept = stream_held(&s);
    assert_in_range(n_kept, 40, 50);
    assert_int_equal(stream_lost(&s, REASON_AWAITED), 120 - n_kept);
    assert_int_equal(stream_lost(&s, REASON_FULL), 0);
    assert_string_equal(buf_str(&s.out), "");

    s.awaited = 0;
    stream_flush(&s, 121, false);
    char first[64];
    (void)snprintf(first, sizeof(first), "m@%zu=%zu m@", 120 - n_kept,
                   120 - n_kept);
    assert_int_equal(strncmp(buf_str(&s.out), first, strlen(first)), 0);
    assert_int_equal(stream_held(&s), 0);
    stream_close(&s);
  }
}

/* What does not wait for it is never dropped for what does. */
static void what_is_awaited_by_none_makes_no_room(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'", 100);
  s.is_local = true;
  s.awaited = 1;
  s.cut.limit_bytes = 50 * sizeof(struct sample);
  for (int second = 0; second < 60; second++)
    stream_gauge(&s, "a", 1, second, 1);
  stream_flush(&s, 59, false);
  assert_int_equal(stream_held(&s), 50);
  assert_int_equal(stream_lost(&s, REASON_FULL), 10);
  assert_int_equal(stream_lost(&s, REASON_AWAITED), 0);
  stream_close(&s);

  stream_open(&s, "Metric 'p'\nMetric 'm'\nNamespace '%{ec2:region}'", 100);
  s.is_local = true;
  s.awaited = 1;
  s.cut.limit_bytes = 100 * sizeof(struct sample);
  for (int second = 0; second < 60; second++)
    stream_gauge(&s, "a", 1, second, 1);
  stream_flush(&s, 60, false);
  assert_string_equal(buf_str(&s.out), "p@0=1x60");
  assert_in_range(stream_lost(&s, REASON_AWAITED), 20, 30);
  assert_int_equal(stream_lost(&s, REASON_FULL), 0);
  stream_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(periods_are_cut_when_they_ended),
      cmocka_unit_test(what_is_open_is_held),
      cmocka_unit_test(a_sum_beyond_the_range_is_counted),
      cmocka_unit_test(what_waits_is_bounded),
      cmocka_unit_test(what_waits_for_identity_makes_room),
      cmocka_unit_test(what_is_awaited_by_none_makes_no_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
