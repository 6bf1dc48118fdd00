#include "run/clock.h"
#include "run/delivery.h"
#include "run/published.h"

#include <stdlib.h>

#define MEND_REQUESTS_MAX 40 /* refused requests for one parcel */

/* If the batch is of the backlog, that was its turn.  What is mended or signed
 * anew goes again at once, and takes none. */
static void take_turn(struct delivery *d) {
  if (d->batch.parts[0].parcel->flush < d->newest)
    pace_take_turn(&d->pace);
}

/* ---- accepted ----------------------------------------------------------- */

static void say_recovery(struct delivery *d) {
  const char *node = d->options->node;
  int64_t now_ms = clock_steady_ms();

  (void)log_state_good(&d->sending, node, now_ms,
                       "sending again after %lld s; %zu data are still waiting",
                       (long long)((now_ms - d->sending.since_ms) / 1000),
                       d->outbox.n_data);
  (void)log_state_good(&d->aged, node, now_ms,
                       "%llu data were dropped for their age so far",
                       (unsigned long long)d->outbox.n_expired);
  (void)log_state_good(&d->ahead, node, now_ms,
                       "%llu data were dropped for lying too far in the future "
                       "so far",
                       (unsigned long long)d->count.ahead);
  if (d->outbox.bytes < d->outbox.limit_bytes / 2)
    (void)log_state_good(&d->full, node, now_ms,
                         "what waits is within BufferLimit again; %llu data "
                         "were dropped so far",
                         (unsigned long long)d->outbox.n_dropped);
}

static void settle_sent(struct delivery *d) {
  take_turn(d);
  if (!d->has_accepted)
    log_say(SAY_INFO, d->options->node,
            "%s has accepted the first %zu data, signed with the credentials "
            "of %s",
            d->place.endpoint.authority, d->batch.n_data,
            source_origin(d->source));
  d->has_accepted = true;
  if (d->options->log_published)
    published_log(d->options->node, &d->batch);

  d->count.accepted += d->batch.n_data;
  for (size_t i = d->batch.n_parts; i-- > 0;)
    delivery_drop(d, d->batch.parts[i].parcel, 0, d->batch.parts[i].n);
  say_recovery(d);
  delivery_confirm_clock(d);
  retry_reset(&d->retry);
  pace_accepted(&d->pace);
  d->has_corrected = false;
  if (d->max_data < CW_DATA_MAX)
    d->max_data *= 2;
}

/* ---- refused ------------------------------------------------------------ */

/* Drops n data of a parcel that CloudWatch will never take.  Names one
 * identifier; many that are refused at once are no flood. */
static void drop_refused(struct delivery *d, struct parcel *parcel, size_t i,
                         size_t n) {
  const char *identifier = parcel_identifier(parcel, i);

  log_state_bad(&d->refused, SAY_ERROR, d->options->node, clock_steady_ms(),
                identifier,
                "CloudWatch refused %zu %s of %s (%s: %.200s), dropped; %llu "
                "were refused before",
                n, n == 1 ? "datum" : "data", identifier, d->reply.code,
                d->reply.message, (unsigned long long)d->count.refused);
  d->count.refused += n;
  delivery_drop(d, parcel, i, n);
}

/* What CloudWatch named goes; the rest follows at once. */
static void drop_named(struct delivery *d) {
  struct parcel *parcel;
  size_t datum;

  for (size_t i = d->reply.n_refused; i-- > 0;)
    if (batch_where(&d->batch, d->reply.refused[i], &parcel, &datum))
      drop_refused(d, parcel, datum, 1);
}

/* Whether a parcel has cost as many refused requests as one may; then all of it
 * is dropped. */
static bool give_up(struct delivery *d) {
  struct parcel *parcel = d->batch.parts[0].parcel;

  for (size_t i = 0; i < d->batch.n_parts; i++)
    d->batch.parts[i].parcel->n_requests++;
  if (parcel->n_requests < MEND_REQUESTS_MAX)
    return false;
  drop_refused(d, parcel, 0, parcel->n_data);
  d->max_data = CW_DATA_MAX;
  return true;
}

/* The data were refused.  Without a name for the one at fault, requests are
 * halved until it stands alone. */
static void settle_mend(struct delivery *d) {
  d->wake_ms = 0;
  if (give_up(d))
    return;
  if (d->reply.n_refused > 0)
    drop_named(d);
  else if (d->batch.n_data > 1)
    d->max_data = d->batch.n_data / 2;
  else
    drop_refused(d, d->batch.parts[0].parcel, 0, 1);
  say_recovery(d); /* the service was reached, and knows us */
  delivery_confirm_clock(d);
}

/* ---- failed ------------------------------------------------------------- */

/* The sentence for an answer that is no success. */
static void describe_answer(const struct delivery *d, struct err *out) {
  const struct reply *reply = &d->reply;
  const struct http_answer *answer = &d->answer;

  if (answer->status == 0)
    (void)err_set(out, "%s", answer->error.text);
  else if (reply->code[0] == '\0')
    (void)err_set(out,
                  "%s answered with status %d, but not in the way AWS does "
                  "(a proxy or a login page in between?)",
                  d->place.endpoint.authority, answer->status);
  else
    (void)err_set(out, "%s answered %s (status %d): %.200s [request %s]",
                  d->place.endpoint.authority, reply->code, answer->status,
                  reply->message,
                  answer->request_id.len > 0 ? buf_str(&answer->request_id)
                                             : "without id");
}

static void settle_failed(struct delivery *d) {
  struct err err = {""};
  const char *code = d->reply.code;

  if (d->answer.ambiguous)
    d->count.ambiguous += d->batch.n_data;
  if (delivery_correct_clock(d)) {
    d->wake_ms = 0;
    return;
  }
  take_turn(d);
  if (d->reply.outcome == OUTCOME_REFRESH)
    source_forget(d->source, session_now_s(d->session));
  if (d->reply.class == REPLY_FORBIDDEN)
    source_doubt(d->source, session_now_s(d->session));
  if (d->reply.class == REPLY_THROTTLED)
    pace_throttled(&d->pace);
  bool is_slow = d->reply.class == REPLY_FORBIDDEN ||
                 d->reply.class == REPLY_PROTOCOL ||
                 d->reply.class == REPLY_TOO_LARGE;
  describe_answer(d, &err);
  delivery_wait(d, is_slow ? RETRY_SLOW_MS : RETRY_BASE_MS,
                code[0] != '\0' ? code : err.text, err.text, reply_hint(code));
}

/* A proxy's 413, without a code of AWS: it may be right about the size, but
 * what it says can never cost data. */
static void settle_too_large(struct delivery *d) {
  d->wake_ms = 0;
  if (d->batch.n_data > 1)
    d->max_data = d->batch.n_data / 2;
  else
    settle_failed(d);
}

void delivery_settle(struct delivery *d) {
  switch (d->reply.outcome) {
  case OUTCOME_SENT:
    settle_sent(d);
    return;
  case OUTCOME_RETRY:
  case OUTCOME_REFRESH:
    settle_failed(d);
    return;
  case OUTCOME_MEND:
    if (d->reply.code[0] == '\0')
      settle_too_large(d);
    else
      settle_mend(d);
    return;
  }
}
