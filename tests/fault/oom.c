/* Lack of memory, by the linker (--wrap): each story is told again and again,
 * with the first, the second, the third ... allocation refused, until none is.
 * Each time nothing crashes, leaks, or stays held; every value is published or
 * counted as lost; and as soon as there is memory again all is as if nothing
 * had happened. */
#include "metric/batch.h"
#include "metric/encode_json.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "oom.h"

/* ---- from values to a body ---------------------------------------------- */

struct run {
  struct stream s;
  struct json_out *json;
  struct buf text;
  struct parcel *parcel;
  size_t n_written; /* values */
  double published; /* samples, by their counts */
  double lost;      /* of data that found no memory */
  size_t n_data;
  bool has_values; /* of the instance: names are filled in */
  struct fill fill;
};

static double samples_of(const struct datum *datum) {
  double n = 0;

  switch (datum->form) {
  case DATUM_VALUE:
    return 1;
  case DATUM_VALUES:
    for (size_t i = 0; i < datum->n_values; i++)
      n += datum->counts[i];
    return n;
  case DATUM_SET:
    return datum->sample_count;
  }
  return n;
}

/* Whatever lacks, no datum of a group has the name of the fleet's, or another
 * group's. */
static void check_name(const struct datum *marked, const struct datum *filled) {
  const struct series_name *want = marked->series, *name = filled->series;

  assert_int_equal(name->n_dimensions, want->n_dimensions);
  assert_string_equal(name->name, want->n_dimensions > 0 ? "m-g" : "m");
  assert_string_equal(name->namespace, "collectd");
  if (name->n_dimensions == 0)
    return;
  assert_string_equal(name->dimensions[0].name, "Group");
  assert_string_equal(name->dimensions[0].value, "g/x");
}

/* As run/flush.c does it. */
static bool fill_in(struct run *run, struct datum *datum) {
  static char group[] = "g";
  struct ec2_values values = {.n = 1};
  struct datum marked = *datum;

  if (!run->has_values)
    return true;
  values.value[0].state = EC2_KNOWN;
  values.value[0].text = group;
  if (fill_name(&run->fill, datum->series, &values) != FILLED)
    return false;
  datum->series = &run->fill.name;
  check_name(&marked, datum);
  return true;
}

static void take_datum(void *context, const struct datum *marked) {
  struct run *run = context;
  struct datum named = *marked;
  const struct datum *datum = &named;

  if (!fill_in(run, &named)) {
    run->lost += samples_of(datum);
    return;
  }
  buf_reset(&run->text);
  if (run->parcel == NULL)
    run->parcel = parcel_new(datum->series->namespace, EPOCH);
  if (run->parcel == NULL ||
      encode_json_datum(run->json, datum, &run->text) != 0 ||
      parcel_add(run->parcel, (struct str){buf_str(&run->text), run->text.len},
                 datum->identifier, datum->time_s) != 0) {
    run->lost += samples_of(datum);
    return;
  }
  run->published += samples_of(datum);
  run->n_data++;
}

static void put(struct run *run, int host, int64_t second) {
  char name[8];

  (void)snprintf(name, sizeof(name), "h%d", host);
  stream_gauge(&run->s, name, host, (double)second, 10);
  run->n_written++;
}

static void cut(struct run *run, int64_t until) {
  struct horizon horizon = {.until_s = EPOCH + until,
                            .latest_s = EPOCH + until + 60,
                            .period_s = 10,
                            .awaited = run->s.awaited};

  fill_reset(&run->fill);
  run->s.cut.period_s = horizon.period_s;
  agg_take(&run->s.agg, &run->s.taken);
  cut_put(&run->s.cut, &run->s.taken, &run->s.tally);
  cut_run(&run->s.cut, &horizon, &run->s.tally, take_datum, run);
  cut_limit(&run->s.cut, run->s.awaited, &run->s.tally);
}

static void join(struct run *run, enum protocol protocol) {
  struct batch batch = BATCH_INIT;
  struct err err;

  if (run->parcel != NULL &&
      batch_begin(&batch, protocol, run->json, run->parcel->namespace, &err) ==
          0 &&
      batch_add(&batch, run->parcel, &err) > 0 && batch_end(&batch, &err) == 0)
    assert_true(batch.body.len > 0);
  batch_clear(&batch);
}

/* ---- stories ------------------------------------------------------------ */

static void before_nothing(struct run *run) { (void)run; }

static void many_hosts(struct run *run) {
  for (int second = 1; second < 40; second += 10) {
    for (int host = 0; host < 20; host++) {
      put(run, host, second);
      put(run, host, second + 5);
    }
    cut(run, second + 9);
  }
  join(run, PROTOCOL_JSON);
  join(run, PROTOCOL_QUERY);
}

/* Names are filled in when they are cut; the group of a value is awaited for
 * two flushes. */
static void many_groups(struct run *run) {
  run->has_values = true;
  for (int second = 1; second < 40; second += 10) {
    for (int host = 0; host < 20; host++)
      put(run, host, second);
    run->s.awaited = second < 20 ? 1 : 0;
    cut(run, second + 9);
  }
}

/* Room for two; the third is refused, until the first is forgotten. */
static void fill_up(struct run *run) {
  put(run, 0, 1);
  put(run, 1, 1);
  put(run, 2, 1);
  cut(run, 10);
  run->s.steady_s = 5000;
  put(run, 1, 11);
  put(run, 2, 11);
  cut(run, 20);
  (void)stream_forget(&run->s, 4000);
}

static void admit_again(struct run *run) {
  put(run, 1, 21);
  put(run, 2, 21);
  put(run, 2, 22);
}

#define PER_HOST "Dimension 'Host' '%{host}'\n"

static const struct story {
  const char *label, *blocks;
  size_t max_metrics;
  void (*before)(struct run *run);
  void (*told)(struct run *run);
  int first, last;  /* hosts that speak when there is memory again */
  bool is_balanced; /* one series and one sample for each value */
} stories[] = {
    {"plain", PER_HOST "Metric 'm'", 1000, before_nothing, many_hosts, 0, 19,
     true},
    {"sets", PER_HOST "Metric 'm'\nStatistics 'set'\nStorageResolution '1'",
     1000, before_nothing, many_hosts, 0, 19, true},
    {"combined", "Metric 'm'\nCombine 'sum'", 1000, before_nothing, many_hosts,
     0, 19, false},
    {"several series",
     PER_HOST "DimensionSet 'Host'\nDimensionSet ''\nMetric 'm'\n"
              "Metric 'n'\nCombine 'max'",
     1000, before_nothing, many_hosts, 0, 19, false},
    {"group and fleet",
     "Dimension 'Group' '%{ec2:autoscaling_group}/%{plugin_instance|x}'\n"
     "DimensionSet 'Group'\nMetric 'm%{-ec2:autoscaling_group}'\n"
     "Metric 'm'\nDimensionSet ''",
     1000, before_nothing, many_groups, 0, 19, false},
    {"refused before", PER_HOST "Metric 'm'", 2, fill_up, admit_again, 1, 2,
     false},
    {"refused before, combined", PER_HOST "Metric 'm'\nCombine 'sum'", 2,
     fill_up, admit_again, 1, 2, false},
};

/* Tells a story; returns how many data there are when there is memory again. */
static size_t tell(const struct story *story) {
  struct run run = {
      .text = BUF_INIT(1 << 18), .json = json_out_new(), .fill = FILL_INIT};

  assert_non_null(run.json);
  stream_open(&run.s, story->blocks, story->max_metrics);
  story->before(&run);
  fault.n = 0;
  fault.is_armed = true;
  story->told(&run);
  fault.is_armed = false;

  cut(&run, 7000);
  if (stream_held(&run.s) != 0 || cut_bytes(&run.s.cut) != 0)
    fail_msg("%s, allocation %zu: something is held", story->label, fault.at);
  double known =
      run.published + run.lost + (double)stream_lost(&run.s, REASON_MEMORY);
  if (story->is_balanced && known != (double)run.n_written)
    fail_msg("%s, allocation %zu: of %zu values %g are known", story->label,
             fault.at, run.n_written, known);

  run.n_data = 0;
  for (int host = story->first; host <= story->last; host++)
    put(&run, host, 8001);
  cut(&run, 8010);

  parcel_free(run.parcel);
  fill_clear(&run.fill);
  buf_clear(&run.text);
  json_out_free(run.json);
  stream_close(&run.s);
  return run.n_data;
}

static void tell_with_faults(const struct story *story, bool stays) {
  fault.at = 0;
  size_t want = tell(story), n_allocations = fault.n;
  assert_true(want > 0);
  assert_true(n_allocations > 0);

  fault.stays = stays;
  for (size_t at = 1; at <= n_allocations; at++) {
    fault.at = at;
    size_t got = tell(story);
    if (got != want)
      fail_msg("%s, allocation %zu of %zu: %zu data afterwards, not %zu",
               story->label, at, n_allocations, got, want);
  }
  print_message("%s: %zu allocations refused\n", story->label, n_allocations);
}

static void one_allocation_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
    tell_with_faults(&stories[i], false);
}

static void one_and_all_later_ones_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
    tell_with_faults(&stories[i], true);
}

/* ---- none at all -------------------------------------------------------- */

static void a_known_series_needs_none(void **state) {
  (void)state;
  static const char *const blocks[] = {
      PER_HOST "Metric 'm'", "Metric 'm'\nCombine 'sum'",
      PER_HOST "Metric 'm'\nDimensionSet ''\nDimensionSet 'Host'\nMetric 'n'"};
  for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    struct run run = {.text = BUF_INIT(1 << 18), .json = json_out_new()};
    stream_open(&run.s, blocks[i], 1000);
    fault.at = 0;
    size_t n = 0;
    for (int64_t second = 1; second < 100; second += 10) {
      fault.n = 0;
      fault.is_armed = true;
      for (int host = 0; host < 20; host++)
        put(&run, host, second);
      fault.is_armed = false;
      n += second > 30 ? fault.n : 0;
      /* As the sender does: the list in its place has room enough. */
      assert_int_equal(samples_reserve(&run.s.taken, agg_room(&run.s.agg)), 0);
      cut(&run, second + 9);
    }
    if (n != 0)
      fail_msg("%s: %zu allocations", blocks[i], n);
    parcel_free(run.parcel);
    buf_clear(&run.text);
    json_out_free(run.json);
    stream_close(&run.s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_allocation_is_refused),
      cmocka_unit_test(one_and_all_later_ones_are_refused),
      cmocka_unit_test(a_known_series_needs_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
