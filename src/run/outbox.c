#include "run/outbox.h"

#include "base/str.h"

static void link_before(struct outbox *outbox, struct parcel *parcel,
                        struct parcel *older) {
  struct parcel *newer = older == NULL ? outbox->oldest : older->newer;
  parcel->older = older;
  parcel->newer = newer;
  if (older == NULL)
    outbox->oldest = parcel;
  else
    older->newer = parcel;
  if (newer == NULL)
    outbox->newest = parcel;
  else
    newer->older = parcel;
}

/* The first that is not newer, looked for from the end that is nearer: what
 * wakes is older than all in memory, what is cut is newer. */
static struct parcel *find_older(const struct outbox *outbox, int64_t flush) {
  if (outbox->oldest == NULL)
    return NULL;
  if (flush <= outbox->oldest->flush) {
    struct parcel *newer = outbox->oldest;
    while (newer != NULL && newer->flush <= flush)
      newer = newer->newer;
    return newer != NULL ? newer->older : outbox->newest;
  }
  struct parcel *older = outbox->newest;
  while (older != NULL && older->flush > flush)
    older = older->older;
  return older;
}

static void insert(struct outbox *outbox, struct parcel *parcel) {
  link_before(outbox, parcel, find_older(outbox, parcel->flush));
  outbox->n_parcels++;
  outbox->n_data += parcel->n_data;
  outbox->bytes += parcel_bytes(parcel);
}

struct parcel *outbox_take(struct outbox *outbox, struct parcel *parcel) {
  if (parcel->newer == NULL)
    outbox->newest = parcel->older;
  else
    parcel->newer->older = parcel->older;
  if (parcel->older == NULL)
    outbox->oldest = parcel->newer;
  else
    parcel->older->newer = parcel->newer;
  parcel->older = NULL;
  parcel->newer = NULL;

  outbox->n_parcels--;
  outbox->n_data -= parcel->n_data;
  outbox->bytes -= parcel_bytes(parcel);
  return parcel;
}

/* Frees a parcel that waits no longer. */
static void end(struct outbox *outbox, struct parcel *parcel) {
  spool_remove(outbox->spool, parcel);
  parcel_free(parcel);
}

void outbox_put_back(struct outbox *outbox, struct parcel *parcel) {
  if (parcel->n_data == 0)
    end(outbox, parcel);
  else
    insert(outbox, parcel);
}

/* ---- the spool behind memory -------------------------------------------- */

/* The oldest parcel in memory that has a file and is older than the given one;
 * NULL when there is none. */
static struct parcel *find_older_kept(const struct outbox *outbox,
                                      const struct parcel *parcel) {
  struct parcel *older = outbox->oldest;
  while (older != parcel && !spool_has(outbox->spool, older))
    older = older->newer;
  return older != parcel ? older : NULL;
}

/* Puts a parcel of the list on disk.  Where only newer ones may stay there,
 * older ones that are in memory, too, give up their place. */
static enum spool_kept keep(struct outbox *outbox, struct parcel *parcel) {
  enum spool_kept kept = spool_keep(outbox->spool, parcel);

  while (kept == SPOOL_FULL) {
    struct parcel *older = find_older_kept(outbox, parcel);
    if (older == NULL)
      break;
    spool_remove(outbox->spool, older);
    kept = spool_keep(outbox->spool, parcel);
  }
  return kept;
}

void outbox_keep(struct outbox *outbox, bool with_leaving) {
  if (!spool_is_open(outbox->spool))
    return;
  for (struct parcel *parcel = outbox->newest; parcel != NULL;
       parcel = parcel->older) {
    if (parcel->is_leaving && !with_leaving)
      continue;
    if (keep(outbox, parcel) != SPOOL_KEPT)
      break; /* what is older has no better chance */
  }
  spool_sync(outbox->spool);
}

/* Takes the oldest out of memory: to rest in the spool, or, if it cannot, for
 * good, counted in *n_dropped.  False when it stays: it could only be dropped,
 * and is the last (one larger than the limit would never be sent), or there is
 * no memory to know by that it rests. */
static bool make_way(struct outbox *outbox, size_t *n_dropped) {
  struct parcel *oldest = outbox->oldest;
  bool is_last = oldest == outbox->newest;

  if (keep(outbox, oldest) == SPOOL_KEPT)
    spool_sync(outbox->spool);
  /* Also if that failed: the file is there, and memory is not. */
  (void)outbox_take(outbox, oldest);
  bool is_kept = spool_has(outbox->spool, oldest);
  if (!is_kept && !is_last) {
    *n_dropped += oldest->n_data;
    end(outbox, oldest);
    return true;
  }
  if (is_kept && spool_rest(outbox->spool, oldest) == 0)
    return true;
  insert(outbox, oldest);
  return false;
}

size_t outbox_put(struct outbox *outbox, struct parcel *parcel) {
  size_t n_dropped = 0;

  outbox_put_back(outbox, parcel);
  while (outbox->bytes > outbox->limit_bytes && make_way(outbox, &n_dropped))
    continue;
  outbox->n_dropped += n_dropped;
  return n_dropped;
}

/* Brings the newest parcel that rests back, without what has become too old;
 * false when there is no room for it beside others.  Alone it always has: else
 * it would never be sent. */
static bool wake(struct outbox *outbox) {
  bool is_alone = outbox->newest == NULL;
  size_t n_known = 0;
  size_t room = outbox->bytes < outbox->limit_bytes
                    ? outbox->limit_bytes - outbox->bytes
                    : 0;
  /* In memory a parcel takes up to about twice what its file does. */
  int64_t file_bytes = is_alone ? INT64_MAX : (int64_t)(room / 2);
  struct parcel *parcel = spool_wake(outbox->spool, file_bytes, &n_known);

  if (parcel == NULL)
    return false;
  (void)parcel_expire(parcel, outbox->oldest_s);
  if (n_known > parcel->n_data)
    outbox->n_expired += n_known - parcel->n_data;
  if (!is_alone && parcel->n_data > 0 && parcel_bytes(parcel) > room &&
      spool_rest(outbox->spool, parcel) == 0)
    return false;
  outbox_put_back(outbox, parcel);
  return true;
}

/* ---- looking ------------------------------------------------------------ */

static struct parcel *next_in_memory(const struct outbox *outbox,
                                     const struct parcel *after,
                                     const char *namespace) {
  struct parcel *parcel = after == NULL ? outbox->newest : after->older;
  while (parcel != NULL && namespace != NULL &&
         !str_eq(str_of(parcel->namespace), str_of(namespace)))
    parcel = parcel->older;
  return parcel;
}

struct parcel *outbox_next(struct outbox *outbox, const struct parcel *after,
                           const char *namespace, int64_t since) {
  for (;;) {
    struct parcel *parcel = next_in_memory(outbox, after, namespace);
    int64_t flush = parcel != NULL ? parcel->flush : INT64_MIN;
    int64_t resting = spool_newest(outbox->spool);

    if (resting == INT64_MIN || resting < flush || resting < since ||
        !wake(outbox))
      return flush >= since ? parcel : NULL;
  }
}

int64_t outbox_newest(const struct outbox *outbox) {
  int64_t newest = spool_newest(outbox->spool);

  if (outbox->newest != NULL && outbox->newest->flush > newest)
    newest = outbox->newest->flush;
  return newest;
}

int64_t outbox_oldest(const struct outbox *outbox) {
  int64_t oldest = spool_sum(outbox->spool).oldest;

  if (outbox->oldest != NULL && outbox->oldest->flush < oldest)
    oldest = outbox->oldest->flush;
  return oldest;
}

size_t outbox_count(const struct outbox *outbox) {
  return outbox->n_data + spool_sum(outbox->spool).n_data;
}

/* ---- ends --------------------------------------------------------------- */

/* Looks at all parcels in memory: late samples put old data into a new one. */
static size_t sweep(struct outbox *outbox,
                    size_t (*take_out)(struct parcel *, int64_t),
                    int64_t limit_s) {
  size_t n_taken = 0;
  struct parcel *parcel = outbox->oldest;
  while (parcel != NULL) {
    struct parcel *newer = parcel->newer;
    size_t n = take_out(parcel, limit_s);
    outbox->n_data -= n;
    n_taken += n;
    if (parcel->n_data == 0)
      end(outbox, outbox_take(outbox, parcel));
    parcel = newer;
  }
  return n_taken;
}

/* Of those that rest, nothing but the flush is known: it may hold data of two
 * hours later, and what is too old in the others is taken out when they wake.
 */
size_t outbox_expire(struct outbox *outbox, int64_t oldest_s) {
  outbox->oldest_s = oldest_s;
  size_t n_expired =
      spool_expire(outbox->spool, (oldest_s - CW_FUTURE_S) * 1000);
  n_expired += sweep(outbox, parcel_expire, oldest_s);
  outbox->n_expired += n_expired;
  return n_expired;
}

size_t outbox_cut_off(struct outbox *outbox, int64_t latest_s) {
  return sweep(outbox, parcel_cut_off, latest_s);
}

size_t outbox_clear(struct outbox *outbox) {
  size_t n_lost = 0;

  while (outbox->oldest != NULL) {
    struct parcel *parcel = outbox_take(outbox, outbox->oldest);
    bool is_kept = spool_has(outbox->spool, parcel);
    if (!is_kept)
      n_lost += parcel->n_data;
    if (!is_kept || spool_rest(outbox->spool, parcel) != 0)
      parcel_free(parcel);
  }
  return n_lost;
}
