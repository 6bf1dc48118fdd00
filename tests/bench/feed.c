#include "feed.h"

#include "allocations.h"
#include "times.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEED UINT64_C(0x2545f4914f6cdd1d)
#define DAYS_BACK 10
#define HANDFUL 32 /* value lists that stay in the nearest cache */
#define THREADS_MAX 16

struct texts {
  char host[32], plugin_instance[16], type_instance[16];
};

struct feed {
  size_t n;
  struct texts *texts;
  uint32_t *order;
  uint64_t chance;
  int64_t time_s, interval_s;
};

static data_source_t source = {.name = "value", .type = DS_TYPE_GAUGE};
static const data_set_t set = {
    .type = "tcp_connections", .ds_num = 1, .ds = &source};

/* ---- identifiers --------------------------------------------------------- */

static const char *const states[] = {
    "ESTABLISHED", "SYN_SENT",   "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
    "TIME_WAIT",   "CLOSE_WAIT", "LAST_ACK", "LISTEN",    "CLOSING",
};
#define N_STATES (sizeof(states) / sizeof(states[0]))
#define PORTS 10

static void write_texts(struct texts *texts, size_t i) {
  size_t host = i / (N_STATES * PORTS), port = i / N_STATES % PORTS;

  (void)snprintf(texts->host, sizeof(texts->host), "web-%04u.eu.example.com",
                 (unsigned)(host % 10000));
  (void)snprintf(texts->plugin_instance, sizeof(texts->plugin_instance),
                 "%u-local", (unsigned)(8000 + port));
  (void)snprintf(texts->type_instance, sizeof(texts->type_instance), "%s",
                 states[i % N_STATES]);
}

/* Each begins an hour after the one before: a value with the time and the
 * number of the last one would not be a new one. */
struct feed *feed_new(size_t n, int64_t interval_s) {
  static int64_t n_feeds;
  struct feed *feed = calloc(1, sizeof(*feed));

  if (feed != NULL) {
    feed->texts = calloc(n, sizeof(*feed->texts));
    feed->order = calloc(n, sizeof(*feed->order));
  }
  if (feed == NULL || feed->texts == NULL || feed->order == NULL)
    fail("no memory for the values");
  feed->n = n;
  feed->interval_s = interval_s;
  feed->chance = SEED;
  feed->time_s =
      (int64_t)time(NULL) / 60 * 60 - DAYS_BACK * 86400 + n_feeds++ * 3600;
  for (size_t i = 0; i < n; i++) {
    write_texts(&feed->texts[i], i);
    feed->order[i] = (uint32_t)i;
  }
  return feed;
}

void feed_free(struct feed *feed) {
  free(feed->texts);
  free(feed->order);
  free(feed);
}

/* As FEED_NAME and FEED_DIMENSIONS make them. */
size_t feed_text_bytes(const struct feed *feed, size_t i) {
  const struct texts *texts = &feed->texts[i];
  size_t host = strlen(texts->host) + 1;
  size_t instance = strlen(texts->plugin_instance) + 1;
  size_t type_instance = strlen(texts->type_instance) + 1;
  size_t identifier = host + sizeof(FEED_PLUGIN) + instance + strlen(set.type) +
                      1 + type_instance;
  size_t name = sizeof(FEED_PLUGIN) + type_instance; /* "." for the NUL */

  return 2 * identifier + sizeof("collectd") + name + sizeof("Host") + host +
         sizeof("Instance") + instance;
}

/* ---- one thread ---------------------------------------------------------- */

struct share {
  struct feed *feed;
  const struct writer *writer;
  size_t first, end; /* of order */
  size_t n_intervals;
  uint64_t chance;
  double ns; /* between looks at the clock */
  uint64_t allocations;
};

/* Marsaglia's xorshift64. */
static uint64_t draw(uint64_t *chance) {
  *chance ^= *chance << 13;
  *chance ^= *chance >> 7;
  *chance ^= *chance << 17;
  return *chance;
}

static void shuffle(struct share *share) {
  uint32_t *order = share->feed->order;

  for (size_t i = share->end - 1; i > share->first; i--) {
    size_t j = share->first + draw(&share->chance) % (i - share->first + 1);
    uint32_t other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
}

/* A value list of the daemon has fields of one length for its texts. */
struct handful {
  value_list_t list[HANDFUL];
  value_t value[HANDFUL];
};

static void open_handful(struct handful *handful, int64_t interval_s) {
  memset(handful, 0, sizeof(*handful));
  for (size_t i = 0; i < HANDFUL; i++) {
    value_list_t *list = &handful->list[i];
    list->values = &handful->value[i];
    list->values_len = 1;
    list->interval = TIME_T_TO_CDTIME_T(interval_s);
    (void)snprintf(list->plugin, sizeof(list->plugin), "%s", FEED_PLUGIN);
    (void)snprintf(list->type, sizeof(list->type), "%s", set.type);
  }
}

static void fill(struct handful *handful, const struct share *share,
                 size_t first, size_t n, int64_t time_s) {
  for (size_t i = 0; i < n; i++) {
    uint32_t which = share->feed->order[first + i];
    const struct texts *texts = &share->feed->texts[which];
    value_list_t *list = &handful->list[i];
    memcpy(list->host, texts->host, sizeof(texts->host));
    memcpy(list->plugin_instance, texts->plugin_instance,
           sizeof(texts->plugin_instance));
    memcpy(list->type_instance, texts->type_instance,
           sizeof(texts->type_instance));
    list->time = TIME_T_TO_CDTIME_T(time_s);
    handful->value[i].gauge = (double)((which * 7 + time_s) % 1000);
  }
}

static void *play_share(void *argument) {
  struct share *share = argument;
  struct writer writer = *share->writer;
  struct handful handful;
  int64_t time_s = share->feed->time_s;

  open_handful(&handful, share->feed->interval_s);
  for (size_t i = 0; i < share->n_intervals; i++) {
    shuffle(share);
    for (size_t at = share->first; at < share->end; at += HANDFUL) {
      size_t n = share->end - at < HANDFUL ? share->end - at : HANDFUL;
      fill(&handful, share, at, n, time_s);
      uint64_t allocations = allocations_here();
      double begin_ns = times_thread_ns();
      for (size_t v = 0; v < n; v++)
        (void)writer.write(&set, &handful.list[v], &writer.user_data);
      share->ns += times_thread_ns() - begin_ns;
      share->allocations += allocations_here() - allocations;
    }
    time_s += share->feed->interval_s;
  }
  return NULL;
}

/* ---- all threads --------------------------------------------------------- */

static int write_nothing(const data_set_t *of, const value_list_t *list,
                         user_data_t *user_data) {
  (void)of;
  (void)list;
  (void)user_data;
  return 0;
}

/* Plays all shares at once; returns the time that it took, of the callbacks
 * alone if there is one share. */
static double play_all(struct share *shares, size_t n) {
  pthread_t threads[THREADS_MAX];
  double begin_ns = times_wall_ns();

  for (size_t i = 1; i < n; i++)
    if (pthread_create(&threads[i], NULL, play_share, &shares[i]) != 0)
      fail("no thread for values");
  (void)play_share(&shares[0]);
  for (size_t i = 1; i < n; i++)
    (void)pthread_join(threads[i], NULL);
  return n > 1 ? times_wall_ns() - begin_ns : shares[0].ns;
}

static double play(struct feed *feed, const struct writer *writer,
                   size_t n_threads, size_t n_intervals,
                   uint64_t *allocations) {
  struct share shares[THREADS_MAX];

  for (size_t i = 0; i < n_threads; i++)
    shares[i] = (struct share){.feed = feed,
                               .writer = writer,
                               .first = feed->n * i / n_threads,
                               .end = feed->n * (i + 1) / n_threads,
                               .n_intervals = n_intervals,
                               .chance = draw(&feed->chance)};
  double ns = play_all(shares, n_threads);
  *allocations = 0;
  for (size_t i = 0; i < n_threads; i++)
    *allocations += shares[i].allocations;
  return ns;
}

struct feed_cost feed_play(struct feed *feed, const struct writer *writer,
                           size_t n_threads, size_t n_intervals) {
  static const struct writer nothing = {.write = write_nothing};
  struct feed_cost cost = {.values = feed->n * n_intervals};

  if (n_threads > THREADS_MAX || feed->n < n_threads)
    fail("%zu threads are too many", n_threads);
  double idle_ns =
      play(feed, &nothing, n_threads, n_intervals, &cost.allocations);
  double ns = play(feed, writer, n_threads, n_intervals, &cost.allocations);
  cost.ns = (ns - idle_ns) / (double)cost.values;
  if (cost.ns < 1)
    cost.ns = 1; /* of few values, noise may be more than the cost */
  feed->time_s += (int64_t)n_intervals * feed->interval_s;
  return cost;
}
