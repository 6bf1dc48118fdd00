/* sender: one destination: its tables, its thread, its requests.
 *
 * Any write thread hands values to sender_write(), which maps and adds them
 * under the node's one lock.  The node's thread takes what was added at each
 * flush, turns it into data of closed periods, and sends it until CloudWatch
 * accepts. */
#ifndef RUN_SENDER_H
#define RUN_SENDER_H

#include "base/err.h"
#include "metric/batch.h"
#include "metric/metric.h"
#include "metric/rule.h"
#include "run/http.h"
#include "run/source.h"
#include "run/stats.h"

#include <stdbool.h>
#include <stdint.h>

struct sender_options {
  char *node; /* owned; "" for the only destination */
  struct source_options who;
  struct place_options place;
  struct http_options http;
  enum protocol protocol;
  bool compression;
  int64_t flush_interval_s; /* 1 to 86400 */
  double flush_jitter_s;    /* 0 to flush_interval_s; below 0: a tenth of it */
  int64_t max_metrics;
  int64_t metadata_wait_s; /* 0 to 86400 */
  int64_t buffer_limit_bytes;
  char *spool_directory; /* owned; NULL: none */
  int64_t spool_limit_bytes;
  int64_t buffer_age_s;
  double backfill_rate; /* requests per second; 0: no limit */
  bool log_published;
  bool dry_run;
  char *status_file; /* owned; NULL: none; nodes add their name */
  bool report_stats; /* for the door */
};
void sender_options_clear(struct sender_options *options);

struct sender;

/* Makes a destination; starts nothing.
 *
 * options  borrowed for the life of the sender
 * rules    borrowed likewise
 * host     the daemon's own host name, from which the phase of the flushes
 *          comes
 *
 * NULL with *err set. */
struct sender *sender_new(const struct sender_options *options,
                          const struct rules *rules, const char *host,
                          struct err *err);

/* Starts the thread; after the daemon has forked.  0, or -1 with *err set. */
int sender_start(struct sender *sender, struct err *err);

/* Fills in what struct input has beside the identifier and the number of
 * readings.  Called under the node's lock: no more than arithmetic. */
typedef void (*sender_fill_fn)(struct input *in, void *context);

/* Takes the values of one list; any write thread.  What most lists of most
 * hosts come to is nothing, so what they hold is asked for only when it goes
 * somewhere, or the identifier is new.
 *
 * in    identifier and n_readings; the rest too, if fill is NULL */
void sender_write(struct sender *sender, struct input *in, sender_fill_fn fill,
                  void *context);

/* Asks the thread to cut periods that ended at least older_s ago, 0 also those
 * still open, and to send; any thread, returns at once. */
void sender_flush(struct sender *sender, int64_t older_s);

/* Copies what the node has counted until lately; any thread, returns at once.
 */
void sender_stats(struct sender *sender, struct stats *out);

/* Asks the thread to end when what waits is sent, at deadline_ms (steady time)
 * at the latest; returns at once. */
void sender_stop(struct sender *sender, int64_t deadline_ms);

/* Waits for the thread, which ends by the deadline given to sender_stop(), and
 * frees everything.  NULL is fine. */
void sender_free(struct sender *sender);

#endif
