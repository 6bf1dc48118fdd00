#include "report_stats.h"

#include "collectd.h"

#include "plugin.h"

#include "aws/cred.h"
#include "run/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- what is counted since the start ------------------------------------ */

#define COUNT(member) offsetof(struct stats, count.member)

static const struct {
  const char *type, *type_instance;
  size_t at; /* in struct stats, a uint64_t */
} counters[] = {
    {"total_values", "accepted", COUNT(accepted)},
    {"total_values", "refused", COUNT(refused)},
    {"total_values", "retried", COUNT(retried)},
    {"total_values", "ambiguous", COUNT(ambiguous)},
    {"total_values", "dropped-buffer_limit", COUNT(dropped)},
    {"total_values", "dropped-spool_limit", COUNT(spool_dropped)},
    {"total_values", "dropped-buffer_age", COUNT(aged)},
    {"total_values", "dropped-future", COUNT(ahead)},
    {"total_requests", "sent", COUNT(requests)},
    {"total_requests", "failed", COUNT(failed_requests)},
};

/* ---- dispatching -------------------------------------------------------- */

static void put_text(char *to, size_t size, const char *text) {
  (void)snprintf(to, size, "%s", text);
}

static void dispatch(const char *node, const char *type,
                     const char *type_instance, value_t value) {
  value_list_t list = VALUE_LIST_INIT;

  list.values = &value;
  list.values_len = 1;
  put_text(list.host, sizeof(list.host), hostname_g);
  put_text(list.plugin, sizeof(list.plugin), STATS_PLUGIN);
  put_text(list.plugin_instance, sizeof(list.plugin_instance), node);
  put_text(list.type, sizeof(list.type), type);
  put_text(list.type_instance, sizeof(list.type_instance), type_instance);
  (void)plugin_dispatch_values(&list);
}

static void count(const char *node, const char *type, const char *type_instance,
                  uint64_t n) {
  dispatch(node, type, type_instance,
           (value_t){.derive = n <= INT64_MAX ? (derive_t)n : INT64_MAX});
}

static void gauge(const char *node, const char *type, const char *type_instance,
                  double value) {
  dispatch(node, type, type_instance, (value_t){.gauge = value});
}

/* Reasons of values that were published all the same have another name. */
static void count_left_out(const char *node, const struct left_out *left_out) {
  for (size_t i = 0; i < N_REASONS; i++) {
    struct reason_text text = tally_text((enum reason)i);
    char instance[DATA_MAX_NAME_LEN];
    (void)snprintf(instance, sizeof(instance), "%s-%s",
                   text.is_lost ? "left_out" : "published",
                   tally_name((enum reason)i));
    count(node, "total_values", instance, left_out->n[i]);
  }
}

/* What is so at the moment; what is not known has no value. */
static void measure(const char *node, const struct stats *stats) {
  int64_t now_s = clock_wall_ms() / 1000;

  gauge(node, "queue_length", "waiting", (double)stats->n_waiting);
  gauge(node, "bytes", "waiting", (double)stats->waiting_bytes);
  gauge(node, "duration", "oldest",
        stats->oldest_s > 0 && now_s > stats->oldest_s
            ? (double)(now_s - stats->oldest_s)
            : 0);
  if (stats->has_spool)
    gauge(node, "bytes", "spool", (double)stats->spool_bytes);
  gauge(node, "count", "metrics", (double)stats->n_series);
  if (stats->request_ms >= 0)
    gauge(node, "latency", "request", (double)stats->request_ms / 1000);
  if (stats->has_credentials && stats->expires_s != CRED_NEVER) {
    int64_t left_s = stats->expires_s - (now_s + stats->offset_s);
    gauge(node, "timeleft", "credentials", left_s > 0 ? (double)left_s : 0);
  }
}

void report_stats(const char *node, const struct stats *stats) {
  for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
    uint64_t n;
    memcpy(&n, (const char *)stats + counters[i].at, sizeof(n));
    count(node, counters[i].type, counters[i].type_instance, n);
  }
  count_left_out(node, &stats->left_out);
  measure(node, stats);
}
