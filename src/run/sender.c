#include "run/sender.h"

#include "metric/identifier.h"
#include "run/clock.h"
#include "run/node.h"
#include "run/phase.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of BufferLimit: what the writers leave, and what is open in the thread.  All
 * that these do not use, and half in any case, is for what waits to be sent,
 * which takes about twice as much as the samples that it is made of.  The first
 * is taken when it is half full, and may be copied meanwhile. */
#define LIST_SHARE 8
#define OPEN_SHARE 4
#define SAMPLES_MIN 4096

/* ---- birth -------------------------------------------------------------- */

static int init_lock(struct sender *s) {
  pthread_condattr_t attr;

  if (pthread_condattr_init(&attr) != 0)
    return -1;
  int rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  if (rc == 0)
    rc = pthread_cond_init(&s->wake, &attr);
  pthread_condattr_destroy(&attr);
  if (rc == 0 && pthread_mutex_init(&s->lock, NULL) != 0) {
    pthread_cond_destroy(&s->wake);
    rc = -1;
  }
  s->has_lock = rc == 0;
  return rc == 0 ? 0 : -1;
}

static size_t samples_for(int64_t bytes) {
  int64_t n = bytes / (int64_t)sizeof(struct sample);

  return n < SAMPLES_MIN ? SAMPLES_MIN : (size_t)n;
}

static struct session *open_session(const struct sender *s) {
  const struct source_options *who = &s->options->who;
  const struct profile_options profile = {
      .name = who->profile,
      .config_file = who->config_file,
      .credentials_file = who->credentials_file,
  };

  return session_new(&profile, &s->options->http, &s->deadline_ms);
}

/* 0, or -1 for lack of memory. */
static int open_parts(struct sender *s, const char *host) {
  const struct sender_options *options = s->options;
  const struct ec2_keys *keys = rules_ec2_keys(s->rules);

  s->session = open_session(s);
  if (s->session == NULL)
    return -1;
  s->identity = identity_new(keys, s->session, options->node,
                             options->metadata_wait_s * 1000);
  s->delivery = delivery_new(options, s->session);
  if (s->identity == NULL || s->delivery == NULL)
    return -1;
  if (flush_init(&s->flush, keys, options->node, s->delivery) != 0)
    return -1;
  if (options->status_file != NULL)
    s->status = status_new(options, host);
  if (options->dry_run)
    s->dry_run = dry_run_new(options->node, options->log_published);
  if ((options->status_file != NULL && s->status == NULL) ||
      (options->dry_run && s->dry_run == NULL))
    return -1;
  s->has_notes = s->status != NULL || s->dry_run != NULL;
  s->flush.rules = s->rules;
  s->flush.status = s->status;
  s->flush.dry_run = s->dry_run;
  s->flush.cut.period_s = s->period_s;
  s->flush.cut.limit_bytes = (size_t)(options->buffer_limit_bytes / OPEN_SHARE);
  return 0;
}

struct sender *sender_new(const struct sender_options *options,
                          const struct rules *rules, const char *host,
                          struct err *err) {
  struct sender *s = calloc(1, sizeof(*s));
  if (s == NULL) {
    (void)err_set(err, "no memory for a destination");
    return NULL;
  }

  s->options = options;
  s->rules = rules;
  s->phase_ms = phase_ms(host, options->flush_jitter_s >= 0
                                   ? options->flush_jitter_s
                                   : (double)options->flush_interval_s / 10);
  s->period_s = period_length(options->flush_interval_s);
  s->stats.request_ms = -1; /* until the thread has something to show */
  atomic_init(&s->deadline_ms, INT64_MAX);
  agg_init(&s->agg, (size_t)options->max_metrics,
           samples_for(options->buffer_limit_bytes / LIST_SHARE),
           options->buffer_age_s, options->flush_interval_s,
           rules_n_meta_keys(rules), clock_random());
  if (init_lock(s) == 0 && open_parts(s, host) == 0)
    return s;
  (void)err_set(err, "no memory for a destination");
  sender_free(s);
  return NULL;
}

void sender_free(struct sender *s) {
  if (s == NULL)
    return;
  if (s->has_thread)
    pthread_join(s->thread, NULL);
  flush_clear(&s->flush);
  status_free(s->status);
  dry_run_free(s->dry_run);
  notes_clear(&s->notes);
  delivery_free(s->delivery);
  identity_free(s->identity);
  session_free(s->session);
  agg_clear(&s->agg);
  report_clear(&s->report.queue);
  if (s->has_lock) {
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
  }
  free(s);
}

void sender_options_clear(struct sender_options *options) {
  free(options->node);
  free(options->spool_directory);
  free(options->status_file);
  source_options_wipe(&options->who);
  place_options_clear(&options->place);
  http_options_clear(&options->http);
  *options = (struct sender_options){0};
}

/* ---- any thread --------------------------------------------------------- */

static void leave_notice(void *context, const char *sentence) {
  struct sender *s = context;

  pthread_mutex_lock(&s->lock);
  report_leave(&s->report, sentence);
  pthread_mutex_unlock(&s->lock);
}

/* The time of now for the writers, under the lock; the steady clock is asked
 * only when it matters. */
static struct agg_now time_of(const struct sender *s) {
  if (s->skew.offset_s == 0)
    return (struct agg_now){clock_wall_s(), 0};
  struct clocks clocks = clock_both();
  return (struct agg_now){clocks.wall_ms / 1000,
                          skew_offset_s(&s->skew, &clocks)};
}

/* The thread need not wait for the next flush to make room. */
static void ask_to_take(struct sender *s) {
  if (s->take_asked || !agg_is_half_full(&s->agg))
    return;
  s->take_asked = true;
  pthread_cond_signal(&s->wake);
}

static void add(struct sender *s, struct binding *binding,
                const struct input *in) {
  struct agg_now now = time_of(s);

  agg_add(&s->agg, binding, in, &now);
  ask_to_take(s);
}

/* The binding by a plan, under the lock; NULL if there is none, which is
 * counted. */
static struct binding *bind_by(struct sender *s, const struct plan *plan,
                               const struct input *in, uint64_t hash) {
  struct agg_now now = time_of(s);

  if (plan == NULL) {
    tally_add(&s->agg.tally, REASON_MEMORY, in);
    return NULL;
  }
  if (plan->n_targets > 0 && !agg_is_in_time(&s->agg, in, &now))
    return NULL;
  return bind_put(&s->agg.table, plan, in, hash, &s->agg.tally);
}

/* What the rules say of an identifier, for who wants to see it. */
static void leave_notes(struct sender *s, const struct plan *plan,
                        const struct input *in) {
  struct explain_nearest nearest;
  bool is_own = strcmp(in->part[PART_PLUGIN], STATS_PLUGIN) == 0;
  bool is_selected =
      plan->n_targets > 0 || !explain_nearest(s->rules, in, &nearest);

  if (is_own && !is_selected)
    return; /* nobody is to wonder about what ReportStats says */

  pthread_mutex_lock(&s->lock);
  notes_leave(&s->notes, plan, in, is_selected ? NULL : &nearest);
  pthread_mutex_unlock(&s->lock);
}

/* An identifier that is not known yet, or worth running the rules again. */
static void learn(struct sender *s, const struct input *in, uint64_t hash) {
  struct plan *plan = plan_new(s->rules, in, leave_notice, s);

  pthread_mutex_lock(&s->lock);
  struct binding *binding = bind_by(s, plan, in, hash);
  if (binding != NULL)
    add(s, binding, in);
  pthread_mutex_unlock(&s->lock);
  if (s->has_notes && binding != NULL)
    leave_notes(s, plan, in);
  plan_free(plan);
}

void sender_write(struct sender *s, struct input *in, sender_fill_fn fill,
                  void *context) {
  uint64_t hash = identifier_hash(in, s->agg.table.n_meta, s->agg.table.seed);

  pthread_mutex_lock(&s->lock);
  struct binding *binding = bind_find(&s->agg.table, in, hash);
  if (fill != NULL && (binding == NULL || binding->n_targets > 0))
    fill(in, context);
  if (binding != NULL && binding->n_targets > 0)
    add(s, binding, in);
  pthread_mutex_unlock(&s->lock);
  if (binding == NULL)
    learn(s, in, hash);
}

void sender_flush(struct sender *s, int64_t older_s) {
  pthread_mutex_lock(&s->lock);
  if (!s->flush_asked || older_s < s->flush_older_s)
    s->flush_older_s = older_s;
  s->flush_asked = true;
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

void sender_stats(struct sender *s, struct stats *out) {
  pthread_mutex_lock(&s->lock);
  *out = s->stats;
  pthread_mutex_unlock(&s->lock);
}

void sender_stop(struct sender *s, int64_t deadline_ms) {
  int64_t now_ms = clock_steady_ms();

  /* A request that hangs may have half of the time, so that some is left for
   * another, on a fresh connection. */
  atomic_store(&s->deadline_ms, now_ms + (deadline_ms - now_ms) / 2);
  pthread_mutex_lock(&s->lock);
  s->stop_asked = true;
  s->stop_ms = deadline_ms;
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

int sender_start(struct sender *s, struct err *err) {
  sigset_t all, before;

  /* The daemon's signals are for its main thread. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&s->thread, NULL, node_work, s);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc != 0)
    return err_set(err, "no thread for a destination (error %d)", rc);
  s->has_thread = true;
  return 0;
}
