/* world: an outbox with a spool behind it, what was put there, and a look at
 * where it is. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "run/outbox.h"

#include "disk.h"
#include "parcels.h"
#include "refuse.h"

#define FLUSH INT64_C(1700000000000)
#define MEMORY_BYTES (1 << 20)

#define ITEMS_MAX 16

struct world {
  struct spool_options options;
  struct outbox outbox;
  char directory[80];
  struct item {
    struct parcel *copy; /* as it is, owned; each of another flush */
    bool has_ended;
  } items[ITEMS_MAX];
  size_t n_items;
  uint64_t n_lost; /* data, counted by spools that are gone */
};

static void open_spool(struct world *world) {
  world->outbox.spool = spool_new(&world->options);
  assert_non_null(world->outbox.spool);
  spool_open(world->outbox.spool);
}

/* Everything that is not on disk is lost, and nobody has counted it. */
static void end_life(struct world *world) {
  world->n_lost += outbox_clear(&world->outbox);
  world->n_lost += spool_sum(world->outbox.spool).n_dropped;
  spool_free(world->outbox.spool);
}

static void put(struct world *world, size_t n) {
  struct item *item = &world->items[world->n_items++];
  bool is_armed = fault.is_armed;

  fault.is_armed = false; /* there is a parcel, or there is none to lose */
  struct parcel *parcel =
      make_parcel("N", FLUSH + 1000 * (int64_t)world->n_items, n);
  item->copy = copy_parcel(parcel);
  fault.is_armed = is_armed;
  (void)outbox_put(&world->outbox, parcel);
}

static struct parcel *find_in_memory(const struct world *world, int64_t flush) {
  struct parcel *parcel = world->outbox.newest;
  while (parcel != NULL && parcel->flush != flush)
    parcel = parcel->older;
  return parcel;
}

/* The newest data of a flush are accepted; of n that are all, it ends. */
static void send(struct world *world, size_t i, size_t n) {
  struct item *item = &world->items[i];
  struct parcel *parcel = find_in_memory(world, item->copy->flush);

  (void)outbox_take(&world->outbox, parcel);
  parcel_remove(parcel, 0, n);
  parcel_remove(item->copy, 0, n);
  item->has_ended = item->copy->n_data == 0;
  outbox_put_back(&world->outbox, parcel);
}

/* Whether a file's parcel is of the flush and whole; *n_data is then how many
 * data it has. */
static bool is_whole(const struct world *world, const char *name,
                     const struct parcel *want, size_t *n_data) {
  static char bytes[1 << 16];
  char path[600];
  struct parcel *parcel;
  struct err err;

  (void)snprintf(path, sizeof(path), "%s/%s", world->directory, name);
  struct str record = {bytes, get_bytes(path, bytes, sizeof(bytes))};
  if (record_read(record, &parcel, &err) != RECORD_WHOLE)
    return false;
  bool is_it = parcel->flush == want->flush && parcel->n_data >= want->n_data;
  *n_data = parcel->n_data;
  if (is_it && parcel->n_data > want->n_data) /* written before it was sent */
    parcel_remove(parcel, 0, parcel->n_data - want->n_data);
  is_it = is_it && is_same_parcel(parcel, want);
  parcel_free(parcel);
  return is_it;
}

/* How many files whose names end so hold the parcel whole; data that were sent
 * may be in them unless it is exact. */
static size_t count_files(const struct world *world, const struct parcel *want,
                          bool is_exact, const char *suffix) {
  DIR *entries = opendir(world->directory);
  size_t n = 0, n_data;

  for (struct dirent *e; entries != NULL && (e = readdir(entries)) != NULL;)
    if (str_has_suffix(str_of(e->d_name), str_of(suffix)) &&
        is_whole(world, e->d_name, want, &n_data))
      n += !is_exact || n_data == want->n_data;
  if (entries != NULL)
    (void)closedir(entries);
  return n;
}

static uint64_t counted(const struct world *world) {
  return world->n_lost + world->outbox.n_dropped + world->outbox.n_expired +
         spool_sum(world->outbox.spool).n_dropped;
}

/* Data that should wait: in memory or in the list of what rests, set aside, or
 * neither in memory nor on disk. */
struct found {
  uint64_t n_known, n_aside, n_missing;
};

static struct found find_all(const struct world *world) {
  struct found found = {.n_known = outbox_count(&world->outbox)};

  for (size_t i = 0; i < world->n_items; i++) {
    const struct parcel *want = world->items[i].copy;
    const struct parcel *parcel = find_in_memory(world, want->flush);
    if (world->items[i].has_ended) {
      assert_null(parcel);
    } else if (parcel != NULL) {
      assert_same_parcel(parcel, want);
    } else if (count_files(world, want, false, ".parcel") == 0) {
      bool is_aside = count_files(world, want, false, ".damaged") > 0;
      *(is_aside ? &found.n_aside : &found.n_missing) += want->n_data;
    }
  }
  return found;
}

/* All that should wait. */
static uint64_t count_wanted(const struct world *world) {
  uint64_t n = 0;
  for (size_t i = 0; i < world->n_items; i++)
    n += world->items[i].has_ended ? 0 : world->items[i].copy->n_data;
  return n;
}

#endif
