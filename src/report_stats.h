/* report_stats: what a node has counted, as values of collectd (ReportStats).
 *
 *   HOST/write_cloudwatch[-NODE]/TYPE-TYPE_INSTANCE
 *
 * Types are those that come with collectd.  No <Metric> selects them unless
 * somebody writes one. */
#ifndef REPORT_STATS_H
#define REPORT_STATS_H

#include "run/stats.h"

/* Dispatches all values of one node, at the time of now.
 *
 * node  becomes the plugin instance; "" for the only destination */
void report_stats(const char *node, const struct stats *stats);

#endif
