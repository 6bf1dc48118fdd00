/* What the node's thread shows of itself: to the writers what it knows of the
 * clock, to the door what it has counted, to people the status file. */
#include "run/clock.h"
#include "run/node.h"

void node_show_notes(struct sender *s, struct notes *notes) {
  for (size_t i = 0; i < notes->n; i++) {
    if (s->status != NULL)
      status_note(s->status, &notes->note[i]);
    if (s->dry_run != NULL)
      dry_run_note(s->dry_run, &notes->note[i]);
  }
  notes_clear(notes);
}

static struct left_out left_out_of(const struct tally *tally) {
  struct left_out left_out;

  for (size_t i = 0; i < N_REASONS; i++)
    left_out.n[i] = tally->row[i].n;
  return left_out;
}

static struct stats stats_of(const struct sender *s,
                             const struct delivery_look *look) {
  return (struct stats){.count = look->count,
                        .left_out = left_out_of(&s->tally),
                        .n_waiting = look->n_waiting,
                        .waiting_bytes = look->waiting_bytes,
                        .oldest_s = look->oldest_s,
                        .has_spool = look->spool != NULL,
                        .spool_bytes = look->spool_bytes,
                        .request_ms = look->request_ms,
                        .has_credentials = look->source[0] != '\0',
                        .expires_s = look->expires_s,
                        .offset_s = look->offset_s};
}

static void write_status(struct sender *s, const struct delivery_look *look,
                         bool is_stopped) {
  struct status_now now = {.is_stopped = is_stopped,
                           .has_flushed = s->flush.number > 0,
                           .flushed_s = s->flush.at_s,
                           .n_data = s->flush.n_data,
                           .n_requests = s->flush.n_parcels,
                           .left_out = left_out_of(&s->tally),
                           .look = *look};

  pthread_mutex_lock(&s->lock);
  const struct bind_table *table = &s->agg.table;
  now.n_series = table->series.n;
  now.n_selected = table->n - table->n_idle;
  now.n_unselected = table->n_idle;
  pthread_mutex_unlock(&s->lock);
  status_write(s->status, &now);
}

void node_show(struct sender *s, bool is_stopped) {
  struct delivery_look look;

  delivery_look(s->delivery, &look);
  struct stats stats = stats_of(s, &look);
  pthread_mutex_lock(&s->lock);
  /* The writers look themselves whether the clock was stepped since: this
   * thread may be in a request meanwhile. */
  s->skew = s->session->skew;
  stats.n_series = s->agg.table.series.n;
  s->stats = stats;
  pthread_mutex_unlock(&s->lock);
  if (s->status != NULL)
    write_status(s, &look, is_stopped);
}
