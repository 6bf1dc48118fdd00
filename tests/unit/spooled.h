/* spooled: an outbox with a spool behind it, in a folder of its own. */
#ifndef TESTS_SPOOLED_H
#define TESTS_SPOOLED_H

#include "run/outbox.h"

#include <errno.h>

#include "disk.h"
#include "parcels.h"

#define FLUSH INT64_C(1700000000000)

static struct spool_options options;
static struct outbox outbox;
static const char *removed_by_sync; /* a folder; NULL: all is well */
static unsigned n_syncs;

/* The disk is quick; what is lost with the power is the matter of
 * tests/fault/crash.c. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
  (void)fd;
  n_syncs++;
  if (removed_by_sync == NULL)
    return 0;
  remove_all(removed_by_sync);
  errno = EIO;
  return -1;
}

static void open_outbox(size_t limit_bytes, int64_t spool_bytes) {
  options = (struct spool_options){
      .directory = disk, .node = "", .limit_bytes = spool_bytes};
  outbox =
      (struct outbox){.limit_bytes = limit_bytes, .spool = spool_new(&options)};
  assert_non_null(outbox.spool);
  spool_open(outbox.spool);
  assert_true(spool_is_open(outbox.spool));
}

/* Returns how many data were lost. */
static size_t close_outbox(void) {
  size_t n_lost = outbox_clear(&outbox);
  spool_free(outbox.spool);
  return n_lost;
}

/* The disk that a small parcel takes. */
static int64_t put_a_block(void) {
  struct parcel *parcel = make_parcel("N", FLUSH, 1);
  assert_int_equal(spool_keep(outbox.spool, parcel), SPOOL_KEPT);
  int64_t bytes = spool_sum(outbox.spool).bytes;
  spool_remove(outbox.spool, parcel);
  parcel_free(parcel);
  return bytes;
}

static size_t count_files(void) { return count_names(disk, ".parcel"); }

static struct parcel *next(const struct parcel *after) {
  return outbox_next(&outbox, after, NULL, INT64_MIN);
}

static void end(struct parcel *parcel) {
  (void)outbox_take(&outbox, parcel);
  parcel_remove(parcel, 0, parcel->n_data);
  outbox_put_back(&outbox, parcel);
}

#endif
