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
    {"of a clock that was set back by a day: at once", "Metric 'm'",
     "a@86401=1 a@86409=2 |86405 a@5=3 |6 a@65=4 |70",
     "m@86400=1,2 m@0=3 m@60=4", 10},
    {"that was set back by a minute: in its time", "Metric 'm'",
     "a@60=1 |60 a@5=3 |10 |69 |70", "m@0=3 m@60=1", 10},
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

#define GROUP "Dimension 'G' '%{ec2:region}'\n"

static const struct {
  const char *label, *blocks, *script, *want;
} waits[] = {
    {"nothing until it is known, then all with its own time",
     GROUP "Metric 'm'",
     "? a@5=1 |60 a@65=2 |120 a@125=3 |180 + |180 a@185=4 |240",
     "m{$}@0=1 m{$}@60=2 m{$}@120=3 m{$}@180=4"},
    {"a forced flush cuts it no more", GROUP "Metric 'm'",
     "? a@5=1 |60 !61 !62 a@65=2 !66 + |120", "m{$}@0=1 m{$}@60=2"},
    {"after it a forced flush cuts what is open", GROUP "Metric 'm'",
     "? a@5=1 !6 + !7", "m{$}@0=1"},
    {"only what needs it waits",
     GROUP "Metric 'm'\nMetric 'n'\nDimensionSet ''",
     "? a@5=1 |60 a@65=2 |120 + |120", "n@0=1 n@60=2 m{$}@0=1 m{$}@60=2"},
    {"fleet and group of one value",
     GROUP "DimensionSet ''\nDimensionSet 'G'\nMetric 'm'",
     "? a@5=1 b@5=2 |60 + |60", "m@0=1,2 m{$}@0=1,2"},
    {"in a name, and in a namespace",
     "Namespace '%{ec2:region}'\nMetric 'm'\nMetric 'n%{.ec2:image_id}'\n"
     "Namespace 'N'",
     "? a@5=1 |60 + |60", "m@0=1 n.$@0=1"},
    {"high resolution, each second", GROUP "Metric 'm'\nStorageResolution '1'",
     "? a@5=1 a@6=2 |60 a@61=3 |62 + |62", "m{$}@5=1 m{$}@6=2 m{$}@61=3"},
    {"a set of a whole minute", GROUP "Metric 'm'\nStatistics 'set'",
     "? a@5=1 a@15=3 |30 !31 a@45=5 |60 + |60", "m{$}@0=[n3 s9 1..5]"},
    {"slots of a sum, whole", GROUP "Metric 'm'\nCombine 'sum'",
     "? a@1=1 b@2=2 |60 !61 a@61=3 b@62=4 |120 + |120", "m{$}@0=3 m{$}@60=7"},
    {"a sum and its part",
     GROUP "Metric 'm'\nCombine 'sum'\nMetric 'n'\n"
           "DimensionSet ''\nCombine 'max'",
     "? a@1=1 b@2=2 |60 + |60", "n@0=2 m{$}@0=3"},
};

static void what_needs_identity_waits_for_it(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
    struct stream s;
    stream_open(&s, waits[i].blocks, 100);
    stream_play(&s, waits[i].script);
    if (strcmp(buf_str(&s.out), waits[i].want) != 0)
      fail_msg("%s: got \"%s\", wanted \"%s\"", waits[i].label, buf_str(&s.out),
               waits[i].want);
    assert_int_equal(stream_lost(&s, REASON_AWAITED), 0);
    assert_int_equal(stream_lost(&s, REASON_LATE), 0);
    assert_int_equal(stream_lost(&s, REASON_SLOT_DROPPED), 0);
    stream_flush(&s, 7200, false);
    if (stream_held(&s) != 0 || cut_bytes(&s.cut) != 0)
      fail_msg("%s: something is held for ever", waits[i].label);
    stream_close(&s);
  }
}

/* Others go on, whatever waits: they have the other half of the memory. */
static void what_waits_leaves_room(void **state) {
  (void)state;
  struct stream s;
  char want[8192] = "";
  size_t n = 0;
  stream_open(&s, GROUP "Metric 'm'\nMetric 'n'\nDimensionSet ''", 100);
  s.cut.limit_bytes = 40 * sizeof(struct sample);
  stream_play(&s, "?");
  for (int minute = 0; minute < 200; minute++) {
    stream_gauge(&s, "a", minute, minute * 60 + 1, 60);
    stream_flush(&s, minute * 60 + 60, false);
    n += (size_t)snprintf(want + n, sizeof(want) - n, "%sn@%d=%d",
                          n > 0 ? " " : "", minute * 60, minute);
    assert_true(cut_bytes(&s.cut) <= 20 * sizeof(struct sample));
  }
  assert_string_equal(buf_str(&s.out), want);
  assert_int_equal(stream_lost(&s, REASON_FULL), 0);
  uint64_t lost = stream_lost(&s, REASON_AWAITED);
  assert_string_equal(s.tally.row[REASON_AWAITED].example, "a/p/t");

  /* The oldest went; what is kept is whole and ends with the newest. */
  buf_reset(&s.out);
  stream_play(&s, "+");
  stream_flush(&s, 200 * 60, false);
  n = 0;
  for (int minute = (int)lost; minute < 200; minute++)
    n += (size_t)snprintf(want + n, sizeof(want) - n, "%sm{$}@%d=%d",
                          n > 0 ? " " : "", minute * 60, minute);
  assert_string_equal(buf_str(&s.out), want);
  assert_true(200 - lost >= 15 && 200 - lost <= 20);
  assert_int_equal(stream_held(&s), 0);
  stream_close(&s);
}

/* Of a sum whole slots go: no half one is left. */
static void whole_slots_make_room(void **state) {
  (void)state;
  struct stream s;
  char want[8192] = "";
  size_t n = 0;
  stream_open(&s, GROUP "Metric 'm'\nCombine 'sum'", 100);
  s.cut.limit_bytes = 60 * sizeof(struct sample);
  stream_play(&s, "?");
  for (int slot = 0; slot < 50; slot++) {
    for (int host = 0; host < 3; host++) {
      const char name[2] = {(char)('a' + host), '\0'};
      stream_gauge(&s, name, slot, slot * 60 + host, 60);
    }
    stream_flush(&s, slot * 60 + 60, slot % 3 == 0);
  }
  uint64_t lost = stream_lost(&s, REASON_AWAITED);
  assert_int_equal(lost % 3, 0);
  assert_int_equal(stream_held(&s), 150 - lost);
  assert_int_equal(cut_bytes(&s.cut), (150 - lost) * sizeof(struct sample));
  assert_string_equal(s.tally.row[REASON_AWAITED].example, "a/p/t");
  stream_play(&s, "+");
  stream_flush(&s, 50 * 60, false);
  for (int slot = (int)lost / 3; slot < 50; slot++)
    n += (size_t)snprintf(want + n, sizeof(want) - n, "%sm{$}@%d=%d",
                          n > 0 ? " " : "", slot * 60, 3 * slot);
  assert_string_equal(buf_str(&s.out), want);
  assert_int_equal(stream_lost(&s, REASON_LATE), 0);
  assert_int_equal(stream_lost(&s, REASON_FULL), 0);
  stream_close(&s);
}

/* What does not wait and fills the memory is not helped by what does. */
static void what_is_open_is_bounded_beside_what_waits(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s,
              GROUP "Metric 'm'\nHost 'a'\nMetric 'n'\nHost 'b'\n"
                    "DimensionSet ''",
              100);
  s.cut.limit_bytes = 20 * sizeof(struct sample);
  stream_play(&s, "?");
  for (int i = 0; i < 8; i++)
    stream_gauge(&s, "a", i, i, 60);
  for (int i = 0; i < 30; i++)
    stream_gauge(&s, "b", i, i, 60);
  stream_flush(&s, 10, false);
  assert_int_equal(stream_lost(&s, REASON_AWAITED), 8);
  assert_int_equal(stream_lost(&s, REASON_FULL), 10);
  assert_int_equal(cut_bytes(&s.cut), 20 * sizeof(struct sample));
  stream_close(&s);
}

static void what_still_waits_at_the_stop_is_counted(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s,
              GROUP "Metric 'm'\nMetric 'n'\nDimensionSet ''\n"
                    "Metric 'c'\nCombine 'sum'",
              100);
  stream_play(&s, "? a@1=1 b@2=2 |60 a@61=1 |61");
  cut_lose_awaited(&s.cut, 0, &s.tally);
  assert_int_equal(stream_lost(&s, REASON_AWAITED), 0);
  cut_lose_awaited(&s.cut, s.awaited, &s.tally);
  assert_int_equal(stream_lost(&s, REASON_AWAITED), 6);
  assert_string_equal(buf_str(&s.out), "n@0=1,2");
  stream_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(periods_are_cut_when_they_ended),
      cmocka_unit_test(what_is_open_is_held),
      cmocka_unit_test(a_sum_beyond_the_range_is_counted),
      cmocka_unit_test(what_waits_is_bounded),
      cmocka_unit_test(what_needs_identity_waits_for_it),
      cmocka_unit_test(what_waits_leaves_room),
      cmocka_unit_test(whole_slots_make_room),
      cmocka_unit_test(what_is_open_is_bounded_beside_what_waits),
      cmocka_unit_test(what_still_waits_at_the_stop_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
