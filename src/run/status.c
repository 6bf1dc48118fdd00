#include "run/status.h"

#include "base/str.h"
#include "run/clock.h"
#include "run/file.h"
#include "run/log.h"
#include "run/status_inner.h"

#include <stdlib.h>
#include <string.h>

#define PAUSE_MS 1000  /* between two files */
#define PULSE_MS 60000 /* who reads it may know by its age whether we live */
#define SILENT_S 3600  /* for which AWS charges, too */

char *status_path(const struct sender_options *options) {
  struct buf path = BUF_INIT(1 << 16);

  buf_puts(&path, options->status_file);
  if (options->node[0] != '\0')
    buf_printf(&path, ".%s", options->node);
  char *copy = buf_ok(&path) ? str_dup(str_of_buf(&path)) : NULL;
  buf_clear(&path);
  return copy;
}

struct status *status_new(const struct sender_options *options,
                          const char *host) {
  struct status *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return NULL;

  s->options = options;
  s->host = host;
  s->started_s = clock_wall_ms() / 1000;
  s->written_ms = clock_steady_ms() - PAUSE_MS;
  s->text = (struct buf)BUF_INIT(STATUS_BYTES_MAX);
  s->json = json_out_new();
  s->recent = recent_new();
  s->path = status_path(options);
  if (s->json != NULL && s->recent != NULL && s->path != NULL)
    return s;
  status_free(s);
  return NULL;
}

static void clear_unselected(struct status_unselected *unselected) {
  free(unselected->identifier);
  free(unselected->because);
  *unselected = (struct status_unselected){0};
}

void status_free(struct status *s) {
  if (s == NULL)
    return;
  for (size_t i = 0; i < STATUS_UNSELECTED_MAX; i++)
    clear_unselected(&s->unselected[i]);
  buf_clear(&s->text);
  json_out_free(s->json);
  recent_free(s->recent);
  free(s->path);
  free(s);
}

/* ---- what it is told ---------------------------------------------------- */

void status_datum(struct status *s, const struct datum *datum, uint64_t key,
                  const char *metric) {
  struct clocks now = clock_both();

  recent_put(s->recent, datum, key, metric, now.steady_ms / 1000,
             now.wall_ms / 1000);
}

/* Whether it is in the list: one that comes rarely is forgotten in between. */
static bool is_listed(const struct status *s, const char *identifier) {
  for (size_t i = 0; i < STATUS_UNSELECTED_MAX; i++)
    if (s->unselected[i].identifier != NULL &&
        strcmp(s->unselected[i].identifier, identifier) == 0)
      return true;
  return false;
}

void status_note(struct status *s, const struct note *note) {
  struct status_unselected *to = &s->unselected[s->next_unselected];

  if (note->kind != NOTE_UNSELECTED || is_listed(s, note->identifier))
    return;
  clear_unselected(to);
  to->identifier = str_dup(str_of(note->identifier));
  to->because = str_dup(str_of(note->because));
  to->label = note->label;
  if (to->identifier == NULL || to->because == NULL) {
    clear_unselected(to);
    return;
  }
  s->next_unselected = (s->next_unselected + 1) % STATUS_UNSELECTED_MAX;
}

/* ---- the file ----------------------------------------------------------- */

/* Tells whether anything has happened that somebody may wait for. */
static uint64_t stamp_of(const struct status_now *now) {
  const struct delivery_look *look = &now->look;
  uint64_t hash = STR_HASH_SEED;

  hash = str_hash(hash, &now->is_stopped, sizeof(now->is_stopped));
  hash = str_hash(hash, &now->flushed_s, sizeof(now->flushed_s));
  hash = str_hash(hash, &look->count.requests, sizeof(look->count.requests));
  hash = str_hash(hash, &look->expires_s, sizeof(look->expires_s));
  hash = str_hash(hash, look->source, strlen(look->source));
  hash = str_hash(hash, &look->spool_is_usable, sizeof(look->spool_is_usable));
  for (size_t i = 0; i < look->n_troubles; i++)
    hash = str_hash(hash, look->trouble[i].what, strlen(look->trouble[i].what));
  return hash;
}

/* As long as their identifiers are remembered. */
static void forget_silent(struct status *s, int64_t now_s) {
  int64_t patience_s = 4 * s->options->flush_interval_s;

  recent_forget(s->recent, now_s,
                patience_s > SILENT_S ? patience_s : SILENT_S);
}

void status_write(struct status *s, const struct status_now *now) {
  struct err err = {""};
  int64_t now_ms = clock_steady_ms();
  uint64_t stamp = stamp_of(now);

  s->is_put_off = false;
  if (stamp == s->stamp && now_ms - s->written_ms < PULSE_MS)
    return;
  if (!now->is_stopped && now_ms - s->written_ms < PAUSE_MS) {
    s->is_put_off = true;
    return;
  }
  s->stamp = stamp;
  s->written_ms = now_ms;
  forget_silent(s, now_ms / 1000);
  int rc = status_put(s, now) == 0
               ? file_replace(s->path, str_of_buf(&s->text), &err)
               : err_set(&err, "there is no memory for %s", s->path);
  buf_clear(&s->text); /* some hundred KiB, not needed for a minute */
  if (rc != 0)
    log_state_bad(&s->trouble, SAY_WARNING, s->options->node, now_ms, err.text,
                  "the status file cannot be written: %s", err.text);
  else
    (void)log_state_good(&s->trouble, s->options->node, now_ms,
                         "the status file %s is written again", s->path);
}

int64_t status_wake_ms(const struct status *s) {
  return s != NULL && s->is_put_off ? s->written_ms + PAUSE_MS : INT64_MAX;
}
