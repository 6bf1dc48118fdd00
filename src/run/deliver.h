/* deliver: what waits, and how it leaves: one attempt at a time.
 *
 * An attempt joins data to a body, compresses and signs it for this second,
 * sends it, and settles what the answer says.  What fails goes on waiting, with
 * its own timestamps, within BufferLimit and BufferAge.  The newest flush goes
 * first, because alarms act on it; the backlog follows, newest first.
 *
 * With a spool, whatever waits is on disk before the thread waits for anything,
 * be it time or an answer.  Only the request under way is first given a second:
 * so a healthy node that needs one request a flush never writes a file.
 *
 * Belongs to the node's thread. */
#ifndef RUN_DELIVER_H
#define RUN_DELIVER_H

#include "base/err.h"
#include "metric/parcel.h"
#include "run/sender.h"
#include "run/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery;

/* What became of data, ever. */
struct delivery_count {
  uint64_t accepted;
  uint64_t refused;       /* by CloudWatch, in its own error code */
  uint64_t dropped;       /* by BufferLimit */
  uint64_t spool_dropped; /* by SpoolLimit, or with a folder that was removed */
  uint64_t aged;          /* by BufferAge */
  uint64_t lost;          /* unsent at the stop, and not in a spool */
  uint64_t ahead;         /* by us, too far in the future for CloudWatch */
  uint64_t ambiguous; /* in requests whose answer was lost: may count twice */
};

/* options, session  borrowed for the life of the delivery
 * NULL is lack of memory. */
struct delivery *delivery_new(const struct sender_options *options,
                              struct session *session);

/* The end: puts what still waits on disk, if there is a spool, and says and
 * counts what is lost.  Nothing is sent afterwards. */
void delivery_let_go(struct delivery *delivery);

/* Lets go of what waits, if that was not done. */
void delivery_free(struct delivery *delivery);

/* The number for a flush that begins now: above those of all before it, also in
 * the spool, and the time in milliseconds if that is. */
int64_t delivery_flush_number(const struct delivery *delivery);

/* Takes a parcel of the newest flush. */
void delivery_put(struct delivery *delivery, struct parcel *parcel);

/* Whether CloudWatch has refused the name, dimensions or unit of a datum, and
 * its series is kept back for that: it is not to be put into a parcel.  text:
 * of encode_json_datum(). */
bool delivery_is_quarantined(const struct delivery *delivery,
                             const char *namespace, struct str text);

/* Sets how much memory may wait here, in bytes; the oldest are dropped for it
 * at the next delivery_put(). */
void delivery_limit(struct delivery *delivery, int64_t bytes);

/* Steady time of the next attempt; INT64_MAX when nothing waits. */
int64_t delivery_wake_ms(const struct delivery *delivery);

/* Makes one attempt now.  To be called when delivery_wake_ms() has come. */
void delivery_attempt(struct delivery *delivery);

/* Puts what waits on disk, if there is a spool: to be called before the thread
 * waits for anything. */
void delivery_keep(struct delivery *delivery);

/* To be called now and then, after what is due was sent: the spool is opened if
 * it is not, an idle connection is closed, and credentials are fetched or
 * refreshed ahead of need; may then block for some seconds. */
void delivery_tend(struct delivery *delivery);

/* The end is near: forgets that it was going to wait, and that the backlog was
 * metered. */
void delivery_hurry(struct delivery *delivery);

struct delivery_count delivery_count(const struct delivery *delivery);

#endif
