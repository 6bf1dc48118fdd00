#include "metric/series.h"

#include "metric/combine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const struct dimension ab[] = {{"A", "1"}, {"B", "2"}};
static const struct dimension ac[] = {{"A", "1"}, {"B", "3"}};
static const struct dimension shifted[] = {{"A", "1B"}, {"", "2"}};

static struct series_name named(const char *namespace, const char *name,
                                const struct dimension *dimensions,
                                uint32_t n) {
  return (struct series_name){.namespace = namespace,
                              .name = name,
                              .dimensions = dimensions,
                              .n_dimensions = n,
                              .unit = "Count",
                              .resolution_s = 60};
}

static void found_by_its_whole_name(void **state) {
  (void)state;
  const struct series_name names[] = {
      named("N", "m", NULL, 0), named("N", "n", NULL, 0),
      named("M", "m", NULL, 0), named("N", "m", ab, 1),
      named("N", "m", ab, 2),   named("N", "m", ac, 2),
      named("Nm", "", NULL, 0), named("N", "m", shifted, 2),
  };
  enum { N = sizeof(names) / sizeof(names[0]) };
  struct series_table table = {.max = 100};
  struct rule rule = {0};
  struct series *series[N], *again;

  for (size_t i = 0; i < N; i++) {
    assert_int_equal(series_use(&table, &names[i], &rule, "h/p/t", &series[i]),
                     SERIES_FOUND);
    assert_int_equal(table.n, i + 1);
    assert_int_equal(series[i]->serial, i);
  }
  for (size_t i = 0; i < N; i++) {
    assert_int_equal(series_use(&table, &names[i], &rule, "other", &again),
                     SERIES_FOUND);
    assert_ptr_equal(again, series[i]);
    assert_int_equal(again->n_users, 2);
    assert_string_equal(again->identifier, "h/p/t");
  }
  assert_int_equal(table.n, N);
  series_clear(&table);
  series_clear(&table);
  assert_int_equal(table.max, 100);
}

/* Nothing of the name that was lent is kept. */
static void texts_are_its_own(void **state) {
  (void)state;
  char namespace[] = "N", name[] = "m", key[] = "A", value[] = "1";
  char identifier[] = "h/p/t";
  const struct dimension dimension = {key, value};
  struct series_name lent = named(namespace, name, &dimension, 1);
  struct series_table table = {.max = 1};
  struct rule rule = {.statistics = STATISTICS_MAX, .combine = COMBINE_SUM};
  struct series *series;

  assert_int_equal(series_use(&table, &lent, &rule, identifier, &series),
                   SERIES_FOUND);
  namespace[0] = name[0] = key[0] = value[0] = identifier[0] = 'x';
  assert_string_equal(series->name.namespace, "N");
  assert_string_equal(series->name.name, "m");
  assert_string_equal(series->name.dimensions[0].name, "A");
  assert_string_equal(series->name.dimensions[0].value, "1");
  assert_string_equal(series->identifier, "h/p/t");
  assert_int_equal(series->statistics, STATISTICS_MAX);
  assert_int_equal(series->combine, COMBINE_SUM);
  series_clear(&table);
}

static void users_must_agree(void **state) {
  (void)state;
  static const struct {
    const char *label, *unit;
    int resolution_s;
    struct rule rule;
    enum series_found want;
  } cases[] = {
      {"the same", "Count", 60, {.label = "x"}, SERIES_FOUND},
      {"conversions of its own",
       "Count",
       60,
       {.scale = 2, .offset = 1, .counters = COUNTERS_RAW},
       SERIES_FOUND},
      {"unit", "Bytes", 60, {0}, SERIES_DISAGREES},
      {"resolution", "Count", 1, {0}, SERIES_DISAGREES},
      {"statistics",
       "Count",
       60,
       {.statistics = STATISTICS_SET},
       SERIES_DISAGREES},
      {"combine", "Count", 60, {.combine = COMBINE_SUM}, SERIES_DISAGREES},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct series_table table = {.max = 2};
    struct series_name name = named("N", "m", ab, 2);
    struct rule rule = {0};
    struct series *series, *other = NULL;

    (void)series_use(&table, &name, &rule, "a", &series);
    name.unit = cases[i].unit;
    name.resolution_s = cases[i].resolution_s;
    enum series_found found =
        series_use(&table, &name, &cases[i].rule, "b", &other);
    if (found != cases[i].want)
      fail_msg("%s: %d", cases[i].label, (int)found);
    assert_ptr_equal(other, found == SERIES_FOUND ? series : NULL);
    assert_int_equal(series->n_users, found == SERIES_FOUND ? 2 : 1);
    series_clear(&table);
  }
}

static void a_full_table_takes_known_ones_only(void **state) {
  (void)state;
  struct series_table table = {.max = 2};
  struct series_name a = named("N", "a", NULL, 0), b = named("N", "b", NULL, 0),
                     c = named("N", "c", NULL, 0);
  struct rule rule = {0};
  struct series *series, *other;

  assert_int_equal(series_use(&table, &a, &rule, "", &series), SERIES_FOUND);
  assert_int_equal(series_use(&table, &b, &rule, "", &other), SERIES_FOUND);
  assert_int_equal(series_use(&table, &c, &rule, "", &other), SERIES_FULL);
  assert_int_equal(series_use(&table, &a, &rule, "", &other), SERIES_FOUND);

  series_leave(&table, series); /* one of two users */
  assert_int_equal(table.n_forgotten, 0);
  assert_int_equal(series_use(&table, &c, &rule, "", &other), SERIES_FULL);
  series_leave(&table, series);
  assert_int_equal(table.n_forgotten, 1);
  assert_int_equal(series_use(&table, &c, &rule, "", &other), SERIES_FOUND);
  assert_int_equal(other->serial, 2);
  series_clear(&table);
}

/* By their marked texts: one series, whatever the values will be. */
static void marked_series_are_counted_once(void **state) {
  (void)state;
  static const struct dimension marked[] = {{"A", "\x01!  \x01"}};
  static const struct dimension other[] = {{"A", "\x01#  x\x01"}};
  struct series_table table = {.max = 2};
  struct series_name a = named("N\x01   \x01", "m", marked, 1),
                     b = named("N", "m", other, 1),
                     c = named("N", "m", NULL, 0);
  struct rule rule = {0};
  struct series *first, *again;

  assert_int_equal(series_use(&table, &a, &rule, "h/p/t", &first),
                   SERIES_FOUND);
  assert_true(first->needs == 3);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(series_use(&table, &a, &rule, "i/p/t", &again),
                     SERIES_FOUND);
    assert_ptr_equal(again, first);
  }
  assert_int_equal(table.n, 1);
  assert_int_equal(series_use(&table, &b, &rule, "h/p/t", &again),
                   SERIES_FOUND);
  assert_true(again->needs == 8);
  assert_int_equal(series_use(&table, &c, &rule, "h/p/t", &again), SERIES_FULL);
  series_clear(&table);

  assert_int_equal(series_use(&table, &c, &rule, "h/p/t", &again),
                   SERIES_FOUND);
  assert_true(again->needs == 0);
  series_clear(&table);
}

static void the_table_grows(void **state) {
  (void)state;
  enum { N = 3000 };
  static struct series *series[N];
  struct series_table table = {.max = N};
  struct rule rule = {0};
  char text[20];

  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < N; i++) {
      struct series *found;
      (void)snprintf(text, sizeof(text), "m%d", i);
      struct series_name name = named("N", text, NULL, 0);
      assert_int_equal(series_use(&table, &name, &rule, text, &found),
                       SERIES_FOUND);
      if (pass == 0)
        series[i] = found;
      assert_ptr_equal(found, series[i]);
    }
  assert_int_equal(table.n, N);
  assert_true(2 * table.n_chains >= N && table.n_chains < 2 * N);

  for (int i = 0; i < N; i++) {
    series_leave(&table, series[i]);
    if (i % 2 == 0)
      series_leave(&table, series[i]);
  }
  assert_int_equal(table.n, N / 2);
  for (int i = 1; i < N; i += 2) {
    (void)snprintf(text, sizeof(text), "m%d", i);
    assert_string_equal(series[i]->name.name, text);
  }
  series_clear(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(found_by_its_whole_name),
      cmocka_unit_test(texts_are_its_own),
      cmocka_unit_test(users_must_agree),
      cmocka_unit_test(a_full_table_takes_known_ones_only),
      cmocka_unit_test(marked_series_are_counted_once),
      cmocka_unit_test(the_table_grows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
