#include "laid.h"

static int64_t block_bytes(void) {
  struct spool *spool = start(&in_folder);
  struct parcel *parcel = make_parcel("N", FLUSH, 1);
  assert_int_equal(spool_keep(spool, parcel), SPOOL_KEPT);
  int64_t bytes = spool_sum(spool).bytes;
  spool_remove(spool, parcel);
  parcel_free(parcel);
  spool_free(spool);
  said[0] = '\0';
  return bytes;
}

/* ---- keeping and taking up ---------------------------------------------- */

static void without_a_directory_nothing_is_kept(void **state) {
  (void)state;
  struct spool *spool = start(&(struct spool_options){.node = ""});
  struct parcel *parcel = make_parcel("N", FLUSH, 1);

  assert_false(spool_is_open(spool));
  assert_int_equal(spool_keep(spool, parcel), SPOOL_FAILED);
  spool_sync(spool);
  assert_false(spool_has(spool, parcel));
  spool_remove(spool, parcel);
  assert_null(wake(spool, INT64_MAX));
  assert_int_equal(spool_expire(spool, INT64_MAX), 0);
  assert_empty(spool);
  assert_string_equal(said, "");
  parcel_free(parcel);
  spool_free(spool);
  spool_free(NULL);
}

static void a_restart_takes_up_what_was_kept(void **state) {
  (void)state;
  enum { N = 12 };
  struct parcel *copies[N];
  struct spool *spool = start(&in_folder);

  /* In any order; three of each flush. */
  for (size_t i = 0; i < N; i++) {
    size_t at = i * 5 % N;
    struct parcel *parcel =
        make_parcel(at % 2 == 0 ? "A" : "B", FLUSH + (int64_t)(at / 3), 1 + at);
    copies[at] = copy_parcel(parcel);
    keep(spool, parcel);
    parcel_free(parcel); /* as a crash does */
  }
  struct spool_sum before = spool_sum(spool);
  spool_free(spool);
  assert_int_equal(count_names(disk, ".parcel"), N);

  spool = start(&in_folder);
  assert_said("data of earlier flushes wait", 1);
  assert_int_equal(spool_sum(spool).n_data, N * (N + 1) / 2);
  assert_int_equal(spool_sum(spool).bytes, before.bytes);
  assert_int_equal(spool_newest(spool), FLUSH + 3);
  for (int64_t flush = FLUSH + 3; flush >= FLUSH; flush--) {
    size_t n_found = 0;
    for (size_t i = 0; i < 3; i++) {
      assert_int_equal(spool_newest(spool), flush);
      struct parcel *parcel = wake(spool, INT64_MAX);
      for (size_t at = 0; at < N; at++)
        n_found += is_same_parcel(parcel, copies[at]);
      spool_remove(spool, parcel);
      parcel_free(parcel);
    }
    assert_int_equal(n_found, 3);
  }
  assert_empty(spool);
  for (size_t i = 0; i < N; i++)
    parcel_free(copies[i]);
  spool_free(spool);
}

static void what_was_changed_is_replaced(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  struct parcel *parcel = make_parcel("N", FLUSH, 5);

  keep(spool, parcel);
  keep(spool, parcel); /* is there already */
  parcel_remove(parcel, 1, 2);
  assert_false(spool_has(spool, parcel));
  keep(spool, parcel);
  assert_int_equal(count_names(disk, ".parcel"), 1);
  spool_free(spool);

  spool = start(&in_folder);
  assert_int_equal(spool_sum(spool).n_data, 3);
  wake_and_end(spool, parcel);
  assert_empty(spool);
  spool_free(spool);
}

static void what_rests_comes_back_in_order(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  struct parcel *middle = lay_down(spool, make_parcel("N", FLUSH + 1, 2));
  struct parcel *newest = lay_down(spool, make_parcel("N", FLUSH + 2, 3));
  struct parcel *oldest = lay_down(spool, make_parcel("N", FLUSH, 4));
  int64_t bytes = spool_sum(spool).bytes;

  assert_int_equal(spool_sum(spool).n_data, 9);
  assert_int_equal(spool_newest(spool), FLUSH + 2);
  assert_null(wake(spool, bytes / 3 - 1)); /* no room for it */
  assert_int_equal(spool_sum(spool).n_data, 9);
  wake_and_end(spool, newest);

  /* One that is awake may go to rest again. */
  struct parcel *parcel = wake(spool, bytes / 3);
  assert_same_parcel(parcel, middle);
  assert_int_equal(spool_sum(spool).n_data, 4);
  assert_int_equal(spool_rest(spool, parcel), 0);
  wake_and_end(spool, middle);
  wake_and_end(spool, oldest);
  assert_null(wake(spool, INT64_MAX));
  assert_empty(spool);
  spool_free(spool);
}

static void numbers_go_on_after_those_that_are_there(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  struct parcel *first = lay_down(spool, make_parcel("N", FLUSH, 1));
  spool_free(spool);
  assert_int_equal(
      rename(file_of(FLUSH, 0), file_of(FLUSH, RESTING_NUMBERS - 2)), 0);

  spool = start(&in_folder);
  struct parcel *second = lay_down(spool, make_parcel("N", FLUSH, 1));
  struct parcel *third = lay_down(spool, make_parcel("N", FLUSH + 1, 1));
  assert_true(is_there(file_of(FLUSH, RESTING_NUMBERS - 1)));
  assert_true(is_there(file_of(FLUSH + 1, 0)));
  wake_and_end(spool, third);
  wake_and_end(spool, second);
  wake_and_end(spool, first);
  spool_free(spool);
}

/* So that it is found again, whatever is in it. */
static void the_name_says_the_flush(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  parcel_free(lay_down(spool, make_parcel("N", FLUSH, 1)));
  spool_free(spool);
  assert_int_equal(rename(file_of(FLUSH, 0), file_of(FLUSH + 5, 3)), 0);
  spool = start(&in_folder);
  assert_int_equal(spool_newest(spool), FLUSH + 5);
  struct parcel *parcel = wake(spool, INT64_MAX);
  assert_int_equal(parcel->flush, FLUSH + 5);
  spool_remove(spool, parcel);
  parcel_free(parcel);
  assert_empty(spool);
  spool_free(spool);
}

static void what_is_too_old_is_removed(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  for (int i = 0; i < 4; i++)
    parcel_free(lay_down(spool, make_parcel("N", FLUSH + i, 3)));

  assert_int_equal(spool_expire(spool, FLUSH), 0);
  assert_int_equal(spool_expire(spool, FLUSH + 3), 9);
  assert_int_equal(count_names(disk, ".parcel"), 1);
  assert_int_equal(spool_sum(spool).n_data, 3);
  assert_int_equal(spool_sum(spool).n_dropped, 0);
  assert_int_equal(spool_expire(spool, INT64_MAX), 3);
  assert_empty(spool);
  spool_free(spool);
}

/* ---- SpoolLimit --------------------------------------------------------- */

/* One datum, of more bytes than a block has. */
static struct parcel *make_large(int64_t flush, int64_t block) {
  struct parcel *parcel = parcel_new("N", flush);
  struct buf text = BUF_INIT(CW_BODY_MAX);
  for (int64_t i = 0; i < block; i++)
    buf_putc(&text, 'x');
  assert_int_equal(parcel_add(parcel, str_of_buf(&text), "h/p/t", 0), 0);
  buf_clear(&text);
  return parcel;
}

static void the_oldest_give_way(void **state) {
  (void)state;
  int64_t block = block_bytes();
  struct spool_options four = in_folder;
  four.limit_bytes = 4 * block + block / 2; /* the half is of no use */
  struct spool *spool = start(&four);

  for (int i = 0; i < 4; i++)
    parcel_free(lay_down(spool, make_parcel("N", FLUSH + i, 3)));
  assert_int_equal(spool_sum(spool).bytes, 4 * block);
  assert_int_equal(spool_sum(spool).n_dropped, 0);
  struct parcel *kept = lay_down(spool, make_parcel("N", FLUSH + 4, 3));
  assert_int_equal(spool_sum(spool).bytes, 4 * block);
  assert_int_equal(spool_sum(spool).n_dropped, 3);
  assert_int_equal(spool_sum(spool).n_data, 12);
  assert_false(is_there(file_of(FLUSH, 0)));

  /* A larger one takes the place of several. */
  struct parcel *large = lay_down(spool, make_large(FLUSH + 5, block));
  assert_int_equal(spool_sum(spool).bytes, 4 * block);
  assert_int_equal(spool_sum(spool).n_dropped, 9);
  assert_said("SpoolLimit is reached; the oldest data are dropped", 1);

  /* It is well again when half is free. */
  spool_sync(spool);
  assert_int_equal(spool_expire(spool, FLUSH + 4), 3); /* of four blocks */
  spool_sync(spool);
  assert_said("within SpoolLimit again", 0);
  wake_and_end(spool, large);
  spool_sync(spool);
  assert_said("within SpoolLimit again; 9 data were dropped", 1);
  wake_and_end(spool, kept);
  assert_empty(spool);
  spool_free(spool);
}

static void nothing_newer_gives_way(void **state) {
  (void)state;
  int64_t block = block_bytes();
  struct spool_options two = in_folder;
  two.limit_bytes = 2 * block;
  struct spool *spool = start(&two);
  struct parcel *old = make_parcel("N", FLUSH, 1);
  struct parcel *equal = make_parcel("N", FLUSH + 1, 1);
  struct parcel *newer = make_parcel("N", FLUSH + 3, 1);

  struct parcel *first = lay_down(spool, make_parcel("N", FLUSH + 1, 1));
  struct parcel *second = lay_down(spool, make_parcel("N", FLUSH + 2, 1));
  assert_int_equal(spool_keep(spool, old), SPOOL_FULL);
  assert_int_equal(spool_keep(spool, equal), SPOOL_FULL);
  assert_said("SpoolLimit is reached; what has no room", 1);
  assert_int_equal(spool_sum(spool).n_dropped, 0);
  keep(spool, newer);
  assert_int_equal(spool_sum(spool).n_dropped, 1);

  /* What lies in memory, too, does not. */
  struct parcel *newest = make_parcel("N", FLUSH + 4, 1);
  wake_and_end(spool, second);
  keep(spool, newest);
  assert_int_equal(spool_keep(spool, first), SPOOL_FULL);
  spool_remove(spool, newer);
  spool_remove(spool, newest);
  assert_empty(spool);
  parcel_free(first);
  parcel_free(old);
  parcel_free(equal);
  parcel_free(newer);
  parcel_free(newest);
  spool_free(spool);
}

/* A larger file in the place of an old one needs only the difference. */
static void its_own_file_is_not_in_the_way(void **state) {
  (void)state;
  struct spool_options one = in_folder;
  one.limit_bytes = block_bytes();
  struct spool *spool = start(&one);
  struct parcel *parcel = make_parcel("N", FLUSH, 3);

  keep(spool, parcel);
  parcel_remove(parcel, 0, 1);
  keep(spool, parcel);
  assert_int_equal(spool_sum(spool).bytes, one.limit_bytes);
  spool_remove(spool, parcel);
  parcel_free(parcel);
  assert_empty(spool);
  spool_free(spool);
}

static void all_files_count(void **state) {
  (void)state;
  int64_t block = block_bytes();
  struct spool_options three = in_folder;
  three.limit_bytes = 3 * block;
  put_bytes(on_disk("notes"), "x", 1);
  put_bytes(on_disk("0000000000000001-000000.parcel.damaged"), "x", 1);
  put_bytes(on_disk("0000000000000001-000000.parcel.new"), "x", 1);
  assert_int_equal(mkdir(on_disk("below"), 0700), 0);
  struct spool *spool = start(&three);

  assert_int_equal(spool_sum(spool).bytes, 2 * block);
  parcel_free(lay_down(spool, make_parcel("N", FLUSH, 1)));
  parcel_free(lay_down(spool, make_parcel("N", FLUSH + 1, 1)));
  assert_int_equal(spool_sum(spool).bytes, 3 * block);
  assert_int_equal(spool_sum(spool).n_dropped, 1);
  spool_free(spool);
  assert_true(is_there(on_disk("notes")));
  assert_int_equal(count_names(disk, ".new"), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      FRESH(without_a_directory_nothing_is_kept),
      FRESH(a_restart_takes_up_what_was_kept),
      FRESH(what_was_changed_is_replaced),
      FRESH(what_rests_comes_back_in_order),
      FRESH(numbers_go_on_after_those_that_are_there),
      FRESH(the_name_says_the_flush),
      FRESH(what_is_too_old_is_removed),
      FRESH(the_oldest_give_way),
      FRESH(nothing_newer_gives_way),
      FRESH(its_own_file_is_not_in_the_way),
      FRESH(all_files_count),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
