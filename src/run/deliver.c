#include "run/deliver.h"

#include "run/clock.h"
#include "run/delivery.h"
#include "run/post.h"

#include <stdlib.h>

/* A request, or a question to a metadata service, takes long. */
static void keep_meanwhile(void *context) { delivery_keep(context); }

struct delivery *delivery_new(const struct sender_options *options,
                              struct session *session) {
  struct delivery *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return NULL;

  d->options = options;
  d->session = session;
  d->spool = spool_new(&(struct spool_options){
      .directory = options->spool_directory,
      .node = options->node,
      .limit_bytes = options->spool_limit_bytes,
  });
  d->outbox.limit_bytes = (size_t)options->buffer_limit_bytes;
  d->outbox.spool = d->spool;
  d->batch = (struct batch)BATCH_INIT;
  d->answer = (struct http_answer)HTTP_ANSWER_INIT;
  d->max_data = CW_DATA_MAX;
  d->request_ms = -1;
  pace_init(&d->pace, options->backfill_rate);
  d->source = source_new(&options->who, session, &d->place);
  d->json = json_out_new();
  if (d->spool == NULL || d->source == NULL || d->json == NULL) {
    delivery_free(d);
    return NULL;
  }
  http_on_slow(session->aws, keep_meanwhile, d);
  http_on_slow(session->nearby, keep_meanwhile, d);
  return d;
}

void delivery_let_go(struct delivery *d) {
  if (d->outbox.newest != NULL) {
    spool_hurry(d->spool);
    spool_open(d->spool);
  }
  delivery_keep(d);
  size_t n_lost = outbox_clear(&d->outbox);
  d->count.lost += n_lost;
  if (n_lost > 0)
    log_say(SAY_ERROR, d->options->node,
            "%zu data could not be sent before the stop and are lost", n_lost);
}

void delivery_free(struct delivery *d) {
  if (d == NULL)
    return;
  if (d->spool != NULL)
    delivery_let_go(d);
  spool_free(d->spool);
  batch_clear(&d->batch);
  http_answer_clear(&d->answer);
  place_clear(&d->place);
  json_out_free(d->json);
  source_free(d->source);
  free(d);
}

int64_t delivery_flush_number(const struct delivery *d) {
  int64_t now_ms = clock_wall_ms();
  return now_ms > d->newest ? now_ms : d->newest + 1;
}

void delivery_put(struct delivery *d, struct parcel *parcel) {
  if (d->options->dry_run) {
    parcel_free(parcel);
    return;
  }
  d->newest = parcel->flush;
  size_t n_dropped = outbox_put(&d->outbox, parcel);
  if (n_dropped > 0)
    log_state_bad(&d->full, SAY_ERROR, d->options->node, clock_steady_ms(), "",
                  "BufferLimit is reached; the oldest data are dropped while "
                  "more come than leave");
}

void delivery_limit(struct delivery *d, int64_t bytes) {
  d->outbox.limit_bytes = bytes > 0 ? (size_t)bytes : 0;
}

struct delivery_count delivery_count(const struct delivery *d) {
  struct delivery_count count = d->count;

  count.dropped = d->outbox.n_dropped;
  count.spool_dropped = spool_sum(d->spool).n_dropped;
  count.aged = d->outbox.n_expired;
  return count;
}

int64_t delivery_wake_ms(const struct delivery *d) {
  int64_t newest = outbox_newest(&d->outbox);

  if (newest == INT64_MIN)
    return INT64_MAX;
  int64_t pace_ms = pace_next(&d->pace, newest < d->newest);
  return d->wake_ms > pace_ms ? d->wake_ms : pace_ms;
}

void delivery_keep(struct delivery *d) {
  outbox_keep(&d->outbox, true);
  delivery_remember_spool(d);
}

/* What is found in the spool is backlog, whatever its numbers. */
void delivery_open_spool(struct delivery *d) {
  if (spool_is_open(d->spool))
    return;
  spool_open(d->spool);
  delivery_remember_spool(d);
  int64_t newest = spool_newest(d->spool);
  if (newest >= d->newest)
    d->newest = newest + 1;
}

void delivery_hurry(struct delivery *d) {
  d->newest = INT64_MIN; /* nothing is older: all may travel together */
  pace_hurry(&d->pace);
  d->tend_ms = 0;
  d->wake_ms = 0;
}

void delivery_drop(struct delivery *d, struct parcel *parcel, size_t i,
                   size_t n) {
  (void)outbox_take(&d->outbox, parcel);
  parcel_remove(parcel, i, n);
  outbox_put_back(&d->outbox, parcel); /* others are in the batch, too */
}

void delivery_wait(struct delivery *d, int64_t base_ms, const char *key,
                   const char *reason, const char *remedy) {
  struct err sentence;
  int64_t now_ms = clock_steady_ms();
  bool is_stopping = atomic_load(d->session->deadline_ms) != INT64_MAX;

  d->wake_ms = retry_next(&d->retry, now_ms, base_ms, d->answer.retry_after_ms,
                          clock_dice());
  (void)err_set(&sentence, "%s%s%s", reason, remedy[0] == '\0' ? "" : ": ",
                remedy);
  delivery_remember(d, &sentence);
  log_state_bad(&d->sending, SAY_WARNING, d->options->node, now_ms, key, "%s%s",
                sentence.text,
                is_stopping ? "" : "; the data wait and are sent later");
}

/* ---- one attempt -------------------------------------------------------- */

/* What became too old while it waited, by AWS's clock alone: a host that boots
 * with a clock of another year must not lose all that waits. */
static void expire(struct delivery *d) {
  if (!d->has_time)
    return;
  int64_t oldest_s = delivery_time_s(d) - d->options->buffer_age_s;
  if (outbox_expire(&d->outbox, oldest_s) > 0)
    log_state_bad(&d->aged, SAY_ERROR, d->options->node, clock_steady_ms(), "",
                  "data that wait longer than BufferAge are dropped until "
                  "sending succeeds");
}

/* What was stamped by a clock that is too fast, before that was known.  Only
 * when AWS has told the time: this host's own clock may be set back by mistake,
 * and then what waits lies ahead of it, and is right. */
static void cut_off(struct delivery *d) {
  int64_t latest_s = session_now_s(d->session) + CW_FUTURE_S;

  if (session_offset_s(d->session) == 0)
    return;
  size_t n = outbox_cut_off(&d->outbox, latest_s);
  d->count.ahead += n;
  if (n > 0)
    log_state_bad(&d->ahead, SAY_ERROR, d->options->node, clock_steady_ms(), "",
                  "data of more than two hours in the future, which CloudWatch "
                  "refuses, are dropped; they were stamped by a clock that is "
                  "wrong");
}

/* Joins the newest parcel with others that may travel with it: those of the
 * same flush, or, when it is backlog itself, any older ones. */
static int fill(struct delivery *d, struct parcel *first, struct err *err) {
  struct parcel *parcel = first;
  int64_t since = first->flush == d->newest ? first->flush : INT64_MIN;

  if (batch_begin(&d->batch, d->options->protocol, d->json, first->namespace,
                  err) != 0)
    return -1;
  d->batch.max_data = d->max_data;
  while (parcel != NULL && batch_add(&d->batch, parcel, err) > 0) {
    parcel->is_leaving = true;
    parcel = d->batch.n_data < d->max_data
                 ? outbox_next(&d->outbox, parcel, first->namespace, since)
                 : NULL;
  }
  return d->batch.n_data > 0 ? batch_end(&d->batch, err) : -1;
}

/* No parcel is in a request any more. */
static void unmark(struct delivery *d) {
  for (size_t i = 0; i < d->batch.n_parts; i++)
    d->batch.parts[i].parcel->is_leaving = false;
}

/* A datum that no request can hold (many long values in the Query protocol)
 * must not stand in the way of the others. */
static bool drop_too_large(struct delivery *d, struct parcel *first,
                           const struct err *why) {
  struct err sentence;
  const char *identifier = parcel_identifier(first, 0);

  if (d->batch.n_data > 0 || !buf_ok(&d->batch.body))
    return false;
  d->refused_ms = clock_steady_ms();
  (void)err_set(&sentence, "a datum of %s is dropped: %s", identifier,
                why->text);
  delivery_remember(d, &sentence);
  log_state_bad(&d->refused, SAY_ERROR, d->options->node, d->refused_ms,
                identifier, "%s", sentence.text);
  d->count.refused++;
  delivery_drop(d, first, 0, 1);
  return true;
}

/* Acts on the answer.  What it names goes; the rest of a failed request is kept
 * and sent again. */
static void settle_counted(struct delivery *d) {
  uint64_t refused = d->count.refused;
  bool has_failed = d->reply.outcome != OUTCOME_SENT;
  size_t n_data = d->batch.n_data;

  delivery_settle(d);
  d->count.requests++;
  if (!has_failed)
    return;
  d->count.failed_requests++;
  uint64_t gone = d->count.refused - refused; /* of its parcels, not it alone */
  d->count.retried += gone < n_data ? n_data - gone : 0;
}

/* Signs and sends the batch, which is complete. */
static void send_batch(struct delivery *d, const struct cred *cred) {
  struct err err = {""};
  struct post post = {.http = d->session->aws,
                      .place = &d->place,
                      .cred = cred,
                      .compression = d->options->compression,
                      .now_s = session_now_s(d->session)};

  outbox_keep(&d->outbox, d->retry.n_failed > 0);
  int64_t begin_ms = clock_steady_ms();
  pace_begin(&d->pace, begin_ms);
  int rc = post_batch(&post, &d->batch, &d->answer, &d->reply, &err);
  unmark(d);
  if (rc != 0) {
    delivery_wait(d, RETRY_SLOW_MS, err.text, err.text, "");
  } else {
    d->request_ms = clock_steady_ms() - begin_ms;
    settle_counted(d);
  }
  http_answer_clear(&d->answer); /* 64 KiB, mostly not needed for a minute */
}

/* Whether the parcel looks too old, by a clock that nobody has confirmed: then
 * it is neither dropped nor sent until newer data brought an answer. */
static bool is_doubtful(const struct delivery *d, const struct parcel *parcel) {
  int64_t oldest_s = session_now_s(d->session) - d->options->buffer_age_s;

  return !d->has_time && parcel->flush / 1000 < oldest_s;
}

/* The newest parcel; NULL when nothing waits that can be read and sent now. */
static struct parcel *first_of(struct delivery *d) {
  struct parcel *first = outbox_next(&d->outbox, NULL, NULL, INT64_MIN);

  if (first != NULL && !is_doubtful(d, first))
    return first;
  d->wake_ms = clock_steady_ms() + RETRY_BASE_MS;
  return NULL;
}

/* Puts what waits on disk before credentials or a region are asked for, which
 * may take a minute. */
static void keep_if_asking(struct delivery *d) {
  if (d->place.region == NULL ||
      source_due_s(d->source, session_now_s(d->session)) <= 0)
    delivery_keep(d);
}

void delivery_attempt(struct delivery *d) {
  struct err err = {""};

  d->answer.retry_after_ms = 0;
  expire(d);
  cut_off(d);
  struct parcel *first = first_of(d);
  if (first == NULL)
    return;

  keep_if_asking(d);
  const struct cred *cred = delivery_ready(d);
  if (cred == NULL) {
    d->wake_ms = d->tend_ms;
    return;
  }
  int rc = fill(d, first, &err);
  if (rc == 0) {
    send_batch(d, cred);
    return;
  }
  unmark(d);
  if (!drop_too_large(d, first, &err))
    delivery_wait(d, RETRY_BASE_MS, err.text, err.text, "");
}
