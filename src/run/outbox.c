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

static void drop(struct outbox *outbox, struct parcel *parcel) {
  parcel_free(outbox_take(outbox, parcel));
}

size_t outbox_put(struct outbox *outbox, struct parcel *parcel) {
  if (parcel->n_data == 0) {
    parcel_free(parcel);
    return 0;
  }

  struct parcel *older = outbox->newest;
  while (older != NULL && older->flush > parcel->flush)
    older = older->older;
  link_before(outbox, parcel, older);
  outbox->n_parcels++;
  outbox->n_data += parcel->n_data;
  outbox->bytes += parcel_bytes(parcel);

  size_t n_dropped = 0;
  while (outbox->bytes > outbox->limit_bytes) {
    n_dropped += outbox->oldest->n_data;
    drop(outbox, outbox->oldest);
  }
  outbox->n_dropped += n_dropped;
  return n_dropped;
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

/* Looks at all parcels: late samples put old data into a new parcel. */
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
      drop(outbox, parcel);
    parcel = newer;
  }
  return n_taken;
}

size_t outbox_expire(struct outbox *outbox, int64_t oldest_s) {
  size_t n_expired = sweep(outbox, parcel_expire, oldest_s);
  outbox->n_expired += n_expired;
  return n_expired;
}

size_t outbox_cut_off(struct outbox *outbox, int64_t latest_s) {
  return sweep(outbox, parcel_cut_off, latest_s);
}

struct parcel *outbox_next(const struct outbox *outbox,
                           const struct parcel *after, const char *namespace) {
  struct parcel *parcel = after == NULL ? outbox->newest : after->older;
  while (parcel != NULL && namespace != NULL &&
         !str_eq(str_of(parcel->namespace), str_of(namespace)))
    parcel = parcel->older;
  return parcel;
}

void outbox_clear(struct outbox *outbox) {
  while (outbox->oldest != NULL)
    drop(outbox, outbox->oldest);
}
