/* An ill disk, and lack of memory: each story is told again and again, with the
 * first, the second, the third ... call refused, alone or with all later ones,
 * until none is; once for each thing that a disk may answer.
 *
 * Each time nothing crashes, leaks, or is said more than once; every parcel is
 * in memory or whole on disk, or counted as dropped; and as soon as all is
 * well, everything is where it would be had nothing happened: what waits comes
 * back once, and what has ended does not. */
#include "run/resting.h"

#include "ahead.h"
#include "heard.h"
#include "world.h"

#define PAUSE_MS 10000

/* ---- stories ------------------------------------------------------------ */

static void four_in_memory(struct world *world) {
  for (size_t i = 1; i <= 4; i++)
    put(world, i);
}

static void keep_all(struct world *world) { outbox_keep(&world->outbox, true); }

static void four_kept(struct world *world) {
  four_in_memory(world);
  keep_all(world);
}

static void put_and_keep(struct world *world) {
  put(world, 2);
  keep_all(world);
}

static void four_at_rest(struct world *world) {
  four_kept(world);
  world->n_lost += outbox_clear(&world->outbox);
}

static void two_changed(struct world *world) {
  four_kept(world);
  send(world, 1, 1);
  send(world, 3, 2);
}

static void send_all(struct world *world) {
  for (size_t i = 4; i-- > 0;)
    send(world, i, 4);
  keep_all(world);
}

static void little_memory(struct world *world) {
  struct parcel *parcel = make_parcel("N", 0, 3);
  world->outbox.limit_bytes = 2 * parcel_bytes(parcel);
  parcel_free(parcel);
}

static void push_out(struct world *world) {
  for (int i = 0; i < 5; i++) {
    put(world, 3);
    /* The oldest stays when there is none to remember where it is. */
    assert_true(fault.of_memory ||
                world->outbox.bytes <= world->outbox.limit_bytes);
  }
}

static void wake_all(struct world *world) {
  (void)outbox_next(&world->outbox, NULL, "no such", INT64_MIN);
}

static void a_life_before(struct world *world) {
  four_kept(world);
  end_life(world);
  world->outbox.spool = spool_new(&world->options);
  assert_non_null(world->outbox.spool);
}

static void open_and_put(struct world *world) {
  spool_open(world->outbox.spool);
  put_and_keep(world);
}

static void not_even_a_folder(struct world *world) {
  end_life(world);
  remove_all(world->directory);
  world->outbox.spool = spool_new(&world->options);
  assert_non_null(world->outbox.spool);
}

/* As many blocks as there are files. */
static void a_full_spool(struct world *world) {
  four_at_rest(world);
  int64_t bytes = spool_sum(world->outbox.spool).bytes;
  end_life(world);
  world->options.limit_bytes = bytes;
  open_spool(world);
}

static void put_two_more(struct world *world) {
  put_and_keep(world);
  put_and_keep(world);
}

static void expire_two(struct world *world) {
  int64_t flush = world->items[2].copy->flush;
  (void)outbox_expire(&world->outbox, flush / 1000 + CW_FUTURE_S);
}

static void two_damaged(struct world *world) {
  a_life_before(world);
  static char bytes[1 << 16];
  char path[600];
  for (uint32_t i = 0; i < 2; i++) {
    struct item *item = &world->items[1 + i];
    /* The newest of the four was written first. */
    (void)snprintf(path, sizeof(path), "%s/%s", world->directory,
                   resting_name(item->copy->flush, 2 - i).text);
    size_t n = get_bytes(path, bytes, sizeof(bytes));
    put_bytes(path, bytes, i == 0 ? n - 1 : 10);
    item->has_ended = true;
  }
}

static void open_and_wake(struct world *world) {
  spool_open(world->outbox.spool);
  wake_all(world);
  wake_all(world);
}

static const struct story {
  const char *label;
  void (*before)(struct world *world);
  void (*told)(struct world *world);
} stories[] = {
    {"keep", four_in_memory, keep_all},
    {"replace", two_changed, keep_all},
    {"remove", four_kept, send_all},
    {"push out", little_memory, push_out},
    {"wake", four_at_rest, wake_all},
    {"open", a_life_before, open_and_put},
    {"make", not_even_a_folder, open_and_put},
    {"limit", a_full_spool, put_two_more},
    {"expire", four_at_rest, expire_two},
    {"damaged", two_damaged, open_and_wake},
};

/* ---- telling them ------------------------------------------------------- */

static const struct story *telling;

#define EXPECT(what)                                                           \
  do {                                                                         \
    if (!(what))                                                               \
      fail_msg("%s, call %zu%s, %s: not so: %s\n%s", telling->label, fault.at, \
               fault.stays ? " and all later ones" : "",                       \
               strerror(fault.number), #what, said);                           \
  } while (0)

/* The disk is well again. */
static void recover(struct world *world) {
  ahead_ms += PAUSE_MS;
  spool_open(world->outbox.spool);
  keep_all(world);
  wake_all(world); /* what is damaged is seen when its turn has come */
  EXPECT(spool_is_open(world->outbox.spool));
  struct found found = find_all(world);
  EXPECT(found.n_missing == counted(world));
  EXPECT(found.n_known + found.n_aside + found.n_missing ==
         count_wanted(world));
  for (size_t i = 0; i < world->n_items; i++)
    if (world->items[i].has_ended)
      EXPECT(count_files(world, world->items[i].copy, false, ".parcel") == 0);
  for (const struct parcel *p = world->outbox.newest; p != NULL; p = p->older)
    if (spool_has(world->outbox.spool, p))
      EXPECT(count_files(world, p, true, ".parcel") == 1);
}

/* The next start finds what waits, once, and no more. */
static void restart(struct world *world) {
  size_t n_aside = 0, n_came = 0, n_data = 0;

  end_life(world);
  world->outbox.limit_bytes = MEMORY_BYTES;
  world->outbox.oldest_s = 0;
  open_spool(world);
  wake_all(world);
  for (const struct parcel *p = world->outbox.newest; p != NULL; p = p->older)
    n_came++;
  for (size_t i = 0; i < world->n_items; i++) {
    const struct parcel *want = world->items[i].copy;
    const struct parcel *parcel = find_in_memory(world, want->flush);
    EXPECT(parcel == NULL || is_same_parcel(parcel, want));
    if (parcel == NULL && !world->items[i].has_ended)
      n_aside += count_files(world, want, true, ".damaged");
    n_came -= parcel != NULL;
    n_data += parcel != NULL ? parcel->n_data : 0;
  }
  EXPECT(n_came == 0); /* but for what was put there */
  EXPECT(n_data == outbox_count(&world->outbox));
  EXPECT(n_aside <= count_names(world->directory, ".damaged"));
  EXPECT(n_aside == 0 || !(fault.of_memory || fault.number == EMFILE));
  EXPECT(count_names(world->directory, ".new") == 0);
}

static void drain(struct world *world) {
  while (world->outbox.newest != NULL) {
    struct parcel *parcel = outbox_take(&world->outbox, world->outbox.newest);
    parcel_remove(parcel, 0, parcel->n_data);
    outbox_put_back(&world->outbox, parcel);
  }
  spool_sync(world->outbox.spool);
  EXPECT(count_names(world->directory, ".parcel") == 0);
  end_life(world);
}

static size_t count_descriptors(void) {
  return count_names("/proc/self/fd", "");
}

static void tell(void) {
  struct world world = {.outbox = {.limit_bytes = MEMORY_BYTES}};
  size_t n_descriptors = count_descriptors();

  (void)snprintf(world.directory, sizeof(world.directory), "%s/node", disk);
  world.options = (struct spool_options){
      .directory = disk, .node = "node", .limit_bytes = MEMORY_BYTES};
  open_spool(&world);
  telling->before(&world);
  said[0] = '\0';

  fault.n = 0;
  fault.is_armed = true;
  telling->told(&world);
  fault.is_armed = false;
  const char *first = strstr(said, "the spool cannot be used");
  EXPECT(first == NULL ||
         strstr(first + 1, "the spool cannot be used") == NULL);
  EXPECT(find_all(&world).n_missing <= counted(&world));
  if (!fault.stays && fault.last_refused != CALL_UNLINKAT)
    EXPECT(count_names(world.directory, ".new") == 0); /* it takes room */
  recover(&world);
  restart(&world);
  drain(&world);

  EXPECT(count_descriptors() == n_descriptors);
  for (size_t i = 0; i < world.n_items; i++)
    parcel_free(world.items[i].copy);
  remove_all(world.directory);
}

static void tell_with_faults(int number) {
  fault.number = number;
  fault.at = 0;
  tell();
  size_t n_calls = fault.n;
  for (int stays = 0; stays < 2; stays++) {
    fault.stays = stays != 0;
    for (fault.at = 1; fault.at <= n_calls; fault.at++)
      tell();
  }
  print_message("%s, %s: %zu calls refused\n", telling->label, strerror(number),
                n_calls);
}

static void tell_all_with_faults(int number) {
  for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
    telling = &stories[i];
    tell_with_faults(number);
  }
}

static void the_disk_is_ill(void **state) {
  (void)state;
  static const int numbers[] = {ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    tell_all_with_faults(numbers[i]);
  for (size_t i = 0; i < CALLS_NEEDED; i++)
    if (fault.n_refused[i] == 0)
      fail_msg("call %zu was never refused", i);
}

/* Nothing is set aside then that is not damaged. */
static void there_is_no_memory(void **state) {
  (void)state;
  fault.of_memory = true;
  tell_all_with_faults(ENOMEM);
  fault.of_memory = false;
  assert_true(fault.n_refused[CALL_ALLOCATION] > 0);
}

/* Then there is no trouble at all. */
static void calls_are_interrupted_and_cut_short(void **state) {
  (void)state;
  fault.at = 0;
  fault.halves = true;
  for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
    telling = &stories[i];
    tell();
    EXPECT(strstr(said, "the spool cannot be used") == NULL);
  }
  fault.halves = false;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_QUICK_DISK(the_disk_is_ill),
      ON_QUICK_DISK(there_is_no_memory),
      ON_QUICK_DISK(calls_are_interrupted_and_cut_short),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
