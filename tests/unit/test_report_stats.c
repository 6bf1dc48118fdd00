/* Which number goes by which name; that the daemon takes them is shown in
 * tests/e2e/test_report_stats.py. */
#include "report_stats.h"

#include "collectd.h"

#include "plugin.h"

#include "aws/cred.h"
#include "run/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* ---- in the place of the daemon ----------------------------------------- */

static char host[] = "testhost";
char *hostname_g = host;

static struct {
  char name[4 * DATA_MAX_NAME_LEN + 8];
  value_t value;
} given[64];
static size_t n_given;

int plugin_dispatch_values(value_list_t const *list) {
  assert_true(n_given < 64);
  assert_int_equal(list->values_len, 1);
  assert_string_equal(list->host, "testhost");
  assert_true(list->time == 0); /* now, says the daemon */
  (void)snprintf(given[n_given].name, sizeof(given[0].name), "%s%s%s/%s-%s",
                 list->plugin, list->plugin_instance[0] != '\0' ? "-" : "",
                 list->plugin_instance, list->type, list->type_instance);
  given[n_given++].value = list->values[0];
  return 0;
}

/* NULL: nothing has that name, which stands below write_cloudwatch-prod. */
static const value_t *find(const char *name) {
  char full[256];
  const value_t *found = NULL;

  (void)snprintf(full, sizeof(full), "write_cloudwatch-prod/%s", name);
  for (size_t i = 0; i < n_given; i++)
    if (strcmp(given[i].name, full) == 0) {
      assert_null(found);
      found = &given[i].value;
    }
  return found;
}

static void assert_counter(const char *name, uint64_t n) {
  const value_t *value = find(name);
  if (value == NULL)
    fail_msg("there is no %s", name);
  assert_int_equal(value->derive, n);
}

static void assert_gauge(const char *name, double least, double most) {
  const value_t *value = find(name);
  if (value == NULL)
    fail_msg("there is no %s", name);
  if (!(value->gauge >= least && value->gauge <= most))
    fail_msg("%s is %g", name, value->gauge);
}

static void report(const struct stats *stats) {
  n_given = 0;
  report_stats("prod", stats);
}

/* ---- tests -------------------------------------------------------------- */

static void each_counter_by_its_name(void **state) {
  (void)state;
  struct stats stats = {.count = {.requests = 1,
                                  .failed_requests = 2,
                                  .retried = 3,
                                  .accepted = 4,
                                  .refused = 5,
                                  .dropped = 6,
                                  .spool_dropped = 7,
                                  .aged = 8,
                                  .lost = 9,
                                  .ahead = 10,
                                  .ambiguous = 11},
                        .request_ms = -1};
  for (size_t i = 0; i < N_REASONS; i++)
    stats.left_out.n[i] = 100 + i;
  report(&stats);
  assert_counter("total_requests-sent", 1);
  assert_counter("total_requests-failed", 2);
  assert_counter("total_values-retried", 3);
  assert_counter("total_values-accepted", 4);
  assert_counter("total_values-refused", 5);
  assert_counter("total_values-dropped-buffer_limit", 6);
  assert_counter("total_values-dropped-spool_limit", 7);
  assert_counter("total_values-dropped-buffer_age", 8);
  assert_counter("total_values-dropped-future", 10);
  assert_counter("total_values-ambiguous", 11);
  assert_counter("total_values-left_out-nan", 100 + REASON_NAN);
  assert_counter("total_values-left_out-max_metrics", 100 + REASON_MAX_METRICS);
  assert_counter("total_values-left_out-quarantined", 100 + REASON_QUARANTINED);
  assert_counter("total_values-published-late", 100 + REASON_LATE);
  assert_counter("total_values-published-folded", 100 + REASON_FOLDED);
  assert_int_equal(n_given, 10 + N_REASONS + 4);
}

static void a_counter_that_no_derive_can_hold(void **state) {
  (void)state;
  struct stats stats = {.count = {.accepted = UINT64_MAX}, .request_ms = -1};
  report(&stats);
  assert_counter("total_values-accepted", INT64_MAX);
}

static void what_is_so_now(void **state) {
  (void)state;
  int64_t now_s = clock_wall_ms() / 1000;
  struct stats stats = {.n_series = 1,
                        .n_waiting = 2,
                        .waiting_bytes = 3,
                        .oldest_s = now_s - 1000,
                        .has_spool = true,
                        .spool_bytes = 4096,
                        .request_ms = 1500,
                        .has_credentials = true,
                        .expires_s = now_s + 5000,
                        .offset_s = 3000};
  report(&stats);
  assert_gauge("count-metrics", 1, 1);
  assert_gauge("queue_length-waiting", 2, 2);
  assert_gauge("bytes-waiting", 3, 3);
  assert_gauge("duration-oldest", 1000, 1100);
  assert_gauge("bytes-spool", 4096, 4096);
  assert_gauge("latency-request", 1.5, 1.5);
  assert_gauge("timeleft-credentials", 1900, 2000); /* by AWS's clock */
}

static void what_is_not_known_has_no_value(void **state) {
  (void)state;
  struct stats stats = {.request_ms = -1};
  report(&stats);
  assert_null(find("bytes-spool"));
  assert_null(find("latency-request"));
  assert_null(find("timeleft-credentials"));
  assert_gauge("duration-oldest", 0, 0);
  stats.has_credentials = true;
  stats.expires_s = CRED_NEVER;
  report(&stats);
  assert_null(find("timeleft-credentials"));
}

/* Nor is one in a future that a step of the clock has left. */
static void no_time_is_below_zero(void **state) {
  (void)state;
  int64_t now_s = clock_wall_ms() / 1000;
  struct stats stats = {.oldest_s = now_s + 1000,
                        .has_credentials = true,
                        .expires_s = now_s - 1000,
                        .request_ms = 0};
  report(&stats);
  assert_gauge("duration-oldest", 0, 0);
  assert_gauge("timeleft-credentials", 0, 0);
  assert_gauge("latency-request", 0, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_counter_by_its_name),
      cmocka_unit_test(a_counter_that_no_derive_can_hold),
      cmocka_unit_test(what_is_so_now),
      cmocka_unit_test(what_is_not_known_has_no_value),
      cmocka_unit_test(no_time_is_below_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
