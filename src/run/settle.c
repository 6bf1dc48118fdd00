#include "metric/encode_json.h"
#include "run/clock.h"
#include "run/delivery.h"
#include "run/published.h"

#include <stdlib.h>

#define MEND_REQUESTS_MAX 40 /* refused requests for one parcel */
#define HOUR_MS 3600000

/* ---- series that were refused -------------------------------------------- */

static uint64_t key_of(const struct parcel *parcel, size_t i) {
  return refuse_key(parcel->namespace,
                    encode_json_series(parcel_text(parcel, i)));
}

bool delivery_is_quarantined(const struct delivery *d, const char *namespace,
                             struct str text) {
  return d->refuse.n > 0 &&
         refuse_holds(&d->refuse,
                      refuse_key(namespace, encode_json_series(text)),
                      clock_steady_ms() / 1000);
}

/* Lets back the series of which a datum was accepted. */
static void let_back(struct delivery *d, const struct parcel *parcel,
                     size_t i) {
  int64_t now_ms = clock_steady_ms();
  int64_t out_s = refuse_accept(&d->refuse, key_of(parcel, i), now_ms / 1000);

  if (out_s > 0)
    log_state_event(&d->let_back, SAY_NOTICE, d->options->node, now_ms,
                    "CloudWatch accepts the metric of %s again, which was kept "
                    "back for %lld min",
                    parcel_identifier(parcel, i), (long long)(out_s / 60));
}

static void let_back_accepted(struct delivery *d) {
  if (d->refuse.n == 0)
    return;
  for (size_t i = 0; i < d->batch.n_parts; i++)
    for (size_t k = 0; k < d->batch.parts[i].n; k++)
      let_back(d, d->batch.parts[i].parcel, k);
  refuse_forget(&d->refuse, clock_steady_ms() / 1000);
}

/* If the batch is of the backlog, that was its turn.  What was mended by name,
 * or is signed anew, goes again at once, and takes none. */
static void take_turn(struct delivery *d) {
  if (d->batch.parts[0].parcel->flush < d->newest)
    pace_take_turn(&d->pace);
}

/* ---- accepted ----------------------------------------------------------- */

/* The service was reached, and knows us. */
static void settle_reached(struct delivery *d) {
  const char *node = d->options->node;
  int64_t now_ms = clock_steady_ms();

  (void)log_state_good(&d->sending, node, now_ms,
                       "sending again after %lld s; %zu data are still waiting",
                       (long long)((now_ms - d->sending.since_ms) / 1000),
                       outbox_count(&d->outbox));
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
  if (now_ms - d->refused_ms >= HOUR_MS)
    (void)log_state_good(&d->refused, node, now_ms,
                         "CloudWatch has refused nothing for an hour; %llu "
                         "data were refused so far",
                         (unsigned long long)d->count.refused);
  delivery_confirm_clock(d);
  retry_reset(&d->retry);
  d->has_corrected = false;
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
  d->accepted_s = clock_wall_s();
  if (d->options->log_published)
    published_log(d->options->node, &d->batch);
  let_back_accepted(d);

  d->count.accepted += d->batch.n_data;
  for (size_t i = d->batch.n_parts; i-- > 0;)
    delivery_drop(d, d->batch.parts[i].parcel, 0, d->batch.parts[i].n);
  settle_reached(d);
  pace_accepted(&d->pace);
  if (d->max_data < CW_DATA_MAX)
    d->max_data *= 2;
}

/* ---- refused ------------------------------------------------------------ */

static const char *request_id(const struct delivery *d) {
  return d->answer.request_id.len > 0 ? buf_str(&d->answer.request_id)
                                      : "without id";
}

/* Drops a datum that CloudWatch will never take, and names it; many that are
 * refused at once are no flood.  sentence: of CloudWatch about it. */
static void drop_refused(struct delivery *d, struct parcel *parcel, size_t i,
                         const char *sentence) {
  struct err what;
  const char *identifier = parcel_identifier(parcel, i);

  d->refused_ms = clock_steady_ms();
  (void)err_set(&what,
                "CloudWatch refused 1 datum of %s (%s: %.200s), dropped: %s "
                "[request %s]; %llu were refused before",
                identifier, d->reply.code, sentence, reply_hint(&d->reply),
                request_id(d), (unsigned long long)d->count.refused);
  delivery_remember(d, &what);
  log_state_bad(&d->refused, SAY_ERROR, d->options->node, d->refused_ms,
                identifier, "%s", what.text);
  d->count.refused++;
  delivery_drop(d, parcel, i, 1);
}

/* Drops a datum because of its name, dimensions or unit, and keeps back what
 * comes of its series.  Of data that had waited with it nothing is said. */
static void drop_series(struct delivery *d, struct parcel *parcel, size_t i,
                        const char *sentence) {
  int64_t now_ms = clock_steady_ms();
  int64_t out_s = refuse_add(&d->refuse, key_of(parcel, i), now_ms / 1000);

  d->refused_ms = now_ms;
  log_state_begin(&d->refused, now_ms);
  if (out_s > 0) {
    struct err what;
    (void)err_set(&what,
                  "CloudWatch refused 1 datum of %s (%s: %.200s), dropped; its "
                  "metric is kept back for %lld min: correct its name, "
                  "dimensions or unit in the <Metric> block [request %s]",
                  parcel_identifier(parcel, i), d->reply.code, sentence,
                  (long long)(out_s / 60), request_id(d));
    delivery_remember(d, &what);
    log_state_event(&d->kept_back, SAY_ERROR, d->options->node, now_ms, "%s",
                    what.text);
  }
  d->count.refused++;
  delivery_drop(d, parcel, i, 1);
}

/* What CloudWatch named goes; the rest follows at once. */
static void drop_named(struct delivery *d) {
  struct parcel *parcel;
  size_t datum;

  for (size_t i = d->reply.n_refused; i-- > 0;) {
    const struct reply_refused *refused = &d->reply.refused[i];
    const char *sentence = reply_sentence(&d->reply, refused->index);
    if (!batch_where(&d->batch, refused->index, &parcel, &datum))
      continue;
    if (refused->is_series)
      drop_series(d, parcel, datum, sentence);
    else
      drop_refused(d, parcel, datum, sentence);
  }
}

/* Whether a parcel has cost as many refused requests as one may.  One that it
 * shares with others says nothing about it, and one that is too large nothing
 * about its data: for these nothing good is given up. */
static bool is_spent(struct delivery *d) {
  if (d->batch.n_parts > 1 || d->reply.class == REPLY_TOO_LARGE)
    return false;
  return ++d->batch.parts[0].parcel->n_requests >= MEND_REQUESTS_MAX;
}

/* Drops what is left of a parcel that is spent. */
static void give_up(struct delivery *d, struct parcel *parcel) {
  struct err what;

  (void)err_set(&what,
                "CloudWatch refused %d requests with data of %s and others, "
                "and names none at fault (%s: %.200s); the %zu that are left "
                "are dropped: %s [request %s]",
                MEND_REQUESTS_MAX, parcel_identifier(parcel, 0), d->reply.code,
                d->reply.message, parcel->n_data, reply_hint(&d->reply),
                request_id(d));
  delivery_remember(d, &what);
  log_state_event(&d->given_up, SAY_ERROR, d->options->node, clock_steady_ms(),
                  "%s", what.text);
  d->count.refused += parcel->n_data;
  delivery_drop(d, parcel, 0, parcel->n_data);
  d->max_data = CW_DATA_MAX;
}

/* Nothing is named: requests are halved until the one at fault stands alone,
 * and grow again with what is accepted.  False when it does, but may not be
 * dropped: a proxy's 413 has no code of AWS, and cannot cost data. */
static bool narrow(struct delivery *d) {
  struct parcel *first = d->batch.parts[0].parcel;

  if (is_spent(d))
    give_up(d, first);
  else if (d->batch.n_data > 1)
    d->max_data = d->batch.n_data / 2;
  else if (d->reply.code[0] != '\0')
    drop_refused(d, first, 0, d->reply.message);
  else
    return false;
  return true;
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
    (void)err_set(out, "%s answered %s (status %d): %.400s [request %s]",
                  d->place.endpoint.authority, reply->code, answer->status,
                  reply->message, request_id(d));
}

/* Whether a gateway answered in the place of the service, which it had passed
 * the request on to (RFC 9110, sections 15.6.3 and 15.6.5). */
static bool is_of_gateway(const struct delivery *d) {
  return d->reply.code[0] == '\0' &&
         (d->answer.status == 502 || d->answer.status == 504);
}

static void settle_failed(struct delivery *d) {
  struct err err = {""};
  const char *code = d->reply.code;

  if (d->answer.ambiguous || d->reply.is_torn || is_of_gateway(d))
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
                code[0] != '\0' ? code : err.text, err.text,
                reply_hint(&d->reply));
}

static void settle_mend(struct delivery *d) {
  if (d->reply.n_refused > 0) {
    drop_named(d);
  } else {
    take_turn(d); /* a search costs requests as any backlog does */
    if (!narrow(d)) {
      settle_failed(d);
      return;
    }
  }
  d->wake_ms = 0;
  if (d->reply.code[0] != '\0')
    settle_reached(d);
}

void delivery_settle(struct delivery *d) {
  delivery_learn_time(d);
  switch (d->reply.outcome) {
  case OUTCOME_SENT:
    settle_sent(d);
    return;
  case OUTCOME_RETRY:
  case OUTCOME_REFRESH:
    settle_failed(d);
    return;
  case OUTCOME_MEND:
    settle_mend(d);
    return;
  }
}
