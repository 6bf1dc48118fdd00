#include "metric/bind.h"

#include "metric/identifier.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct reading one[] = {{.name = "value", .kind = KIND_GAUGE}};
static const struct reading two[] = {{.name = "rx", .kind = KIND_DERIVE},
                                     {.name = "tx", .kind = KIND_DERIVE}};

static struct input input(const char *host) {
  return (struct input){.part = {host, "p", "", "t", ""},
                        .readings = one,
                        .n_readings = 1,
                        .time_us = EPOCH * 1000000,
                        .interval_us = 10000000};
}

struct fixture {
  struct rules *rules;
  struct bind_table table;
  struct tally tally;
};

static void set_up(struct fixture *f, const char *blocks, size_t max_metrics) {
  *f = (struct fixture){.rules = stream_rules(blocks)};
  f->table.seed = 99;
  f->table.max_idle = 1000;
  f->table.max = 1000;
  f->table.series.max = max_metrics;
  f->table.n_meta = rules_n_meta_keys(f->rules);
}

static void tear_down(struct fixture *f) {
  bind_clear(&f->table);
  rules_free(f->rules);
}

/* Finds it, and is not its value. */
static struct binding *find(struct fixture *f, const struct input *in) {
  struct binding *binding = bind_find(
      &f->table, in, identifier_hash(in, f->table.n_meta, f->table.seed));
  if (binding != NULL)
    binding->is_seen = false;
  return binding;
}

static size_t forget(struct fixture *f, size_t first, size_t n_chains,
                     uint32_t now_s) {
  static const struct bind_patience none = {0};
  return bind_forget(&f->table, first, n_chains, now_s, &none);
}

static struct binding *put(struct fixture *f, const struct input *in,
                           uint32_t seen_s) {
  struct plan *plan = plan_new(f->rules, in, stream_notice, NULL);
  assert_non_null(plan);
  struct binding *binding =
      bind_put(&f->table, plan, in,
               identifier_hash(in, f->table.n_meta, f->table.seed), &f->tally);
  plan_free(plan);
  assert_non_null(binding);
  binding->is_seen = false;
  binding->seen_s = seen_s;
  return binding;
}

/* How many targets of a binding have a series. */
static size_t admitted(const struct binding *binding) {
  size_t n = 0;
  for (size_t i = 0; i < binding->n_targets; i++)
    n += binding_targets(binding)[i].is_admitted;
  return n;
}

#define PER_HOST "Metric 'm'\nDimension 'Host' '%{host}'"

static void an_identifier_is_bound_once(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a"), b = input("b");
  set_up(&f, PER_HOST, 10);
  assert_null(find(&f, &a));
  struct binding *binding = put(&f, &a, 1);
  assert_ptr_equal(find(&f, &a), binding);
  assert_ptr_equal(put(&f, &a, 1), binding);
  assert_null(find(&f, &b));
  assert_ptr_not_equal(put(&f, &b, 1), binding);
  assert_int_equal(f.table.n, 2);
  assert_int_equal(f.table.series.n, 2);
  assert_string_equal(binding_targets(binding)[0].series->identifier, "a/p/t");
  assert_int_equal(binding_targets(binding)[0].series->n_users, 1);
  tear_down(&f);
}

static void that_nothing_selects_it_is_remembered(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a");
  set_up(&f, "Metric 'm'\nPlugin 'q'", 10);
  struct binding *binding = put(&f, &a, 1);
  assert_int_equal(binding->n_targets, 0);
  assert_ptr_equal(find(&f, &a), binding);
  assert_int_equal(f.table.series.n, 0);
  tear_down(&f);
}

static void meta_data_that_is_used_is_of_the_key(void **state) {
  (void)state;
  static const char *const blue[] = {"blue"}, *const red[] = {"red"};
  struct fixture f;
  struct input a = input("a"), other = input("a");
  a.meta = blue;
  other.meta = red;
  set_up(&f, "Metric '%{meta:team}'", 10);
  assert_int_equal(f.table.n_meta, 1);
  struct binding *binding = put(&f, &a, 1);
  assert_null(find(&f, &other));
  assert_string_equal(binding_targets(put(&f, &other, 1))[0].series->name.name,
                      "red");
  assert_ptr_equal(find(&f, &a), binding);
  assert_string_equal(binding_targets(binding)[0].series->name.name, "blue");
  tear_down(&f);

  set_up(&f, "Metric 'm'", 10);
  binding = put(&f, &a, 1);
  assert_ptr_equal(find(&f, &other), binding);
  tear_down(&f);
}

static void targets_are_in_the_order_of_readings(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a");
  a.readings = two;
  a.n_readings = 2;
  set_up(&f,
         "Metric 'x%{.ds}'\nMetric 'y%{.ds}'\nCounters 'raw'\n"
         "Metric 'z'\nDataSource 'tx'",
         10);
  struct binding *binding = put(&f, &a, 1);
  static const struct {
    uint32_t reading;
    const char *name;
  } want[] = {{0, "x.rx"}, {0, "y.rx"}, {1, "x.tx"}, {1, "y.tx"}, {1, "z"}};
  assert_int_equal(binding->n_targets, 5);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(binding_targets(binding)[i].reading, want[i].reading);
    assert_string_equal(binding_targets(binding)[i].series->name.name,
                        want[i].name);
  }
  assert_true(binding->has_rates);
  tear_down(&f);

  set_up(&f, "Metric 'y%{.ds}'\nCounters 'raw'", 10);
  assert_false(put(&f, &a, 1)->has_rates);
  tear_down(&f);
}

/* Host series never crowd out fleet series. */
static void few_dimensions_come_first(void **state) {
  (void)state;
  static const struct {
    size_t max, n;
  } cases[] = {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}, {9, 4}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    struct input a = input("a");
    set_up(&f,
           "Dimension 'Host' '%{host}'\nDimension 'P' '%{plugin}'\n"
           "Metric 'm'\nDimensionSet 'Host' 'P'\nDimensionSet 'P'\n"
           "DimensionSet ''\nMetric 'n'\nDimensionSet 'Host'",
           cases[i].max);
    struct binding *binding = put(&f, &a, 1);
    assert_int_equal(admitted(binding), cases[i].n);
    assert_int_equal(f.tally.row[REASON_MAX_METRICS].n, 4 - cases[i].n);
    assert_int_equal(binding->is_refused, cases[i].n < 4);
    size_t most = cases[i].n <= 1 ? 0 : cases[i].n <= 3 ? 1 : 2;
    for (size_t t = 0; t < binding->n_targets; t++)
      if (binding_targets(binding)[t].is_admitted)
        assert_true(binding_targets(binding)[t].series->name.n_dimensions <=
                    most);
    tear_down(&f);
  }
}

static void the_refused_come_in_when_others_are_forgotten(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a"), b = input("b"), c = input("c");
  set_up(&f, PER_HOST "\nDimensionSet 'Host'\nDimensionSet ''", 2);
  (void)put(&f, &a, 100);
  struct binding *binding = put(&f, &b, 500);
  (void)put(&f, &c, 500);
  assert_int_equal(admitted(binding), 1);
  assert_int_equal(f.tally.row[REASON_MAX_METRICS].n, 2);
  assert_string_equal(f.tally.row[REASON_MAX_METRICS].example, "b/p/t");

  /* Not asked again for each value. */
  assert_ptr_equal(find(&f, &b), binding);
  assert_int_equal(forget(&f, 0, 1000, 100), 0);
  assert_ptr_equal(find(&f, &b), binding);

  assert_int_equal(forget(&f, 0, 1000, 101), 0);
  assert_null(find(&f, &a));
  assert_null(find(&f, &b)); /* worth asking again */
  assert_ptr_equal(put(&f, &b, 500), binding);
  assert_int_equal(admitted(binding), 2);
  assert_false(binding->is_refused);
  assert_ptr_equal(find(&f, &b), binding);

  assert_null(find(&f, &c));
  assert_int_equal(admitted(put(&f, &c, 500)), 1);
  assert_non_null(find(&f, &c));
  assert_int_equal(f.table.series.n, 2);
  tear_down(&f);
}

static void those_who_disagree_are_refused(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a"), b = input("b");
  set_up(&f,
         "Metric '%{plugin}'\nHost 'a'\nUnit 'Count'\n"
         "Metric 'p'\nHost 'b'\nUnit 'Bytes'",
         10);
  (void)put(&f, &a, 100);
  struct binding *binding = put(&f, &b, 500);
  assert_int_equal(admitted(binding), 0);
  assert_int_equal(f.tally.row[REASON_DISAGREE].n, 1);
  assert_string_equal(f.tally.row[REASON_DISAGREE].example, "b/p/t");
  assert_ptr_equal(find(&f, &b), binding);

  /* Once the other is gone, nothing disagrees any more. */
  (void)forget(&f, 0, 1000, 101);
  assert_null(find(&f, &b));
  assert_int_equal(admitted(put(&f, &b, 500)), 1);
  tear_down(&f);
}

static void the_silent_are_forgotten_but_not_the_held(void **state) {
  (void)state;
  struct fixture f;
  set_up(&f, PER_HOST, 1000);
  char host[20];
  for (int i = 0; i < 300; i++) {
    (void)snprintf(host, sizeof(host), "h%d", i);
    struct input in = input(host);
    struct binding *binding = put(&f, &in, (uint32_t)i);
    binding_targets(binding)[0].series->is_held = i == 7;
  }
  assert_int_equal(f.table.n, 300);
  assert_int_equal(f.table.series.n, 300);

  /* A few chains at a time, all of them in the end. */
  size_t chain = 0, steps = 0;
  do {
    chain = forget(&f, chain, 10, 200);
    steps++;
  } while (chain != 0);
  assert_int_equal(steps, (f.table.n_chains + 9) / 10);
  assert_int_equal(f.table.n, 101);
  assert_int_equal(f.table.series.n, 101);
  for (int i = 0; i < 300; i++) {
    (void)snprintf(host, sizeof(host), "h%d", i);
    struct input in = input(host);
    if ((find(&f, &in) != NULL) != (i >= 200 || i == 7))
      fail_msg("%s", host);
    if (i == 7)
      binding_targets(find(&f, &in))[0].series->is_held = false;
  }
  assert_int_equal(forget(&f, 0, SIZE_MAX / 2, 200), 0);
  assert_int_equal(f.table.n, 100);
  tear_down(&f);
}

/* What is kept of a series goes with the last who feeds it, be it under two
 * rules. */
static void a_series_that_is_held_needs_one_who_feeds_it(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a"), b = input("b");
  set_up(&f, "Metric 'm'\nMetric 'm'", 10);
  struct series *series = binding_targets(put(&f, &a, 100))[0].series;
  (void)put(&f, &b, 100);
  assert_int_equal(series->n_users, 4);
  series->is_held = true;
  (void)forget(&f, 0, 1000, 101);
  assert_int_equal(f.table.n, 1);
  assert_int_equal(series->n_users, 2);
  (void)forget(&f, 0, 1000, 101);
  assert_int_equal(f.table.n, 1);
  series->is_held = false;
  (void)forget(&f, 0, 1000, 101);
  assert_int_equal(f.table.n, 0);
  assert_int_equal(f.table.series.n, 0);
  tear_down(&f);
}

static void no_more_that_feed_than_a_limit(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a"), b = input("b"), c = input("c");
  set_up(&f, "Metric 'm'", 10);
  f.table.max = 2;
  (void)put(&f, &a, 100);
  (void)put(&f, &b, 500);
  struct plan *plan = plan_new(f.rules, &c, stream_notice, NULL);
  uint64_t hash = identifier_hash(&c, 0, f.table.seed);
  assert_null(bind_put(&f.table, plan, &c, hash, &f.tally));
  assert_int_equal(f.tally.row[REASON_CROWDED].n, 1);
  assert_int_equal(f.tally.row[REASON_MEMORY].n, 0);
  assert_int_equal(f.table.n, 2);
  (void)put(&f, &a, 100); /* a known one is taken */
  (void)forget(&f, 0, 1000, 101);
  assert_non_null(bind_put(&f.table, plan, &c, hash, &f.tally));
  plan_free(plan);
  tear_down(&f);
}

/* A million strangers, of whom ten come again and again, and one that is
 * selected. */
static void what_feeds_nothing_is_forgotten_for_the_new(void **state) {
  (void)state;
  struct fixture f;
  struct input mine = input("mine");
  struct binding *faithful[10], *selected;
  char host[20];
  set_up(&f, "Metric 'm'\nHost 'mine'", 10);
  f.table.max = 1;
  f.table.max_idle = 64;
  selected = put(&f, &mine, 1);
  for (size_t i = 0; i < 1000000; i++) {
    (void)snprintf(host, sizeof(host), "h%zu", i);
    struct input in = input(host);
    struct binding *binding = put(&f, &in, 1);
    if (i < 10)
      faithful[i] = binding;
    for (size_t k = 0; k < 10 && k <= i; k++)
      faithful[k]->is_seen = true;
    assert_true(f.table.n <= 65 && f.table.n_idle == f.table.n - 1);
  }
  for (size_t i = 0; i < 10; i++) {
    (void)snprintf(host, sizeof(host), "h%zu", i);
    struct input in = input(host);
    assert_ptr_equal(find(&f, &in), faithful[i]);
  }
  assert_ptr_equal(find(&f, &mine), selected);
  assert_int_equal(f.tally.row[REASON_CROWDED].n, 0);
  tear_down(&f);
}

/* What was refused feeds nothing either, and is asked again when there is
 * room. */
static void the_refused_are_idle(void **state) {
  (void)state;
  struct fixture f;
  char host[20];
  set_up(&f, PER_HOST, 1);
  f.table.max_idle = 3;
  for (uint32_t i = 0; i < 20; i++) {
    (void)snprintf(host, sizeof(host), "h%u", i);
    struct input in = input(host);
    (void)put(&f, &in, 100 + i);
  }
  assert_int_equal(f.table.n, 4);
  assert_int_equal(f.table.n_idle, 3);
  assert_int_equal(f.tally.row[REASON_MAX_METRICS].n, 19);
  assert_int_equal(f.tally.row[REASON_CROWDED].n, 0);

  (void)forget(&f, 0, 1000, 101); /* the one that was admitted */
  assert_int_equal(f.table.n_idle, 3);
  struct input in = input("h19");
  assert_int_equal(admitted(put(&f, &in, 200)), 1);
  assert_int_equal(f.table.n_idle, 2);
  tear_down(&f);
}

/* While there are many, those whose series lives on without them go sooner. */
static void members_are_forgotten_sooner(void **state) {
  (void)state;
  static const struct bind_patience patience = {.usual_s = 100, .member_s = 10};
  struct fixture f;
  struct input a = input("a"), b = input("b"), c = input("c");
  set_up(&f,
         "Metric 'm'\nCombine 'sum'\nHost 'a'\nHost 'b'\n"
         "Metric 'n'\nHost 'c'",
         10);
  f.table.max = 4;
  (void)put(&f, &a, 100);
  (void)put(&f, &c, 100);
  (void)bind_forget(&f.table, 0, 1000, 150, &patience);
  assert_int_equal(f.table.n, 2);

  (void)put(&f, &b, 145);
  (void)bind_forget(&f.table, 0, 1000, 150, &patience);
  assert_null(find(&f, &a));
  assert_non_null(find(&f, &b));
  assert_non_null(find(&f, &c));
  tear_down(&f);
}

/* The time of a value is when it was seen that one came. */
static void a_value_keeps_it(void **state) {
  (void)state;
  static const struct bind_patience patience = {.usual_s = 100};
  struct fixture f;
  struct input a = input("a");
  set_up(&f, PER_HOST, 10);
  put(&f, &a, 1)->is_seen = true;
  (void)bind_forget(&f.table, 0, 1000, 500, &patience);
  (void)bind_forget(&f.table, 0, 1000, 600, &patience);
  assert_int_equal(f.table.n, 1);
  (void)bind_forget(&f.table, 0, 1000, 601, &patience);
  assert_int_equal(f.table.n, 0);
  tear_down(&f);
}

/* One that is to be seldom is not silent so soon. */
static void silence_is_three_intervals_longer(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a");
  set_up(&f, PER_HOST, 10);
  put(&f, &a, 100)->interval_s = 60;
  (void)forget(&f, 0, 1000, 280);
  assert_int_equal(f.table.n, 1);
  (void)forget(&f, 0, 1000, 281);
  assert_int_equal(f.table.n, 0);
  tear_down(&f);
}

static void an_empty_table(void **state) {
  (void)state;
  struct fixture f;
  struct input a = input("a");
  set_up(&f, PER_HOST, 10);
  assert_int_equal(forget(&f, 0, 1000, UINT32_MAX), 0);
  assert_null(find(&f, &a));
  bind_clear(&f.table);
  assert_non_null(put(&f, &a, 1));
  bind_clear(&f.table);
  tear_down(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_identifier_is_bound_once),
      cmocka_unit_test(that_nothing_selects_it_is_remembered),
      cmocka_unit_test(meta_data_that_is_used_is_of_the_key),
      cmocka_unit_test(targets_are_in_the_order_of_readings),
      cmocka_unit_test(few_dimensions_come_first),
      cmocka_unit_test(the_refused_come_in_when_others_are_forgotten),
      cmocka_unit_test(those_who_disagree_are_refused),
      cmocka_unit_test(the_silent_are_forgotten_but_not_the_held),
      cmocka_unit_test(a_series_that_is_held_needs_one_who_feeds_it),
      cmocka_unit_test(no_more_that_feed_than_a_limit),
      cmocka_unit_test(what_feeds_nothing_is_forgotten_for_the_new),
      cmocka_unit_test(the_refused_are_idle),
      cmocka_unit_test(members_are_forgotten_sooner),
      cmocka_unit_test(a_value_keeps_it),
      cmocka_unit_test(silence_is_three_intervals_longer),
      cmocka_unit_test(an_empty_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
