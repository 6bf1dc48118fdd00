/* The write callback against the baseline.
 *
 * A run is a period for each series at the least: values in six intervals, a
 * flush, and everything accepted before the baseline has its turn with values
 * of the same kind. */
#include "core.h"

#include "baseline.h"
#include "feed.h"
#include "rows.h"
#include "sink.h"

#include "base/buf.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define RUNS 7
#define CURVE_RUNS 5
#define THREADS 5        /* the daemon's write threads, by default */
#define ROW_SERIES 10000 /* of the rows of the table */
#define QUICK_SERIES 100
#define RUN_VALUES 60000 /* a run has at least so many */
#define FLUSH_VALUES 10000

struct setup {
  size_t n_series, n_threads, n_rules;
  bool is_selected; /* by one of the rules */
};

struct result {
  struct runs runs; /* ns for each value */
  uint64_t values;  /* that ours were given in these runs */
  uint64_t allocations;
};

/* Rules of which the last is the one that selects, if one does. */
static void put_rules(struct buf *text, const struct setup *setup) {
  for (size_t i = 1; i <= setup->n_rules; i++) {
    buf_puts(text, "<Metric \"" FEED_NAME "\">\n");
    if (setup->is_selected && i == setup->n_rules)
      buf_puts(text, "Plugin \"" FEED_PLUGIN "\"\n");
    else
      buf_printf(text, "Plugin \"other%zu\"\n", i);
    buf_puts(text, FEED_DIMENSIONS "</Metric>\n");
  }
}

/* A few periods of all series, each with a flush after which everything must
 * have come; adds up what they cost. */
static double play_ours(struct feed *feed, const struct setup *setup,
                        size_t n_periods, struct result *result) {
  struct writer writer = host_writer();
  double ns = 0;

  for (size_t done = 0; done < n_periods;) {
    size_t n = 1 + FLUSH_VALUES / (setup->n_series * FEED_PERIOD);
    if (n > n_periods - done)
      n = n_periods - done;
    uint64_t before = sink_count().samples;
    struct feed_cost cost =
        feed_play(feed, &writer, setup->n_threads, n * FEED_PERIOD);
    host_flush();
    sink_wait(before + (setup->is_selected ? cost.values : 0));
    result->values += cost.values;
    result->allocations += cost.allocations;
    ns += cost.ns * (double)n;
    done += n;
  }
  return ns / (double)n_periods;
}

static double play_baseline(struct feed *feed, struct baseline *baseline,
                            const struct setup *setup, size_t n_periods) {
  struct writer writer = baseline_writer(baseline);
  return feed_play(feed, &writer, setup->n_threads, n_periods * FEED_PERIOD).ns;
}

/* One setup: what is measured begins when both know all identifiers, and ours
 * has had a flush. */
static void measure(const struct core *core, const struct setup *setup,
                    size_t n_runs, struct result *result) {
  struct buf rules = BUF_INIT(1 << 20);
  struct feed *feed = feed_new(setup->n_series, FEED_INTERVAL_S);
  struct baseline *baseline = baseline_new(setup->n_series, 1);
  size_t n_periods = core->is_quick ? 1 : 1 + RUN_VALUES / setup->n_series / 6;

  put_rules(&rules, setup);
  core_start(core, buf_str(&rules));
  (void)play_ours(feed, setup, n_periods, result);
  (void)play_baseline(feed, baseline, setup, n_periods);
  if (setup->is_selected && result->allocations == 0)
    fail("allocations are not seen");
  *result = (struct result){.runs.n = n_runs};
  for (size_t i = 0; i < n_runs; i++) {
    result->runs.ours[i] = play_ours(feed, setup, n_periods, result);
    result->runs.baseline[i] = play_baseline(feed, baseline, setup, n_periods);
  }
  host_stop();
  uint64_t want = (n_runs + 1) * n_periods * FEED_PERIOD * setup->n_series;
  if (baseline_count(baseline) != want)
    fail("the baseline lost values");
  baseline_free(baseline);
  feed_free(feed);
  buf_clear(&rules);
}

/* ---- rows ---------------------------------------------------------------- */

static void row_allocations(const struct result *result) {
  char ours[64];

  (void)snprintf(ours, sizeof(ours), "%llu for %llu values",
                 (unsigned long long)result->allocations,
                 (unsigned long long)result->values);
  row_number("allocations, known series, after its first period", "0", 0,
             (double)result->allocations, result->runs.n, ours, "-");
}

void core_write(const struct core *core) {
  struct setup setup = {core->is_quick ? QUICK_SERIES : ROW_SERIES, 1, 20,
                        true};
  size_t n_runs = core->is_quick ? 3 : RUNS;
  struct result result = {0};

  measure(core, &setup, n_runs, &result);
  row_ratio("write callback, known series, 1 of 20 rules", "<= 2 x baseline", 2,
            &result.runs, "ns");
  row_allocations(&result);
  setup.is_selected = false;
  measure(core, &setup, n_runs, &result);
  row_ratio("write callback, nothing selects it", "<= 1.1 x baseline", 1.1,
            &result.runs, "ns");
  setup.n_series /= 10;
  setup.is_selected = true;
  measure(core, &setup, n_runs, &result);
  row_ratio("the first, of 1,000 series instead of 10,000", "", -1,
            &result.runs, "ns");
}

/* ---- curves -------------------------------------------------------------- */

/* Which number of a setup goes along the x axis. */
struct curve {
  const char *title, *x_name;
  size_t n_points;
  size_t x[POINTS_MAX];
  size_t offset; /* of that number in struct setup */
  struct setup setup;
};

static void draw_curve(const struct core *core, const struct curve *curve) {
  size_t n_runs = core->is_quick ? 1 : CURVE_RUNS;
  struct plot plot = {.title = curve->title,
                      .x_name = curve->x_name,
                      .unit = "ns",
                      .n_points = curve->n_points,
                      .n_lines = 2,
                      .lines = {{.name = "ours"}, {.name = "baseline"}}};

  for (size_t i = 0; i < curve->n_points; i++) {
    struct setup setup = curve->setup;
    struct result result = {0};
    memcpy((char *)&setup + curve->offset, &curve->x[i], sizeof(size_t));
    if (core->is_quick && setup.n_series > QUICK_SERIES)
      setup.n_series = QUICK_SERIES;
    measure(core, &setup, n_runs, &result);
    plot.x[i] = (double)curve->x[i];
    plot.lines[0].y[i] = median(result.runs.ours, n_runs);
    plot.lines[1].y[i] = median(result.runs.baseline, n_runs);
  }
  plot_print(&plot);
}

void core_curves(const struct core *core) {
  static const struct curve curves[] = {
      {"cost of a value, 1 thread, 20 rules",
       "series",
       4,
       {10, 1000, 10000, 100000},
       offsetof(struct setup, n_series),
       {0, 1, 20, true}},
      {"cost of a value, 5 threads, 20 rules",
       "series",
       4,
       {10, 1000, 10000, 100000},
       offsetof(struct setup, n_series),
       {0, THREADS, 20, true}},
      {"cost of a value, 1 thread, 10,000 series",
       "rules",
       3,
       {1, 20, 200},
       offsetof(struct setup, n_rules),
       {ROW_SERIES, 1, 0, true}},
  };

  for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
    draw_curve(core, &curves[i]);
}

/* ---- one lock or shards -------------------------------------------------- */

#define SHARDS 16

void core_shards(const struct core *core) {
  size_t n_series = core->is_quick ? QUICK_SERIES : ROW_SERIES;
  struct feed *feed = feed_new(n_series, FEED_INTERVAL_S);
  struct baseline *shards = baseline_new(n_series, SHARDS);
  struct baseline *lock = baseline_new(n_series, 1);
  size_t n_periods = RUN_VALUES / ROW_SERIES;

  for (size_t n_threads = 1; n_threads <= THREADS; n_threads += THREADS - 1) {
    struct setup setup = {.n_threads = n_threads};
    struct runs runs = {.n = RUNS};
    char what[128];

    (void)play_baseline(feed, shards, &setup, n_periods);
    (void)play_baseline(feed, lock, &setup, n_periods);
    for (size_t i = 0; i < runs.n; i++) {
      runs.ours[i] = play_baseline(feed, shards, &setup, n_periods);
      runs.baseline[i] = play_baseline(feed, lock, &setup, n_periods);
    }
    (void)snprintf(what, sizeof(what),
                   "baseline with %d shards against one lock, %zu thread%s",
                   SHARDS, n_threads, n_threads > 1 ? "s" : "");
    row_ratio(what, "", -1, &runs, "ns");
  }
  baseline_free(lock);
  baseline_free(shards);
  feed_free(feed);
}
