/* status: the status file of a node (StatusFile): whether it publishes, what,
 * as whom, to where, and what is wrong.
 *
 * contrib/status.schema.json says what is in it.  Belongs to the node's
 * thread. */
#ifndef RUN_STATUS_H
#define RUN_STATUS_H

#include "metric/metric.h"
#include "run/deliver.h"
#include "run/notes.h"
#include "run/stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_UNSELECTED_MAX 200

struct status;

/* Where the file is, with the node's name; owned by the caller.  NULL is lack
 * of memory. */
char *status_path(const struct sender_options *options);

/* options  borrowed; with a StatusFile
 * host     the daemon's own host name, borrowed
 * NULL is lack of memory. */
struct status *status_new(const struct sender_options *options,
                          const char *host);
void status_free(struct status *status);

/* A datum that was cut.
 *
 * key     names its series (refuse_key())
 * metric  argument of its <Metric> block, borrowed for the status' life */
void status_datum(struct status *status, const struct datum *datum,
                  uint64_t key, const char *metric);

/* What the rules say of an identifier. */
void status_note(struct status *status, const struct note *note);

/* What the file says beside that. */
struct status_now {
  bool is_stopped;
  bool has_flushed; /* then the next three are of the last flush */
  int64_t flushed_s;
  size_t n_data, n_requests;
  size_t n_series, n_selected, n_unselected;
  struct left_out left_out;
  struct delivery_look look;
};

/* Writes the file, if there was a flush, a request or a trouble since it was
 * last written, or a minute has passed; at most once a second, but for the last
 * time.  What goes wrong
 * is said once. */
void status_write(struct status *status, const struct status_now *now);

/* Steady time at which status_write() has something to do that it put off;
 * INT64_MAX when it has not.  status may be NULL. */
int64_t status_wake_ms(const struct status *status);

#endif
