/* pace: how far apart requests of a node are, told the time.
 *
 * Two distances, from the beginning of one request to that of the next:
 *
 *   of the backlog   by BackfillRate; what was cut last does not keep it
 *   of all           none in good health; grows with each throttled answer and
 *                    shrinks with each accepted request, until there is none
 *
 * The wait after a failure is retry's, and comes beside: it ends with the first
 * success, after which a node with much to send would at once be too fast
 * again.
 *
 * Throttling doubles the distance and success halves it, as quotas are per
 * account and region (500 requests a second for PutMetricData), and what many
 * nodes see together has to go down as fast as they add up.  It begins with
 * half a second, which is more than a request takes, so that it is felt; below,
 * it ends.  It is ten seconds at most: that is the flush of a plain LoadPlugin,
 * so the newest data are hardly held up; 5000 nodes so slow stay within the
 * quota; and from there six accepted requests, in 20 seconds, lead back. */
#ifndef AWS_PACE_H
#define AWS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_GAP_MIN_MS 500
#define PACE_GAP_MAX_MS 10000

struct pace {
  int64_t backlog_gap_ms; /* 0: none */
  int64_t gap_ms;         /* 0: none, else PACE_GAP_MIN_MS to PACE_GAP_MAX_MS */
  int64_t begun_ms;       /* when the last request began */
  int64_t turn_ms;        /* the backlog's next request, not before */
};

/* backlog_rate  requests per second, 0: no limit */
void pace_init(struct pace *pace, double backlog_rate);

/* A request goes out.  now_ms: any clock that goes steadily, milliseconds. */
void pace_begin(struct pace *pace, int64_t now_ms);

/* The last request was the backlog's. */
void pace_take_turn(struct pace *pace);

/* The last request was answered so. */
void pace_throttled(struct pace *pace);
void pace_accepted(struct pace *pace);

/* Forgets both distances: there is no time left for them. */
void pace_hurry(struct pace *pace);

/* When the next request may begin. */
int64_t pace_next(const struct pace *pace, bool is_backlog);

#endif
