#include "metric/parcel.h"

#include "metric/batch.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void keeps_what_it_is_given(void **state) {
  (void)state;
  struct parcel *parcel = parcel_new("My App", 1600000080);
  assert_non_null(parcel);
  assert_string_equal(parcel->namespace, "My App");
  assert_int_equal(parcel->flush, 1600000080);
  assert_int_equal(parcel_add(parcel, STR("{\"a\":1}"), "h/memory", 1600000020),
                   0);
  assert_int_equal(parcel_add(parcel, STR("{}"), "", 5), 0);

  assert_int_equal(parcel->n_data, 2);
  assert_true(str_eq(parcel_text(parcel, 0), STR("{\"a\":1}")));
  assert_string_equal(parcel_text(parcel, 0).p, "{\"a\":1}");
  assert_string_equal(parcel_identifier(parcel, 0), "h/memory");
  assert_int_equal(parcel->data[0].time_s, 1600000020);
  assert_string_equal(parcel_text(parcel, 1).p, "{}");
  assert_string_equal(parcel_identifier(parcel, 1), "");
  assert_true(parcel_bytes(parcel) > sizeof(*parcel) + 2 + 9 + 3 + 1);
  parcel_free(parcel);
  parcel_free(NULL);
}

static void takes_no_more_data_than_a_request(void **state) {
  (void)state;
  struct parcel *parcel = parcel_new("N", 0);
  for (size_t i = 0; i < CW_DATA_MAX; i++) {
    assert_true(parcel_has_room(parcel, 2));
    assert_int_equal(parcel_add(parcel, STR("{}"), "id", 0), 0);
  }
  assert_false(parcel_has_room(parcel, 2));
  assert_int_equal(parcel_add(parcel, STR("{}"), "id", 0), -1);
  assert_int_equal(parcel->n_data, CW_DATA_MAX);

  /* What is taken out makes room again. */
  parcel_remove(parcel, 500, 1);
  assert_int_equal(parcel_add(parcel, STR("{}"), "id", 0), 0);
  parcel_free(parcel);
}

static const struct {
  const char *label, *namespace;
  size_t text_bytes;
} sizes[] = {
    {"small texts", "N", 1197},
    {"a few large ones", "N", 99991},
    {"two halves", "N", 499900},
    {"one that fills all", "N", 999900},
    {"a namespace that grows by its escapes",
     "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", 1309},
};

/* A parcel that is full is one JSON request, all of it. */
static void takes_no_more_bytes_than_a_request(void **state) {
  (void)state;
  char *text = malloc(CW_BODY_MAX + 1);
  struct json_out *json = json_out_new();
  assert_non_null(text);
  memset(text, '1', CW_BODY_MAX + 1);

  for (size_t i = 0; i < N(sizes); i++) {
    struct parcel *parcel = parcel_new(sizes[i].namespace, 0);
    struct batch batch = BATCH_INIT;
    struct err err;
    size_t n = 0;
    while (parcel_add(parcel, (struct str){text, sizes[i].text_bytes}, "id",
                      0) == 0)
      n++;
    if (n == 0 || n != parcel->n_data ||
        parcel_has_room(parcel, sizes[i].text_bytes) ||
        n * (sizes[i].text_bytes + 1) + sizes[i].text_bytes + 200 < CW_BODY_MAX)
      fail_msg("%s: %zu", sizes[i].label, n);
    assert_int_equal(
        batch_begin(&batch, PROTOCOL_JSON, json, sizes[i].namespace, &err), 0);
    if (batch_add(&batch, parcel, &err) != n || batch_end(&batch, &err) != 0 ||
        batch.body.len > CW_BODY_MAX)
      fail_msg("%s: %s", sizes[i].label, err.text);
    batch_clear(&batch);
    parcel_free(parcel);
  }

  struct parcel *parcel = parcel_new("N", 0);
  assert_int_equal(
      parcel_add(parcel, (struct str){text, CW_BODY_MAX + 1}, "id", 0), -1);
  assert_false(parcel_has_room(parcel, SIZE_MAX));
  parcel_free(parcel);
  json_out_free(json);
  free(text);
}

/* The longest text that a parcel takes makes a request, however the namespace
 * grows by its escapes. */
static void leaves_room_for_the_namespace(void **state) {
  (void)state;
  char namespace[CW_NAMESPACE_MAX + 1];
  char *text = malloc(CW_BODY_MAX);
  struct json_out *json = json_out_new();
  struct batch batch = BATCH_INIT;
  struct err err;
  size_t bytes = CW_BODY_MAX;

  assert_non_null(text);
  memset(text, '1', CW_BODY_MAX);
  memset(namespace, '"', CW_NAMESPACE_MAX);
  namespace[CW_NAMESPACE_MAX] = '\0';
  struct parcel *parcel = parcel_new(namespace, 0);
  while (!parcel_has_room(parcel, bytes))
    bytes--;
  assert_in_range(bytes, CW_BODY_MAX - 2000, CW_BODY_MAX);
  assert_int_equal(parcel_add(parcel, (struct str){text, bytes}, "id", 0), 0);
  assert_int_equal(batch_begin(&batch, PROTOCOL_JSON, json, namespace, &err),
                   0);
  assert_int_equal(batch_add(&batch, parcel, &err), 1);
  assert_int_equal(batch_end(&batch, &err), 0);
  assert_true(batch.body.len <= CW_BODY_MAX);
  batch_clear(&batch);
  parcel_free(parcel);
  json_out_free(json);
  free(text);
}

/* However long identifiers are, they have a limit, and the data that are there
 * stay. */
static void refuses_identifiers_without_end(void **state) {
  (void)state;
  static const size_t bytes[] = {1000, CW_BODY_MAX, 10 * CW_BODY_MAX};
  char *identifier = malloc(10 * CW_BODY_MAX + 1);
  assert_non_null(identifier);

  for (size_t i = 0; i < N(bytes); i++) {
    struct parcel *parcel = parcel_new("N", 0);
    size_t n = 1;
    assert_int_equal(parcel_add(parcel, STR("{}"), "id", 7), 0);
    memset(identifier, 'i', bytes[i]);
    identifier[bytes[i]] = '\0';
    while (parcel_add(parcel, STR("{}"), identifier, 0) == 0)
      n++;
    assert_int_equal(parcel->n_data, n);
    assert_int_equal(n == CW_DATA_MAX, i == 0);
    assert_in_range(parcel_bytes(parcel), 1, 3 * CW_BODY_MAX);
    assert_string_equal(parcel_text(parcel, 0).p, "{}");
    assert_string_equal(parcel_identifier(parcel, 0), "id");
    assert_string_equal(parcel_text(parcel, n - 1).p, "{}");
    parcel_free(parcel);
  }
  free(identifier);
}

/* ---- random work, against a plain list ---------------------------------- */

struct model {
  unsigned serial[CW_DATA_MAX];
  size_t n;
};

/* Everything about a datum follows from its number. */
static struct str text_of(unsigned serial, char array[64]) {
  int len = snprintf(array, 64, "{\"n\":%u%.*s}", serial, (int)(serial % 30),
                     "                              ");
  return (struct str){array, (size_t)len};
}

static int64_t time_of(unsigned serial) { return (serial * 7919u) % 1000u; }

static void assert_same(const struct parcel *parcel,
                        const struct model *model) {
  size_t text_bytes = 0;
  assert_int_equal(parcel->n_data, model->n);
  for (size_t i = 0; i < model->n; i++) {
    char array[64], id[32];
    struct str text = text_of(model->serial[i], array);
    snprintf(id, sizeof(id), "id/%u", model->serial[i]);
    assert_true(str_eq(parcel_text(parcel, i), text));
    assert_string_equal(parcel_text(parcel, i).p, array);
    assert_string_equal(parcel_identifier(parcel, i), id);
    assert_int_equal(parcel->data[i].time_s, time_of(model->serial[i]));
    text_bytes += text.len;
  }
  assert_int_equal(parcel->text_bytes, text_bytes);
}

static void model_remove(struct model *model, size_t first, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < model->n; i++)
    if (i < first || i - first >= n)
      model->serial[kept++] = model->serial[i];
  model->n = kept;
}

static size_t model_keep(struct model *model, int64_t oldest_s,
                         int64_t latest_s) {
  size_t kept = 0, n = model->n;
  for (size_t i = 0; i < n; i++)
    if (time_of(model->serial[i]) >= oldest_s &&
        time_of(model->serial[i]) <= latest_s)
      model->serial[kept++] = model->serial[i];
  model->n = kept;
  return n - kept;
}

static void do_something(struct wire_random *random, struct parcel *parcel,
                         struct model *model, unsigned *serial) {
  char array[64], id[32];
  size_t first = wire_below(random, model->n + 2);
  size_t n = wire_below(random, 4);

  switch (wire_below(random, 8)) {
  default:
    snprintf(id, sizeof(id), "id/%u", *serial);
    assert_int_equal(
        parcel_add(parcel, text_of(*serial, array), id, time_of(*serial)), 0);
    model->serial[model->n++] = (*serial)++;
    break;
  case 0:
    parcel_remove(parcel, first, n);
    model_remove(model, first, n);
    break;
  case 1: {
    int64_t oldest_s = (int64_t)wire_below(random, 60);
    assert_int_equal(parcel_expire(parcel, oldest_s),
                     model_keep(model, oldest_s, INT64_MAX));
    break;
  }
  case 2: {
    int64_t latest_s = 900 + (int64_t)wire_below(random, 99);
    assert_int_equal(parcel_cut_off(parcel, latest_s),
                     model_keep(model, INT64_MIN, latest_s));
    break;
  }
  }
}

static void agrees_with_a_plain_list(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("parcel");
  for (int round = 0; round < 20; round++) {
    struct parcel *parcel = parcel_new("N", 0);
    struct model model = {.n = 0};
    unsigned serial = 0;
    for (int i = 0; i < 500; i++) {
      do_something(&random, parcel, &model, &serial);
      assert_same(parcel, &model);
    }
    parcel_free(parcel);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_what_it_is_given),
      cmocka_unit_test(takes_no_more_data_than_a_request),
      cmocka_unit_test(takes_no_more_bytes_than_a_request),
      cmocka_unit_test(leaves_room_for_the_namespace),
      cmocka_unit_test(refuses_identifiers_without_end),
      cmocka_unit_test(agrees_with_a_plain_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
