/* outbox: what waits, newest first: in bounded memory, with the spool behind
 * it.
 *
 * Parcels lie in the order of their cut.  When those in memory pass the limit,
 * the oldest go to the spool, or, if it does not take them, are dropped,
 * counted.  What rests in the spool comes back to memory when its turn is near.
 * A parcel is taken out before its data change, or the sums are no longer
 * true. */
#ifndef RUN_OUTBOX_H
#define RUN_OUTBOX_H

#include "metric/parcel.h"
#include "run/spool.h"

#include <stddef.h>
#include <stdint.h>

struct outbox {
  struct parcel *newest, *oldest; /* of those in memory */
  size_t n_parcels, n_data;       /* likewise */
  size_t bytes;                   /* of memory, as parcel_bytes() counts */
  size_t limit_bytes;             /* set by the owner */
  uint64_t n_dropped;             /* data dropped for lack of room, ever */
  uint64_t n_expired;             /* data dropped for age, ever */
  int64_t oldest_s;               /* as outbox_expire() was told */
  struct spool *spool;            /* borrowed */
};

/* Takes the parcel and puts it in its place by flush (before others of the same
 * cut); an empty one is freed, and its file removed.  Then has the oldest rest
 * in the spool, or drops them, while the limit is passed: no other parcel may
 * be used afterwards.  Returns how many data were dropped. */
size_t outbox_put(struct outbox *outbox, struct parcel *parcel);

/* The same for a parcel that was taken out and holds no more than before: all
 * others stay where they are. */
void outbox_put_back(struct outbox *outbox, struct parcel *parcel);

/* Takes a parcel out of the list; it is the caller's again. */
struct parcel *outbox_take(struct outbox *outbox, struct parcel *parcel);

/* Puts all parcels on disk that are not there as they are, the newest first,
 * but for those that are leaving unless with_leaving.  Without a spool, or
 * while it cannot be used, nothing. */
void outbox_keep(struct outbox *outbox, bool with_leaving);

/* Drops data older than oldest_s; returns how many. */
size_t outbox_expire(struct outbox *outbox, int64_t oldest_s);

/* Drops data later than latest_s; returns how many. */
size_t outbox_cut_off(struct outbox *outbox, int64_t latest_s);

/* The newest parcel of a namespace, or of any when namespace is NULL, that is
 * older in the list than after (NULL: from the newest on), and not of a flush
 * before since; NULL when there is none.  What rests is brought back as far as
 * memory allows. */
struct parcel *outbox_next(struct outbox *outbox, const struct parcel *after,
                           const char *namespace, int64_t since);

/* The number of the newest flush of which anything waits; INT64_MIN when
 * nothing does. */
int64_t outbox_newest(const struct outbox *outbox);

/* The same of the oldest; INT64_MAX when nothing waits. */
int64_t outbox_oldest(const struct outbox *outbox);

/* Data that wait, in memory or in the spool only. */
size_t outbox_count(const struct outbox *outbox);

/* Frees all parcels; limit and counters stay.  Those on disk rest there.
 * Returns how many data were lost, not being on disk. */
size_t outbox_clear(struct outbox *outbox);

#endif
