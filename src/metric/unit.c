/* The units are those of the API reference, MetricDatum, Unit.
 *
 * The table of types says only what collectd's own types.db, manual or plugins
 * fix: a type that several plugins use with different units is not in it.  An
 * entry never changes once released, because CloudWatch keeps the values of
 * one metric under two units apart. */
#include "metric/metric.h"

#include <string.h>

static const char *const units[UNITS_MAX] = {
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
};

/* What people write instead.  Exact, because Mb is not MB. */
static const struct {
  const char *spelling;
  const char *unit;
} habits[] = {
    {"s", "Seconds"},
    {"sec", "Seconds"},
    {"secs", "Seconds"},
    {"us", "Microseconds"},
    {"usec", "Microseconds"},
    {"\xc2\xb5s", "Microseconds"}, /* micro sign */
    {"\xce\xbcs", "Microseconds"}, /* Greek mu */
    {"ms", "Milliseconds"},
    {"msec", "Milliseconds"},
    {"B", "Bytes"},
    {"KB", "Kilobytes"},
    {"kB", "Kilobytes"},
    {"KiB", "Kilobytes"},
    {"MB", "Megabytes"},
    {"MiB", "Megabytes"},
    {"GB", "Gigabytes"},
    {"GiB", "Gigabytes"},
    {"TB", "Terabytes"},
    {"TiB", "Terabytes"},
    {"b", "Bits"},
    {"kb", "Kilobits"},
    {"Kb", "Kilobits"},
    {"kbit", "Kilobits"},
    {"Mb", "Megabits"},
    {"Mbit", "Megabits"},
    {"Gb", "Gigabits"},
    {"Gbit", "Gigabits"},
    {"Tb", "Terabits"},
    {"Tbit", "Terabits"},
    {"%", "Percent"},
    {"pct", "Percent"},
    {"percentage", "Percent"},
    {"#", "Count"},
    {"1", "Count"},
    {"number", "Count"},
    {"B/s", "Bytes/Second"},
    {"Bps", "Bytes/Second"},
    {"KB/s", "Kilobytes/Second"},
    {"kB/s", "Kilobytes/Second"},
    {"KiB/s", "Kilobytes/Second"},
    {"MB/s", "Megabytes/Second"},
    {"MiB/s", "Megabytes/Second"},
    {"GB/s", "Gigabytes/Second"},
    {"GiB/s", "Gigabytes/Second"},
    {"TB/s", "Terabytes/Second"},
    {"TiB/s", "Terabytes/Second"},
    {"b/s", "Bits/Second"},
    {"bps", "Bits/Second"},
    {"bit/s", "Bits/Second"},
    {"kb/s", "Kilobits/Second"},
    {"kbps", "Kilobits/Second"},
    {"kbit/s", "Kilobits/Second"},
    {"Mb/s", "Megabits/Second"},
    {"Mbps", "Megabits/Second"},
    {"Mbit/s", "Megabits/Second"},
    {"Gb/s", "Gigabits/Second"},
    {"Gbps", "Gigabits/Second"},
    {"Gbit/s", "Gigabits/Second"},
    {"Tb/s", "Terabits/Second"},
    {"Tbps", "Terabits/Second"},
    {"1/s", "Count/Second"},
    {"/s", "Count/Second"},
    {"rate", "Count/Second"},
    {"ops", "Count/Second"},
    {"iops", "Count/Second"},
    {"IOPS", "Count/Second"},
    {"qps", "Count/Second"},
    {"rps", "Count/Second"},
};

static const char *const bytes_types[] = {
    "arc_l2_size",  "arc_size",        "bytes",         "df",
    "df_complex",   "disk_allocation", "disk_capacity", "disk_physical",
    "file_size",    "memory",          "memory_lua",    "mysql_bpool_bytes",
    "pg_db_size",   "ps_code",         "ps_data",       "ps_rss",
    "ps_stacksize", "ps_vm",           "swap",          "vs_memory",
};
static const char *const percent_types[] = {
    "percent",
    "percent_bytes",
    "percent_inodes",
};
static const char *const millisecond_types[] = {
    "ping",
    "ping_stddev",
};
/* response_time comes from the curl plugins, which write seconds (tried with
 * collectd 5.12: 0.5016 for an answer after 500 ms). */
static const char *const second_types[] = {
    "response_time",
    "duration",
    "uptime",
};
static const char *const count_types[] = {
    "apache_connections",
    "apache_idle_workers",
    "apache_scoreboard",
    "blocked_clients",
    "conntrack",
    "count",
    "current_connections",
    "current_sessions",
    "df_inodes",
    "email_count",
    "file_handles",
    "files",
    "memcached_connections",
    "memcached_items",
    "nginx_connections",
    "objects",
    "pending_operations",
    "pf_states",
    "pg_numbackends",
    "players",
    "ps_count",
    "ps_state",
    "queue_length",
    "records",
    "requests",
    "routes",
    "satellites",
    "tcp_connections",
    "threads",
    "users",
    "vcpu",
    "vs_processes",
    "vs_threads",
};
/* A gauge that is a rate already. */
static const char *const count_rate_gauges[] = {
    "operations_per_second",
};

static const char *const bytes_rate_types[] = {
    "apache_bytes", "arc_l2_bytes",   "disk_octets",      "dns_octets",
    "ib_octets",    "if_octets",      "if_rx_octets",     "if_tx_octets",
    "io_octets",    "ipt_bytes",      "memcached_octets", "mysql_octets",
    "node_octets",  "ps_disk_octets", "serial_octets",    "total_bytes",
    "vf_bytes",
};
static const char *const count_rate_types[] = {
    "apache_requests",
    "cache_eviction",
    "cache_operation",
    "cache_result",
    "commands",
    "connections",
    "contextswitch",
    "disk_merged",
    "disk_ops",
    "disk_ops_complex",
    "dns_answer",
    "dns_notify",
    "dns_opcode",
    "dns_qtype",
    "dns_query",
    "dns_question",
    "dns_rcode",
    "dns_reject",
    "dns_request",
    "dns_response",
    "dns_transfer",
    "dns_update",
    "errors",
    "evicted_keys",
    "expired_keys",
    "fork_rate",
    "http_request_methods",
    "http_requests",
    "http_response_codes",
    "ib_errors",
    "ib_packets",
    "if_collisions",
    "if_dropped",
    "if_errors",
    "if_multicast",
    "if_packets",
    "if_rx_dropped",
    "if_rx_errors",
    "if_rx_nohandler",
    "if_rx_packets",
    "if_tx_dropped",
    "if_tx_errors",
    "if_tx_packets",
    "invocations",
    "io_ops",
    "io_packets",
    "ipt_packets",
    "irq",
    "memcached_command",
    "memcached_ops",
    "mutex_operations",
    "mysql_commands",
    "mysql_handler",
    "mysql_select",
    "mysql_slow_queries",
    "nfs_procedure",
    "nginx_requests",
    "operations",
    "packets",
    "ps_disk_ops",
    "ps_pagefaults",
    "total_connections",
    "total_events",
    "total_objects",
    "total_operations",
    "total_requests",
    "total_sessions",
    "total_threads",
    "total_values",
    "vf_broadcast",
    "vf_dropped",
    "vf_multicast",
    "vf_packets",
    "vmpage_faults",
};

#define LIST(unit, is_rate, types)                                             \
  { unit, is_rate, types, sizeof(types) / sizeof((types)[0]) }
static const struct {
  const char *unit;
  bool is_rate;
  const char *const *types;
  size_t n;
} lists[] = {
    LIST("Bytes", false, bytes_types),
    LIST("Percent", false, percent_types),
    LIST("Milliseconds", false, millisecond_types),
    LIST("Seconds", false, second_types),
    LIST("Count", false, count_types),
    LIST("Count/Second", false, count_rate_gauges),
    LIST("Bytes/Second", true, bytes_rate_types),
    LIST("Count/Second", true, count_rate_types),
};

const char *unit_at(size_t i) { return i < UNITS_MAX ? units[i] : NULL; }

const char *unit_find(struct str spelling) {
  for (size_t i = 0; i < UNITS_MAX; i++)
    if (str_eq(spelling, str_of(units[i])))
      return units[i];
  return NULL;
}

/* How many edits away a word may be and still be meant: few for a short word,
 * of which little would be left. */
static size_t max_distance(size_t len) {
  size_t few = (len + 1) / 2 < 3 ? (len + 1) / 2 : 3;
  return len / 3 > few ? len / 3 : few;
}

const char *unit_suggest(struct str spelling) {
  for (size_t i = 0; i < UNITS_MAX; i++)
    if (str_eq_nocase(spelling, str_of(units[i])))
      return units[i];
  for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++)
    if (str_eq(spelling, str_of(habits[i].spelling)))
      return unit_find(str_of(habits[i].unit));

  const char *nearest = NULL;
  size_t least = max_distance(spelling.len) + 1;
  for (size_t i = 0; i < UNITS_MAX; i++) {
    size_t distance = str_distance(spelling, str_of(units[i]));
    if (distance < least) {
      least = distance;
      nearest = units[i];
    }
  }
  return nearest;
}

const char *unit_of_type(const char *type, bool is_rate) {
  for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
    if (lists[i].is_rate != is_rate)
      continue;
    for (size_t k = 0; k < lists[i].n; k++)
      if (strcmp(type, lists[i].types[k]) == 0)
        return unit_find(str_of(lists[i].unit));
  }
  return unit_find(STR("None"));
}
