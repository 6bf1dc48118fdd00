#include "metric/agg.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#define WALL EPOCH
#define DAY_S 86400

/* Writes one reading at a time of its own; the host's clock says WALL. */
static void write_one(struct stream *s, const struct reading *reading,
                      int64_t time_us) {
  struct input in = {.part = {"a", "p", "", "t", ""},
                     .readings = reading,
                     .n_readings = 1,
                     .time_us = time_us,
                     .interval_us = 10000000};
  stream_write(s, &in, WALL);
}

static void write_gauge(struct stream *s, double value, int64_t time_us) {
  struct reading reading = {.name = "value", .kind = KIND_GAUGE};
  reading.value.gauge = value;
  write_one(s, &reading, time_us);
}

static void the_window_ends_on_the_second(void **state) {
  (void)state;
  static const struct {
    const char *label;
    int64_t past_s, ahead_s, time_us;
    int reason; /* -1: taken */
  } cases[] = {
      {"now", CW_PAST_S, 60, WALL * 1000000, -1},
      {"two weeks old", CW_PAST_S, 60, (WALL - 14 * DAY_S) * 1000000, -1},
      {"just older", CW_PAST_S, 60, (WALL - 14 * DAY_S) * 1000000 - 1,
       REASON_OLD},
      {"BufferAge old", 3600, 60, (WALL - 3600) * 1000000, -1},
      {"older than BufferAge", 3600, 60, (WALL - 3601) * 1000000, REASON_OLD},
      {"BufferAge beyond CloudWatch", 100 * DAY_S, 60,
       (WALL - 14 * DAY_S - 1) * 1000000, REASON_OLD},
      {"of 1970", CW_PAST_S, 60, 1000000, REASON_OLD},
      {"of the first second", CW_PAST_S, 60, 999999, REASON_OLD},
      {"without time", CW_PAST_S, 60, 0, REASON_OLD},
      {"before 1970", CW_PAST_S, 60, -5000000, REASON_OLD},
      {"FlushInterval ahead", CW_PAST_S, 60, (WALL + 60) * 1000000 + 999999,
       -1},
      {"further ahead", CW_PAST_S, 60, (WALL + 61) * 1000000, REASON_AHEAD},
      {"a second ahead", CW_PAST_S, 1, (WALL + 1) * 1000000, -1},
      {"further than a second", CW_PAST_S, 1, (WALL + 2) * 1000000,
       REASON_AHEAD},
      {"two hours ahead", CW_PAST_S, DAY_S, (WALL + 7200) * 1000000, -1},
      {"beyond CloudWatch's two hours", CW_PAST_S, DAY_S,
       (WALL + 7201) * 1000000, REASON_AHEAD},
      {"a year ahead", CW_PAST_S, 60, (WALL + 365 * DAY_S) * 1000000,
       REASON_AHEAD},
      {"the end of time", CW_PAST_S, 60, INT64_MAX, REASON_AHEAD},
      {"the beginning of time", CW_PAST_S, 60, INT64_MIN, REASON_OLD},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct stream s;
    stream_open(&s, "Metric 'm'", 10);
    agg_init(&s.agg, 10, 100, cases[i].past_s, cases[i].ahead_s, 0, 1);
    write_gauge(&s, 1, cases[i].time_us);
    write_gauge(&s, 1, cases[i].time_us + (cases[i].time_us < 0));
    bool is_taken = cases[i].reason < 0;
    if (s.agg.samples.n != is_taken)
      fail_msg("%s: %zu samples", cases[i].label, s.agg.samples.n);
    for (int r = 0; r < N_REASONS; r++)
      if (s.agg.tally.row[r].n != (r == cases[i].reason ? 2u : 0u) &&
          r != REASON_TWICE)
        fail_msg("%s: reason %d", cases[i].label, r);
    if (is_taken)
      assert_int_equal(s.agg.samples.sample[0].second,
                       cases[i].time_us / 1000000);
    stream_close(&s);
  }
}

/* What CloudWatch accepts goes by its clock, and what this host may stamp by
 * its own. */
static void the_window_goes_by_two_clocks(void **state) {
  (void)state;
  static const struct {
    const char *label;
    int64_t offset_s; /* the service's clock less ours */
    int64_t past_s, at_s;
    int reason; /* -1: taken */
  } cases[] = {
      {"20 minutes fast: our own", -1200, CW_PAST_S, 0, -1},
      {"20 minutes fast: FlushInterval ahead", -1200, CW_PAST_S, 60, -1},
      {"20 minutes fast: beyond", -1200, CW_PAST_S, 61, REASON_AHEAD},
      {"20 minutes fast: of a host that is right", -1200, CW_PAST_S, -1200, -1},
      {"20 minutes slow: our own", 1200, CW_PAST_S, 0, -1},
      {"20 minutes slow: beyond, by our clock", 1200, CW_PAST_S, 61,
       REASON_AHEAD},
      {"two hours fast: just taken", -7200, CW_PAST_S, 0, -1},
      {"a second more", -7201, CW_PAST_S, 0, REASON_AHEAD},
      {"three hours fast: our own", -10800, CW_PAST_S, 0, REASON_AHEAD},
      {"three hours fast: of a host that is right", -10800, CW_PAST_S, -10800,
       -1},
      {"fast, and two weeks old by the right clock", -1200, CW_PAST_S,
       -1200 - 14 * DAY_S, -1},
      {"a second older", -1200, CW_PAST_S, -1201 - 14 * DAY_S, REASON_OLD},
      {"slow, and two weeks old by the right clock", 1200, CW_PAST_S,
       1200 - 14 * DAY_S, -1},
      {"a second older, still young by ours", 1200, CW_PAST_S,
       1199 - 14 * DAY_S, REASON_OLD},
      {"BufferAge, too", 1200, 3600, -2401, REASON_OLD},
      {"years behind: our own", 1000 * DAY_S, CW_PAST_S, 0, REASON_OLD},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct stream s;
    stream_open(&s, "Metric 'm'", 10);
    agg_init(&s.agg, 10, 100, cases[i].past_s, 60, 0, 1);
    s.offset_s = cases[i].offset_s;
    write_gauge(&s, 1, (WALL + cases[i].at_s) * 1000000);
    bool is_taken = cases[i].reason < 0;
    if (s.agg.samples.n != is_taken)
      fail_msg("%s: %zu samples", cases[i].label, s.agg.samples.n);
    if (!is_taken && s.agg.tally.row[cases[i].reason].n != 1)
      fail_msg("%s: not counted", cases[i].label);
    stream_close(&s);
  }
}

static void the_same_time_again_counts_once(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'", 10);
  write_gauge(&s, 1, WALL * 1000000);
  write_gauge(&s, 1, WALL * 1000000);
  write_gauge(&s, 2, WALL * 1000000);
  write_gauge(&s, 3, WALL * 1000000 + 1);
  write_gauge(&s, 2, WALL * 1000000 - 5);
  assert_int_equal(s.agg.samples.n, 4);
  assert_int_equal(s.agg.tally.row[REASON_TWICE].n, 1);
  stream_close(&s);
}

static void numbers_that_nobody_takes(void **state) {
  (void)state;
  static const struct {
    const char *label, *blocks;
    double value;
    int reason; /* -1: taken */
    double want;
  } cases[] = {
      {"a number", "Metric 'm'", 1.5, -1, 1.5},
      {"NaN", "Metric 'm'", NAN, REASON_NAN, 0},
      {"NaN as 0", "Metric 'm'\nOnNaN 'zero'", NAN, -1, 0},
      {"NaN as 0 before Offset", "Metric 'm'\nOnNaN 'zero'\nOffset '3'", NAN,
       -1, 3},
      {"infinity", "Metric 'm'", INFINITY, REASON_INFINITE, 0},
      {"minus infinity", "Metric 'm'", -INFINITY, REASON_INFINITE, 0},
      {"1e109", "Metric 'm'", 1e109, REASON_RANGE, 0},
      {"1e109 scaled", "Metric 'm'\nScale '0.001'", 1e109, -1, 1e109 * 0.001},
      {"too large when scaled", "Metric 'm'\nScale '1000'", 1e106, REASON_RANGE,
       0},
      {"1e-110", "Metric 'm'", 1e-110, -1, 0},
      {"scale, offset, round",
       "Metric 'm'\nScale '0.1'\nOffset '0.25'\nRound 'ceil'", 12, -1, 2},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct stream s;
    stream_open(&s, cases[i].blocks, 10);
    write_gauge(&s, cases[i].value, WALL * 1000000);
    if (s.agg.samples.n != (cases[i].reason < 0))
      fail_msg("%s: %zu samples", cases[i].label, s.agg.samples.n);
    if (cases[i].reason < 0 && s.agg.samples.sample[0].value != cases[i].want)
      fail_msg("%s: %g", cases[i].label, s.agg.samples.sample[0].value);
    if (cases[i].reason >= 0 &&
        (s.agg.tally.row[cases[i].reason].n != 1 ||
         strcmp(s.agg.tally.row[cases[i].reason].example, "a/p/t") != 0))
      fail_msg("%s: not counted", cases[i].label);
    stream_close(&s);
  }
}

/* 100, then what a case says, 10 s later each; the last sample's value. */
static void counters_are_published_as_asked(void **state) {
  (void)state;
  static const struct {
    const char *label, *blocks;
    enum kind kind;
    uint64_t second;
    size_t n;
    double want;
    int reason; /* -1: none */
  } cases[] = {
      {"a rate", "Metric 'm'", KIND_DERIVE, 160, 1, 6, -1},
      {"a difference", "Metric 'm'\nCounters 'delta'", KIND_DERIVE, 160, 1, 60,
       -1},
      {"as it is", "Metric 'm'\nCounters 'raw'", KIND_DERIVE, 160, 2, 160, -1},
      {"reset", "Metric 'm'", KIND_DERIVE, 5, 0, 0, REASON_RESET},
      {"reset does not matter as it is", "Metric 'm'\nCounters 'raw'",
       KIND_DERIVE, 5, 2, 5, -1},
      {"a counter", "Metric 'm'", KIND_COUNTER, 160, 1, 6, -1},
      {"a counter's reset", "Metric 'm'", KIND_COUNTER, 5, 0, 0, REASON_RESET},
      {"absolute", "Metric 'm'", KIND_ABSOLUTE, 160, 2, 16, -1},
      {"absolute as difference", "Metric 'm'\nCounters 'delta'", KIND_ABSOLUTE,
       160, 2, 160, -1},
      {"a rate, scaled after", "Metric 'm'\nScale '2'\nOffset '1'", KIND_DERIVE,
       160, 1, 13, -1},
      {"rate and raw beside each other",
       "Metric 'm'\nMetric 'n'\nCounters 'raw'", KIND_DERIVE, 160, 3, 160, -1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct stream s;
    struct reading reading = {
        .name = "value", .kind = cases[i].kind, .max = NAN};
    stream_open(&s, cases[i].blocks, 10);
    reading.value.counter = 100;
    write_one(&s, &reading, (WALL - 10) * 1000000);
    reading.value.counter = cases[i].second;
    write_one(&s, &reading, WALL * 1000000);
    const struct samples *got = &s.agg.samples;
    if (got->n != cases[i].n ||
        (got->n > 0 && got->sample[got->n - 1].value != cases[i].want))
      fail_msg("%s: %zu samples, %g", cases[i].label, got->n,
               got->n > 0 ? got->sample[got->n - 1].value : 0);
    for (int r = 0; r < N_REASONS; r++)
      if (s.agg.tally.row[r].n != (r == cases[i].reason))
        fail_msg("%s: reason %d", cases[i].label, r);
    stream_close(&s);
  }
}

static void a_rate_of_an_older_value_is_counted(void **state) {
  (void)state;
  struct stream s;
  struct reading reading = {.name = "value", .kind = KIND_DERIVE};
  stream_open(&s, "Metric 'm'", 10);
  reading.value.derive = 100;
  write_one(&s, &reading, WALL * 1000000);
  reading.value.derive = 50;
  write_one(&s, &reading, (WALL - 10) * 1000000);
  assert_int_equal(s.agg.tally.row[REASON_NOT_NEWER].n, 1);
  reading.value.derive = 200;
  write_one(&s, &reading, (WALL + 10) * 1000000);
  assert_int_equal(s.agg.samples.n, 1);
  assert_true(s.agg.samples.sample[0].value == 10);
  stream_close(&s);
}

/* A year ahead at boot, then set right: rates go on at once. */
static void rates_outlive_a_clock_that_was_set_back(void **state) {
  (void)state;
  struct stream s;
  struct reading reading = {.name = "value", .kind = KIND_DERIVE};
  struct input in = {.part = {"a", "p", "", "t", ""},
                     .readings = &reading,
                     .n_readings = 1,
                     .interval_us = 10000000};
  stream_open(&s, "Metric 'm'", 10);
  for (int i = 0; i < 4; i++) {
    int64_t wall_s = WALL + i * 10 + (i < 2 ? 365 * DAY_S : 0);
    reading.value.derive = i * 100;
    in.time_us = wall_s * 1000000;
    stream_write(&s, &in, wall_s);
  }
  assert_int_equal(s.agg.samples.n, 2);
  assert_true(s.agg.samples.sample[1].value == 10);
  assert_int_equal(s.agg.samples.sample[1].second, WALL + 30);
  assert_int_equal(s.agg.tally.row[REASON_NOT_NEWER].n, 0);
  stream_close(&s);
}

static void each_data_source_has_its_own_rate(void **state) {
  (void)state;
  struct reading readings[] = {{.name = "rx", .kind = KIND_DERIVE},
                               {.name = "load", .kind = KIND_GAUGE},
                               {.name = "tx", .kind = KIND_DERIVE}};
  struct input in = {.part = {"a", "p", "", "t", ""},
                     .readings = readings,
                     .n_readings = 3,
                     .interval_us = 10000000};
  struct stream s;
  stream_open(&s, "Metric '%{ds}'", 10);
  for (int i = 0; i < 2; i++) {
    readings[0].value.derive = i * 10;
    readings[1].value.gauge = 0.5;
    readings[2].value.derive = i * 1000;
    in.time_us = (WALL + i * 10) * 1000000;
    stream_write(&s, &in, WALL);
  }
  stream_flush(&s, 60, false);
  assert_string_equal(buf_str(&s.out), "rx@0=1 load@0=0.5x2 tx@0=100");
  stream_close(&s);
}

static void the_list_is_bounded(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'", 10);
  s.agg.max_samples = 100;
  for (int i = 0; i < 130; i++)
    stream_gauge(&s, "a", 1, i, 10);
  assert_int_equal(s.agg.samples.n, 100);
  assert_int_equal(s.agg.samples.cap, 100);
  assert_int_equal(s.agg.tally.row[REASON_FULL].n, 30);
  stream_flush(&s, 60, false);

  /* Less room than there was: the list has it still, but does not use it. */
  s.agg.max_samples = 10;
  (void)samples_reserve(&s.taken, 100);
  agg_take(&s.agg, &s.taken);
  for (int i = 0; i < 30; i++)
    stream_gauge(&s, "a", 1, 200 + i, 10);
  assert_int_equal(s.agg.samples.n, 10);
  assert_int_equal(s.agg.tally.row[REASON_FULL].n, 50);
  stream_close(&s);
}

static void lists_are_swapped(void **state) {
  (void)state;
  struct samples samples = {0}, empty = {0};
  struct agg agg;
  assert_int_equal(samples_reserve(&samples, 10), 0);
  agg_init(&agg, 10, 100, CW_PAST_S, 60, 0, 1);
  agg_take(&agg, &samples);
  assert_int_equal(agg.samples.cap, 10);
  assert_int_equal(samples.cap, 0);
  agg_take(&agg, &empty);
  assert_int_equal(empty.cap, 10);
  samples_clear(&empty);
  agg_clear(&agg);
}

/* Writes n values of one host, takes the list, and says how much room the next
 * one should have. */
static size_t room_after(struct stream *s, int n, int64_t at) {
  for (int i = 0; i < n; i++)
    stream_gauge(s, "a", i, (double)at + i / 1e6, 10);
  size_t room = agg_room(&s->agg);
  stream_flush(s, at, false);
  return room;
}

static void a_long_list_is_remembered_for_a_while(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'", 10);
  size_t usual = room_after(&s, 100, 0);
  assert_in_range(usual, 125, 200);
  size_t most = room_after(&s, 100000, 10);
  assert_in_range(most, 125000, 126000);
  for (int i = 0; i < AGG_TAKEN; i++)
    assert_int_equal(room_after(&s, i == 0 ? 0 : 100, 20 + 10 * i), most);
  assert_int_equal(room_after(&s, 100, 70), usual);

  /* Never more than there may be. */
  s.agg.max_samples = 50;
  assert_int_equal(room_after(&s, 100, 80), 50);
  assert_int_equal(stream_lost(&s, REASON_FULL), 50);
  stream_close(&s);
}

static void half_a_list_is_worth_taking(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'", 10);
  s.agg.max_samples = 100;
  for (int i = 0; i < 100; i++) {
    assert_int_equal(agg_is_half_full(&s.agg), i >= 50);
    stream_gauge(&s, "a", 1, i, 10);
  }
  stream_flush(&s, 10, false);
  assert_false(agg_is_half_full(&s.agg));
  stream_close(&s);
}

static void intervals_are_whole_seconds(void **state) {
  (void)state;
  static const struct {
    int64_t interval_us;
    uint32_t want;
  } cases[] = {{1, 1},
               {500000, 1},
               {1000000, 1},
               {1000001, 2},
               {10000000, 10},
               {86400000000, 86400},
               {86400000001, 86400},
               {INT64_C(1) << 54, 86400}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct stream s;
    struct reading reading = {.name = "value", .kind = KIND_GAUGE};
    struct input in = {.part = {"a", "p", "", "t", ""},
                       .readings = &reading,
                       .n_readings = 1,
                       .time_us = WALL * 1000000,
                       .interval_us = cases[i].interval_us};
    stream_open(&s, "Metric 'm'", 10);
    stream_write(&s, &in, WALL);
    assert_int_equal(s.agg.samples.sample[0].interval_s, cases[i].want);
    stream_close(&s);
  }
}

/* Only those of a value that was seen keep an identifier alive, whatever the
 * value was worth. */
static void any_value_keeps_its_identifier(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'", 10);
  s.steady_s = 100;
  write_gauge(&s, 1, WALL * 1000000);
  s.steady_s = 200;
  write_gauge(&s, NAN, 5);
  assert_int_equal(stream_forget(&s, 200), 0);
  assert_int_equal(s.agg.table.n, 1);
  stream_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_window_ends_on_the_second),
      cmocka_unit_test(the_window_goes_by_two_clocks),
      cmocka_unit_test(the_same_time_again_counts_once),
      cmocka_unit_test(numbers_that_nobody_takes),
      cmocka_unit_test(counters_are_published_as_asked),
      cmocka_unit_test(a_rate_of_an_older_value_is_counted),
      cmocka_unit_test(rates_outlive_a_clock_that_was_set_back),
      cmocka_unit_test(each_data_source_has_its_own_rate),
      cmocka_unit_test(the_list_is_bounded),
      cmocka_unit_test(lists_are_swapped),
      cmocka_unit_test(a_long_list_is_remembered_for_a_while),
      cmocka_unit_test(half_a_list_is_worth_taking),
      cmocka_unit_test(intervals_are_whole_seconds),
      cmocka_unit_test(any_value_keeps_its_identifier),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
