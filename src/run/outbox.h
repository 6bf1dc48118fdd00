/* outbox: what waits, newest first, in bounded memory.
 *
 * Parcels lie in the order of their cut.  When they pass the limit, the oldest
 * are dropped, counted.  A parcel is taken out before its data change, or the
 * sums are no longer true. */
#ifndef RUN_OUTBOX_H
#define RUN_OUTBOX_H

#include "metric/parcel.h"

#include <stddef.h>
#include <stdint.h>

struct outbox {
  struct parcel *newest, *oldest;
  size_t n_parcels, n_data;
  size_t bytes;       /* of memory, as parcel_bytes() counts */
  size_t limit_bytes; /* set by the owner */
  uint64_t n_dropped; /* data dropped for lack of room, ever */
  uint64_t n_expired; /* data dropped for age, ever */
};

/* Takes the parcel and puts it in its place by flush (before others of the same
 * cut); an empty one is freed.  Then drops the oldest while the limit is
 * passed.  Returns how many data were dropped. */
size_t outbox_put(struct outbox *outbox, struct parcel *parcel);

/* Takes a parcel out; it is the caller's again. */
struct parcel *outbox_take(struct outbox *outbox, struct parcel *parcel);

/* Drops data older than oldest_s; returns how many. */
size_t outbox_expire(struct outbox *outbox, int64_t oldest_s);

/* Drops data later than latest_s; returns how many. */
size_t outbox_cut_off(struct outbox *outbox, int64_t latest_s);

/* The newest parcel of a namespace, or of any when namespace is NULL, that is
 * older in the list than after (NULL: from the newest on); NULL when there is
 * none. */
struct parcel *outbox_next(const struct outbox *outbox,
                           const struct parcel *after, const char *namespace);

/* Frees all parcels; limit and counters stay. */
void outbox_clear(struct outbox *outbox);

#endif
