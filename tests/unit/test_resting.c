#include "run/resting.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct resting file_of(int64_t flush, uint32_t number, uint32_t n_data) {
  return (struct resting){flush, number, n_data, 4096};
}

/* ---- names -------------------------------------------------------------- */

static void names_are_in_the_order_of_flushes(void **state) {
  (void)state;
  assert_string_equal(resting_name(INT64_C(1700000000123), 7).text,
                      "0001700000000123-000007.parcel");
  assert_string_equal(resting_name(0, 0).text,
                      "0000000000000000-000000.parcel");
  assert_string_equal(
      resting_name(INT64_C(9999999999999999), RESTING_NUMBERS - 1).text,
      "9999999999999999-999999.parcel");
}

static void any_name_is_read_back(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("resting");
  for (int i = 0; i < 1000; i++) {
    int64_t flush = (int64_t)(wire_next(&random) % UINT64_C(10000000000000000));
    uint32_t number = (uint32_t)wire_below(&random, RESTING_NUMBERS);
    struct resting found = file_of(1, 1, 1);
    assert_true(resting_of_name(resting_name(flush, number).text, &found));
    assert_int_equal(found.flush, flush);
    assert_int_equal(found.number, number);
    assert_int_equal(found.n_data, 0);
    assert_int_equal(found.bytes, 0);
  }
}

static void other_names_are_none_of_ours(void **state) {
  (void)state;
  static const char *const names[] = {
      "",
      "lock",
      "README",
      ".parcel",
      "0001700000000123-000007",
      "0001700000000123-000007.parcel.damaged",
      "0001700000000123-000007.parcel.new",
      "0001700000000123-000007.parcell",
      "0001700000000123-000007.Parcel",
      "001700000000123-000007.parcel",
      "00001700000000123-000007.parcel",
      "00001700000000123-00007.parcel",
      "000170000000012-0000007.parcel",
      "0001700000000123-00007.parcel",
      "0001700000000123_000007.parcel",
      "0001700000000123-00000x.parcel",
      "000170000000012x-000007.parcel",
      "-000000000000001-000007.parcel",
      "0001700000000123--00007.parcel",
      " 001700000000123-000007.parcel",
      "+001700000000123-000007.parcel",
      "0x01700000000123-000007.parcel",
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    struct resting found = file_of(1, 2, 3);
    if (resting_of_name(names[i], &found))
      fail_msg("\"%s\" is taken for a parcel", names[i]);
    assert_int_equal(found.flush, 1);
  }
}

/* ---- the list, against a plain one -------------------------------------- */

#define LIST_MAX 512

struct model {
  struct resting file[LIST_MAX];
  size_t n;
};

static bool is_before(const struct resting *a, const struct resting *b) {
  return a->flush != b->flush ? a->flush < b->flush : a->number < b->number;
}

static void model_add(struct model *model, const struct resting *file) {
  size_t at = 0;
  while (at < model->n && is_before(&model->file[at], file))
    at++;
  memmove(&model->file[at + 1], &model->file[at],
          (model->n - at) * sizeof(*file));
  model->file[at] = *file;
  model->n++;
}

static void model_remove(struct model *model, size_t first, size_t n) {
  memmove(&model->file[first], &model->file[first + n],
          (model->n - first - n) * sizeof(model->file[0]));
  model->n -= n;
}

static void assert_same(const struct resting_list *list,
                        const struct model *model) {
  size_t n_data = 0;
  assert_int_equal(list->n, model->n);
  for (size_t i = 0; i < model->n; i++) {
    assert_int_equal(list->file[i].flush, model->file[i].flush);
    assert_int_equal(list->file[i].number, model->file[i].number);
    assert_int_equal(list->file[i].n_data, model->file[i].n_data);
    n_data += model->file[i].n_data;
  }
  assert_int_equal(list->n_data, n_data);
}

/* One that is not in the list yet, as names are. */
static struct resting another(struct wire_random *random,
                              const struct model *model) {
  struct resting file;
  size_t i = 0;
  do {
    file = file_of((int64_t)wire_below(random, 30),
                   (uint32_t)wire_below(random, 100),
                   (uint32_t)wire_below(random, 1000));
    for (i = 0; i < model->n; i++)
      if (!is_before(&model->file[i], &file) &&
          !is_before(&file, &model->file[i]))
        break;
  } while (i < model->n);
  return file;
}

static void do_something(struct wire_random *random, struct resting_list *list,
                         struct model *model) {
  if (model->n < LIST_MAX / 2 && wire_often(random, 60)) {
    struct resting file = another(random, model);
    model_add(model, &file);
    assert_int_equal(resting_add(list, &file), 0);
  } else if (wire_often(random, 10)) {
    for (size_t n = wire_below(random, 20); n > 0; n--) {
      struct resting file = another(random, model);
      model_add(model, &file);
      assert_int_equal(resting_push(list, &file), 0);
    }
    resting_sort(list);
  } else {
    size_t first = wire_below(random, model->n + 1);
    size_t n = wire_below(random, model->n - first + 1) % 4;
    model_remove(model, first, n);
    resting_remove(list, first, n);
  }
}

static void agrees_with_a_plain_list(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("resting");
  static struct model model;
  for (int round = 0; round < 20; round++) {
    struct resting_list list = {0};
    model.n = 0;
    for (int i = 0; i < 500; i++) {
      do_something(&random, &list, &model);
      assert_same(&list, &model);
    }
    resting_clear(&list);
    model.n = 0;
    assert_same(&list, &model);
    resting_clear(&list);
  }
}

static void an_empty_list_may_be_sorted_and_taken_from(void **state) {
  (void)state;
  struct resting_list list = {0};
  resting_sort(&list);
  resting_remove(&list, 0, 0);
  assert_int_equal(list.n, 0);
  resting_clear(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_in_the_order_of_flushes),
      cmocka_unit_test(any_name_is_read_back),
      cmocka_unit_test(other_names_are_none_of_ours),
      cmocka_unit_test(agrees_with_a_plain_list),
      cmocka_unit_test(an_empty_list_may_be_sorted_and_taken_from),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
