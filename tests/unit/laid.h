/* laid: parcels laid down in a spool and woken from it, in a folder of their
 * own, and what was said. */
#ifndef TESTS_LAID_H
#define TESTS_LAID_H

#include "run/resting.h"
#include "run/spool.h"

#include "disk.h"
#include "heard.h"
#include "parcels.h"

#define FLUSH INT64_C(1700000000000)

static const struct spool_options in_folder = {
    .directory = disk, .node = "", .limit_bytes = 1 << 20};

static struct spool *start(const struct spool_options *options) {
  struct spool *spool = spool_new(options);
  assert_non_null(spool);
  spool_open(spool);
  return spool;
}

static size_t n_said(const char *words) {
  size_t n = 0;
  for (const char *at = strstr(said, words); at != NULL;
       at = strstr(at + 1, words))
    n++;
  return n;
}

static void assert_said(const char *words, size_t n) {
  if (n_said(words) != n)
    fail_msg("\"%s\" was said %zu times, not %zu:\n%s", words, n_said(words), n,
             said);
}

/* The path of a parcel's file, whatever its number. */
static const char *file_of(int64_t flush, uint32_t number) {
  return on_disk(resting_name(flush, number).text);
}

static void keep(struct spool *spool, struct parcel *parcel) {
  assert_int_equal(spool_keep(spool, parcel), SPOOL_KEPT);
  spool_sync(spool);
  assert_true(spool_has(spool, parcel));
}

static struct parcel *wake(struct spool *spool, int64_t room_bytes) {
  size_t n_known = 0;
  struct parcel *parcel = spool_wake(spool, room_bytes, &n_known);
  assert_true(parcel == NULL || parcel->n_data == n_known);
  return parcel;
}

/* Kept and out of memory; returns a copy to compare with. */
static struct parcel *lay_down(struct spool *spool, struct parcel *parcel) {
  struct parcel *copy = copy_parcel(parcel);
  keep(spool, parcel);
  assert_int_equal(spool_rest(spool, parcel), 0);
  return copy;
}

/* The next to wake is this; both are freed, and the file is removed. */
static void wake_and_end(struct spool *spool, struct parcel *want) {
  struct parcel *parcel = wake(spool, INT64_MAX);
  assert_non_null(parcel);
  assert_same_parcel(parcel, want);
  assert_true(spool_has(spool, parcel));
  spool_remove(spool, parcel);
  assert_false(spool_has(spool, parcel));
  parcel_free(parcel);
  parcel_free(want);
}

static void assert_empty(const struct spool *spool) {
  struct spool_sum sum = spool_sum(spool);
  assert_int_equal(sum.n_data, 0);
  assert_int_equal(sum.bytes, 0);
  assert_int_equal(spool_newest(spool), INT64_MIN);
  assert_int_equal(count_names(disk, ".parcel"), 0);
  assert_int_equal(count_names(disk, ".new"), 0);
}

static int fresh(void **state) {
  said[0] = '\0';
  return fresh_disk(state);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, fresh, remove_disk)

#endif
