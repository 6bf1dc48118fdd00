/* What can be seen of a delivery from outside: for the status file, and for who
 * counts. */
#include "run/clock.h"
#include "run/delivery.h"

#include <string.h>

/* Copies as much as there is room for. */
static void copy(char *to, size_t size, const char *text) {
  size_t len = strlen(text);

  if (len >= size)
    len = size - 1;
  memcpy(to, text, len);
  to[len] = '\0';
}

void delivery_remember(struct delivery *d, const struct err *sentence) {
  struct delivery_error *error = &d->error;

  *error = (struct delivery_error){.at_s = clock_wall_ms() / 1000,
                                   .sentence = *sentence,
                                   .status = d->answer.status};
  if (error->status == 0)
    return;
  copy(error->code, sizeof(error->code), d->reply.code);
  copy(error->message, sizeof(error->message), d->reply.message);
  copy(error->request_id, sizeof(error->request_id),
       buf_str(&d->answer.request_id));
}

void delivery_remember_spool(struct delivery *d) {
  const struct log_state *trouble = spool_trouble(d->spool);
  int64_t since_ms = trouble != NULL ? trouble->since_ms : 0;

  if (since_ms == d->spool_ms)
    return;
  d->spool_ms = since_ms;
  if (trouble != NULL)
    delivery_remember(d, spool_why(d->spool));
}

static void add_trouble(struct delivery_look *out, const char *what,
                        const struct log_state *state,
                        const struct clocks *now) {
  if (state == NULL || !state->bad)
    return;
  out->trouble[out->n_troubles++] = (struct delivery_trouble){
      what, (now->wall_ms - (now->steady_ms - state->since_ms)) / 1000};
}

static void look_for_trouble(const struct delivery *d, const struct clocks *now,
                             struct delivery_look *out) {
  const struct {
    const char *what;
    const struct log_state *state;
  } table[DELIVERY_TROUBLES_MAX] = {
      {d->place.region == NULL ? "place" : "credentials", &d->awaited},
      {"sending", &d->sending},
      {"renewal", &d->renewal},
      {"place_renewal", &d->misplaced},
      {"clock", &d->clock},
      {"buffer_limit", &d->full},
      {"buffer_age", &d->aged},
      {"future", &d->ahead},
      {"refused", &d->refused},
      {"spool", spool_trouble(d->spool)},
  };

  for (size_t i = 0; i < DELIVERY_TROUBLES_MAX; i++)
    add_trouble(out, table[i].what, table[i].state, now);
}

static void look_at_spool(const struct delivery *d, struct delivery_look *out) {
  struct spool_sum sum = spool_sum(d->spool);

  if (!d->options->dry_run)
    out->spool = d->options->spool_directory;
  out->spool_is_usable = spool_trouble(d->spool) == NULL;
  out->n_resting = sum.n_data;
  out->spool_bytes = sum.bytes;
}

void delivery_look(const struct delivery *d, struct delivery_look *out) {
  struct clocks now = clock_both();
  int64_t wake_ms = delivery_wake_ms(d);
  int64_t oldest_ms = outbox_oldest(&d->outbox);

  *out = (struct delivery_look){
      .count = delivery_count(d),
      .region = d->place.region,
      .endpoint = d->place.endpoint.url,
      .source = source_origin(d->source),
      .expires_s = source_expires_s(d->source),
      .offset_s = session_offset_s(d->session),
      .accepted_s = d->accepted_s,
      .request_ms = d->request_ms,
      .n_waiting = outbox_count(&d->outbox),
      .waiting_bytes = d->outbox.bytes,
      .error = d->error.at_s != 0 ? &d->error : NULL,
  };
  if (wake_ms != INT64_MAX && wake_ms <= now.steady_ms)
    out->attempt_s = now.wall_ms / 1000;
  else if (wake_ms != INT64_MAX)
    out->attempt_s = (now.wall_ms + wake_ms - now.steady_ms) / 1000;
  if (oldest_ms != INT64_MAX)
    out->oldest_s = oldest_ms / 1000;
  look_at_spool(d, out);
  look_for_trouble(d, &now, out);
}
