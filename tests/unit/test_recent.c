#include "metric/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define MINUTE 1700000040
#define NOW 5000
#define WALL 4000000000 /* beyond all periods here */
#define PATIENCE 3600

static struct recent *recent;

static int begin(void **state) {
  (void)state;
  recent = recent_new();
  return recent != NULL ? 0 : -1;
}

static int end(void **state) {
  (void)state;
  recent_free(recent);
  return 0;
}

static const struct dimension dimensions[] = {{"A", "a"}, {"B", "b"}};

static struct datum datum_of(const struct series_name *name, int64_t time_s,
                             double value) {
  return (struct datum){.series = name,
                        .identifier = "host/p/gauge-x",
                        .time_s = time_s,
                        .form = DATUM_VALUE,
                        .value = value};
}

static const struct series_name plain = {
    .namespace = "N",
    .name = "m",
    .dimensions = dimensions,
    .unit = "Bytes",
    .n_dimensions = 2,
    .resolution_s = 60,
};

static void put(uint64_t key, int64_t time_s, double value, int64_t now_s) {
  struct datum datum = datum_of(&plain, time_s, value);
  recent_put(recent, &datum, key, "block", now_s, WALL);
}

static void assert_numbers(const struct recent_series *series, int64_t time_s,
                           double count, double sum, double minimum,
                           double maximum) {
  assert_int_equal(series->time_s, time_s);
  assert_float_equal(series->count, count, 0);
  assert_float_equal(series->sum, sum, 0);
  assert_float_equal(series->minimum, minimum, 0);
  assert_float_equal(series->maximum, maximum, 0);
}

/* ---- one series --------------------------------------------------------- */

static void texts_are_copied(void **state) {
  (void)state;
  char name[] = "m", identifier[] = "host/p/gauge-x";
  struct series_name fleeting = plain;
  fleeting.name = name;
  struct datum datum = datum_of(&fleeting, MINUTE, 1);
  datum.identifier = identifier;
  recent_put(recent, &datum, 7, "block", NOW, WALL);
  name[0] = identifier[0] = '?';

  const struct recent_series *series = &recent->series[0];
  assert_int_equal(recent->n, 1);
  assert_string_equal(series->name.namespace, "N");
  assert_string_equal(series->name.name, "m");
  assert_string_equal(series->name.unit, "Bytes");
  assert_int_equal(series->name.resolution_s, 60);
  assert_int_equal(series->name.n_dimensions, 2);
  assert_string_equal(series->name.dimensions[1].name, "B");
  assert_string_equal(series->name.dimensions[1].value, "b");
  assert_string_equal(series->identifier, "host/p/gauge-x");
  assert_string_equal(series->metric, "block");
}

static void each_form_comes_to_its_sums(void **state) {
  (void)state;
  const double values[] = {4, -1, 2.5}, counts[] = {1, 3, 2};
  struct datum datum = datum_of(&plain, MINUTE, 3);

  recent_put(recent, &datum, 1, "", NOW, WALL);
  datum.form = DATUM_VALUES;
  datum.values = values;
  datum.counts = counts;
  datum.n_values = 3;
  recent_put(recent, &datum, 2, "", NOW, WALL);
  datum.form = DATUM_SET;
  datum.sample_count = 10;
  datum.sum = 55;
  datum.minimum = 1;
  datum.maximum = 9;
  recent_put(recent, &datum, 3, "", NOW, WALL);

  assert_numbers(&recent->series[0], MINUTE, 1, 3, 3, 3);
  assert_numbers(&recent->series[1], MINUTE, 6, 4 - 3 + 5, -1, 4);
  assert_numbers(&recent->series[2], MINUTE, 10, 55, 1, 9);
}

static void data_of_one_period_add_up(void **state) {
  (void)state;
  put(7, MINUTE, 5, NOW);
  put(7, MINUTE, -2, NOW);
  put(7, MINUTE, 8, NOW);
  assert_int_equal(recent->n, 1);
  assert_numbers(&recent->series[0], MINUTE, 3, 11, -2, 8);
}

static void a_later_period_takes_the_place(void **state) {
  (void)state;
  put(7, MINUTE, 5, NOW);
  put(7, MINUTE + 60, 2, NOW);
  assert_numbers(&recent->series[0], MINUTE + 60, 1, 2, 2, 2);
}

/* As after an outage, when old ones are cut late; but it is not silent. */
static void an_earlier_period_changes_nothing(void **state) {
  (void)state;
  put(7, MINUTE, 5, NOW);
  put(7, MINUTE - 60, 2, NOW + PATIENCE);
  assert_numbers(&recent->series[0], MINUTE, 1, 5, 5, 5);
  recent_forget(recent, NOW + PATIENCE + 1, PATIENCE);
  assert_int_equal(recent->n, 1);
}

/* ---- many --------------------------------------------------------------- */

static void what_is_stamped_by_a_wrong_clock_gives_way(void **state) {
  (void)state;
  struct datum datum = datum_of(&plain, MINUTE + 7200, 5);
  recent_put(recent, &datum, 7, "block", NOW, MINUTE + 10);
  datum = datum_of(&plain, MINUTE, 2);
  recent_put(recent, &datum, 7, "block", NOW + 60, MINUTE + 70);
  assert_numbers(&recent->series[0], MINUTE, 1, 2, 2, 2);
}

static void the_first_thousand_are_kept(void **state) {
  (void)state;
  for (uint64_t key = 1; key <= RECENT_MAX + 50; key++)
    put(key, MINUTE, (double)key, NOW);
  assert_int_equal(recent->n, RECENT_MAX);
  put(RECENT_MAX, MINUTE + 60, 3, NOW);
  put(RECENT_MAX + 1, MINUTE + 60, 4, NOW);
  assert_int_equal(recent->n, RECENT_MAX);
  for (uint64_t i = 0; i < RECENT_MAX - 1; i++) {
    assert_int_equal(recent->series[i].key, i + 1);
    assert_float_equal(recent->series[i].sum, (double)i + 1, 0);
  }
  assert_float_equal(recent->series[RECENT_MAX - 1].sum, 3, 0);
}

/* Keys of one slot stand in the slots that follow, around the end. */
static void keys_of_one_slot(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 10; i++)
    put(RECENT_SLOTS * (i + 1) - 1, MINUTE, (double)i, NOW);
  for (uint64_t i = 0; i < 10; i++)
    put(RECENT_SLOTS * (i + 1) - 1, MINUTE, 100, NOW);
  assert_int_equal(recent->n, 10);
  for (uint64_t i = 0; i < 10; i++)
    assert_numbers(&recent->series[i], MINUTE, 2, (double)i + 100, (double)i,
                   100);
}

static void the_silent_are_forgotten(void **state) {
  (void)state;
  for (uint64_t key = 1; key <= RECENT_MAX; key++)
    put(key, MINUTE, 1, key % 3 == 0 ? NOW : NOW + 1);
  recent_forget(recent, NOW + PATIENCE, PATIENCE);
  assert_int_equal(recent->n, RECENT_MAX);
  recent_forget(recent, NOW + PATIENCE + 1, PATIENCE);
  assert_int_equal(recent->n, RECENT_MAX - RECENT_MAX / 3);

  size_t n_slots = 0;
  for (size_t i = 0; i < RECENT_SLOTS; i++)
    n_slots += recent->slot[i] != 0;
  assert_int_equal(n_slots, recent->n);

  /* Those that are left are found again, in their order, and there is room. */
  for (size_t i = 0; i < recent->n; i++) {
    uint64_t key = recent->series[i].key;
    assert_true(key % 3 != 0);
    assert_true(i == 0 || key > recent->series[i - 1].key);
    put(key, MINUTE + 60, 2, NOW + PATIENCE);
  }
  assert_int_equal(recent->n, RECENT_MAX - RECENT_MAX / 3);
  for (size_t i = 0; i < recent->n; i++)
    assert_numbers(&recent->series[i], MINUTE + 60, 1, 2, 2, 2);
  put(3, MINUTE, 1, NOW + PATIENCE);
  assert_int_equal(recent->series[recent->n - 1].key, 3);

  recent_forget(recent, NOW + 3 * PATIENCE, PATIENCE);
  assert_int_equal(recent->n, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(texts_are_copied, begin, end),
      cmocka_unit_test_setup_teardown(each_form_comes_to_its_sums, begin, end),
      cmocka_unit_test_setup_teardown(data_of_one_period_add_up, begin, end),
      cmocka_unit_test_setup_teardown(a_later_period_takes_the_place, begin,
                                      end),
      cmocka_unit_test_setup_teardown(an_earlier_period_changes_nothing, begin,
                                      end),
      cmocka_unit_test_setup_teardown(
          what_is_stamped_by_a_wrong_clock_gives_way, begin, end),
      cmocka_unit_test_setup_teardown(the_first_thousand_are_kept, begin, end),
      cmocka_unit_test_setup_teardown(keys_of_one_slot, begin, end),
      cmocka_unit_test_setup_teardown(the_silent_are_forgotten, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
