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

#include "aws/reply.h"
#include "base/err.h"
#include "metric/parcel.h"
#include "run/sender.h"
#include "run/session.h"
#include "run/stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery;

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

/* ---- what can be seen of it (look.c) ------------------------------------ */

/* What went wrong last. */
struct delivery_error {
  int64_t at_s;        /* wall time; 0: nothing yet */
  struct err sentence; /* as it was said, or would be but for its repetition */
  int status;          /* of HTTP; 0: no answer */
  char code[REPLY_CODE_MAX]; /* of AWS; "" where there is none */
  char message[REPLY_MESSAGE_MAX];
  char request_id[128];
};

#define DELIVERY_TROUBLES_MAX 10

/* All texts are borrowed until the next call of any other function.  Times are
 * wall time in seconds since 1970 UTC. */
struct delivery_look {
  struct delivery_count count;
  const char *region, *endpoint; /* NULL: not known yet */
  const char *source;            /* of the credentials; "" before the first */
  int64_t expires_s;             /* their end; CRED_NEVER */
  int64_t offset_s;              /* AWS's clock less this host's; 0: unknown */
  int64_t accepted_s;            /* the last success; 0: never */
  int64_t attempt_s;             /* the next attempt; 0: nothing waits */
  int64_t request_ms;            /* what the last request took; -1: none yet */
  size_t n_waiting;              /* data, also in the spool */
  size_t waiting_bytes;          /* of memory */
  int64_t oldest_s;              /* when the oldest of them was cut; 0: none */
  const char *spool;             /* its folder; NULL: there is none */
  bool spool_is_usable;
  size_t n_resting;    /* data that are in the spool only */
  int64_t spool_bytes; /* of all files, in whole blocks */
  struct delivery_trouble {
    const char *what; /* as in contrib/status.schema.json */
    int64_t since_s;
  } trouble[DELIVERY_TROUBLES_MAX];
  size_t n_troubles;
  const struct delivery_error *error; /* NULL: nothing went wrong yet */
};
void delivery_look(const struct delivery *delivery, struct delivery_look *out);

#endif
