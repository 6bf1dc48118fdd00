/* A million identifiers that live for ten seconds, within an hour, beside some
 * that stay: what they take of memory, and that nothing is lost by them which
 * is selected and within MaxMetrics.
 *
 * All cases have the same hour.  Hosts "live" report every ten seconds, and
 * each minute some more come; pods come evenly, report twice, and are silent.
 * All values are 1, so that a sum says how many were in it.  It is flushed, and
 * silent ones are forgotten, each minute, as the node's thread does. */
#include "metric/agg.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <malloc.h>

#define HOUR_S 3600
#define EACH_S 10
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define PODS (28 * HOUR_S) /* enough for each way through the tables */
#else
#define PODS (280 * HOUR_S) /* 1,008,000 */
#endif
#define LIVE_MIN 300 /* at first */
#define LIVE_EACH 5  /* more in each minute */

/* ---- memory that our own code holds ------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static size_t held_bytes, most_bytes;

/* With what the heap needs for itself. */
static size_t size_of(void *block) {
  return block == NULL ? 0 : malloc_usable_size(block) + sizeof(size_t);
}

static void *hold(void *block) {
  held_bytes += size_of(block);
  if (held_bytes > most_bytes)
    most_bytes = held_bytes;
  return block;
}

void *__wrap_malloc(size_t size) { return hold(__real_malloc(size)); }

void *__wrap_calloc(size_t n, size_t size) {
  return hold(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size) {
  size_t before = size_of(block);
  void *other = __real_realloc(block, size);

  if (other == NULL && size != 0)
    return NULL;
  held_bytes -= before;
  return hold(other);
}

void __wrap_free(void *block) {
  held_bytes -= size_of(block);
  __real_free(block);
}

/* ---- the hour ------------------------------------------------------------ */

/* A metric's data so far. */
struct seen {
  size_t n_data, n_samples;
  double last;    /* value */
  bool is_uneven; /* samples of one datum that are not equal */
};

struct churn {
  struct stream s;
  size_t bytes_before;
  size_t n_pods;     /* in an hour */
  size_t n_learnt;   /* how often a live one was not known */
  struct seen fleet; /* sum over live ones */
  struct seen live;  /* each of them */
  struct seen pods;  /* sum over pods */
  struct seen pod;   /* each of them */
};

static void open_churn(struct churn *c, const char *blocks, size_t max_metrics,
                       size_t n_pods) {
  size_t bytes = held_bytes;

  *c = (struct churn){.bytes_before = bytes, .n_pods = n_pods};
  stream_open(&c->s, blocks, max_metrics);
  most_bytes = held_bytes;
}

static void close_churn(struct churn *c) {
  size_t bytes = c->bytes_before;

  stream_close(&c->s);
  assert_int_equal(held_bytes, bytes);
}

/* A value of a host at a second of the day; whether the host was known. */
static bool give(struct churn *c, const char *plugin, const char *host,
                 int64_t second) {
  struct reading reading = {.name = "value", .kind = KIND_GAUGE, .value = {1}};
  struct input in = {.part = {host, plugin, "", "gauge", ""},
                     .readings = &reading,
                     .n_readings = 1,
                     .time_us = (EPOCH + second) * 1000000,
                     .interval_us = EACH_S * 1000000};
  struct agg_now now = {EPOCH + second, 0};
  struct bind_table *table = &c->s.agg.table;
  uint64_t hash = identifier_hash(&in, table->n_meta, table->seed);
  struct binding *binding = bind_find(table, &in, hash);
  bool is_known = binding != NULL;

  if (!is_known) {
    struct plan *plan = plan_new(c->s.rules, &in, stream_notice, NULL);
    assert_non_null(plan);
    binding = bind_put(table, plan, &in, hash, &c->s.agg.tally);
    plan_free(plan);
  }
  if (binding != NULL)
    agg_add(&c->s.agg, binding, &in, &now);
  return is_known;
}

static int live_at(int64_t second) {
  return LIVE_MIN + LIVE_EACH * (int)(second / 60);
}

static void give_live(struct churn *c, int64_t second) {
  char host[32];

  for (int i = 0; i < live_at(second); i++) {
    (void)snprintf(host, sizeof(host), "live-%d", i);
    c->n_learnt += !give(c, "live", host, second);
  }
}

/* The values of those pods that came in this second of the day. */
static void give_pods(struct churn *c, int64_t came, int64_t second) {
  char host[32];
  int64_t n = (int64_t)c->n_pods / HOUR_S;

  for (int64_t i = came * n; came >= 0 && i < (came + 1) * n; i++) {
    (void)snprintf(host, sizeof(host), "pod-%" PRId64, i);
    (void)give(c, "pod", host, second);
  }
}

static struct seen *seen_of(struct churn *c, const char *name) {
  if (strcmp(name, "fleet") == 0)
    return &c->fleet;
  if (strcmp(name, "live") == 0)
    return &c->live;
  return strcmp(name, "pods") == 0 ? &c->pods : &c->pod;
}

static void see(void *context, const struct datum *datum) {
  struct churn *c = context;
  struct seen *seen = seen_of(c, datum->series->name);

  seen->n_data++;
  if (datum->form == DATUM_VALUE) {
    seen->n_samples++;
    seen->last = datum->value;
    return;
  }
  assert_int_equal(datum->form, DATUM_VALUES);
  seen->is_uneven |= datum->n_values != 1;
  seen->n_samples += (size_t)datum->counts[0];
  seen->last = datum->values[0];
}

/* As the node's thread flushes, and forgets. */
static void flush_at(struct churn *c, int64_t second) {
  const struct bind_patience patience = {.usual_s = HOUR_S, .member_s = 120};
  struct horizon horizon = {.until_s = EPOCH + second,
                            .latest_s = EPOCH + second + 60,
                            .period_s = 60};
  size_t chain = 0;

  agg_take(&c->s.agg, &c->s.taken);
  cut_put(&c->s.cut, &c->s.taken, &c->s.tally);
  cut_run(&c->s.cut, &horizon, &c->s.tally, see, c);
  cut_limit(&c->s.cut, 0, &c->s.tally);
  cut_hold(&c->s.cut, true);
  do
    chain =
        bind_forget(&c->s.agg.table, chain, 1024, (uint32_t)second, &patience);
  while (chain != 0);
  cut_hold(&c->s.cut, false);
}

/* A minute, and the flush at its end. */
static void pass_minute(struct churn *c, int64_t minute, bool has_live) {
  for (int64_t second = minute * 60; second < (minute + 1) * 60; second++) {
    if (has_live && second % EACH_S == 0)
      give_live(c, second);
    give_pods(c, second - EACH_S, second);
    give_pods(c, second, second);
  }
  flush_at(c, (minute + 1) * 60);
}

/* Of the reasons to leave a value out there is none but the one (N_REASONS:
 * none at all). */
static void check_left_out(const struct churn *c, enum reason but) {
  for (int r = 0; r < N_REASONS; r++) {
    uint64_t n = c->s.agg.tally.row[r].n + c->s.tally.row[r].n;
    if (r != (int)but && n != 0)
      fail_msg("%" PRIu64 " values: %s", n, tally_text((enum reason)r).what);
  }
}

/* What live ones report after a minute: all of them, and nothing of it was
 * learnt twice. */
static void check_live(const struct churn *c, int64_t minute) {
  if (c->fleet.n_data != (size_t)minute + 1 ||
      c->fleet.n_samples != c->fleet.n_data * 6 || c->fleet.is_uneven)
    fail_msg("minute %" PRId64 ": not each slot has its sum", minute);
  if (c->fleet.last != live_at(minute * 60))
    fail_msg("minute %" PRId64 ": %g of %d were in the sum", minute,
             c->fleet.last, live_at(minute * 60));
  assert_int_equal(c->n_learnt, live_at(minute * 60));
}

static void check_memory(const struct churn *c, size_t limit_bytes) {
  size_t bytes = most_bytes - c->bytes_before;

  print_message("%.1f MiB at most\n", (double)bytes / (1 << 20));
  if (bytes > limit_bytes)
    fail_msg("%zu bytes", bytes);
}

#define FLEET "Metric 'fleet'\nPlugin 'live'\nCombine 'sum'\n"
#define LIVE "Metric 'live'\nPlugin 'live'\nDimension 'Host' '%{host}'\n"
#define POD_SUM "Metric 'pods'\nPlugin 'pod'\nCombine 'sum'\n"
#define POD "Metric 'pod'\nPlugin 'pod'\nDimension 'Host' '%{host}'\n"

/* ---- cases --------------------------------------------------------------- */

static void strangers_cost_nobody_a_value(void **state) {
  (void)state;
  struct churn c;
  size_t n_live = 0;
  open_churn(&c, FLEET LIVE, 1000, PODS);
  for (int64_t minute = 0; minute < 60; minute++) {
    pass_minute(&c, minute, true);
    check_live(&c, minute);
    n_live += (size_t)live_at(minute * 60);
    assert_int_equal(c.live.n_data, n_live);
    assert_int_equal(c.live.n_samples, n_live * 6);
  }
  check_left_out(&c, N_REASONS);
  check_memory(&c, 10 << 20);
  close_churn(&c);
}

/* What MaxMetrics refuses costs no more than a stranger; when pods that had a
 * metric have been silent for an hour, others get it. */
static void beyond_max_metrics_only_the_newest_are_refused(void **state) {
  (void)state;
  struct churn c;
  const size_t n_pods = 1000 - 1; /* one metric is the fleet's */
  open_churn(&c, FLEET POD, 1000, PODS);
  for (int64_t minute = 0; minute < 60; minute++) {
    pass_minute(&c, minute, true);
    check_live(&c, minute);
    assert_int_equal(c.pod.n_samples, n_pods * 2);
  }
  for (int64_t minute = 60; minute < 63; minute++) {
    pass_minute(&c, minute, true);
    check_live(&c, minute);
  }
  assert_in_range(c.pod.n_samples, n_pods * 3, n_pods * 4);
  check_left_out(&c, REASON_MAX_METRICS);
  assert_in_range(c.s.agg.tally.row[REASON_MAX_METRICS].n, PODS, PODS * 3);
  check_memory(&c, 14 << 20);
  close_churn(&c);
}

static void all_members_of_one_sum_are_in_it(void **state) {
  (void)state;
  struct churn c;
  double steady = 0;
  open_churn(&c, FLEET POD_SUM, 1000, PODS);
  for (int64_t minute = 0; minute < 60; minute++) {
    pass_minute(&c, minute, true);
    check_live(&c, minute);
    if (minute == 0)
      c.pods.is_uneven = false; /* the first slots have less */
    if (minute == 1)
      steady = c.pods.last;
    if (minute > 1 && (c.pods.last != steady || c.pods.is_uneven))
      fail_msg("minute %" PRId64 ": %g pods of %g", minute, c.pods.last,
               steady);
  }
  /* Those that came in a slot, those that came in the one before. */
  assert_true(steady >= 2. * EACH_S * PODS / HOUR_S);
  check_left_out(&c, N_REASONS);
  check_memory(&c, 20 << 20);
  close_churn(&c);
}

/* A tenth of a million, as each takes its share of memory for an hour. */
static void a_metric_each_is_a_matter_of_memory(void **state) {
  (void)state;
  struct churn c;
  const size_t n_pods = 28 * HOUR_S;
  open_churn(&c, POD, n_pods, n_pods);
  for (int64_t minute = 0; minute < 60; minute++)
    pass_minute(&c, minute, false);
  assert_int_equal(c.pod.n_samples, (n_pods - n_pods / HOUR_S * EACH_S) * 2 +
                                        n_pods / HOUR_S * EACH_S);
  check_left_out(&c, N_REASONS);
  check_memory(&c, n_pods * 384);

  /* Silent, they are forgotten: but for what the tables keep to be filled
   * again. */
  flush_at(&c, 3 * HOUR_S);
  assert_int_equal(c.s.agg.table.n, 0);
  assert_int_equal(c.s.agg.table.series.n, 0);
  assert_true(held_bytes - c.bytes_before < n_pods * 64);
  close_churn(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strangers_cost_nobody_a_value),
      cmocka_unit_test(beyond_max_metrics_only_the_newest_are_refused),
      cmocka_unit_test(all_members_of_one_sum_are_in_it),
      cmocka_unit_test(a_metric_each_is_a_matter_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
