#include "run/sender.h"

#include "metric/agg.h"
#include "run/clock.h"
#include "run/deliver.h"
#include "run/flush.h"
#include "run/log.h"
#include "run/phase.h"
#include "run/report.h"
#include "run/session.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_MAX_MS 5000   /* how long a step of the wall clock goes unseen */
#define SILENT_MIN_S 3600  /* an identifier is forgotten after this long */
#define FORGET_CHAINS 1024 /* looked at in one go under the lock */
#define SAMPLES_MIN 4096   /* room for a flush even when BufferLimit is used */

struct sender {
  const struct sender_options *options;
  const struct rules *rules;
  int64_t phase_ms;  /* of its flushes after the multiple of FlushInterval */
  uint32_t period_s; /* of series with StorageResolution 60 */
  pthread_t thread;
  bool has_thread;
  bool has_lock;

  pthread_mutex_t lock;
  pthread_cond_t wake;   /* steady clock */
  struct agg agg;        /* guarded by lock */
  struct report report;  /* guarded by lock */
  bool flush_asked;      /* guarded by lock */
  int64_t flush_older_s; /* guarded by lock: of the flush that was asked */
  bool stop_asked;       /* guarded by lock */
  int64_t stop_ms;       /* guarded by lock: steady time of the end */

  /* Steady time at which a request is abandoned; INT64_MAX until stop. */
  _Atomic int64_t deadline_ms;

  /* The thread's alone. */
  struct session *session;
  struct flush flush;
  struct delivery *delivery;
  struct samples taken; /* swapped with agg's at each flush */
  struct tally tally;
  int64_t flushed_s; /* last multiple of FlushInterval that was due */
  int64_t n_flushes;
};

/* What the thread was asked for. */
struct orders {
  bool flush;
  int64_t older_s;
  bool stop;
};

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
  atomic_init(&s->deadline_ms, INT64_MAX);
  agg_init(&s->agg, (size_t)options->max_metrics,
           samples_for(options->buffer_limit_bytes), options->buffer_age_s,
           options->flush_interval_s, rules_n_meta_keys(rules), clock_random());
  if (init_lock(s) != 0 ||
      flush_init(&s->flush, (size_t)options->buffer_limit_bytes) != 0) {
    (void)err_set(err, "no memory for a destination");
    goto failed;
  }
  s->session = open_session(s);
  if (s->session == NULL) {
    (void)err_set(err, "no memory for a destination");
    goto failed;
  }
  s->delivery = delivery_new(options, s->session, err);
  if (s->delivery != NULL)
    return s;

failed:
  sender_free(s);
  return NULL;
}

void sender_free(struct sender *s) {
  if (s == NULL)
    return;
  if (s->has_thread)
    pthread_join(s->thread, NULL);
  delivery_free(s->delivery);
  session_free(s->session);
  flush_clear(&s->flush);
  samples_clear(&s->taken);
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

void sender_write(struct sender *s, const struct input *in) {
  struct agg_now now = {clock_wall_ms() / 1000, clock_steady_ms() / 1000};

  pthread_mutex_lock(&s->lock);
  bool is_known = agg_add(&s->agg, in, &now);
  pthread_mutex_unlock(&s->lock);
  if (is_known)
    return;

  struct plan *plan = plan_new(s->rules, in, leave_notice, s);
  pthread_mutex_lock(&s->lock);
  if (plan != NULL)
    agg_learn(&s->agg, plan, in, &now);
  else
    tally_add(&s->agg.tally, REASON_MEMORY, in);
  pthread_mutex_unlock(&s->lock);
  plan_free(plan);
}

void sender_flush(struct sender *s, int64_t older_s) {
  pthread_mutex_lock(&s->lock);
  if (!s->flush_asked || older_s < s->flush_older_s)
    s->flush_older_s = older_s;
  s->flush_asked = true;
  pthread_cond_signal(&s->wake);
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

/* ---- the thread: flushing ----------------------------------------------- */

/* Takes away what the writers left.  The list that is left in its place has as
 * much room as the one that is taken, so that it need not grow again. */
static void take(struct sender *s) {
  struct report_queue said;

  pthread_mutex_lock(&s->lock);
  size_t cap = s->agg.samples.cap;
  pthread_mutex_unlock(&s->lock);
  (void)samples_reserve(&s->taken, cap);

  pthread_mutex_lock(&s->lock);
  agg_take(&s->agg, &s->taken);
  report_move_tally(&s->tally, &s->agg.tally);
  report_take(&s->report, &said);
  pthread_mutex_unlock(&s->lock);

  report_say(&said, s->options->node);
  cut_put(&s->flush.cut, &s->taken, &s->tally);
}

/* Forgets identifiers that fell silent, a few chains at a time, so that writers
 * never wait for long. */
static void forget(struct sender *s) {
  int64_t silent_s = 4 * s->options->flush_interval_s;
  if (silent_s < SILENT_MIN_S)
    silent_s = SILENT_MIN_S;
  int64_t since_s = clock_steady_ms() / 1000 - silent_s;
  size_t chain = 0;

  do {
    pthread_mutex_lock(&s->lock);
    chain = bind_forget(&s->agg.table, chain, FORGET_CHAINS, since_s);
    pthread_mutex_unlock(&s->lock);
  } while (chain != 0);
}

static void flush(struct sender *s, int64_t until_s, bool is_forced) {
  struct horizon horizon = {
      .until_s = until_s, .period_s = s->period_s, .is_forced = is_forced};

  take(s);
  horizon.latest_s = clock_wall_ms() / 1000 + s->options->flush_interval_s;
  delivery_limit(s->delivery, s->options->buffer_limit_bytes -
                                  (int64_t)cut_bytes(&s->flush.cut));
  flush_run(&s->flush, &horizon, ++s->n_flushes, &s->tally, s->delivery);
  report_say_tally(&s->tally, s->options->node);
  forget(s);
}

/* The last multiple of FlushInterval whose flush has come. */
static int64_t multiple_at(const struct sender *s, int64_t wall_ms) {
  int64_t interval_ms = s->options->flush_interval_s * 1000;

  return (wall_ms - s->phase_ms) / interval_ms * s->options->flush_interval_s;
}

/* Flushes when the next multiple has come.  A clock that was set back begins
 * anew. */
static void flush_if_due(struct sender *s) {
  int64_t multiple_s = multiple_at(s, clock_wall_ms());

  if (multiple_s > s->flushed_s)
    flush(s, multiple_s, false);
  s->flushed_s = multiple_s;
}

static void flush_as_asked(struct sender *s, int64_t older_s) {
  int64_t now_s = clock_wall_ms() / 1000;

  flush(s, now_s - older_s, older_s == 0);
}

/* ---- the thread: waiting and working ------------------------------------ */

/* How long nothing is to be done. */
static int64_t idle_ms(const struct sender *s) {
  int64_t next_ms =
      (s->flushed_s + s->options->flush_interval_s) * 1000 + s->phase_ms;
  int64_t wait_ms = next_ms - clock_wall_ms();
  int64_t wake_ms = delivery_wake_ms(s->delivery);

  if (wake_ms != INT64_MAX && wake_ms - clock_steady_ms() < wait_ms)
    wait_ms = wake_ms - clock_steady_ms();
  if (wait_ms > IDLE_MAX_MS)
    return IDLE_MAX_MS;
  return wait_ms > 0 ? wait_ms : 0;
}

/* Sleeps until there is something to do, and takes what was asked meanwhile. */
static struct orders wait_for_orders(struct sender *s) {
  int64_t until_ms = clock_steady_ms() + idle_ms(s);
  struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                           .tv_nsec = (long)(until_ms % 1000) * 1000000};

  pthread_mutex_lock(&s->lock);
  if (!s->flush_asked && !s->stop_asked && until_ms > clock_steady_ms())
    (void)pthread_cond_timedwait(&s->wake, &s->lock, &until);
  struct orders orders = {s->flush_asked, s->flush_older_s, s->stop_asked};
  s->flush_asked = false;
  pthread_mutex_unlock(&s->lock);
  return orders;
}

static void send_if_due(struct sender *s) {
  if (delivery_wake_ms(s->delivery) <= clock_steady_ms())
    delivery_attempt(s->delivery);
  else
    delivery_tend(s->delivery);
}

/* Sends what waits until nothing does, or the next attempt would come too
 * late. */
static void send_last(struct sender *s) {
  pthread_mutex_lock(&s->lock);
  int64_t deadline_ms = s->stop_ms;
  pthread_mutex_unlock(&s->lock);

  atomic_store(&s->deadline_ms, deadline_ms);
  delivery_hurry(s->delivery);
  while (clock_steady_ms() < deadline_ms) {
    int64_t wake_ms = delivery_wake_ms(s->delivery);
    int64_t wait_ms = wake_ms - clock_steady_ms();
    if (wake_ms >= deadline_ms)
      return;
    if (wait_ms > 0) {
      struct timespec pause = {.tv_sec = (time_t)(wait_ms / 1000),
                               .tv_nsec = (long)(wait_ms % 1000) * 1000000};
      (void)nanosleep(&pause, NULL);
    }
    delivery_attempt(s->delivery);
  }
}

static void say_totals(const struct sender *s) {
  struct delivery_count count = delivery_count(s->delivery);

  log_say(
      SAY_INFO, s->options->node,
      "stops; %llu data were accepted, %llu values were left out; data "
      "that were refused: %llu, dropped by BufferLimit: %llu, by BufferAge: "
      "%llu, sent without an answer: %llu",
      (unsigned long long)count.accepted,
      (unsigned long long)report_total(&s->tally),
      (unsigned long long)count.refused, (unsigned long long)count.dropped,
      (unsigned long long)count.aged, (unsigned long long)count.ambiguous);
}

static void *run(void *argument) {
  struct sender *s = argument;
  struct orders orders;

  s->flushed_s = multiple_at(s, clock_wall_ms());
  delivery_tend(s->delivery);
  do {
    orders = wait_for_orders(s);
    flush_if_due(s);
    if (orders.flush)
      flush_as_asked(s, orders.older_s);
    if (!orders.stop)
      send_if_due(s);
  } while (!orders.stop);
  send_last(s);
  say_totals(s);
  return NULL;
}

int sender_start(struct sender *s, struct err *err) {
  sigset_t all, before;

  /* The daemon's signals are for its main thread. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&s->thread, NULL, run, s);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc != 0)
    return err_set(err, "no thread for a destination (error %d)", rc);
  s->has_thread = true;
  return 0;
}
