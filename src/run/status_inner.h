/* What the files of the status file share: status.c (what it is told, when it
 * is written), status_put.c (what is in it). */
#ifndef RUN_STATUS_INNER_H
#define RUN_STATUS_INNER_H

#include "base/buf.h"
#include "base/json.h"
#include "metric/recent.h"
#include "run/log.h"
#include "run/status.h"

#define STATUS_BYTES_MAX (16u << 20)

/* Series are listed until the file has come to so many bytes. */
#define STATUS_SERIES_BYTES (8u << 20)

struct status {
  const struct sender_options *options;
  const char *host;
  char *path; /* owned; with the node's name */
  int64_t started_s;
  struct recent *recent; /* owned */

  struct status_unselected {
    char *identifier, *because; /* owned; NULL: none */
    const char *label;
  } unselected[STATUS_UNSELECTED_MAX]; /* a ring: the newest of all */
  size_t next_unselected;

  uint64_t stamp;        /* of what was last written */
  int64_t written_ms;    /* steady time of that */
  bool is_put_off;       /* there is more to be written */
  struct json_out *json; /* owned */
  struct buf text;       /* empty between two files */
  struct log_state trouble;
};

/* Writes what is to be in the file into status->text.  0, or -1 for lack of
 * memory. */
int status_put(struct status *status, const struct status_now *now);

#endif
