/* The members stand in the order of contrib/status.schema.json. */
#include "base/date.h"
#include "build.h"
#include "metric/tally.h"
#include "run/clock.h"
#include "run/source.h"
#include "run/status_inner.h"

#include <string.h>
#include <unistd.h>

#define SCHEMA 1
#define TEXT_MAX 4096 /* of one that has to be made fit */

/* ---- members ------------------------------------------------------------ */

static void put_name(struct json_out *json, const char *name) {
  json_put_str(json, str_of(name));
}

static void put_int(struct json_out *json, const char *name, int64_t value) {
  put_name(json, name);
  json_put_int(json, value);
}

static void put_count(struct json_out *json, const char *name, uint64_t value) {
  put_int(json, name, value <= INT64_MAX ? (int64_t)value : INT64_MAX);
}

static void put_bool(struct json_out *json, const char *name, bool value) {
  put_name(json, name);
  json_put_bool(json, value);
}

static void put_double(struct json_out *json, const char *name, double value) {
  put_name(json, name);
  json_put_double(json, value);
}

static void put_null(struct json_out *json, const char *name) {
  put_name(json, name);
  json_put_null(json);
}

/* Hosts, paths and identifiers may hold any byte. */
static void put_bytes(struct json_out *json, const char *name,
                      struct str bytes) {
  struct buf clean = BUF_INIT(TEXT_MAX);

  put_name(json, name);
  if (str_is_utf8(bytes)) {
    json_put_str(json, bytes);
    return;
  }
  for (size_t i = 0; i < bytes.len && clean.len < clean.limit; i++)
    buf_putc(&clean, (unsigned char)bytes.p[i] < 0x80 ? bytes.p[i] : '?');
  json_put_str(json, str_of_buf(&clean));
  buf_clear(&clean);
}

static void put_text(struct json_out *json, const char *name,
                     const char *text) {
  put_bytes(json, name, str_of(text));
}

static void put_text_or_null(struct json_out *json, const char *name,
                             const char *text) {
  if (text == NULL || text[0] == '\0')
    put_null(json, name);
  else
    put_text(json, name, text);
}

/* 0, and what lies outside of all calendars, is null. */
static void put_time(struct json_out *json, const char *name, int64_t time_s) {
  char room[32];
  struct buf text = BUF_OVER(room);

  date_put_iso(&text, time_s);
  if (time_s > 0 && buf_ok(&text))
    put_text(json, name, buf_str(&text));
  else
    put_null(json, name);
}

/* A URL whose path is "/" alone is shown without it. */
static void put_endpoint(struct json_out *json, const char *url) {
  struct str text = str_of(url != NULL ? url : "");

  if (text.len == 0) {
    put_null(json, "endpoint");
    return;
  }
  if (text.p[text.len - 1] == '/')
    text.len--;
  put_bytes(json, "endpoint", text);
}

/* ---- objects ------------------------------------------------------------ */

static void put_credentials(struct json_out *json,
                            const struct delivery_look *look) {
  if (look->source[0] == '\0') {
    put_null(json, "credentials");
    return;
  }
  put_name(json, "credentials");
  json_open_object(json);
  put_text(json, "source", look->source);
  put_time(json, "expires",
           look->expires_s != CRED_NEVER ? look->expires_s : 0);
  json_close_object(json);
}

static void put_flush(struct json_out *json, const struct status_now *now) {
  if (!now->has_flushed) {
    put_null(json, "last_flush");
    return;
  }
  put_name(json, "last_flush");
  json_open_object(json);
  put_time(json, "time", now->flushed_s);
  put_count(json, "data", now->n_data);
  put_count(json, "requests", now->n_requests);
  json_close_object(json);
}

static void put_troubles(struct json_out *json,
                         const struct delivery_look *look) {
  put_name(json, "troubles");
  json_open_array(json);
  for (size_t i = 0; i < look->n_troubles; i++) {
    json_open_object(json);
    put_text(json, "what", look->trouble[i].what);
    put_time(json, "since", look->trouble[i].since_s);
    json_close_object(json);
  }
  json_close_array(json);
}

static void put_error(struct json_out *json,
                      const struct delivery_error *error) {
  if (error == NULL) {
    put_null(json, "last_error");
    return;
  }
  put_name(json, "last_error");
  json_open_object(json);
  put_time(json, "time", error->at_s);
  put_text(json, "sentence", error->sentence.text);
  if (error->status != 0)
    put_int(json, "status", error->status);
  else
    put_null(json, "status");
  put_text_or_null(json, "code", error->code);
  put_text_or_null(json, "message", error->message);
  put_text_or_null(json, "request_id", error->request_id);
  json_close_object(json);
}

static void put_sizes(struct json_out *json, const struct status *s,
                      const struct status_now *now) {
  put_name(json, "metrics");
  json_open_object(json);
  put_count(json, "alive", now->n_series);
  put_int(json, "max", s->options->max_metrics);
  json_close_object(json);

  put_name(json, "identifiers");
  json_open_object(json);
  put_count(json, "selected", now->n_selected);
  put_count(json, "unselected", now->n_unselected);
  json_close_object(json);
}

static void put_queue(struct json_out *json, const struct delivery_look *look) {
  put_name(json, "queue");
  json_open_object(json);
  put_count(json, "data", look->n_waiting);
  put_count(json, "bytes", look->waiting_bytes);
  put_time(json, "oldest", look->oldest_s);
  json_close_object(json);

  if (look->spool == NULL) {
    put_null(json, "spool");
    return;
  }
  put_name(json, "spool");
  json_open_object(json);
  put_text(json, "directory", look->spool);
  put_bool(json, "usable", look->spool_is_usable);
  put_count(json, "data", look->n_resting);
  put_int(json, "bytes", look->spool_bytes);
  json_close_object(json);
}

static void put_counters(struct json_out *json, const struct status_now *now) {
  const struct delivery_count *count = &now->look.count;

  put_name(json, "counters");
  json_open_object(json);
  put_count(json, "accepted", count->accepted);
  put_count(json, "requests", count->requests);
  put_count(json, "failed_requests", count->failed_requests);
  put_count(json, "retried", count->retried);
  put_count(json, "ambiguous", count->ambiguous);
  put_count(json, "refused", count->refused);

  put_name(json, "dropped");
  json_open_object(json);
  put_count(json, "buffer_limit", count->dropped);
  put_count(json, "spool_limit", count->spool_dropped);
  put_count(json, "buffer_age", count->aged);
  put_count(json, "future", count->ahead);
  put_count(json, "stop", count->lost);
  json_close_object(json);

  put_name(json, "left_out");
  json_open_object(json);
  for (size_t i = 0; i < N_REASONS; i++)
    put_count(json, tally_name((enum reason)i), now->left_out.n[i]);
  json_close_object(json);
  json_close_object(json);
}

/* ---- lists -------------------------------------------------------------- */

static void put_series(struct json_out *json,
                       const struct recent_series *series) {
  const struct series_name *name = &series->name;

  json_open_object(json);
  put_text(json, "namespace", name->namespace);
  put_text(json, "name", name->name);
  put_name(json, "dimensions");
  json_open_object(json);
  for (size_t i = 0; i < name->n_dimensions; i++)
    put_text(json, name->dimensions[i].name, name->dimensions[i].value);
  json_close_object(json);
  put_text(json, "unit", name->unit);
  put_int(json, "resolution", name->resolution_s);
  put_text(json, "identifier", series->identifier);
  put_text(json, "metric", series->metric);
  put_time(json, "time", series->time_s);
  put_double(json, "count", series->count);
  put_double(json, "average", series->sum / series->count);
  put_double(json, "minimum", series->minimum);
  put_double(json, "maximum", series->maximum);
  json_close_object(json);
}

static void put_all_series(const struct status *s) {
  put_name(s->json, "series");
  json_open_array(s->json);
  for (size_t i = 0; i < s->recent->n && s->text.len < STATUS_SERIES_BYTES; i++)
    put_series(s->json, &s->recent->series[i]);
  json_close_array(s->json);
}

/* From the oldest on, which is the next to be replaced. */
static void put_unselected(const struct status *s) {
  put_name(s->json, "unselected");
  json_open_array(s->json);
  for (size_t i = 0; i < STATUS_UNSELECTED_MAX; i++) {
    const struct status_unselected *unselected =
        &s->unselected[(s->next_unselected + i) % STATUS_UNSELECTED_MAX];
    if (unselected->identifier == NULL)
      continue;
    json_open_object(s->json);
    put_text(s->json, "identifier", unselected->identifier);
    put_text(s->json, "nearest", unselected->label);
    put_text(s->json, "because", unselected->because);
    json_close_object(s->json);
  }
  json_close_array(s->json);
}

/* ---- the whole ---------------------------------------------------------- */

static void put_head(struct json_out *json, const struct status *s,
                     const struct status_now *now) {
  put_int(json, "schema", SCHEMA);
  put_text(json, "plugin", "write_cloudwatch");
  put_text(json, "version", WRITE_CLOUDWATCH_VERSION);
  put_text(json, "host", s->host);
  put_text(json, "node", s->options->node);
  put_int(json, "pid", getpid());
  put_time(json, "time", clock_wall_ms() / 1000);
  put_time(json, "started", s->started_s);
  put_bool(json, "stopped", now->is_stopped);
  put_bool(json, "dry_run", s->options->dry_run);
  put_int(json, "flush_interval", s->options->flush_interval_s);
}

static void put_delivery(struct json_out *json,
                         const struct delivery_look *look) {
  put_text_or_null(json, "region", look->region);
  put_endpoint(json, look->endpoint);
  put_credentials(json, look);
  put_int(json, "clock_offset", look->offset_s);
  put_time(json, "last_accepted", look->accepted_s);
  put_time(json, "next_attempt", look->attempt_s);
  if (look->request_ms >= 0)
    put_double(json, "request_duration", (double)look->request_ms / 1000);
  else
    put_null(json, "request_duration");
}

int status_put(struct status *s, const struct status_now *now) {
  struct json_out *json = s->json;

  buf_reset(&s->text);
  json_begin(json, &s->text);
  json_open_object(json);
  put_head(json, s, now);
  put_delivery(json, &now->look);
  put_flush(json, now);
  put_troubles(json, &now->look);
  put_error(json, now->look.error);
  put_sizes(json, s, now);
  put_queue(json, &now->look);
  put_counters(json, now);
  put_all_series(s);
  put_unselected(s);
  json_close_object(json);
  int rc = json_end(json);
  buf_putc(&s->text, '\n');
  return rc == 0 && buf_ok(&s->text) ? 0 : -1;
}
