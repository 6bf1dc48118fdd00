#include "run/outbox.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct parcel *parcel_of(const char *namespace, int64_t flush,
                                size_t n) {
  struct parcel *parcel = parcel_new(namespace, flush);
  assert_non_null(parcel);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(
        parcel_add(parcel, STR("{\"Value\":1}"), "id", flush - (int64_t)i), 0);
  return parcel;
}

/* No spool behind it: what passes the limit is dropped. */
static struct spool *no_spool;

static int open_none(void **state) {
  (void)state;
  no_spool = spool_new(&(struct spool_options){.node = ""});
  return no_spool != NULL ? 0 : -1;
}

static int close_none(void **state) {
  (void)state;
  spool_free(no_spool);
  return 0;
}

static struct parcel *next(struct outbox *outbox, const struct parcel *after,
                           const char *namespace) {
  return outbox_next(outbox, after, namespace, INT64_MIN);
}

static void puts_the_newest_first(void **state) {
  (void)state;
  struct outbox outbox = {.spool = no_spool, .limit_bytes = 1 << 20};
  struct parcel *late = parcel_of("A", 100, 1);
  struct parcel *newest = parcel_of("B", 300, 1);
  struct parcel *middle = parcel_of("A", 200, 1);
  struct parcel *again = parcel_of("A", 200, 1);

  assert_int_equal(outbox_put(&outbox, late), 0);
  assert_int_equal(outbox_put(&outbox, newest), 0);
  assert_int_equal(outbox_put(&outbox, middle), 0);
  assert_int_equal(outbox_put(&outbox, again), 0);
  assert_int_equal(outbox_put(&outbox, parcel_of("A", 400, 0)), 0);

  assert_int_equal(outbox.n_parcels, 4);
  assert_ptr_equal(next(&outbox, NULL, NULL), newest);
  assert_ptr_equal(next(&outbox, newest, NULL), again);
  assert_ptr_equal(next(&outbox, again, NULL), middle);
  assert_ptr_equal(next(&outbox, middle, NULL), late);
  assert_null(next(&outbox, late, NULL));
  assert_ptr_equal(next(&outbox, NULL, "A"), again);
  assert_ptr_equal(next(&outbox, NULL, "B"), newest);
  assert_null(next(&outbox, newest, "B"));
  assert_null(next(&outbox, NULL, "AB"));
  outbox_clear(&outbox);
  assert_null(next(&outbox, NULL, NULL));
  assert_int_equal(outbox.bytes, 0);
  assert_int_equal(outbox.n_data, 0);
  assert_int_equal(outbox.limit_bytes, 1 << 20);
  outbox_clear(&outbox);
}

static void drops_the_oldest_when_full(void **state) {
  (void)state;
  struct parcel *first = parcel_of("A", 100, 3);
  struct outbox outbox = {.spool = no_spool,
                          .limit_bytes = 2 * parcel_bytes(first)};
  assert_int_equal(outbox_put(&outbox, first), 0);
  assert_int_equal(outbox_put(&outbox, parcel_of("A", 200, 3)), 0);
  assert_int_equal(outbox.bytes, outbox.limit_bytes);
  assert_int_equal(outbox_put(&outbox, parcel_of("A", 300, 3)), 3);
  assert_int_equal(outbox.oldest->flush, 200);
  assert_int_equal(outbox.newest->flush, 300);

  /* What is older than all that waits goes first, though it came last. */
  assert_int_equal(outbox_put(&outbox, parcel_of("A", 100, 2)), 2);
  assert_int_equal(outbox.oldest->flush, 200);
  assert_int_equal(outbox.n_dropped, 5);
  assert_int_equal(outbox.n_data, 6);

  /* One that is larger than everything stays alone, to be sent. */
  outbox.limit_bytes = 10;
  assert_int_equal(outbox_put(&outbox, parcel_of("A", 400, 1)), 6);
  assert_int_equal(outbox.n_dropped, 11);
  assert_int_equal(outbox.n_parcels, 1);
  assert_int_equal(outbox.newest->flush, 400);
  assert_int_equal(outbox_put(&outbox, parcel_of("A", 500, 2)), 1);
  assert_int_equal(outbox.n_parcels, 1);
  assert_int_equal(outbox.oldest->flush, 500);
  assert_int_equal(outbox_clear(&outbox), 2);
}

static void drops_what_is_too_old(void **state) {
  (void)state;
  struct outbox outbox = {.spool = no_spool, .limit_bytes = 1 << 20};
  /* Times 100 99 98, 200 199 198, and old data in a new parcel. */
  outbox_put(&outbox, parcel_of("A", 100, 3));
  outbox_put(&outbox, parcel_of("A", 200, 3));
  struct parcel *late = parcel_new("A", 300);
  assert_int_equal(parcel_add(late, STR("{}"), "id", 50), 0);
  assert_int_equal(parcel_add(late, STR("{}"), "id", 299), 0);
  outbox_put(&outbox, late);

  assert_int_equal(outbox_expire(&outbox, 50), 0);
  assert_int_equal(outbox_expire(&outbox, 199), 3 + 1 + 1);
  assert_int_equal(outbox.n_expired, 5);
  assert_int_equal(outbox.n_parcels, 2);
  assert_int_equal(outbox.n_data, 3);
  assert_ptr_equal(outbox.newest, late);
  assert_int_equal(outbox_expire(&outbox, 1000), 3);
  assert_int_equal(outbox.bytes, 0);
  assert_null(outbox.newest);
}

static void drops_what_lies_ahead(void **state) {
  (void)state;
  struct outbox outbox = {.spool = no_spool, .limit_bytes = 1 << 20};
  outbox_put(&outbox, parcel_of("A", 100, 3));
  outbox_put(&outbox, parcel_of("A", 200, 3));
  outbox_put(&outbox, parcel_of("A", 300, 3));
  outbox.limit_bytes = 0; /* none of its business */
  assert_int_equal(outbox_cut_off(&outbox, 300), 0);
  assert_int_equal(outbox_cut_off(&outbox, 198), 3 + 2);
  assert_int_equal(outbox.n_parcels, 2);
  assert_int_equal(outbox.n_data, 4);
  assert_int_equal(outbox.newest->data[0].time_s, 198);
  assert_int_equal(outbox.n_expired, 0);
  assert_int_equal(outbox.n_dropped, 0);
  outbox_clear(&outbox);
}

/* ---- random work, against a plain list ---------------------------------- */

#define LIST_MAX 4096

struct model {
  struct parcel *list[LIST_MAX]; /* newest first */
  size_t n, bytes, n_data;
};

static void model_sum(struct model *model) {
  model->bytes = model->n_data = 0;
  for (size_t i = 0; i < model->n; i++) {
    model->bytes += parcel_bytes(model->list[i]);
    model->n_data += model->list[i]->n_data;
  }
}

static void assert_same(const struct outbox *outbox, struct model *model) {
  const struct parcel *newer = NULL, *parcel = outbox->newest;
  model_sum(model);
  assert_int_equal(outbox->n_parcels, model->n);
  assert_int_equal(outbox->n_data, model->n_data);
  assert_int_equal(outbox->bytes, model->bytes);
  assert_true(outbox->bytes <= outbox->limit_bytes);
  for (size_t i = 0; i < model->n; i++) {
    assert_ptr_equal(parcel, model->list[i]);
    assert_ptr_equal(parcel->newer, newer);
    assert_true(newer == NULL || newer->flush >= parcel->flush);
    newer = parcel;
    parcel = parcel->older;
  }
  assert_null(parcel);
  assert_ptr_equal(outbox->oldest, newer);
}

static void model_put(struct model *model, struct parcel *parcel) {
  size_t at = 0;
  while (at < model->n && model->list[at]->flush > parcel->flush)
    at++;
  memmove(&model->list[at + 1], &model->list[at],
          (model->n - at) * sizeof(model->list[0]));
  model->list[at] = parcel;
  model->n++;
}

static void model_take(struct model *model, size_t at) {
  model->n--;
  memmove(&model->list[at], &model->list[at + 1],
          (model->n - at) * sizeof(model->list[0]));
}

/* Before the outbox frees anything: how many data it must drop. */
static size_t model_squeeze(struct model *model, size_t limit) {
  size_t n_dropped = 0;
  model_sum(model);
  while (model->bytes > limit) {
    n_dropped += model->list[model->n - 1]->n_data;
    model->n--;
    model_sum(model);
  }
  return n_dropped;
}

static size_t model_expire(struct model *model, int64_t oldest_s) {
  size_t n_expired = 0, kept = 0;
  for (size_t i = 0; i < model->n; i++) {
    const struct parcel *parcel = model->list[i];
    size_t n = 0;
    for (size_t k = 0; k < parcel->n_data; k++)
      n += parcel->data[k].time_s < oldest_s;
    n_expired += n;
    if (n < parcel->n_data)
      model->list[kept++] = model->list[i];
  }
  model->n = kept;
  return n_expired;
}

static const char *const namespaces[] = {"A", "B", "C"};

static void put_one(struct outbox *outbox, struct model *model,
                    struct parcel *parcel) {
  if (parcel->n_data > 0)
    model_put(model, parcel);
  size_t n_dropped = model_squeeze(model, outbox->limit_bytes);
  uint64_t before = outbox->n_dropped;
  assert_int_equal(outbox_put(outbox, parcel), n_dropped);
  assert_int_equal(outbox->n_dropped, before + n_dropped);
}

static void check_next(struct outbox *outbox, const struct model *model,
                       const char *namespace) {
  const struct parcel *after = NULL;
  for (size_t i = 0; i < model->n; i++) {
    if (strcmp(model->list[i]->namespace, namespace) != 0)
      continue;
    after = next(outbox, after, namespace);
    assert_ptr_equal(after, model->list[i]);
  }
  assert_true(after == NULL || next(outbox, after, namespace) == NULL);
}

static void do_something(struct wire_random *random, struct outbox *outbox,
                         struct model *model) {
  const char *namespace = namespaces[wire_below(random, 3)];
  int64_t oldest_s = (int64_t)wire_below(random, 120);

  switch (wire_below(random, 8)) {
  default:
    put_one(outbox, model,
            parcel_of(namespace, (int64_t)wire_below(random, 1000),
                      wire_below(random, 12)));
    return;
  case 0: /* take one out, change it, and perhaps put it back */
    if (model->n == 0)
      return;
    size_t at = wire_below(random, model->n);
    struct parcel *parcel = model->list[at];
    model_take(model, at);
    assert_ptr_equal(outbox_take(outbox, parcel), parcel);
    assert_null(parcel->older);
    assert_null(parcel->newer);
    assert_same(outbox, model);
    parcel_remove(parcel, 0, wire_below(random, 4));
    if (wire_often(random, 50))
      put_one(outbox, model, parcel);
    else
      parcel_free(parcel);
    return;
  case 1: {
    size_t n_expired = model_expire(model, oldest_s); /* while all are there */
    assert_int_equal(outbox_expire(outbox, oldest_s), n_expired);
    return;
  }
  case 2:
    check_next(outbox, model, namespace);
    return;
  }
}

static void agrees_with_a_plain_list(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("outbox");
  static struct model model;
  for (int round = 0; round < 10; round++) {
    struct outbox outbox = {.spool = no_spool,
                            .limit_bytes = 5000 + wire_below(&random, 60000)};
    model = (struct model){.n = 0};
    for (int i = 0; i < 600; i++) {
      do_something(&random, &outbox, &model);
      assert_same(&outbox, &model);
    }
    outbox_clear(&outbox);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(puts_the_newest_first),
      cmocka_unit_test(drops_the_oldest_when_full),
      cmocka_unit_test(drops_what_is_too_old),
      cmocka_unit_test(drops_what_lies_ahead),
      cmocka_unit_test(agrees_with_a_plain_list),
  };
  return cmocka_run_group_tests(tests, open_none, close_none);
}
