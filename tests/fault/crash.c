/* Crashes of a spool, by the linker (--wrap): a child keeps, replaces, lays
 * down, wakes, drops and removes parcels, and is killed before the first, the
 * second, the third ... step that changes the disk, and in the middle of each
 * write, until it comes to its end.  Each time the next start must find every
 * parcel whole or not at all, once, and those whose spool_sync() returned as
 * they were then, or newer.
 *
 * Then the same if not the process ended there but the power: power.h says what
 * is modelled. */
#include "run/resting.h"
#include "run/spool.h"

#include "heard.h"
#include "parcels.h"
#include "power.h"

#include <sys/statvfs.h>
#include <sys/wait.h>

#define FLUSH INT64_C(1700000000000)
#define POWER_ROUNDS 12 /* for each step */

/* ---- what was promised -------------------------------------------------- */

#define ITEMS_MAX 10

/* Of each parcel; versions count the data that were taken out. */
static struct promised {
  struct promise {
    int newest; /* version that was given to spool_keep(); -1: none */
    int synced; /* at least this one, once spool_sync() has returned */
    bool may_go, is_gone;
  } of[ITEMS_MAX];
  uint64_t n_dropped;
} * promised;

/* ---- the child's work --------------------------------------------------- */

static char directory[80]; /* of all nodes; not there at first */
static struct spool_options options = {.directory = directory, .node = "node"};

/* What the items are at first: made before the child, so that both know. */
static struct parcel *items[ITEMS_MAX];
static bool is_kept[ITEMS_MAX]; /* not synchronised yet */
static bool is_ended[ITEMS_MAX];

static void keep(struct spool *spool, size_t i) {
  struct promise *promise = &promised->of[i];
  struct parcel *parcel = items[i];
  promise->newest = parcel->file.is_old ? 1 : 0;
  if (spool_keep(spool, parcel) != SPOOL_KEPT)
    abort();
  is_kept[i] = true;
}

static void sync_all(struct spool *spool) {
  spool_sync(spool);
  for (size_t i = 0; i < ITEMS_MAX; i++) {
    struct promise *promise = &promised->of[i];
    if (is_kept[i])
      promise->synced = promise->newest;
    if (is_ended[i])
      promise->is_gone = true;
  }
}

static void end(struct spool *spool, size_t i, struct parcel *parcel) {
  promised->of[i].may_go = true;
  spool_remove(spool, parcel);
  is_kept[i] = false;
  is_ended[i] = true;
}

static struct parcel *wake(struct spool *spool) {
  size_t n_known = 0;
  struct parcel *parcel = spool_wake(spool, INT64_MAX, &n_known);
  assert_true(parcel == NULL || parcel->n_data == n_known);
  return parcel;
}

static void rest(struct spool *spool, size_t i) {
  if (spool_rest(spool, items[i]) != 0)
    abort();
}

/* All that is there comes back to memory. */
static struct spool *start_again(struct spool *spool) {
  spool_free(spool);
  spool = spool_new(&options);
  spool_open(spool);
  for (struct parcel *parcel; (parcel = wake(spool));)
    items[(parcel->flush - FLUSH) / 1000] = parcel;
  return spool;
}

static void work(struct spool *spool) {
  spool_open(spool);
  for (size_t i = 0; i < 4; i++)
    keep(spool, i);
  sync_all(spool);
  keep(spool, 4);
  parcel_remove(items[1], 0, 1);
  keep(spool, 1); /* in the place of its older file */
  sync_all(spool);
  end(spool, 2, items[2]);
  keep(spool, 5);
  sync_all(spool);
  rest(spool, 3);
  rest(spool, 0);

  /* There is room for five: the oldest that rests is dropped, which is 0. */
  promised->of[0].may_go = true;
  keep(spool, 6);
  promised->n_dropped = spool_sum(spool).n_dropped;
  is_kept[0] = false;
  is_ended[0] = true;
  sync_all(spool);
  struct parcel *woken = wake(spool);
  end(spool, 3, woken);
  sync_all(spool);
  rest(spool, 4);
  promised->of[4].may_go = true;
  (void)spool_expire(spool, items[5]->flush);
  keep(spool, 7);
  sync_all(spool);
  end(spool, 7, items[7]);
  spool = start_again(spool);
  end(spool, 5, items[5]);
  keep(spool, 8);
  sync_all(spool);
}

/* ---- what the next start finds ------------------------------------------ */

static const char *where; /* for messages */

#define EXPECT(what)                                                           \
  do {                                                                         \
    if (!(what))                                                               \
      fail_msg("%s, step %zu: not so: %s\n%s", where, told->die_at, #what,     \
               said);                                                          \
  } while (0)

/* Which version of the item it is; -1 when none. */
static int version_of(const struct parcel *parcel, size_t i) {
  struct parcel *version = copy_parcel(items[i]);
  int found = -1;
  for (int v = 0; v < 2 && found < 0; v++) {
    if (is_same_parcel(parcel, version))
      found = v;
    parcel_remove(version, 0, 1);
  }
  parcel_free(version);
  return found;
}

static void check_item(size_t i, const int *found) {
  const struct promise *promise = &promised->of[i];
  if (found[i] < 0) {
    EXPECT(promise->synced < 0 || promise->may_go);
    return;
  }
  EXPECT(found[i] >= promise->synced);
  EXPECT(found[i] <= promise->newest);
  EXPECT(!promise->is_gone);
}

static void check_next_start(const char *after) {
  struct spool *spool = spool_new(&options);
  int found[ITEMS_MAX];
  char path[100];

  where = after;
  memset(found, -1, sizeof(found));
  (void)snprintf(path, sizeof(path), "%s/node", directory);
  assert_non_null(spool);
  said[0] = '\0';
  spool_open(spool);
  EXPECT(spool_is_open(spool));
  EXPECT(count_names(path, ".new") == 0);
  for (struct parcel *parcel; (parcel = wake(spool));) {
    size_t i = (size_t)(parcel->flush - FLUSH) / 1000;
    EXPECT(i < ITEMS_MAX && found[i] < 0);
    found[i] = version_of(parcel, i);
    EXPECT(found[i] >= 0);
    spool_remove(spool, parcel);
    parcel_free(parcel);
  }
  EXPECT(spool_sum(spool).n_damaged == 0);
  EXPECT(strstr(said, "cannot") == NULL);
  for (size_t i = 0; i < ITEMS_MAX; i++)
    check_item(i, found);

  /* And goes on. */
  struct parcel *parcel = copy_parcel(items[ITEMS_MAX - 1]);
  EXPECT(spool_keep(spool, parcel) == SPOOL_KEPT);
  EXPECT(count_names(path, ".parcel") == 1);
  parcel_free(parcel);
  spool_free(spool);
  remove_all(directory);
}

/* ---- again and again ---------------------------------------------------- */

static void make_items(void) {
  struct statvfs about;
  for (size_t i = 0; i < ITEMS_MAX; i++)
    items[i] = make_parcel("N", FLUSH + 1000 * (int64_t)i, 3 + i);
  assert_int_equal(statvfs(disk, &about), 0);
  options.limit_bytes = 5 * (int64_t)about.f_frsize;
  (void)snprintf(directory, sizeof(directory), "%s/spool", disk);
}

/* Whether the child came to its end before the step. */
static bool run_child(size_t die_at) {
  int status = 0;

  *told = (struct told){.die_at = die_at};
  *promised = (struct promised){.n_dropped = 0};
  for (size_t i = 0; i < ITEMS_MAX; i++)
    promised->of[i].newest = promised->of[i].synced = -1;
  pid_t pid = fork();
  if (pid == 0) {
    struct spool *spool = spool_new(&options);
    is_child = true;
    work(spool);
    _exit(EXIT_SUCCESS);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void whatever_is_found_is_whole(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("crash");
  bool is_done = false;
  size_t n = 0;

  make_items();
  for (; !is_done; n++) {
    is_done = run_child(n + 1);
    check_next_start("killed");
    for (int i = 0; i < POWER_ROUNDS; i++) {
      lose_power(&random, directory);
      check_next_start("power lost");
    }
  }
  print_message("%zu steps\n", n);
  assert_true(n > 60);
  assert_true(promised->n_dropped > 0);
  for (size_t i = 0; i < ITEMS_MAX; i++)
    parcel_free(items[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_QUICK_DISK(whatever_is_found_is_whole),
  };
  told = share(sizeof(*told));
  promised = share(sizeof(*promised));
  if (told == NULL || promised == NULL)
    return EXIT_FAILURE;
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
