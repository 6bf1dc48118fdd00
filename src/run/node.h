/* node: what sender.c, which any thread calls, and work.c, which is the node's
 * thread, share of one destination. */
#ifndef RUN_NODE_H
#define RUN_NODE_H

#include "metric/agg.h"
#include "run/deliver.h"
#include "run/dry_run.h"
#include "run/flush.h"
#include "run/identity.h"
#include "run/notes.h"
#include "run/report.h"
#include "run/sender.h"
#include "run/session.h"
#include "run/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sender {
  const struct sender_options *options;
  const struct rules *rules;
  int64_t phase_ms; /* of its flushes after the multiple of FlushInterval */
  pthread_t thread;
  uint32_t period_s; /* of series with StorageResolution 60 */
  bool has_thread;
  bool has_lock;
  bool has_notes; /* somebody wants to see what the rules say */

  pthread_mutex_t lock;
  pthread_cond_t wake;   /* steady clock */
  struct agg agg;        /* guarded by lock */
  struct skew skew;      /* guarded by lock: what the writers know of it */
  struct report report;  /* guarded by lock */
  struct notes notes;    /* guarded by lock; only while has_notes */
  struct stats stats;    /* guarded by lock */
  int64_t flush_older_s; /* guarded by lock: of the flush that was asked */
  int64_t stop_ms;       /* guarded by lock: steady time of the end */
  bool take_asked;       /* guarded by lock: the list of samples is half full */
  bool flush_asked;      /* guarded by lock */
  bool stop_asked;       /* guarded by lock */

  /* Steady time at which a request is abandoned; INT64_MAX until stop. */
  _Atomic int64_t deadline_ms;

  /* The thread's alone. */
  struct session *session;
  struct identity *identity;
  struct delivery *delivery;
  struct flush flush;
  struct tally tally;
  struct status *status;   /* NULL: no StatusFile */
  struct dry_run *dry_run; /* NULL: no DryRun */
  int64_t flushed_s;       /* last multiple of FlushInterval that was due */
  uint64_t awaited;  /* values for which the last flush kept what names them */
  size_t room;       /* samples that the last list was made for */
  uint32_t forgot_s; /* steady time of the last look at the silent */
  bool burst_ended;  /* that was much more not long ago */
  bool is_much;      /* what was cut and may still wait to be sent */
};

/* The node's thread (work.c): flushes and sends until it is told to stop. */
void *node_work(void *sender);

/* show.c, for that thread.  Shows how it is; to be called whenever something
 * may have changed.  is_stopped: nothing will change any more. */
void node_show(struct sender *sender, bool is_stopped);

/* Shows what the writers left, and frees it. */
void node_show_notes(struct sender *sender, struct notes *notes);

#endif
