/* The node's thread: takes what was added at each flush, sends what waits, and
 * in between asks for what comes from elsewhere. */
#include "run/clock.h"
#include "run/log.h"
#include "run/node.h"

#include <time.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define IDLE_MAX_MS 5000   /* how long a step of the wall clock goes unseen */
#define SILENT_MIN_S 3600  /* an identifier is forgotten after this long */
#define MEMBER_MIN_S 120   /* a member of a Combine, while there are many */
#define FORGET_CHAINS 1024 /* looked at in one go under the lock */

/* Each look at the identifiers takes them from the caches of the writers'
 * processors. */
#define FORGET_EVERY_S 60

#define BURST_BYTES (1024 * 1024)    /* by which lists are shorter after one */
#define MUCH_BYTES (8 * 1024 * 1024) /* samples of one flush */

/* What the thread was asked for. */
struct orders {
  bool flush;
  int64_t older_s;
  bool stop;
};

/* ---- flushing ----------------------------------------------------------- */

/* What samples do not take, nor the writers' list when it is full, is for what
 * waits to be sent, and half in any case. */
static void share_memory(struct sender *s) {
  int64_t limit_bytes = s->options->buffer_limit_bytes;
  size_t list_bytes = s->agg.max_samples * sizeof(struct sample);
  int64_t left_bytes =
      limit_bytes - (int64_t)(list_bytes + cut_bytes(&s->flush.cut));

  delivery_limit(s->delivery,
                 left_bytes > limit_bytes / 2 ? left_bytes : limit_bytes / 2);
}

/* Takes away what the writers left.  The list that is left in its place has as
 * much room as will be needed, so that it need not grow. */
static void take(struct sender *s) {
  struct report_queue said;
  struct notes notes;
  struct samples list = {0};

  pthread_mutex_lock(&s->lock);
  size_t room = agg_room(&s->agg);
  pthread_mutex_unlock(&s->lock);
  (void)samples_reserve(&list, room);
  if (s->room > room + BURST_BYTES / sizeof(struct sample))
    s->burst_ended = true;
  s->room = room;

  pthread_mutex_lock(&s->lock);
  agg_take(&s->agg, &list);
  s->take_asked = false;
  report_move_tally(&s->tally, &s->agg.tally);
  report_take(&s->report, &said);
  notes_take(&s->notes, &notes);
  pthread_mutex_unlock(&s->lock);

  report_say(&said, s->options->node);
  node_show_notes(s, &notes);
  cut_put(&s->flush.cut, &list, &s->tally);
}

/* What a burst of values took, or a large flush until it was sent, was freed,
 * but the C library may keep it for the process, as it lies between what others
 * have.  To look for it takes some milliseconds, in which others wait for
 * memory, and what they would soon take again goes as well: so this is not done
 * each time. */
static void give_back(struct sender *s) {
  bool is_sent = s->is_much && delivery_wake_ms(s->delivery) == INT64_MAX;

  if (!s->burst_ended && !is_sent)
    return;
  s->burst_ended = false;
  if (is_sent)
    s->is_much = false;
#ifdef __GLIBC__
  (void)malloc_trim(0);
#endif
}

/* Between flushes only a list that is half full is taken. */
static void take_if_asked(struct sender *s) {
  pthread_mutex_lock(&s->lock);
  bool is_asked = s->take_asked;
  pthread_mutex_unlock(&s->lock);
  if (!is_asked)
    return;
  take(s);
  cut_limit(&s->flush.cut, s->awaited, &s->tally);
  share_memory(s);
}

/* What the thread does while it waits for others. */
static void attend(void *sender) {
  take_if_asked(sender);
  node_show(sender, false);
}

/* Forgets identifiers that fell silent, a few chains at a time, so that writers
 * never wait for long. */
static void forget(struct sender *s) {
  uint32_t flush_s = (uint32_t)s->options->flush_interval_s;
  struct bind_patience patience = {
      .usual_s = 4 * flush_s > SILENT_MIN_S ? 4 * flush_s : SILENT_MIN_S,
      .member_s = 2 * flush_s > MEMBER_MIN_S ? 2 * flush_s : MEMBER_MIN_S};
  uint32_t now_s = (uint32_t)(clock_steady_ms() / 1000);
  size_t chain = 0;

  if (now_s - s->forgot_s < FORGET_EVERY_S)
    return;
  s->forgot_s = now_s;
  cut_hold(&s->flush.cut, true);
  do {
    pthread_mutex_lock(&s->lock);
    chain = bind_forget(&s->agg.table, chain, FORGET_CHAINS, now_s, &patience);
    pthread_mutex_unlock(&s->lock);
  } while (chain != 0);
  cut_hold(&s->flush.cut, false);
}

static void flush(struct sender *s, int64_t until_s, bool is_forced) {
  const struct ec2_values *values =
      identity_values(s->identity, clock_steady_ms());
  struct horizon horizon = {.until_s = until_s,
                            .period_s = s->period_s,
                            .is_forced = is_forced,
                            .awaited = ec2_awaited(values)};

  s->awaited = horizon.awaited;
  take(s);
  share_memory(s);
  horizon.latest_s = clock_wall_ms() / 1000 + s->options->flush_interval_s;
  if (cut_bytes(&s->flush.cut) >= MUCH_BYTES)
    s->is_much = true;
  flush_run(&s->flush, &horizon, delivery_flush_number(s->delivery), values,
            &s->tally);
  cut_limit(&s->flush.cut, horizon.awaited, &s->tally);
  share_memory(s);
  give_back(s);
  report_say_tally(&s->tally, s->options->node);
  forget(s);
}

/* The last multiple of FlushInterval whose flush has come. */
static int64_t multiple_at(const struct sender *s, int64_t wall_ms) {
  int64_t interval_ms = s->options->flush_interval_s * 1000;

  return (wall_ms - s->phase_ms) / interval_ms * s->options->flush_interval_s;
}

/* Flushes when the next multiple has come.  A clock that was set back begins
 * anew, and with a flush: what it had stamped until then is due. */
static void flush_if_due(struct sender *s) {
  int64_t multiple_s = multiple_at(s, clock_wall_ms());

  if (multiple_s != s->flushed_s)
    flush(s, multiple_s, false);
  s->flushed_s = multiple_s;
}

static void flush_as_asked(struct sender *s, int64_t older_s) {
  int64_t now_s = clock_wall_ms() / 1000;

  flush(s, now_s - older_s, older_s == 0);
}

/* ---- waiting and working ------------------------------------------------ */

/* How long nothing is to be done. */
static int64_t idle_ms(const struct sender *s) {
  int64_t next_ms =
      (s->flushed_s + s->options->flush_interval_s) * 1000 + s->phase_ms;
  int64_t wait_ms = next_ms - clock_wall_ms();
  int64_t wake_ms = delivery_wake_ms(s->delivery);
  int64_t ask_ms = identity_wake_ms(s->identity);
  int64_t show_ms = status_wake_ms(s->status);

  if (ask_ms < wake_ms)
    wake_ms = ask_ms;
  if (show_ms < wake_ms)
    wake_ms = show_ms;
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
  if (!s->flush_asked && !s->take_asked && !s->stop_asked &&
      until_ms > clock_steady_ms())
    (void)pthread_cond_timedwait(&s->wake, &s->lock, &until);
  struct orders orders = {s->flush_asked, s->flush_older_s, s->stop_asked};
  s->flush_asked = false;
  pthread_mutex_unlock(&s->lock);
  return orders;
}

/* Sending never replaces tending: where data come all the time, credentials
 * would otherwise not be refreshed before their end. */
static void send_if_due(struct sender *s) {
  if (delivery_wake_ms(s->delivery) <= clock_steady_ms())
    delivery_attempt(s->delivery);
  delivery_keep(s->delivery);
  delivery_tend(s->delivery);
}

/* Asks for what comes from elsewhere, ahead of need. */
static void tend(struct sender *s) {
  if (identity_wake_ms(s->identity) <= clock_steady_ms())
    identity_tend(s->identity);
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
    delivery_keep(s->delivery); /* who stopped us may not wait */
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

/* What the last flush kept for want of its name will have none any more, even
 * if the value has come, or MetadataWait has passed, since. */
static void lose_awaited(struct sender *s) {
  cut_lose_awaited(&s->flush.cut, s->awaited, &s->tally);
  report_say_tally(&s->tally, s->options->node);
}

static void say_totals(const struct sender *s) {
  struct delivery_count count = delivery_count(s->delivery);

  log_say(
      SAY_INFO, s->options->node,
      "stops; %llu data were accepted, %llu values were left out; data "
      "that were refused: %llu, dropped by BufferLimit: %llu, by SpoolLimit: "
      "%llu, by BufferAge: %llu, by this stop: %llu, sent without an answer: "
      "%llu",
      (unsigned long long)count.accepted,
      (unsigned long long)report_total(&s->tally),
      (unsigned long long)count.refused + count.ahead,
      (unsigned long long)count.dropped,
      (unsigned long long)count.spool_dropped, (unsigned long long)count.aged,
      (unsigned long long)count.lost, (unsigned long long)count.ambiguous);
}

void *node_work(void *argument) {
  struct sender *s = argument;
  struct orders orders;

  s->awaited = ec2_awaited(identity_values(s->identity, clock_steady_ms()));
  s->session->meanwhile = (struct meanwhile){attend, s};
  s->flushed_s = multiple_at(s, clock_wall_ms());
  node_show(s, false);
  delivery_tend(s->delivery);
  do {
    tend(s);
    orders = wait_for_orders(s);
    flush_if_due(s);
    if (orders.flush)
      flush_as_asked(s, orders.older_s);
    take_if_asked(s);
    if (!orders.stop) {
      send_if_due(s);
      give_back(s);
    }
    node_show(s, false);
  } while (!orders.stop);
  send_last(s);
  lose_awaited(s);
  delivery_let_go(s->delivery);
  node_show(s, true);
  say_totals(s);
  return NULL;
}
