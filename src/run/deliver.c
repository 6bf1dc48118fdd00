#include "run/deliver.h"

#include "aws/reply.h"
#include "aws/retry.h"
#include "base/date.h"
#include "base/json.h"
#include "metric/batch.h"
#include "run/clock.h"
#include "run/log.h"
#include "run/outbox.h"
#include "run/post.h"
#include "run/published.h"
#include "run/report.h"

#include <stdlib.h>

#define BACKLOG_PAUSE_MS 1000 /* between requests for what waits longer */
#define MEND_REQUESTS_MAX 40  /* refused requests for one parcel */
#define SKEW_MIN_S 240        /* a difference that explains a refusal */

struct delivery {
  const struct sender_options *options;
  struct http *http;
  struct source *source;
  struct json_out *json;
  struct place place; /* empty until it was found */
  struct outbox outbox;
  struct batch batch;
  struct http_answer answer;
  struct reply reply; /* large, so not on the stack */

  struct retry retry;
  int64_t wake_ms;  /* steady; no attempt before */
  int64_t newest_s; /* cut of the newest flush */
  size_t max_data;  /* of a request; smaller while a refusal is narrowed */
  int64_t offset_s; /* the service's clock less ours */
  uint64_t n_accepted;
  uint64_t n_ambiguous; /* requests whose answer was lost */

  struct log_state sending; /* why nothing is accepted */
  struct log_state full;    /* BufferLimit drops what waits */
  struct log_state aged;    /* BufferAge does */
  struct report refused;    /* identifiers whose refusal was said */
  bool has_accepted;
};

struct delivery *delivery_new(const struct sender_options *options,
                              const _Atomic int64_t *deadline_ms,
                              struct err *err) {
  struct delivery *d = calloc(1, sizeof(*d));
  if (d == NULL)
    goto no_memory;

  d->options = options;
  d->outbox.limit_bytes = (size_t)options->buffer_limit_bytes;
  d->batch = (struct batch)BATCH_INIT;
  d->answer = (struct http_answer)HTTP_ANSWER_INIT;
  d->max_data = CW_DATA_MAX;
  d->http = http_new(&options->http, deadline_ms);
  d->source = source_new(&options->who);
  d->json = json_out_new();
  if (d->http != NULL && d->source != NULL && d->json != NULL)
    return d;

no_memory:
  delivery_free(d);
  (void)err_set(err, "no memory for a destination");
  return NULL;
}

void delivery_free(struct delivery *d) {
  if (d == NULL)
    return;
  if (d->outbox.n_data > 0)
    log_say(SAY_ERROR, d->options->node,
            "%zu data could not be sent before the stop and are lost",
            d->outbox.n_data);
  outbox_clear(&d->outbox);
  batch_clear(&d->batch);
  http_answer_clear(&d->answer);
  place_clear(&d->place);
  json_out_free(d->json);
  source_free(d->source);
  http_free(d->http);
  free(d);
}

void delivery_put(struct delivery *d, struct parcel *parcel) {
  d->newest_s = parcel->cut_s;
  /* A fresh flush is not made to wait for the backlog's turn. */
  if (d->retry.n_failed == 0)
    d->wake_ms = 0;
  if (outbox_put(&d->outbox, parcel) > 0)
    log_state_bad(&d->full, SAY_ERROR, d->options->node, clock_steady_ms(), "",
                  "BufferLimit is reached; the oldest data are dropped until "
                  "sending succeeds");
}

size_t delivery_waiting(const struct delivery *d) { return d->outbox.n_data; }

size_t delivery_bytes(const struct delivery *d) { return d->outbox.bytes; }

uint64_t delivery_accepted(const struct delivery *d) { return d->n_accepted; }

int64_t delivery_wake_ms(const struct delivery *d) {
  return d->outbox.newest == NULL ? INT64_MAX : d->wake_ms;
}

void delivery_rest(struct delivery *d) { http_rest(d->http); }

void delivery_hurry(struct delivery *d) {
  d->newest_s = 0; /* nothing is newer than the backlog, so nothing pauses */
  d->wake_ms = 0;
}

/* ---- what an attempt needs
 * ------------------------------------------------------- */

/* Nothing was accepted, and the reason is said; the data wait.
 *
 * key  names the reason, which may hold ids and numbers that always differ */
static void wait_for(struct delivery *d, int64_t base_ms, const char *key,
                     const char *reason, const char *remedy) {
  int64_t now_ms = clock_steady_ms();

  d->wake_ms = retry_next(&d->retry, now_ms, base_ms, d->answer.retry_after_ms,
                          clock_dice());
  log_state_bad(&d->sending, SAY_WARNING, d->options->node, now_ms, key,
                "%s%s%s; the data wait and are sent later", reason,
                remedy[0] == '\0' ? "" : ": ", remedy);
}

/* An explicit http: endpoint is the operator's word, but not a thing to do
 * quietly: names, values and identity cross the network in the clear.  Of the
 * option Endpoint the door has warned at the start. */
static void warn_of_plain_http(const struct delivery *d) {
  if (d->options->place.endpoint == NULL && !d->place.endpoint.tls &&
      !d->place.endpoint.loopback)
    log_say(SAY_WARNING, d->options->node,
            "%s is not encrypted: use https: unless the network is trusted",
            d->place.endpoint.url);
}

static bool has_place(struct delivery *d) {
  struct err err = {""};

  if (d->place.region != NULL)
    return true;
  if (source_place(d->source, &d->options->place, &d->place, &err) != 0) {
    wait_for(d, RETRY_BASE_MS, err.text, err.text, "");
    return false;
  }
  warn_of_plain_http(d);
  return true;
}

/* Joins the newest parcel with others that may travel with it: those of the
 * same flush, or, when it is backlog itself, any older ones. */
static int fill(struct delivery *d, struct parcel *first, struct err *err) {
  struct parcel *parcel = first;

  if (batch_begin(&d->batch, d->options->protocol, d->json, first->namespace,
                  err) != 0)
    return -1;
  d->batch.max_data = d->max_data;
  while (parcel != NULL && batch_add(&d->batch, parcel, err) > 0) {
    parcel = outbox_next(&d->outbox, parcel, first->namespace);
    if (parcel != NULL && first->cut_s == d->newest_s &&
        parcel->cut_s != first->cut_s)
      break;
  }
  return d->batch.n_data > 0 ? batch_end(&d->batch, err) : -1;
}

/* ---- settling
 * --------------------------------------------------------------------- */

/* Takes n data, from number i on, out of a parcel that waits. */
static void drop(struct delivery *d, struct parcel *parcel, size_t i,
                 size_t n) {
  outbox_take(&d->outbox, parcel);
  parcel_remove(parcel, i, n);
  (void)outbox_put(&d->outbox, parcel);
}

/* A datum that no request can hold (many long values in the Query protocol)
 * must not stand in the way of the others. */
static bool drop_too_large(struct delivery *d, struct parcel *first,
                           const struct err *why) {
  if (d->batch.n_data > 0 || !buf_ok(&d->batch.body))
    return false;
  log_say(SAY_ERROR, d->options->node, "a datum of %s is dropped: %s",
          parcel_identifier(first, 0), why->text);
  drop(d, first, 0, 1);
  return true;
}

static void say_recovery(struct delivery *d) {
  int64_t bad_s = (clock_steady_ms() - d->sending.since_ms) / 1000;

  (void)log_state_good(&d->sending, d->options->node,
                       "sending again after %lld s; %zu data are still waiting",
                       (long long)bad_s, d->outbox.n_data);
  (void)log_state_good(&d->aged, d->options->node,
                       "%llu data were dropped for their age",
                       (unsigned long long)d->outbox.n_expired);
  (void)log_state_good(&d->full, d->options->node,
                       "what waits is within BufferLimit again; %llu data "
                       "were dropped",
                       (unsigned long long)d->outbox.n_dropped);
}

static void settle_sent(struct delivery *d) {
  if (!d->has_accepted)
    log_say(SAY_INFO, d->options->node,
            "%s has accepted the first %zu data, signed with the credentials "
            "of %s",
            d->place.endpoint.authority, d->batch.n_data,
            source_origin(d->source));
  d->has_accepted = true;
  if (d->options->log_published)
    published_log(d->options->node, &d->batch);
  d->n_accepted += d->batch.n_data;
  for (size_t i = d->batch.n_parts; i-- > 0;)
    drop(d, d->batch.parts[i].parcel, 0, d->batch.parts[i].n);

  say_recovery(d);
  retry_reset(&d->retry);
  if (d->max_data < CW_DATA_MAX)
    d->max_data *= 2;

  const struct parcel *next = d->outbox.newest;
  bool is_backlog = next != NULL && next->cut_s < d->newest_s;
  d->wake_ms = is_backlog ? clock_steady_ms() + BACKLOG_PAUSE_MS : 0;
}

/* The sentence for an answer that is no success. */
static void describe(const struct delivery *d, struct err *out) {
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

/* What CloudWatch refused goes, and is named; the rest follows at once. */
static void mend_named(struct delivery *d) {
  struct parcel *parcel;
  size_t datum;

  for (size_t i = d->reply.n_refused; i-- > 0;) {
    if (!batch_where(&d->batch, d->reply.refused[i], &parcel, &datum))
      continue;
    if (report_first(&d->refused, parcel_identifier(parcel, datum)))
      log_say(SAY_ERROR, d->options->node,
              "CloudWatch refused a datum of %s (%s: %.200s); it is dropped "
              "(further ones are not said)",
              parcel_identifier(parcel, datum), d->reply.code,
              d->reply.message);
    drop(d, parcel, datum, 1);
  }
}

/* Whether a parcel of the batch has cost as many refused requests as one may.
 * Then what the batch held of it is dropped. */
static bool give_up(struct delivery *d) {
  struct batch_part *part = &d->batch.parts[0];

  for (size_t i = 0; i < d->batch.n_parts; i++)
    d->batch.parts[i].parcel->n_requests++;
  if (part->parcel->n_requests < MEND_REQUESTS_MAX)
    return false;
  log_say(SAY_ERROR, d->options->node,
          "CloudWatch refused %d requests for the same data (%s: %.200s); %zu "
          "of them are dropped",
          MEND_REQUESTS_MAX, d->reply.code, d->reply.message, part->n);
  drop(d, part->parcel, 0, part->n);
  return true;
}

/* The data were refused.  Without a name for the one at fault, requests are
 * halved until it stands alone. */
static void settle_mend(struct delivery *d) {
  d->wake_ms = 0;
  if (give_up(d))
    return;
  if (d->reply.n_refused == 0 && d->batch.n_data > 1) {
    d->max_data = d->batch.n_data / 2;
    return;
  }
  if (d->reply.n_refused == 0) {
    d->reply.refused[0] = 0;
    d->reply.n_refused = 1;
  }
  mend_named(d);
}

/* A difference of clocks is corrected for signing only: what collectd stamped
 * stays as it is. */
static bool correct_clock(struct delivery *d) {
  int64_t date_s;

  if (date_parse_http(str_of(buf_str(&d->answer.date)), &date_s) != 0)
    return false;
  int64_t offset_s = date_s - clock_wall_ms() / 1000;
  int64_t change_s = offset_s - d->offset_s;
  if (change_s > -SKEW_MIN_S && change_s < SKEW_MIN_S)
    return false;
  d->offset_s = offset_s;
  log_say(SAY_WARNING, d->options->node,
          "this host's clock is %lld s off the service's; requests are signed "
          "with the service's time: repair the clock, the data carry its time",
          (long long)offset_s);
  return true;
}

static void settle_failed(struct delivery *d) {
  struct err err = {""};

  if (d->answer.ambiguous)
    d->n_ambiguous++;
  if (d->reply.class == REPLY_SKEWED && correct_clock(d)) {
    d->wake_ms = 0;
    return;
  }
  if (d->reply.outcome == OUTCOME_REFRESH)
    source_forget(d->source, clock_wall_ms() / 1000);
  bool is_slow =
      d->reply.class == REPLY_FORBIDDEN || d->reply.class == REPLY_PROTOCOL;
  describe(d, &err);
  wait_for(d, is_slow ? RETRY_SLOW_MS : RETRY_BASE_MS,
           d->reply.code[0] != '\0' ? d->reply.code : err.text, err.text,
           reply_hint(d->reply.code));
}

static void settle(struct delivery *d) {
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

void delivery_attempt(struct delivery *d) {
  struct err err = {""};
  int64_t now_s = clock_wall_ms() / 1000;

  d->answer.retry_after_ms = 0;
  if (outbox_expire(&d->outbox, now_s - d->options->buffer_age_s) > 0)
    log_state_bad(&d->aged, SAY_ERROR, d->options->node, clock_steady_ms(), "",
                  "data that are older than BufferAge are dropped until "
                  "sending succeeds");
  struct parcel *first = outbox_next(&d->outbox, NULL, NULL);
  if (first == NULL || !has_place(d))
    return;

  const struct cred *cred = source_get(d->source, now_s, &err);
  if (cred == NULL) {
    wait_for(d, RETRY_BASE_MS, err.text, err.text, "");
    return;
  }
  if (fill(d, first, &err) != 0) {
    if (!drop_too_large(d, first, &err))
      wait_for(d, RETRY_BASE_MS, err.text, err.text, "");
    return;
  }
  struct post post = {.http = d->http,
                      .place = &d->place,
                      .cred = cred,
                      .compression = d->options->compression,
                      .now_s = now_s + d->offset_s};
  if (post_batch(&post, &d->batch, &d->answer, &d->reply, &err) != 0) {
    wait_for(d, RETRY_SLOW_MS, err.text, err.text, "");
    return;
  }
  settle(d);
}
