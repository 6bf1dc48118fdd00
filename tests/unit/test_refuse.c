#include "metric/refuse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#define DAY 86400
#define NOW 5000

/* All start with an empty table; it is too large for some stacks. */
static struct refuse table;

static int begin(void **state) {
  (void)state;
  table = (struct refuse){.n = 0};
  return 0;
}

static void a_series_is_kept_back_for_ten_minutes(void **state) {
  (void)state;
  assert_false(refuse_holds(&table, 7, NOW));
  assert_int_equal(refuse_add(&table, 7, NOW), 600);
  assert_true(refuse_holds(&table, 7, NOW));
  assert_true(refuse_holds(&table, 7, NOW + 599));
  assert_false(refuse_holds(&table, 7, NOW + 600));
  assert_false(refuse_holds(&table, 8, NOW));
}

static void data_that_waited_change_nothing(void **state) {
  (void)state;
  (void)refuse_add(&table, 7, NOW);
  assert_int_equal(refuse_add(&table, 7, NOW), 0);
  assert_int_equal(refuse_add(&table, 7, NOW + 599), 0);
  assert_false(refuse_holds(&table, 7, NOW + 600));
  assert_int_equal(refuse_add(&table, 7, NOW + 600), 1200);
}

/* 10, 20, 40 ... minutes, then a day for ever. */
static void each_refusal_after_it_was_let_back_doubles(void **state) {
  (void)state;
  int64_t now = NOW, want = 600;
  for (int i = 0; i < 20; i++) {
    assert_int_equal(refuse_add(&table, 7, now), want);
    assert_true(refuse_holds(&table, 7, now + want - 1));
    assert_false(refuse_holds(&table, 7, now + want));
    now += want;
    want = 2 * want < DAY ? 2 * want : DAY;
  }
  assert_int_equal(want, DAY);
  assert_int_equal(table.n, 1);
}

static void the_first_acceptance_is_told(void **state) {
  (void)state;
  (void)refuse_add(&table, 7, NOW);
  assert_int_equal(refuse_accept(&table, 8, NOW + 600), 0);
  assert_int_equal(refuse_accept(&table, 7, NOW + 600), 600);
  assert_int_equal(refuse_accept(&table, 7, NOW + 601), 0);
  assert_int_equal(refuse_add(&table, 7, NOW + 700), 1200);
  assert_int_equal(refuse_accept(&table, 7, NOW + 1900), 1200);
}

/* As a value that waited may be accepted meanwhile. */
static void acceptance_lets_back(void **state) {
  (void)state;
  (void)refuse_add(&table, 7, NOW);
  assert_int_equal(refuse_accept(&table, 7, NOW + 10), 600);
  assert_false(refuse_holds(&table, 7, NOW + 10));
}

static void what_is_well_for_a_day_is_forgotten(void **state) {
  (void)state;
  (void)refuse_add(&table, 7, NOW);
  (void)refuse_add(&table, 8, NOW + 1);
  refuse_forget(&table, NOW + 600 + DAY - 1);
  assert_int_equal(table.n, 2);
  refuse_forget(&table, NOW + 600 + DAY);
  assert_int_equal(table.n, 1);
  assert_int_equal(refuse_add(&table, 7, NOW + 601 + DAY), 600);
  assert_int_equal(refuse_add(&table, 8, NOW + 601 + DAY), 1200);
}

/* One more than there is room for: only the one that had been let back first
 * goes, whatever its key. */
static void the_next_to_be_let_back_makes_room(void **state) {
  (void)state;
  for (uint64_t key = 0; key < REFUSE_MAX; key++)
    assert_int_equal(
        refuse_add(&table, (key + 300) % REFUSE_MAX, NOW + (int64_t)key), 600);
  assert_int_equal(refuse_add(&table, 5000, NOW + 550), 600);
  assert_int_equal(table.n, REFUSE_MAX);
  for (uint64_t key = 0; key < REFUSE_MAX; key++)
    if (refuse_holds(&table, key, NOW + 590) != (key != 300))
      fail_msg("%u", (unsigned)key);
  assert_true(refuse_holds(&table, 5000, NOW + 590));
}

/* Against a table without order. */
static void any_order_gives_the_same(void **state) {
  (void)state;
  static int64_t until[64], out[64];
  for (int step = 0; step < 20000; step++) {
    int64_t now = NOW + step;
    uint64_t key = (uint64_t)rand() % 64;
    uint64_t spread = key * UINT64_C(0x9e3779b97f4a7c15);
    assert_true(refuse_holds(&table, spread, now) == (now < until[key]));
    if (rand() % 3 != 0)
      continue;
    bool is_held = now < until[key];
    if (!is_held) {
      out[key] = out[key] == 0 ? 600 : 2 * out[key] < DAY ? 2 * out[key] : DAY;
      until[key] = now + out[key];
    }
    assert_int_equal(refuse_add(&table, spread, now), is_held ? 0 : out[key]);
  }
  assert_int_equal(table.n, 64);
}

static void the_namespace_is_a_part_of_the_key(void **state) {
  (void)state;
  struct str text = STR("{\"MetricName\":\"m\"");
  assert_true(refuse_key("a", text) == refuse_key("a", text));
  assert_true(refuse_key("a", text) != refuse_key("b", text));
  assert_true(refuse_key("a", text) !=
              refuse_key("a", STR("{\"MetricName\":\"n\"")));
  assert_true(refuse_key("ab", STR("c")) != refuse_key("a", STR("bc")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_series_is_kept_back_for_ten_minutes, begin),
      cmocka_unit_test_setup(data_that_waited_change_nothing, begin),
      cmocka_unit_test_setup(each_refusal_after_it_was_let_back_doubles, begin),
      cmocka_unit_test_setup(the_first_acceptance_is_told, begin),
      cmocka_unit_test_setup(acceptance_lets_back, begin),
      cmocka_unit_test_setup(what_is_well_for_a_day_is_forgotten, begin),
      cmocka_unit_test_setup(the_next_to_be_let_back_makes_room, begin),
      cmocka_unit_test_setup(any_order_gives_the_same, begin),
      cmocka_unit_test_setup(the_namespace_is_a_part_of_the_key, begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
