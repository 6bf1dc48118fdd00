/* Random work of an outbox with a spool behind it, against a plain list. */
#include "run/resting.h"

#include "heard.h"
#include "spooled.h"
#include "wire_random.h"

#define ITEMS_MAX 1024

/* All that waits, wherever it is. */
static struct model {
  struct parcel *items[ITEMS_MAX]; /* copies, each of another flush */
  size_t n;
  int64_t n_flushes; /* ever */
  uint64_t n_gone;   /* data that were dropped, or found too old */
  bool may_drop;
} model;

static struct parcel *find_in_memory(int64_t flush) {
  struct parcel *parcel = outbox.newest;
  while (parcel != NULL && parcel->flush != flush)
    parcel = parcel->older;
  return parcel;
}

static size_t find_item(int64_t flush) {
  size_t at = 0;
  while (at < model.n && model.items[at]->flush != flush)
    at++;
  assert_true(at < model.n);
  return at;
}

static void forget_item(size_t at) {
  parcel_free(model.items[at]);
  model.items[at] = model.items[--model.n];
}

/* The flushes that have a file, sorted by nothing. */
struct look {
  int64_t flushes[ITEMS_MAX];
  size_t n;
};

static void look_at_disk(struct look *look) {
  DIR *entries = opendir(disk);
  struct resting file;
  look->n = 0;
  for (struct dirent *e; (e = readdir(entries)) != NULL;)
    if (resting_of_name(e->d_name, &file))
      look->flushes[look->n++] = file.flush;
  (void)closedir(entries);
}

/* Finds an item in memory or on disk, and counts what has become of the rest
 * of it.  Returns whether it still waits. */
static bool settle(struct parcel *item, const struct look *look) {
  const struct parcel *parcel = find_in_memory(item->flush);
  size_t n_files = 0;

  for (size_t i = 0; i < look->n; i++)
    n_files += look->flushes[i] == item->flush;
  assert_true(n_files <= 1);
  if (parcel == NULL && n_files == 1)
    return true;
  model.n_gone += parcel_expire(item, outbox.oldest_s);
  if (parcel != NULL) {
    assert_same_parcel(parcel, item);
    return true;
  }
  assert_true(item->n_data == 0 || model.may_drop);
  model.n_gone += item->n_data;
  return false;
}

static void assert_sums(void) {
  size_t n_parcels = 0, n_data = 0, bytes = 0;
  for (const struct parcel *p = outbox.newest; p != NULL; p = p->older) {
    n_parcels++;
    n_data += p->n_data;
    bytes += parcel_bytes(p);
    assert_ptr_equal(p->older != NULL ? p->older->newer : outbox.oldest, p);
    assert_true(p->older == NULL || p->older->flush <= p->flush);
  }
  assert_int_equal(outbox.n_parcels, n_parcels);
  assert_int_equal(outbox.n_data, n_data);
  assert_int_equal(outbox.bytes, bytes);
  assert_true(bytes <= outbox.limit_bytes || n_parcels == 1);
}

static void assert_agrees(void) {
  static struct look look;
  struct spool_sum sum = spool_sum(outbox.spool);
  size_t n_data = 0;

  assert_sums();
  look_at_disk(&look);
  for (size_t i = model.n; i-- > 0;)
    if (!settle(model.items[i], &look))
      forget_item(i);
  for (size_t i = 0; i < model.n; i++)
    n_data += model.items[i]->n_data;
  assert_int_equal(outbox_count(&outbox), n_data);
  assert_int_equal(outbox.n_dropped + sum.n_dropped + outbox.n_expired,
                   model.n_gone);
  assert_true(model.may_drop || outbox.n_dropped + sum.n_dropped == 0);
  assert_true(sum.bytes <= options.limit_bytes);
  assert_int_equal(sum.n_damaged, 0);
}

/* Mostly the newest, some late; no two of the same flush. */
static void put_one(struct wire_random *random) {
  int64_t late = wire_often(random, 20) ? (int64_t)wire_below(random, 50) : 0;
  int64_t flush = FLUSH + 60000 * (model.n_flushes - late) + late;
  size_t n = 1 + wire_below(random, wire_often(random, 5) ? 300 : 12);
  struct parcel *parcel =
      make_parcel(wire_often(random, 50) ? "A" : "B", flush, n);

  for (size_t i = 0; i < model.n; i++)
    if (model.items[i]->flush == flush) {
      parcel_free(parcel);
      return;
    }
  model.n_flushes++;
  model.items[model.n++] = copy_parcel(parcel);
  (void)outbox_put(&outbox, parcel);
}

/* Some data of one of the newest were accepted. */
static void send_some(struct wire_random *random) {
  struct parcel *parcel = next(NULL);
  for (size_t n = wire_below(random, 4); n > 0 && parcel != NULL; n--)
    parcel = next(parcel);
  assert_agrees(); /* some may have come back */
  if (parcel == NULL)
    return;
  size_t at = find_item(parcel->flush);
  size_t first = wire_below(random, parcel->n_data);
  size_t n = wire_often(random, 50) ? parcel->n_data : wire_below(random, 8);
  parcel_remove(model.items[at], first, n);
  if (model.items[at]->n_data == 0)
    forget_item(at);
  (void)outbox_take(&outbox, parcel);
  parcel_remove(parcel, first, n);
  outbox_put_back(&outbox, parcel);
}

/* Time does not go back: what is on disk alone would then be younger again than
 * the model knows. */
static void expire_some(struct wire_random *random) {
  int64_t ago_s =
      (int64_t)wire_below(random, 100) * 60 + (int64_t)wire_below(random, 10);
  int64_t oldest_s = FLUSH / 1000 + 60 * model.n_flushes - 3600 - ago_s;
  if (oldest_s > outbox.oldest_s)
    (void)outbox_expire(&outbox, oldest_s);
}

/* From then on its file is what waits: data that were found too old before are
 * in it still. */
static void read_item(const char *name, int64_t flush) {
  static char bytes[1 << 16];
  struct parcel *item = model.items[find_item(flush)], *parcel = NULL;
  struct str record = {bytes, get_bytes(on_disk(name), bytes, sizeof(bytes))};

  assert_int_equal(record_read(record, &parcel, NULL), RECORD_WHOLE);
  assert_true(parcel->n_data >= item->n_data);
  struct parcel *now = copy_parcel(parcel);
  (void)parcel_expire(now, outbox.oldest_s);
  (void)parcel_expire(item, outbox.oldest_s);
  assert_same_parcel(now, item);
  parcel_free(now);
  model.items[find_item(flush)] = parcel;
  parcel_free(item);
}

static void start_again(void) {
  outbox_keep(&outbox, true);
  assert_int_equal(outbox_clear(&outbox), 0);
  DIR *entries = opendir(disk);
  struct resting file;
  size_t n = 0;
  for (struct dirent *e; (e = readdir(entries)) != NULL;)
    if (resting_of_name(e->d_name, &file)) {
      read_item(e->d_name, file.flush);
      n++;
    }
  (void)closedir(entries);
  assert_int_equal(n, model.n);
  spool_free(outbox.spool);
  open_outbox(outbox.limit_bytes, options.limit_bytes);
  model.n_gone = 0;
}

static void do_something(struct wire_random *random) {
  switch (wire_below(random, 14)) {
  case 0:
  case 1:
  case 2:
  case 3:
    send_some(random);
    return;
  case 4:
    outbox_keep(&outbox, wire_often(random, 50));
    return;
  case 5:
    expire_some(random);
    return;
  case 6:
    if (!model.may_drop && wire_often(random, 20))
      start_again();
    return;
  default:
    put_one(random);
    return;
  }
}

/* All of it comes back, whatever happened before. */
static void drain(void) {
  for (struct parcel *parcel; (parcel = next(NULL)) != NULL;) {
    assert_agrees();
    forget_item(find_item(parcel->flush));
    end(parcel);
  }
  assert_agrees();
  assert_int_equal(model.n, 0);
  assert_int_equal(count_files(), 0);
  assert_int_equal(spool_sum(outbox.spool).bytes, 0);
}

static void agree(const char *label, size_t spool_blocks) {
  struct wire_random random = wire_random_new(label);
  for (int round = 0; round < 8; round++) {
    model = (struct model){.may_drop = spool_blocks > 0};
    open_outbox(3000 + wire_below(&random, 60000), INT64_C(1) << 30);
    int64_t block = put_a_block();
    close_outbox();
    open_outbox(outbox.limit_bytes, spool_blocks > 0
                                        ? (int64_t)spool_blocks * block
                                        : INT64_C(1) << 30);
    for (int i = 0; i < 400; i++) {
      do_something(&random);
      assert_agrees();
    }
    drain();
    close_outbox();
  }
}

static void with_a_large_spool_nothing_is_lost(void **state) {
  (void)state;
  agree("large spool", 0);
}

static void with_a_small_one_all_that_is_lost_is_counted(void **state) {
  (void)state;
  agree("small spool", 12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_QUICK_DISK(with_a_large_spool_nothing_is_lost),
      ON_QUICK_DISK(with_a_small_one_all_that_is_lost_is_counted),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
