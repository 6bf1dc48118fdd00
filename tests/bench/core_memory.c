/* Memory of a series at one value a period: what the whole process holds once
 * everything was sent, with one series and with many, and the difference shared
 * out.  So also the room that lists keep from flush to flush is counted, and
 * what the tables have to spare.  Taken off, and told beside, are the texts
 * (feed_text_bytes()). */
#include "core.h"

#include "allocations.h"
#include "feed.h"
#include "rows.h"
#include "sink.h"

#include <stdio.h>
#include <time.h>

#define RUNS 5
#define SERIES 100000
#define PERIODS 4
#define PERIOD_S 60
#define STILL 10 /* looks, 20 ms apart, between which nothing changes */

static void play(struct feed *feed, size_t n_periods) {
  struct writer writer = host_writer();

  for (size_t i = 0; i < n_periods; i++) {
    uint64_t before = sink_count().samples;
    struct feed_cost cost = feed_play(feed, &writer, 1, 1);
    host_flush();
    sink_wait(before + cost.values);
  }
}

/* What is held when the node's thread has done its work. */
static int64_t settled_bytes(void) {
  const struct timespec pause = {.tv_nsec = 20000000};
  int64_t bytes = allocations_live();

  for (int still = 0; still < STILL; still++) {
    (void)nanosleep(&pause, NULL);
    int64_t now = allocations_live();
    if (now != bytes)
      still = 0;
    bytes = now;
  }
  return bytes;
}

/* Bytes of a series, its texts not counted. */
static double measure(const struct core *core, struct feed *one,
                      struct feed *many, size_t n, double *text_bytes) {
  size_t texts = 0;

  core_start(core,
             "<Metric \"" FEED_NAME "\">\n" FEED_DIMENSIONS "</Metric>\n");
  play(one, 1);
  int64_t before = settled_bytes();
  play(many, PERIODS);
  int64_t after = settled_bytes();
  host_stop();

  /* The first identifier of both is the same. */
  for (size_t i = 1; i < n; i++)
    texts += feed_text_bytes(many, i);
  *text_bytes = (double)texts / (double)(n - 1);
  return (double)(after - before - (int64_t)texts) / (double)(n - 1);
}

void core_memory(const struct core *core) {
  size_t n = core->is_quick ? 1000 : SERIES, n_runs = core->is_quick ? 1 : RUNS;
  struct feed *one = feed_new(1, PERIOD_S), *many = feed_new(n, PERIOD_S);
  double bytes[RUNS], text_bytes = 0;
  char ours[64], texts[64];

  for (size_t i = 0; i < n_runs; i++)
    bytes[i] = measure(core, one, many, n, &text_bytes);
  double measured = median(bytes, n_runs);
  (void)snprintf(ours, sizeof(ours), "%.0f bytes", measured);
  (void)snprintf(texts, sizeof(texts), "and %.0f of texts", text_bytes);
  row_number("memory of a series, one value a period", "<= 256 bytes", 256,
             measured, n_runs, ours, texts);
  feed_free(many);
  feed_free(one);
}
