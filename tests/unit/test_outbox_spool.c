/* The outbox with a spool behind it; test_outbox.c has it without. */
#include "spooled.h"

#include "heard.h"

static void restart(void) {
  outbox_keep(&outbox, true);
  assert_int_equal(close_outbox(), 0);
  open_outbox(outbox.limit_bytes, options.limit_bytes);
}

static size_t parcel_size(size_t n) {
  struct parcel *parcel = make_parcel("N", FLUSH, n);
  size_t bytes = parcel_bytes(parcel);
  parcel_free(parcel);
  return bytes;
}

static void what_is_pushed_out_comes_back_whole_and_in_order(void **state) {
  (void)state;
  enum { N = 200 };
  struct parcel *copies[N];
  open_outbox(5 * parcel_size(7), INT64_C(1) << 30);

  for (size_t i = 0; i < N; i++) {
    struct parcel *parcel = make_parcel("N", FLUSH + (int64_t)i, 7);
    copies[i] = copy_parcel(parcel);
    assert_int_equal(outbox_put(&outbox, parcel), 0);
    assert_true(outbox.bytes <= outbox.limit_bytes);
  }
  assert_int_equal(outbox_count(&outbox), 7 * N);
  assert_int_equal(count_files(), N - 5); /* what is in memory has none */
  for (size_t i = N; i-- > 0;) {
    struct parcel *parcel = next(NULL);
    assert_int_equal(outbox_newest(&outbox), FLUSH + (int64_t)i);
    assert_same_parcel(parcel, copies[i]);
    assert_true(outbox.bytes <= outbox.limit_bytes);
    end(parcel);
    parcel_free(copies[i]);
    if (i == N / 2)
      restart();
  }
  assert_null(next(NULL));
  assert_int_equal(count_files(), 0);
  assert_int_equal(outbox.n_dropped, 0);
  close_outbox();
}

static void what_changed_is_written_anew(void **state) {
  (void)state;
  open_outbox(1 << 20, 1 << 20);
  (void)outbox_put(&outbox, make_parcel("N", FLUSH, 5));
  outbox_keep(&outbox, true);
  struct parcel *parcel = outbox_take(&outbox, outbox.newest);
  parcel_remove(parcel, 1, 3);
  struct parcel *copy = copy_parcel(parcel);
  outbox_put_back(&outbox, parcel);
  outbox_keep(&outbox, true);
  assert_int_equal(count_files(), 1);
  restart();
  assert_int_equal(outbox_count(&outbox), 2);
  assert_same_parcel(next(NULL), copy);
  end(next(NULL));
  assert_int_equal(count_files(), 0);
  parcel_free(copy);
  close_outbox();
}

static void the_end_leaves_all_on_disk(void **state) {
  (void)state;
  open_outbox(1 << 20, 1 << 20);
  for (size_t i = 1; i <= 3; i++)
    (void)outbox_put(&outbox, make_parcel("N", FLUSH + (int64_t)i, i));
  outbox_keep(&outbox, true);
  (void)outbox_put(&outbox, make_parcel("N", FLUSH + 4, 4)); /* not kept */
  assert_int_equal(close_outbox(), 4);
  assert_int_equal(count_files(), 3);
  open_outbox(1 << 20, 1 << 20);
  assert_int_equal(outbox_count(&outbox), 6);
  close_outbox();
}

static void what_is_leaving_can_stay_in_memory(void **state) {
  (void)state;
  open_outbox(1 << 20, 1 << 20);
  (void)outbox_put(&outbox, make_parcel("N", FLUSH, 1));
  (void)outbox_put(&outbox, make_parcel("N", FLUSH + 1, 1));
  outbox.newest->is_leaving = true;
  outbox_keep(&outbox, false);
  assert_false(spool_has(outbox.spool, outbox.newest));
  assert_true(spool_has(outbox.spool, outbox.oldest));
  outbox_keep(&outbox, true);
  assert_true(spool_has(outbox.spool, outbox.newest));
  assert_int_equal(close_outbox(), 0);
}

/* The disk is not made to work for nothing, nor believed when it failed. */
static void only_what_changed_is_synchronised(void **state) {
  (void)state;
  open_outbox(1 << 20, 1 << 20);
  (void)outbox_put(&outbox, make_parcel("N", FLUSH, 1));
  unsigned before = n_syncs;
  outbox_keep(&outbox, true);
  assert_int_equal(n_syncs, before + 2); /* the file, and the folder */
  outbox_keep(&outbox, true);
  assert_int_equal(n_syncs, before + 2);
  end(outbox.newest);
  outbox_keep(&outbox, true);
  assert_int_equal(n_syncs, before + 3);

  (void)outbox_put(&outbox, make_parcel("N", FLUSH, 1));
  assert_int_equal(spool_keep(outbox.spool, outbox.newest), SPOOL_KEPT);
  removed_by_sync = on_disk("nothing");
  spool_sync(outbox.spool);
  removed_by_sync = NULL;
  before = n_syncs;
  outbox_keep(&outbox, true);
  assert_int_equal(n_syncs, before); /* not at once */
  spool_hurry(outbox.spool);
  outbox_keep(&outbox, true);
  assert_int_equal(n_syncs, before + 1);
  outbox_keep(&outbox, true);
  assert_int_equal(n_syncs, before + 1);
  close_outbox();
}

/* A request has several parcels; while its answer is settled, none may go. */
static void others_stay_while_one_is_put_back(void **state) {
  (void)state;
  open_outbox(1 << 20, 1 << 20);
  for (int i = 0; i < 3; i++)
    (void)outbox_put(&outbox, make_parcel("N", FLUSH + i, 5));
  outbox.limit_bytes = 1; /* as a flush may set it meanwhile */
  struct parcel *oldest = outbox.oldest, *middle = oldest->newer;
  struct parcel *parcel = outbox_take(&outbox, middle);
  parcel_remove(parcel, 0, 1);
  outbox_put_back(&outbox, parcel);
  assert_int_equal(outbox.n_parcels, 3);
  assert_ptr_equal(outbox.oldest, oldest);
  assert_int_equal(outbox_count(&outbox), 14);

  (void)outbox_put(&outbox, make_parcel("N", FLUSH + 3, 5));
  assert_int_equal(outbox.n_parcels, 0);
  assert_int_equal(outbox_count(&outbox), 19);
  assert_int_equal(close_outbox(), 0);
}

/* Larger than memory may be: alone it comes back all the same. */
static void the_largest_parcel_is_not_stuck(void **state) {
  (void)state;
  open_outbox(parcel_size(20) - 1, 1 << 20);
  (void)outbox_put(&outbox, make_parcel("N", FLUSH, 20));
  (void)outbox_put(&outbox, make_parcel("N", FLUSH + 1, 20));
  assert_int_equal(outbox.n_parcels, 0);
  assert_int_equal(outbox_count(&outbox), 40);
  for (int i = 1; i >= 0; i--) {
    struct parcel *parcel = next(NULL);
    assert_int_equal(parcel->flush, FLUSH + i);
    assert_null(next(parcel));
    assert_int_equal(outbox.n_parcels, 1);
    end(parcel);
  }
  assert_null(next(NULL));
  close_outbox();
}

/* Short texts may take more memory than twice their file. */
static void what_takes_more_than_expected_goes_to_rest_again(void **state) {
  (void)state;
  enum { N = 513 }; /* one more than there was room for */
  struct parcel *many = parcel_new("N", FLUSH);
  for (int i = 0; i < N; i++)
    assert_int_equal(parcel_add(many, STR("1"), "", FLUSH / 1000), 0);
  size_t bytes = parcel_bytes(many);
  struct parcel *copy = copy_parcel(many);
  open_outbox(1, 1 << 20);
  (void)outbox_put(&outbox, many);
  assert_true(2 * (size_t)spool_sum(outbox.spool).bytes < bytes);

  outbox.limit_bytes = bytes + parcel_size(1) - 1;
  struct parcel *newer = make_parcel("N", FLUSH + 1, 1);
  (void)outbox_put(&outbox, newer);
  assert_ptr_equal(next(NULL), newer);
  assert_null(next(newer));
  assert_int_equal(outbox.n_parcels, 1);
  assert_int_equal(outbox_count(&outbox), N + 1);
  end(newer);
  assert_same_parcel(next(NULL), copy);
  parcel_free(copy);
  close_outbox();
}

/* BufferAge holds for what rests, too. */
static void what_became_too_old_at_rest_does_not_come_back(void **state) {
  (void)state;
  open_outbox(1, 1 << 20);
  (void)outbox_put(&outbox, make_parcel("N", FLUSH - 3600000, 5));
  (void)outbox_put(&outbox, make_parcel("N", FLUSH, 5)); /* 0 to 4 s before */
  (void)outbox_put(&outbox, make_parcel("N", FLUSH + 60000, 5));
  outbox.limit_bytes = 1 << 20;

  assert_int_equal(outbox_expire(&outbox, FLUSH / 1000 - 1), 0);
  assert_int_equal(outbox_count(&outbox), 15);
  struct parcel *parcel = next(next(NULL));
  assert_int_equal(parcel->flush, FLUSH);
  assert_int_equal(parcel->n_data, 2);
  assert_null(next(parcel)); /* nothing of it may be sent */
  assert_int_equal(outbox.n_expired, 8);
  assert_int_equal(outbox_count(&outbox), 7);
  assert_int_equal(count_files(), 2);

  /* They are counted once, whatever the file still has. */
  outbox.limit_bytes = 1;
  (void)outbox_put(&outbox, make_parcel("N", FLUSH + 120000, 1));
  assert_int_equal(outbox.n_parcels, 0);
  outbox.limit_bytes = 1 << 20;
  while (next(NULL) != NULL)
    end(next(NULL));
  assert_int_equal(outbox.n_expired, 8);
  close_outbox();
}

/* With little disk, the newest are there, and older ones in memory only. */
static void older_ones_in_memory_give_up_their_place(void **state) {
  (void)state;
  open_outbox(1 << 20, 1 << 20);
  int64_t block = put_a_block();
  (void)close_outbox();
  open_outbox(1 << 20, 2 * block);
  for (int i = 0; i < 4; i++) {
    (void)outbox_put(&outbox, make_parcel("N", FLUSH + i, 1));
    outbox_keep(&outbox, true);
    assert_true(count_files() <= 2);
  }
  assert_int_equal(outbox_count(&outbox), 4); /* nothing is dropped */
  assert_int_equal(outbox.n_parcels, 4);
  assert_true(spool_has(outbox.spool, outbox.newest));
  assert_true(spool_has(outbox.spool, outbox.newest->older));
  assert_false(spool_has(outbox.spool, outbox.oldest));
  assert_int_equal(close_outbox(), 2);
}

/* A parcel must not rest where there is nothing. */
static void a_folder_that_goes_at_the_last_moment_is_noticed(void **state) {
  (void)state;
  char path[80];
  (void)snprintf(path, sizeof(path), "%s/spool", disk);
  open_outbox(1, 1 << 20);
  spool_free(outbox.spool);
  options.directory = path;
  outbox.spool = spool_new(&options);
  spool_open(outbox.spool);

  removed_by_sync = path;
  (void)outbox_put(&outbox, make_parcel("N", FLUSH, 3));
  removed_by_sync = NULL;
  assert_false(spool_is_open(outbox.spool));
  uint64_t n_counted = outbox.n_dropped + spool_sum(outbox.spool).n_dropped;
  assert_int_equal(n_counted, 0);
  assert_int_equal(outbox_count(&outbox), 3); /* in memory, as the last */
  close_outbox();
}

static void what_is_not_asked_for_stays_at_rest(void **state) {
  (void)state;
  open_outbox(1, 1 << 20);
  (void)outbox_put(&outbox, make_parcel("A", FLUSH, 1));
  (void)outbox_put(&outbox, make_parcel("B", FLUSH + 1, 1));
  outbox.limit_bytes = 1 << 20;
  assert_null(outbox_next(&outbox, NULL, NULL, FLUSH + 2));
  assert_int_equal(outbox.n_parcels, 0);
  struct parcel *b = outbox_next(&outbox, NULL, NULL, FLUSH + 1);
  assert_string_equal(b->namespace, "B");
  assert_null(outbox_next(&outbox, b, "B", FLUSH + 1));
  assert_int_equal(outbox.n_parcels, 1);
  assert_string_equal(outbox_next(&outbox, NULL, "A", FLUSH)->namespace, "A");
  assert_int_equal(close_outbox(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_QUICK_DISK(what_is_pushed_out_comes_back_whole_and_in_order),
      ON_QUICK_DISK(what_changed_is_written_anew),
      ON_QUICK_DISK(the_end_leaves_all_on_disk),
      ON_QUICK_DISK(what_is_leaving_can_stay_in_memory),
      ON_QUICK_DISK(only_what_changed_is_synchronised),
      ON_QUICK_DISK(others_stay_while_one_is_put_back),
      ON_QUICK_DISK(the_largest_parcel_is_not_stuck),
      ON_QUICK_DISK(what_takes_more_than_expected_goes_to_rest_again),
      ON_QUICK_DISK(what_became_too_old_at_rest_does_not_come_back),
      ON_QUICK_DISK(older_ones_in_memory_give_up_their_place),
      ON_QUICK_DISK(a_folder_that_goes_at_the_last_moment_is_noticed),
      ON_QUICK_DISK(what_is_not_asked_for_stays_at_rest),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
