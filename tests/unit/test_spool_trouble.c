/* A spool with files that are damaged, and folders that cannot be used. */
#include "ahead.h"
#include "laid.h"

#define PAUSE_MS 10000

/* ---- damaged files ------------------------------------------------------ */

enum { HEAD = 56 };

static size_t cut_short(char *bytes, size_t n) {
  (void)bytes;
  return n - 1;
}

static size_t cut_in_head(char *bytes, size_t n) {
  (void)bytes;
  (void)n;
  return HEAD - 1;
}

static size_t empty(char *bytes, size_t n) {
  (void)bytes;
  (void)n;
  return 0;
}

static size_t change_a_bit(char *bytes, size_t n) {
  bytes[n - 1] ^= 1;
  return n;
}

static size_t be_zeros(char *bytes, size_t n) {
  memset(bytes, 0, n);
  return n;
}

static size_t be_of_version_2(char *bytes, size_t n) {
  bytes[11] = 2;
  return n;
}

static size_t go_on(char *bytes, size_t n) {
  bytes[n] = '\0';
  return n + 1;
}

static const struct damage {
  const char *label;
  size_t (*make)(char *bytes, size_t n);
  bool is_in_head; /* seen when the folder is opened */
  const char *why;
} damages[] = {
    {"cut short", cut_short, false, "checksum"},
    {"cut in its head", cut_in_head, true, "cut off"},
    {"empty", empty, true, "does not begin"},
    {"a bit changed", change_a_bit, false, "checksum"},
    {"zeros", be_zeros, true, "does not begin"},
    {"another version", be_of_version_2, true, "another version"},
    {"longer", go_on, false, "checksum"},
};

static void make_damage(const char *path, const struct damage *damage) {
  static char bytes[1 << 16];
  size_t n = get_bytes(path, bytes, sizeof(bytes) - 1);
  put_bytes(path, bytes, damage->make(bytes, n));
}

static void check_damage(const struct damage *damage) {
  struct spool *spool = start(&in_folder);
  struct parcel *old = lay_down(spool, make_parcel("N", FLUSH, 2));
  parcel_free(lay_down(spool, make_parcel("N", FLUSH + 1, 2)));
  struct parcel *newest = lay_down(spool, make_parcel("N", FLUSH + 2, 2));
  spool_free(spool);
  make_damage(file_of(FLUSH + 1, 1), damage);
  said[0] = '\0';

  spool = start(&in_folder);
  print_message("%s: %s\n", damage->label, said);
  assert_int_equal(spool_sum(spool).n_data, damage->is_in_head ? 4 : 6);
  assert_int_equal(spool_sum(spool).n_damaged, damage->is_in_head);
  wake_and_end(spool, newest);
  wake_and_end(spool, old);
  assert_null(wake(spool, INT64_MAX));
  assert_int_equal(spool_sum(spool).n_damaged, 1);
  assert_int_equal(spool_sum(spool).n_data, 0);
  assert_said("cannot be sent: ", 1);
  assert_said(damage->why, 1);
  assert_said("000001.parcel.damaged", 1);
  assert_int_equal(count_names(disk, ".parcel"), 0);
  assert_int_equal(count_names(disk, ".parcel.damaged"), 1);
  spool_free(spool);

  /* Later starts leave it alone. */
  said[0] = '\0';
  spool = start(&in_folder);
  assert_int_equal(spool_sum(spool).n_damaged, 0);
  assert_string_equal(said, "");
  spool_free(spool);
  remove_all(on_disk("0001700000000001-000001.parcel.damaged"));
}

static void a_damaged_file_is_set_aside(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
    check_damage(&damages[i]);
}

static void many_are_not_said_one_by_one(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 100; i++)
    put_bytes(file_of(FLUSH, i), "nonsense", 8);
  struct spool *spool = start(&in_folder);
  assert_int_equal(spool_sum(spool).n_damaged, 100);
  assert_int_equal(count_names(disk, ".damaged"), 100);
  assert_true(n_said("cannot be sent") > 0);
  assert_true(n_said("cannot be sent") < 6);
  spool_free(spool);
}

/* It must not stand in the way of the others either. */
static void one_that_cannot_be_renamed_is_left(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  struct parcel *old = lay_down(spool, make_parcel("N", FLUSH, 2));
  parcel_free(lay_down(spool, make_parcel("N", FLUSH + 1, 2)));
  parcel_free(lay_down(spool, make_parcel("N", FLUSH + 2, 2)));
  spool_free(spool);
  for (uint32_t i = 1; i <= 2; i++) {
    char path[200];
    make_damage(file_of(FLUSH + i, i), &damages[i]);
    (void)snprintf(path, sizeof(path), "%s.damaged", file_of(FLUSH + i, i));
    assert_int_equal(mkdir(path, 0700), 0);
  }

  spool = start(&in_folder);
  assert_true(spool_is_open(spool));
  wake_and_end(spool, old);
  assert_int_equal(spool_sum(spool).n_damaged, 2);
  assert_said("it is kept as 0001700000000001-000001.parcel\n", 1);
  assert_int_equal(count_names(disk, ".parcel"), 2);
  spool_free(spool);
}

/* Larger than any parcel's can be: it is not read as a whole. */
static void a_huge_file_is_set_aside(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  struct parcel *old = lay_down(spool, make_parcel("N", FLUSH, 2));
  parcel_free(lay_down(spool, make_parcel("N", FLUSH + 1, 2)));
  spool_free(spool);
  assert_int_equal(truncate(file_of(FLUSH + 1, 1), INT64_C(1) << 40), 0);

  struct spool_options large = in_folder;
  large.limit_bytes = INT64_C(1) << 41;
  spool = start(&large);
  assert_int_equal(spool_sum(spool).n_data, 4);
  wake_and_end(spool, old);
  assert_int_equal(spool_sum(spool).n_damaged, 1);
  spool_free(spool);
}

static void a_missing_file_is_counted(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  struct parcel *old = lay_down(spool, make_parcel("N", FLUSH, 2));
  parcel_free(lay_down(spool, make_parcel("N", FLUSH + 1, 3)));
  assert_int_equal(unlink(file_of(FLUSH + 1, 1)), 0);

  wake_and_end(spool, old);
  assert_said("is not there any more; its 3 data are lost", 1);
  assert_int_equal(spool_sum(spool).n_dropped, 3);
  assert_empty(spool);
  spool_free(spool);
}

/* ---- trouble ------------------------------------------------------------ */

static void a_failure_is_said_once_and_then_recovered_from(void **state) {
  (void)state;
  struct spool_options below = in_folder;
  char path[128];
  (void)snprintf(path, sizeof(path), "%s/above/spool", disk);
  below.directory = path;
  struct spool *spool = start(&below);

  assert_false(spool_is_open(spool));
  for (int i = 0; i < 3; i++) {
    ahead_ms += PAUSE_MS;
    spool_open(spool);
  }
  assert_false(spool_is_open(spool));
  assert_said("the spool cannot be used: cannot make", 1);

  /* Another reason is said, too. */
  assert_int_equal(mkdir(on_disk("above"), 0700), 0);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_int_equal(chmod(path, 0777), 0);
  ahead_ms += PAUSE_MS;
  spool_open(spool);
  assert_said("may be written to by other users", 1);

  /* Not tried again until a moment has passed. */
  assert_int_equal(chmod(path, 0700), 0);
  ahead_ms += PAUSE_MS - 1000;
  spool_open(spool);
  assert_false(spool_is_open(spool));
  ahead_ms += 1000;
  spool_open(spool);
  assert_true(spool_is_open(spool));
  assert_said("is used again", 1);
  spool_free(spool);
}

static void at_the_end_there_is_no_pause(void **state) {
  (void)state;
  struct spool_options below = in_folder;
  char path[128];
  (void)snprintf(path, sizeof(path), "%s/above/spool", disk);
  below.directory = path;
  struct spool *spool = start(&below);

  assert_int_equal(mkdir(on_disk("above"), 0700), 0);
  spool_open(spool);
  assert_false(spool_is_open(spool));
  spool_hurry(spool);
  spool_open(spool);
  assert_true(spool_is_open(spool));
  spool_free(spool);
}

static void two_do_not_share_a_folder(void **state) {
  (void)state;
  struct spool *first = start(&in_folder), *second = start(&in_folder);
  struct spool_options of_node = in_folder;
  of_node.node = "prod";
  struct spool *third = start(&of_node);

  assert_true(spool_is_open(first));
  assert_false(spool_is_open(second));
  assert_true(spool_is_open(third));
  assert_said("in use by another collectd or node", 1);
  struct parcel *parcel = lay_down(first, make_parcel("N", FLUSH, 1));
  spool_free(first);
  ahead_ms += PAUSE_MS;
  spool_open(second);
  assert_true(spool_is_open(second));
  wake_and_end(second, parcel);
  spool_free(second);
  spool_free(third);
}

/* Neither can a file take the place of a folder, nor is a folder removed as
 * one: so a disk refuses, without the help of a linker. */
static void what_cannot_be_removed_is_removed_later(void **state) {
  (void)state;
  struct spool *spool = start(&in_folder);
  struct parcel *first = make_parcel("N", FLUSH, 2);
  struct parcel *second = make_parcel("N", FLUSH + 1, 2);

  keep(spool, first);
  int64_t block = spool_sum(spool).bytes;
  assert_int_equal(unlink(file_of(FLUSH, 0)), 0);
  assert_int_equal(mkdir(file_of(FLUSH, 0), 0700), 0);
  spool_remove(spool, first);
  assert_int_equal(spool_sum(spool).bytes, block);
  assert_int_equal(spool_keep(spool, second), SPOOL_FAILED);
  spool_hurry(spool);
  assert_int_equal(spool_keep(spool, second), SPOOL_FAILED);

  assert_int_equal(rmdir(file_of(FLUSH, 0)), 0);
  put_bytes(file_of(FLUSH, 0), "x", 1);
  spool_hurry(spool);
  assert_int_equal(mkdir(on_disk("0001700000000001-000001.parcel.new"), 0700),
                   0);
  assert_int_equal(spool_keep(spool, second), SPOOL_FAILED);
  assert_said("the spool cannot be used: ", 1); /* it is one trouble */
  assert_false(is_there(file_of(FLUSH, 0)));
  assert_int_equal(spool_sum(spool).bytes, 0);
  assert_int_equal(rmdir(on_disk("0001700000000001-000001.parcel.new")), 0);
  spool_hurry(spool);
  keep(spool, second);
  assert_said("is used again", 1);
  spool_remove(spool, second);
  assert_empty(spool);
  parcel_free(first);
  parcel_free(second);
  spool_free(spool);
}

static void a_folder_that_was_removed_is_made_again(void **state) {
  (void)state;
  struct spool_options below = in_folder;
  char path[128];
  (void)snprintf(path, sizeof(path), "%s/spool", disk);
  below.directory = path;
  struct spool *spool = start(&below);
  struct parcel *first = make_parcel("N", FLUSH, 2);
  struct parcel *second = make_parcel("N", FLUSH + 2, 2);

  keep(spool, first);
  parcel_free(lay_down(spool, make_parcel("N", FLUSH + 1, 5)));
  remove_all(path);
  assert_true(spool_has(spool, first)); /* nobody has told it */
  assert_int_equal(spool_keep(spool, second), SPOOL_FAILED);
  assert_false(spool_is_open(spool));
  assert_false(spool_has(spool, first));
  assert_said("the spool cannot be used", 1);
  assert_int_equal(spool_sum(spool).n_dropped, 5); /* what rested there */
  assert_int_equal(spool_sum(spool).n_data, 0);
  assert_int_equal(spool_sum(spool).bytes, 0);
  assert_null(wake(spool, INT64_MAX));
  spool_remove(spool, second);
  spool_sync(spool);

  ahead_ms += PAUSE_MS;
  spool_open(spool);
  assert_true(spool_is_open(spool));
  assert_said("is used again", 1);
  keep(spool, first);
  keep(spool, second);
  assert_int_equal(count_names(path, ".parcel"), 2);
  spool_remove(spool, first);
  spool_remove(spool, second);
  assert_int_equal(count_names(path, ".parcel"), 0);
  parcel_free(first);
  parcel_free(second);
  spool_free(spool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      FRESH(a_damaged_file_is_set_aside),
      FRESH(many_are_not_said_one_by_one),
      FRESH(one_that_cannot_be_renamed_is_left),
      FRESH(a_huge_file_is_set_aside),
      FRESH(a_missing_file_is_counted),
      FRESH(a_failure_is_said_once_and_then_recovered_from),
      FRESH(at_the_end_there_is_no_pause),
      FRESH(two_do_not_share_a_folder),
      FRESH(what_cannot_be_removed_is_removed_later),
      FRESH(a_folder_that_was_removed_is_made_again),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
