/* delivery: what deliver.c, ready.c, settle.c and correct.c share: the state of
 * what waits and leaves.  Belongs to the node's thread. */
#ifndef RUN_DELIVERY_H
#define RUN_DELIVERY_H

#include "aws/pace.h"
#include "aws/reply.h"
#include "aws/retry.h"
#include "metric/batch.h"
#include "metric/refuse.h"
#include "run/deliver.h"
#include "run/http.h"
#include "run/log.h"
#include "run/outbox.h"
#include "run/session.h"
#include "run/source.h"
#include "run/spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery {
  const struct sender_options *options;
  struct session *session; /* borrowed */
  struct source *source;
  struct json_out *json;
  struct place place;        /* empty until it was found */
  unsigned place_n_read;     /* of the profile, when it was found */
  unsigned n_moves;          /* of the credentials, when they were last said */
  unsigned misplaced_n_read; /* when none was found though one is known */
  int64_t misplaced_ms;      /* steady; by those files not sought before */
  struct spool *spool;
  struct outbox outbox; /* with the spool behind it */
  struct batch batch;
  struct http_answer answer;
  struct reply reply; /* of the last attempt */

  struct retry tend; /* for what requests need besides data */
  int64_t tend_ms;   /* steady; not asked for before */
  struct retry retry;
  struct pace pace;
  int64_t wake_ms;    /* steady; no attempt before */
  int64_t newest;     /* number of the newest flush */
  size_t max_data;    /* of a request; smaller while a refusal is narrowed */
  bool has_corrected; /* the clock, since the last success */
  bool has_accepted;  /* anything yet */
  bool has_time;      /* AWS told the time in this run */
  int64_t ahead_of_steady_ms;  /* its clock is ahead of this host's steady one
                                  by that much */
  struct delivery_count count; /* but for what outbox and spool count */
  struct refuse refuse;        /* series that are kept back */
  int64_t refused_ms;          /* steady: when a datum was refused last */
  int64_t accepted_s;          /* wall time of the last success; 0: never */
  int64_t request_ms;          /* what the last request took; -1: none yet */
  struct delivery_error error;
  int64_t spool_ms; /* steady: when the spool's trouble began; 0 */

  struct log_state awaited;   /* there is no region, or are no credentials */
  struct log_state misplaced; /* the files give no place any more */
  struct log_state renewal; /* credentials are used that could not be renewed */
  struct log_state sending; /* why nothing is accepted */
  struct log_state clock;   /* this host's differs from the service's */
  struct log_state full;    /* BufferLimit drops what waits */
  struct log_state aged;    /* BufferAge does */
  struct log_state ahead;   /* what lies too far in the future is dropped */
  struct log_state refused; /* CloudWatch refuses data */
  struct log_state given_up;  /* a parcel of which it names none */
  struct log_state kept_back; /* a series that it refuses */
  struct log_state let_back;  /* and accepts again */
};

/* Nothing was accepted: says why, and sets when to try again.
 *
 * base_ms  RETRY_BASE_MS, or RETRY_SLOW_MS where only a person can help
 * key      names the reason, whose text may hold ids that always differ
 * remedy   one clause, or "" */
void delivery_wait(struct delivery *delivery, int64_t base_ms, const char *key,
                   const char *reason, const char *remedy);

/* look.c.  Remembers what went wrong; of the answer, if there was one. */
void delivery_remember(struct delivery *delivery, const struct err *sentence);

/* The same of the spool, once for each trouble. */
void delivery_remember_spool(struct delivery *delivery);

/* Takes n data, from number i on, out of a parcel that waits. */
void delivery_drop(struct delivery *delivery, struct parcel *parcel, size_t i,
                   size_t n);

/* Opens the spool if that is due and was not done. */
void delivery_open_spool(struct delivery *delivery);

/* The credentials to sign with now, region and endpoint being known; NULL when
 * that is not so yet, which was said: nothing is asked before tend_ms. */
const struct cred *delivery_ready(struct delivery *delivery);

/* correct.c.  Learns from the Date of an answer that was no success.  Whether
 * the same request may be accepted at once, signed with another time, which is
 * tried once until the next success. */
bool delivery_correct_clock(struct delivery *delivery);

/* The signature was good, whatever the service says of the data. */
void delivery_confirm_clock(struct delivery *delivery);

/* Says that this host's clock is wrong, or that it is right again. */
void delivery_say_clock(struct delivery *delivery);

/* correct.c.  Remembers the time that an answer of AWS tells; while has_time,
 * the time by it, seconds since 1970 UTC.  This host's wall clock has no part
 * in it: what waits is not to be dropped for a clock that was set wrong. */
void delivery_learn_time(struct delivery *delivery);
int64_t delivery_time_s(const struct delivery *delivery);

/* Acts on the answer to the batch: delivery->answer and ->reply. */
void delivery_settle(struct delivery *delivery);

#endif
