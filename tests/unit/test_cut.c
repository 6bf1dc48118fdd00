#include "metric/cut.h"

#include "stream.h"
#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#define GROUP "Dimension 'G' '%{ec2:region}'\n"
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

/* However long a slot is open, what waits for its end is bounded.  Of a sum the
 * newest values find no room; all others are counted together. */
static void what_waits_is_bounded(void **state) {
  (void)state;
  static const struct {
    const char *blocks, *want;
    double step; /* from value to value */
    size_t n_left, n_lost;
  } bounded[] = {
      {"Metric 'm'", "m@0=1x60", 0, 10, 0},
      {"Metric 'm'", "m@0=[n60 s1830 1..60]", 1, 13, 0},
      {"Metric 'm'\nStatistics 'set'", "m@0=[n60 s1830 1..60]", 1, 13, 0},
      {"Metric 'm'\nStatistics 'max'", "m@0=60", 1, 13, 0},
      {"Metric 'm'\nStatistics 'last'", "m@0=60", 1, 10, 0},
      {"Metric 'm'\nCombine 'sum'", "m@0=50", 1, 50, 10},
  };
  for (size_t i = 0; i < sizeof(bounded) / sizeof(bounded[0]); i++) {
    struct stream s;
    stream_open(&s, bounded[i].blocks, 100);
    s.cut.limit_bytes = 50 * sizeof(struct sample);
    for (int second = 0; second < 60; second++) {
      stream_gauge(&s, "a", 1 + second * bounded[i].step, second, 60);
      stream_flush(&s, second, false);
      assert_true(cut_bytes(&s.cut) <= s.cut.limit_bytes);
    }
    assert_int_equal(cut_bytes(&s.cut),
                     bounded[i].n_left * sizeof(struct sample));
    assert_int_equal(stream_held(&s), bounded[i].n_left);
    assert_int_equal(stream_lost(&s, REASON_FULL), bounded[i].n_lost);
    stream_flush(&s, 60, false);
    assert_string_equal(buf_str(&s.out), bounded[i].want);
    assert_int_equal(stream_held(&s), 0);
    assert_int_equal(stream_lost(&s, REASON_FOLDED), i == 1 ? 60 : 0);
    stream_close(&s);
  }
}

/* At one value a period all lists together take 36 bytes a series at most, and
 * none grows while values come. */
static void lists_are_short_at_rest(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, PER_HOST, 1000);
  for (int minute = 0; minute < 8; minute++) {
    size_t cap = s.agg.samples.cap;
    for (int host = 0; host < 1000; host++) {
      char name[8];
      (void)snprintf(name, sizeof(name), "h%d", host);
      /* The last hundred come when the next period has begun. */
      stream_gauge(&s, name, host, minute * 60 + (host < 900 ? 5 : 65), 60);
    }
    if (minute > 0)
      assert_int_equal(s.agg.samples.cap, cap);
    stream_flush(&s, minute * 60 + 60, false);
    assert_int_equal(s.taken.cap, 0);
    assert_int_equal(s.cut.open.n, 100);
    size_t bytes = (s.agg.samples.cap + s.cut.open.cap) * sizeof(struct sample);
    assert_true(bytes <= 36 * 1000);
  }
  stream_close(&s);
}

/* More than a list can hold, none of which can be summed up: of two periods the
 * older goes first, of one the series that came last; no more than makes room.
 */
static void too_many_series_lose_the_oldest(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, PER_HOST, 100);
  s.period_s = 10;
  s.cut.limit_bytes = 40 * sizeof(struct sample);
  for (int second = 0; second < 20; second += 10)
    for (int host = 0; host < 26; host++) {
      const char name[2] = {(char)('a' + host), '\0'};
      stream_gauge(&s, name, host, second, 10);
    }
  stream_flush(&s, 0, false);
  assert_int_equal(stream_lost(&s, REASON_FULL), 22);
  assert_int_equal(stream_held(&s), 30);
  for (int host = 0; host < 26; host++) {
    const char name[2] = {(char)('a' + host), '\0'};
    stream_gauge(&s, name, host, 12, 10);
  }
  s.cut.limit_bytes = 24 * sizeof(struct sample);
  stream_flush(&s, 0, false);
  assert_int_equal(stream_held(&s), 18);
  assert_int_equal(stream_lost(&s, REASON_FULL), 26 + 2 * 8);
  stream_flush(&s, 20, false);
  assert_string_equal(buf_str(&s.out),
                      "m{a}@10=0x2 m{b}@10=1x2 m{c}@10=2x2 m{d}@10=3x2 "
                      "m{e}@10=4x2 m{f}@10=5x2 m{g}@10=6x2 m{h}@10=7x2 "
                      "m{i}@10=8x2 m{j}@10=9x2 m{k}@10=10x2 m{l}@10=11x2 "
                      "m{m}@10=12x2 m{n}@10=13x2 m{o}@10=14x2 m{p}@10=15x2 "
                      "m{q}@10=16x2 m{r}@10=17x2");
  assert_int_equal(stream_held(&s), 0);
  stream_close(&s);
}

/* Hosts a, b ... with six values each in one period, and room for so many
 * entries; FULL counts what the plugin drops of them.  Returns the text of what
 * is published. */
static const char *squeeze(struct stream *s, const char *rules, size_t room,
                           int n_hosts) {
  stream_open(s, rules, 100);
  s->cut.limit_bytes = room * sizeof(struct sample);
  for (int i = 0; i < 6; i++)
    for (int host = 0; host < n_hosts; host++) {
      const char name[2] = {(char)('a' + host), '\0'};
      stream_gauge(s, name, 100 + host + i, i * 9, 10);
    }
  stream_flush(s, 59, false);
  stream_flush(s, 59, false);
  stream_flush(s, 60, false);
  return buf_str(&s->out);
}

/* What is summed up is four entries, and goes whole or not at all. */
static void no_period_is_cut_through(void **state) {
  (void)state;
  static const struct {
    const char *statistics;
    int greatest, sum; /* of host a, if that is told */
  } kinds[] = {{"set", 105, 615}, {"max", 105, 0}};
  for (size_t c = 0; c < 2; c++)
    for (size_t room = 8; room < 30; room++) {
      struct stream s;
      char rules[100], want[400] = "";
      size_t len = 0, n_left = 0;
      (void)snprintf(rules, sizeof(rules), "%s\nStatistics '%s'", PER_HOST,
                     kinds[c].statistics);
      const char *out = squeeze(&s, rules, room, 6);
      while (strlen(out) > len && n_left < 6) {
        int k = (int)n_left++;
        len += (size_t)snprintf(
            want + len, sizeof(want) - len,
            kinds[c].sum > 0 ? "%sm{%c}@0=[n6 s%d %d..%d]" : "%sm{%c}@0=%d",
            k > 0 ? " " : "", 'a' + k,
            kinds[c].sum > 0 ? kinds[c].sum + 6 * k : kinds[c].greatest + k,
            100 + k, kinds[c].greatest + k);
      }
      assert_string_equal(out, want);
      assert_true(n_left > 0);
      assert_int_equal(stream_lost(&s, REASON_FULL), 6 * (6 - n_left));
      stream_close(&s);
    }
}

/* Of some series the seconds are kept, of others the period alone. */
static void the_oldest_is_the_oldest_period(void **state) {
  (void)state;
  static const char *const more[] = {"", "\nMetric 'l'\nStatistics 'last'",
                                     "\nMetric 'l'\nStorageResolution '1'"};
  for (size_t i = 0; i < 3; i++) {
    struct stream s;
    char rules[200];
    (void)snprintf(rules, sizeof(rules), "%s%s", PER_HOST, more[i]);
    (void)squeeze(&s, rules, 40, 10);
    if (stream_lost(&s, REASON_FULL) > 60)
      fail_msg("%s: %d", more[i], (int)stream_lost(&s, REASON_FULL));
    stream_close(&s);
  }
}

static void no_more_of_what_is_awaited_goes_than_must(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, PER_HOST "\nDimension 'Region' '%{ec2:region}'", 100);
  s.cut.limit_bytes = 40 * sizeof(struct sample);
  s.awaited = UINT64_MAX;
  for (int host = 0; host < 21; host++) {
    const char name[2] = {(char)('a' + host), '\0'};
    assert_int_equal(stream_lost(&s, REASON_AWAITED), 0);
    stream_gauge(&s, name, host, host, 60);
    stream_flush(&s, 59, false);
  }
  assert_int_equal(stream_lost(&s, REASON_AWAITED), 1);
  assert_int_equal(stream_held(&s), 20);
  stream_close(&s);
}

/* Its values were dropped after the flush, and nobody feeds it any more. */
static void a_group_that_lost_all_is_not_forgotten_yet(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s,
              "Metric 'c'\nCombine 'sum'\nDimension 'Host' '%{host}'\n"
              "Dimension 'Region' '%{ec2:region}'",
              100);
  s.cut.limit_bytes = 24 * sizeof(struct sample);
  s.awaited = UINT64_MAX;
  stream_play(&s, "a@1=1 a@11=1 |20");
  s.steady_s = 4000;
  for (int second = 4000; second < 4200; second += 10)
    stream_gauge(&s, "b", 1, second, 10);
  stream_flush(&s, 4200, false);
  assert_true(stream_lost(&s, REASON_AWAITED) > 0);
  (void)stream_forget(&s, 3700);
  stream_flush(&s, 4210, false);
  (void)stream_forget(&s, 3700);
  assert_int_equal(s.agg.table.n, 1);
  stream_close(&s);
}

/* Values of slots have all the room that others leave; others have half. */
static void slots_leave_half(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s,
              "Metric 'count'\nCombine 'count'\nPlugin 'p'\nHost '/[A-Z]/'\n"
              "Metric '%{host}'\nHost '/[a-z]/'",
              100);
  s.cut.limit_bytes = 20 * sizeof(struct sample);
  for (int second = 0; second < 20; second++)
    stream_gauge(&s, "A", 1, second, 60);
  for (int host = 0; host < 10; host++) {
    const char name[2] = {(char)('a' + host), '\0'};
    stream_gauge(&s, name, host, 1, 60);
  }
  stream_flush(&s, 0, false);
  assert_int_equal(s.cut.n_waiting, 10);
  assert_int_equal(s.cut.open.n, 10);
  assert_int_equal(stream_lost(&s, REASON_FULL), 10);
  stream_close(&s);
}

/* ---- many, of which as much is known as came ------------------------------
 */

struct seen {
  double n, sum, least, greatest;
  size_t n_data, n_sets, n_values;
};

static void see(void *context, const struct datum *datum) {
  struct seen *seen = context;

  if (seen->n_data++ == 0) {
    seen->least = HUGE_VAL;
    seen->greatest = -HUGE_VAL;
  }
  if (datum->form == DATUM_SET) {
    seen->n += datum->sample_count;
    seen->sum += datum->sum;
    seen->least = fmin(seen->least, datum->minimum);
    seen->greatest = fmax(seen->greatest, datum->maximum);
    seen->n_sets++;
    return;
  }
  const double one = 1;
  bool is_list = datum->form == DATUM_VALUES;
  for (size_t i = 0; i < (is_list ? datum->n_values : 1); i++) {
    double value = is_list ? datum->values[i] : datum->value;
    double count = is_list ? datum->counts[i] : one;
    seen->n += count;
    seen->sum += count * value;
    seen->least = fmin(seen->least, value);
    seen->greatest = fmax(seen->greatest, value);
    seen->n_values++;
  }
}

/* A million values of one series and period, in so many different ones: as they
 * come, or with lists that are taken and made shorter on the way. */
static void a_million_in_one_period(void **state) {
  (void)state;
  static const struct {
    int n_distinct;
    size_t limit, n_data, n_sets; /* limit: of what is open, in samples */
  } cases_of_many[] = {
      {1, SIZE_MAX / 32, 1, 0},      {150, SIZE_MAX / 32, 1, 0},
      {10000, SIZE_MAX / 32, 67, 0}, {15000, SIZE_MAX / 32, 100, 0},
      {15001, SIZE_MAX / 32, 1, 1},  {1000000, SIZE_MAX / 32, 1, 1},
      {10000, 20000, 67, 0},         {10000, 9000, 1, 1},
      {1000000, 10000, 1, 1},
  };
  for (size_t c = 0; c < sizeof(cases_of_many) / sizeof(cases_of_many[0]);
       c++) {
    struct stream s;
    struct seen seen = {0};
    int n_distinct = cases_of_many[c].n_distinct;
    stream_open(&s, "Metric 'm'", 100);
    s.cut.limit_bytes = cases_of_many[c].limit * sizeof(struct sample);
    double sum = 0;
    for (int i = 0; i < 1000000; i++) {
      double value = (double)((int64_t)i * 7919 % n_distinct);
      sum += value;
      stream_gauge(&s, "a", value, i / 20000.0, 60);
      if (i % 50000 == 0)
        stream_flush(&s, 0, false);
    }
    stream_flush(&s, 0, false);
    assert_true(cut_bytes(&s.cut) <= s.cut.limit_bytes);
    struct horizon horizon = {
        .until_s = EPOCH + 60, .latest_s = EPOCH + 120, .period_s = 60};
    cut_run(&s.cut, &horizon, &s.tally, see, &seen);
    if (seen.n != 1e6 || seen.sum != sum || seen.least != 0 ||
        seen.greatest != n_distinct - 1 ||
        seen.n_data != cases_of_many[c].n_data ||
        seen.n_sets != cases_of_many[c].n_sets)
      fail_msg("%d different values: %g, sum %g, %g..%g in %zu data, %zu sets",
               n_distinct, seen.n, seen.sum, seen.least, seen.greatest,
               seen.n_data, seen.n_sets);
    assert_int_equal(stream_lost(&s, REASON_FOLDED),
                     seen.n_sets > 0 ? 1000000 : 0);
    assert_int_equal(stream_lost(&s, REASON_FULL), 0);
    assert_int_equal(stream_held(&s), 0);
    assert_int_equal(cut_bytes(&s.cut), 0);
    stream_close(&s);
  }
}

/* Whatever comes, however little may be kept: what is published and what is
 * counted as lost are together what came. */
static void all_are_accounted_for(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("cut");
  static const char *const blocks[] = {
      PER_HOST, PER_HOST "\nStatistics 'set'",
      GROUP "Metric 'm'\nHost '/[a-m]/'\nMetric 'n'\nHost '/[n-z]/'\n"
            "DimensionSet ''",
      PER_HOST "\nStorageResolution '1'"};
  for (int round = 0; round < 200; round++) {
    struct stream s;
    struct seen seen = {0};
    size_t n_come = 0, range = 1 + wire_below(&random, 50);
    stream_open(&s, blocks[wire_below(&random, 4)], 100);
    s.period_s = 10;
    s.cut.limit_bytes = (10 + wire_below(&random, 200)) * sizeof(struct sample);
    for (int64_t second = 0; second < 200; second++) {
      for (size_t n = wire_below(&random, 20); n > 0; n--) {
        const char name[2] = {(char)('a' + wire_below(&random, 26)), '\0'};
        double at = (double)second + (double)n / 32;
        stream_gauge(&s, name, (double)wire_below(&random, range), at, 10);
        n_come++;
      }
      if (wire_often(&random, 70))
        continue;
      s.awaited = wire_often(&random, 80) && second < 180 ? UINT64_MAX : 0;
      struct horizon horizon = {.until_s = EPOCH + second - second % 30,
                                .latest_s = EPOCH + second + 60,
                                .period_s = s.period_s,
                                .awaited = s.awaited};
      s.cut.period_s = s.period_s;
      agg_take(&s.agg, &s.taken);
      cut_put(&s.cut, &s.taken, &s.tally);
      if (wire_often(&random, 50))
        cut_run(&s.cut, &horizon, &s.tally, see, &seen);
      cut_limit(&s.cut, s.awaited, &s.tally);
      assert_true(cut_bytes(&s.cut) <= s.cut.limit_bytes);
      assert_int_equal(stream_held(&s), s.cut.open.n);
    }
    struct horizon end = {
        .until_s = EPOCH + 900, .latest_s = EPOCH + 900, .period_s = 10};
    agg_take(&s.agg, &s.taken);
    cut_put(&s.cut, &s.taken, &s.tally);
    cut_run(&s.cut, &end, &s.tally, see, &seen);
    uint64_t n_lost =
        stream_lost(&s, REASON_FULL) + stream_lost(&s, REASON_AWAITED);
    uint64_t n_twice = stream_lost(&s, REASON_TWICE);
    if (seen.n + (double)(n_lost + n_twice) != (double)n_come)
      fail_msg("round %d: %g published and %d lost of %zu", round, seen.n,
               (int)n_lost, n_come);
    assert_int_equal(stream_held(&s), 0);
    stream_close(&s);
  }
}

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

/* What can be summed up, or counted together, is not dropped. */
static void what_waits_is_made_shorter(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, GROUP "Metric 'm'\nStatistics 'set'", 100);
  s.cut.limit_bytes = 40 * sizeof(struct sample);
  stream_play(&s, "?");
  for (int second = 0; second < 35; second++)
    stream_gauge(&s, "a", second, second, 60);
  stream_flush(&s, 0, false);
  assert_int_equal(s.cut.open.n, 4);
  assert_int_equal(stream_lost(&s, REASON_AWAITED), 0);
  stream_play(&s, "+ |60");
  assert_string_equal(buf_str(&s.out), "m{$}@0=[n35 s595 0..34]");
  stream_close(&s);
}

/* Only so many of those that wait are dropped as others need. */
static void what_waits_makes_way(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s,
              GROUP "Metric 'm'\nHost 'z'\nMetric '%{host}'\nHost '!z'\n"
                    "DimensionSet ''",
              100);
  s.period_s = 1;
  s.cut.limit_bytes = 40 * sizeof(struct sample);
  stream_play(&s, "?");
  for (int second = 0; second < 18; second++)
    stream_gauge(&s, "z", second, second, 60);
  for (int host = 0; host < 23; host++) {
    const char name[2] = {(char)('a' + host), '\0'};
    stream_gauge(&s, name, host, 20, 60);
  }
  stream_flush(&s, 0, false);
  assert_in_range(stream_lost(&s, REASON_AWAITED), 11, 13);
  assert_int_equal(stream_lost(&s, REASON_FULL), 0);
  stream_close(&s);
}

/* What a flush cuts at once is not made shorter before. */
static void what_is_due_stays_exact(void **state) {
  (void)state;
  struct stream s;
  stream_open(&s, "Metric 'm'", 100);
  s.cut.limit_bytes = 6 * sizeof(struct sample);
  stream_play(&s, "a@0=1 a@1=2 a@2=3 a@3=4 a@4=5 |0 a@5=6 a@6=7 a@7=8 |60");
  assert_string_equal(buf_str(&s.out), "m@0=1,2,3,4,5,6,7,8");
  assert_int_equal(stream_lost(&s, REASON_FOLDED), 0);
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
  assert_int_equal(stream_lost(&s, REASON_AWAITED), 0);
  assert_int_equal(stream_lost(&s, REASON_FULL), 0);
  assert_int_equal(cut_bytes(&s.cut), 12 * sizeof(struct sample));
  buf_reset(&s.out);
  stream_play(&s, "+ |60");
  assert_string_equal(buf_str(&s.out),
                      "m{$}@0=0,1,2,3,4,5,6,7 n@0=[n30 s435 0..29]");
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
      cmocka_unit_test(lists_are_short_at_rest),
      cmocka_unit_test(too_many_series_lose_the_oldest),
      cmocka_unit_test(no_period_is_cut_through),
      cmocka_unit_test(the_oldest_is_the_oldest_period),
      cmocka_unit_test(no_more_of_what_is_awaited_goes_than_must),
      cmocka_unit_test(a_group_that_lost_all_is_not_forgotten_yet),
      cmocka_unit_test(slots_leave_half),
      cmocka_unit_test(a_million_in_one_period),
      cmocka_unit_test(all_are_accounted_for),
      cmocka_unit_test(what_needs_identity_waits_for_it),
      cmocka_unit_test(what_waits_leaves_room),
      cmocka_unit_test(what_waits_is_made_shorter),
      cmocka_unit_test(what_waits_makes_way),
      cmocka_unit_test(what_is_due_stays_exact),
      cmocka_unit_test(whole_slots_make_room),
      cmocka_unit_test(what_is_open_is_bounded_beside_what_waits),
      cmocka_unit_test(what_still_waits_at_the_stop_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
