/* combine: stories of members, slots and flushes, told as scripts (stream.h).
 */
#include "metric/combine.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

struct story {
  const char *label, *script;
  const char *want; /* the data */
  unsigned late, dropped;
  uint32_t period_s; /* 10 where 0 */
};

static void check(const struct story *story, const char *blocks) {
  struct stream s;

  stream_open(&s, blocks, 100);
  s.period_s = story->period_s == 0 ? 10 : story->period_s;
  stream_play(&s, story->script);
  if (strcmp(buf_str(&s.out), story->want) != 0)
    fail_msg("%s: got \"%s\", wanted \"%s\"", story->label, buf_str(&s.out),
             story->want);
  if (stream_lost(&s, REASON_LATE) != story->late ||
      stream_lost(&s, REASON_SLOT_DROPPED) != story->dropped)
    fail_msg("%s: late %u, dropped %u", story->label,
             (unsigned)stream_lost(&s, REASON_LATE),
             (unsigned)stream_lost(&s, REASON_SLOT_DROPPED));

  /* What is still open goes with a forced flush a day later; then nothing is
   * held, however the story went. */
  stream_flush(&s, 2 * 86400, true);
  if (stream_held(&s) != 0 || cut_bytes(&s.cut) != 0)
    fail_msg("%s: %zu samples are held for ever", story->label,
             stream_held(&s));
  stream_close(&s);
}

static const struct story stories[] = {
    {.label = "steady",
     .script = "a@1=1 b@2=2 |10 a@11=3 b@12=4 |20 a@21=5 b@22=6 |30",
     .want = "m@0=3 m@10=7 m@20=11"},
    {.label = "a flush between two members changes nothing",
     .script = "a@1=1 b@2=2 |10 a@11=3 |10 b@12=4 |20",
     .want = "m@0=3 m@10=7"},
    {.label = "a slot whose end has not come waits",
     .script = "a@1=1 b@2=2 |9",
     .want = ""},
    {.label = "a new member, last in its read",
     .script = "a@1=1 b@1=2 |10 a@11=1 b@11=2 c@11=4 |20 a@21=1 b@21=2 c@21=4 "
               "|30",
     .want = "m@0=3 m@10=7 m@20=7"},
    {.label = "each host with its own phase",
     .script = "a@1=1 b@5=2 c@9=4 |10 a@11=10 b@15=20 c@19=40 |20",
     .want = "m@0=7 m@10=70"},
    {.label = "a phase behind the flush: the value before stands in, late ones "
              "count from the next slot on",
     .script = "a@1=1 b@9=2 |10 a@11=1 |20 b@19=5 a@21=1 |30 b@29=7 a@31=1 |40",
     .want = "m@0=3 m@10=3 m@20=6 m@30=8",
     .late = 2},
    {.label = "a read that one member missed",
     .script = "a@1=1 b@2=2 |10 a@11=1 |20 a@21=1 b@22=4 |30",
     .want = "m@0=3 m@10=3 m@20=5"},
    {.label = "a read that all missed is a gap",
     .script = "a@1=1 b@2=2 |10 |20 a@21=1 b@22=2 |30",
     .want = "m@0=3 m@20=3"},
    {.label = "silent for two slots, then left out",
     .script = "a@1=1 b@2=2 |10 a@11=1 |20 a@21=1 |30 a@31=1 |40 a@41=1 |50",
     .want = "m@0=3 m@10=3 m@20=3 m@30=1 m@40=1"},
    {.label = "not older than two slots: at the edge",
     .script = "b@0=2 a@1=1 |10 a@21=1 |30 a@31=1 |40",
     .want = "m@0=3 m@20=3 m@30=1"},
    {.label = "silent, and back again",
     .script = "a@1=1 b@2=2 |10 a@31=1 |40 a@41=1 b@42=2 |50",
     .want = "m@0=3 m@30=1 m@40=3"},
    {.label = "several values of a member in one slot: the newest",
     .script = "a@1=1/5 b@2=2/10 a@6=9 |10",
     .want = "m@0=11"},
    {.label = "several, out of order: the newest by time",
     .script = "a@6=9/5 b@2=2/10 a@1=1 |10",
     .want = "m@0=11"},
    {.label = "several in one second: the last that came",
     .script = "a@5=1/1 a@5.5=8 b@5.2=2/1 a@5.6=4 |6",
     .want = "m@5=6",
     .period_s = 1},
    {.label = "late in the second of the newest: the last that came",
     .script = "a@1=1 b@1=2 |10 a@11.1=1 b@11=2 !12 a@11.7=5 |20 b@21=2 |30",
     .want = "m@0=3 m@10=3 m@20=7",
     .late = 1},
    {.label = "a late value older than the member's newest is not taken",
     .script = "a@1=1 b@9=2 |10 b@5=50 a@11=1 |20",
     .want = "m@0=3 m@10=3",
     .late = 1},
    {.label = "only late values make no sample",
     .script = "a@1=1 |10 a@9=2 |20",
     .want = "m@0=1",
     .late = 1},
    {.label = "values of two slots before one flush, in any order",
     .script = "b@12=4 a@11=3 b@2=2 a@1=1 |20",
     .want = "m@0=3 m@10=7"},
    {.label = "slots within a longer period",
     .script = "a@1=1 b@2=2 a@11=3 b@12=4 |30 a@55=3 b@56=4 |60",
     .want = "m@0=3,7x2",
     .period_s = 60},
    {.label = "a slot longer than the period",
     .script = "a@1=1/300 b@100=2/300 |60 |120 |300 a@301=5 b@400=6 |590 |600",
     .want = "m@0=3 m@300=11",
     .period_s = 60},
    {.label = "slots that the period does not hold whole",
     .script = "a@1=1/7 a@8=2 a@15=3 a@22=4 a@29=5 a@36=6 a@43=7 a@50=8 a@57=9 "
               "|60 a@64=10 |120",
     .want = "m@0=1,2,3,4,5,6,7,8 m@0=9 m@60=10",
     .period_s = 60},
    {.label = "a slot of one second",
     .script = "a@1=1/1 b@1=2/1 |2 a@2=3 b@2=4 |3",
     .want = "m@1=3 m@2=7",
     .period_s = 1},
    {.label = "a member with a longer interval joins before a slot is cut",
     .script = "a@1=1 b@2=2/60 a@11=1 |20 a@21=1 a@51=1 |60",
     .want = "m@0=3",
     .period_s = 60},
    {.label = "one joins in the middle of its slot: no second is told twice",
     .script = "a@1=1 |10 a@11=1 |20 a@21=1 b@25=2/60 |30 a@31=1 a@51=1 |60 "
               "a@61=1 b@85=2 |120",
     .want = "m@0=1 m@10=1 m@20=3 m@60=3"},
    {.label = "a member's interval grows",
     .script = "a@1=1 b@1=2 |10 a@11=1/60 b@11=2 |20 a@71=4 b@71=2 |120",
     .want = "m@0=3 m@10=3 m@60=6"},
    {.label = "a member's interval shrinks",
     .script = "a@1=1/60 b@1=2/10 |60 a@61=1/10 b@61=2 |70 a@71=1 b@71=2 |80",
     .want = "m@0=3 m@60=3 m@70=3"},
};

static void tells_each_story(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
    check(&stories[i], "Metric 'm'\nCombine 'sum'");
}

static const struct story forced[] = {
    {.label = "an open slot is complete",
     .script = "a@1=1 b@2=2 |10 a@11=3 b@12=4 !13",
     .want = "m@0=3 m@10=7"},
    {.label = "an open slot lacks a member",
     .script = "a@1=1 b@2=2 |10 a@11=3 !12",
     .want = "m@0=3",
     .dropped = 1},
    {.label = "nothing before to compare with",
     .script = "a@1=1 b@2=2 !3",
     .want = "",
     .dropped = 1},
    {.label = "the only slot ever has just ended, as with collectd -T",
     .script = "a@1=1 b@2=2 !10",
     .want = "",
     .dropped = 1},
    {.label = "the only slot ever ended long ago",
     .script = "a@1=1 b@2=2 !20",
     .want = "m@0=3"},
    {.label = "the slot before was empty",
     .script = "a@1=1 |10 a@21=1 !22",
     .want = "m@0=1",
     .dropped = 1},
    {.label = "the slot before is cut by the same flush",
     .script = "a@1=1 b@2=2 a@11=3 b@12=4 !13",
     .want = "m@0=3 m@10=7"},
    {.label = "a new member only: the others are missed",
     .script = "a@1=1 b@2=2 |10 c@11=3 !12",
     .want = "m@0=3",
     .dropped = 1},
    {.label = "all of before, and a new one",
     .script = "a@1=1 b@2=2 |10 a@11=1 b@11=2 c@11=3 !12",
     .want = "m@0=3 m@10=6"},
    {.label = "one that was already missed in the slot before is not waited "
              "for",
     .script = "a@1=1 b@2=2 |10 a@11=1 |20 a@21=1 !22",
     .want = "m@0=3 m@10=3 m@20=3"},
    {.label = "after a complete cut, what still comes for the slot is late",
     .script = "a@1=1/5 b@2=2/10 |10 a@11=1 b@12=2 !13 a@16=8 |20 a@21=9 "
               "b@22=2 |30",
     .want = "m@0=3 m@10=3 m@20=11",
     .late = 1},
    {.label = "after a drop, what still comes for the slot is late",
     .script = "a@1=1 b@2=2 |10 a@11=1 !12 b@12=4 |20 a@21=1 b@22=5 |30",
     .want = "m@0=3 m@20=6",
     .late = 1,
     .dropped = 1},
    {.label = "what ended is cut as ever",
     .script = "a@1=1 b@2=2 |10 a@11=3 !20",
     .want = "m@0=3 m@10=5"},
    {.label = "three times in a row",
     .script = "a@1=1 b@2=2 |10 a@11=3 b@12=4 !13 !14 !15",
     .want = "m@0=3 m@10=7"},
};

static void a_forced_flush_cuts_no_half_sum(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(forced) / sizeof(forced[0]); i++)
    check(&forced[i], "Metric 'm'\nCombine 'sum'");
}

static void each_function(void **state) {
  (void)state;
  static const struct {
    const char *blocks, *want;
  } cases[] = {
      {"Metric 'm'\nCombine 'sum'", "m@0=9"},
      {"Metric 'm'\nCombine 'average'", "m@0=3"},
      {"Metric 'm'\nCombine 'min'", "m@0=-4"},
      {"Metric 'm'\nCombine 'max'", "m@0=11"},
      {"Metric 'm'\nCombine 'count'", "m@0=3"},
      {"Metric 'm'\nCombine 'sum'\nScale '0.5'\nOffset '-1'", "m@0=3.5"},
      {"Metric 'm'\nCombine 'average'\nScale '1.5'\nRound 'floor'", "m@0=4"},
      {"Metric 'm'\nCombine 'average'\nScale '1.5'\nRound 'ceil'", "m@0=5"},
      {"Metric 'm'\nCombine 'average'\nScale '1.5'\nRound 'nearest'", "m@0=5"},
  };
  static const char *const orders[] = {"a@1=2 b@2=11 c@3=-4 |10",
                                       "c@3=-4 b@2=11 a@1=2 |10",
                                       "b@3=11 a@3=2 c@3=-4 |10"};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); k++)
      check(&(struct story){.label = cases[i].blocks,
                            .script = orders[k],
                            .want = cases[i].want},
            cases[i].blocks);
}

static void each_function_forgets_the_silent(void **state) {
  (void)state;
  static const struct {
    const char *blocks, *want;
  } cases[] = {
      {"Metric 'm'\nCombine 'min'", "m@0=1 m@30=3"},
      {"Metric 'm'\nCombine 'max'", "m@0=9 m@30=3"},
      {"Metric 'm'\nCombine 'count'", "m@0=3 m@30=1"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    check(&(struct story){.label = cases[i].blocks,
                          .script = "a@1=1 b@2=3 c@3=9 |10 b@31=3 |40",
                          .want = cases[i].want},
          cases[i].blocks);
}

static void not_a_number_is_no_value(void **state) {
  (void)state;
  check(&(struct story){.label = "NaN stands for nothing",
                        .script = "a@1=1 b@2=2 |10 a@11=5 b@12=nan |20 "
                                  "a@21=nan b@22=nan |30",
                        .want = "m@0=3 m@10=7"},
        "Metric 'm'\nCombine 'sum'");
  check(&(struct story){.label = "NaN stands for 0",
                        .script = "a@1=1 b@2=2 |10 a@11=5 b@12=nan |20",
                        .want = "m@0=3 m@10=5"},
        "Metric 'm'\nCombine 'sum'\nOnNaN 'zero'");
}

/* The range holds after Scale and Offset, not for each member. */
static void the_range_is_of_the_sample(void **state) {
  (void)state;
  check(&(struct story){.label = "beyond 2^360 until scaled",
                        .script = "a@1=1e109 b@2=2e109 |10",
                        .want = "m@0=3e+107"},
        "Metric 'm'\nCombine 'sum'\nScale '0.01'");
  check(&(struct story){.label = "below 2^-360 until scaled",
                        .script = "a@1=1e-109 b@2=2e-109 |10",
                        .want = "m@0=3e-107"},
        "Metric 'm'\nCombine 'sum'\nScale '100'");

  struct stream s;
  stream_open(&s, "Metric 'm'\nCombine 'sum'", 10);
  s.period_s = 10;
  stream_play(&s, "a@1=2e108 b@2=2.3e108 |10 a@11=inf b@12=1 |20 "
                  "a@21=1.7e308 b@22=1.7e308 |30 a@31=1 b@31=1 |40");
  assert_string_equal(buf_str(&s.out), "m@10=2e+108 m@30=2");
  assert_int_equal(stream_lost(&s, REASON_RANGE), 1);
  assert_int_equal(stream_lost(&s, REASON_INFINITE), 2);
  stream_close(&s);
}

/* Two blocks that feed one series are two groups, and two samples. */
static void groups_are_of_a_block(void **state) {
  (void)state;
  check(&(struct story){.label = "two blocks",
                        .script = "a@1=1 b@2=2 |10",
                        .want = "m@0=3,30"},
        "Metric 'm'\nCombine 'sum'\nHost 'a'\nHost 'b'\n"
        "Metric 'm'\nCombine 'sum'\nScale '10'");
}

/* The slot is of the longest interval among those who are still there. */
static void a_member_that_leaves_shortens_the_slot(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'\nCombine 'sum'", 10);
  s.period_s = 10;
  s.steady_s = 100;
  stream_play(&s, "a@1=1 b@2=2/60 |60");
  s.steady_s = 5000;
  stream_play(&s, "a@61=1 |120 a@121=1");
  assert_string_equal(buf_str(&s.out), "m@0=3 m@60=3");
  assert_int_equal(stream_forget(&s, 4000), 0);
  assert_int_equal(s.agg.table.n, 1);

  buf_reset(&s.out);
  stream_play(&s, "|130 a@131=1 |140");
  assert_string_equal(buf_str(&s.out), "m@120=1 m@130=1");

  /* The last one takes the series along. */
  assert_int_equal(stream_forget(&s, UINT32_MAX), 0);
  assert_int_equal(s.agg.table.series.n, 0);
  stream_play(&s, "a@141=7 |150");
  assert_string_equal(buf_str(&s.out), "m@120=1 m@130=1 m@140=7");
  stream_close(&s);
}

/* However many there are, each join and each leave is one step. */
static void members_come_and_go(void **state) {
  (void)state;
  enum { N = 30000 };
  struct stream s;
  char host[16], want[64];
  stream_open(&s, "Metric 'm'\nCombine 'count'", 10);
  s.period_s = 10;
  for (int round = 0; round < 3; round++) {
    s.steady_s = (uint32_t)(1000 * round);
    for (int i = round; i < N; i += round + 1) {
      (void)snprintf(host, sizeof(host), "h%d", i);
      stream_gauge(&s, host, 1, round * 10 + 1, 10);
    }
    stream_flush(&s, round * 10 + 10, false);
    (void)stream_forget(&s, (uint32_t)(1000 * round));
  }
  /* All; the odd ones with what is remembered of the others; the odd ones and
   * every third. */
  (void)snprintf(want, sizeof(want), "m@0=%d m@10=%d m@20=%d", N, N,
                 N / 2 + N / 3 - N / 6);
  assert_string_equal(buf_str(&s.out), want);
  assert_int_equal(s.agg.table.n, N / 3);
  stream_close(&s);
}

/* What a host with a wrong clock left does not silence those with a right one
 * for as long as it was ahead. */
static void a_clock_that_was_set_back_heals(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'\nCombine 'sum'", 10);
  s.period_s = 10;
  stream_play(&s, "a@86401=1 b@86402=2 |86410 a@86411=1 b@86412=2 |86420");
  buf_reset(&s.out);
  stream_play(&s, "a@1=3 b@2=4 |10 a@11=3 b@12=4 |20");
  assert_string_equal(buf_str(&s.out), "m@0=7 m@10=7");
  stream_close(&s);
}

/* What waited then is not lost, and does not wait for a day; the slot that was
 * open is half a sum unless all are there. */
static void what_a_clock_set_back_leaves_is_combined(void **state) {
  (void)state;
  static const char blocks[] = "Metric 'm'\nCombine 'sum'";
  static const struct story cases[] = {
      {.label = "a slot that was whole",
       .script = "a@86401=1 b@86402=2 |86410 a@86411=3 b@86412=4 |86412 "
                 "a@1=5 b@2=6 |10 a@11=7 b@12=8 |20",
       .want = "m@86400=3 m@0=11 m@86410=7 m@10=15"},
      {.label = "a slot that was not",
       .script = "a@86401=1 b@86402=2 |86410 a@86411=3 |86412 a@1=5 b@2=6 |10",
       .want = "m@86400=3 m@0=11",
       .dropped = 1},
      {.label = "one before it that lacks a read",
       .script = "a@86401=1 b@86402=2 |86410 a@86411=3 a@86421=5 b@86422=6 "
                 "|86412 a@1=5 b@2=6 |10",
       .want = "m@86400=3 m@0=11 m@86410=5 m@86420=11"},
      {.label = "before any slot was cut: nobody knows who belongs to it",
       .script = "a@86401=1 b@86402=2 a@1=5 b@2=6 |10 a@11=7 b@12=8 |20",
       .want = "m@0=11 m@10=15",
       .dropped = 1},
      {.label = "when a flush is forced",
       .script = "a@86401=1 b@86402=2 |86410 a@86411=3 b@86412=4 |86412 "
                 "a@1=5 b@2=6 !9 a@11=7 b@12=8 |20",
       .want = "m@86400=3 m@86410=7 m@10=15",
       .dropped = 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    check(&cases[i], blocks);
}

/* Slots that wait for a name are combined as they would have been. */
static void what_waits_for_a_name_is_combined_later(void **state) {
  (void)state;
  static const char blocks[] =
      "Dimension 'G' '%{ec2:region}'\nMetric 'm'\nCombine 'sum'";
  static const struct story cases[] = {
      {.label = "slot by slot, in order",
       .script = "? a@1=1 b@2=2 |10 a@11=3 b@12=4 |20 !25 a@21=5 b@22=6 |30 + "
                 "|30",
       .want = "m{$}@0=3 m{$}@10=7 m{$}@20=11"},
      {.label = "a read that was missed meanwhile",
       .script = "? a@1=1 b@2=2 |10 a@11=3 |20 a@21=5 b@22=6 |30 + |30",
       .want = "m{$}@0=3 m{$}@10=5 m{$}@20=11"},
      {.label = "what came out of order meanwhile is not late",
       .script = "? a@11=3 b@12=4 |20 a@1=1 b@2=2 |30 + |30",
       .want = "m{$}@0=3 m{$}@10=7"},
      {.label = "the last slot is still open then",
       .script = "? a@1=1 b@2=2 |10 a@11=3 |11 + |12 b@12=4 |20",
       .want = "m{$}@0=3 m{$}@10=7"},
      {.label = "forced as soon as it is known: no half sum",
       .script = "? a@1=1 b@2=2 |10 a@11=3 !11 + !12",
       .want = "m{$}@0=3",
       .dropped = 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    check(&cases[i], blocks);
}

static void the_oldest_slots_can_be_dropped(void **state) {
  (void)state;
  struct stream s;
  uint32_t oldest_s, newest_s;
  stream_open(&s, "Dimension 'G' '%{ec2:region}'\nMetric 'm'\nCombine 'sum'",
              100);
  s.period_s = 10;
  stream_play(&s, "? b@12=4 a@1=1 b@2=2 a@11=3 a@21=5 |30");
  struct group *group = s.cut.busy;
  assert_non_null(group);
  combine_span(group, &oldest_s, &newest_s);
  assert_int_equal(oldest_s, EPOCH + 1);
  assert_int_equal(newest_s, EPOCH + 21);

  assert_int_equal(combine_drop(group, EPOCH), 0);
  assert_int_equal(stream_held(&s), 5);
  /* A slot that begins before goes whole. */
  assert_int_equal(combine_drop(group, EPOCH + 2), 2);
  assert_int_equal(stream_held(&s), 3);
  combine_span(group, &oldest_s, &newest_s);
  assert_int_equal(oldest_s, EPOCH + 11);

  /* What still comes for it is late; what went was its members' newest. */
  stream_play(&s, "b@3=50 + |30");
  assert_string_equal(buf_str(&s.out), "m{$}@10=7 m{$}@20=9");
  assert_int_equal(stream_lost(&s, REASON_LATE), 1);
  assert_int_equal(stream_held(&s), 0);
  stream_close(&s);
}

/* Whatever the order in which values come before a flush, the data are the
 * same. */
static void the_order_of_coming_is_of_no_matter(void **state) {
  (void)state;
  unsigned seed = 20261123;
  print_message("seed %u\n", seed);
  for (int round = 0; round < 200; round++) {
    struct coming {
      char host[2];
      int second, value;
    } all[40];
    for (size_t i = 0; i < 40; i++) {
      seed = seed * 1664525 + 1013904223;
      all[i].host[0] = (char)('a' + i % 5);
      all[i].host[1] = '\0';
      all[i].second = (int)(i / 5 * 10 + (seed >> 16) % 10);
      all[i].value = (int)(seed >> 8 & 0xff);
    }
    char first[2000] = "";
    for (int pass = 0; pass < 3; pass++) {
      struct stream s;
      stream_open(&s, "Metric 'm'\nCombine 'sum'", 10);
      s.period_s = 10;
      for (size_t i = 40; i-- > 1;) {
        seed = seed * 1664525 + 1013904223;
        size_t k = (seed >> 16) % (i + 1);
        struct coming kept = all[i];
        all[i] = all[k];
        all[k] = kept;
      }
      for (size_t i = 0; i < 40; i++)
        stream_gauge(&s, all[i].host, all[i].value, all[i].second, 10);
      stream_flush(&s, 80, false);
      if (pass == 0)
        (void)snprintf(first, sizeof(first), "%s", buf_str(&s.out));
      assert_string_equal(buf_str(&s.out), first);
      assert_int_equal(stream_held(&s), 0);
      stream_close(&s);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_each_story),
      cmocka_unit_test(a_forced_flush_cuts_no_half_sum),
      cmocka_unit_test(each_function),
      cmocka_unit_test(each_function_forgets_the_silent),
      cmocka_unit_test(not_a_number_is_no_value),
      cmocka_unit_test(the_range_is_of_the_sample),
      cmocka_unit_test(groups_are_of_a_block),
      cmocka_unit_test(a_member_that_leaves_shortens_the_slot),
      cmocka_unit_test(members_come_and_go),
      cmocka_unit_test(a_clock_that_was_set_back_heals),
      cmocka_unit_test(what_a_clock_set_back_leaves_is_combined),
      cmocka_unit_test(what_waits_for_a_name_is_combined_later),
      cmocka_unit_test(the_oldest_slots_can_be_dropped),
      cmocka_unit_test(the_order_of_coming_is_of_no_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
