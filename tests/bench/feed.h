/* feed: value lists as the daemon hands them out: gauges of a fleet, each
 * identifier once an interval, in an order that chance makes anew each
 * time.
 *
 * Time is the feed's own, and lies days back, so that a benchmark need not
 * wait for a period to pass. */
#ifndef BENCH_FEED_H
#define BENCH_FEED_H

#include "host.h"

#include <stddef.h>
#include <stdint.h>

#define FEED_INTERVAL_S 10
#define FEED_PERIOD 6 /* intervals in a period of a minute */

/* What a <Metric> says of these values beside the selectors; and the plugin to
 * select them by. */
#define FEED_NAME "%{plugin}.%{type_instance}"
#define FEED_DIMENSIONS                                                        \
  "Dimension \"Host\" \"%{host}\"\n"                                           \
  "Dimension \"Instance\" \"%{plugin_instance}\"\n"
#define FEED_PLUGIN "tcpconns"

struct feed;

/* n identifiers, 100 of each host, all of one plugin and type, each with a
 * value every interval_s. */
struct feed *feed_new(size_t n, int64_t interval_s);
void feed_free(struct feed *feed);

/* Gives each identifier's value to the writer, interval after interval, with as
 * many threads at once, each of which has identifiers of its own.
 *
 * What is timed are the callbacks alone.  With one thread it is the processor
 * time between two looks at the clock, a handful of callbacks apart, as the
 * texts of a value that the daemon has just looked up itself are in the nearest
 * cache.  With several it is the time that all take together: the machine may
 * have fewer processors than there are threads.  What the same takes with a
 * callback that does nothing is taken off. */
struct feed_cost {
  uint64_t values;
  double ns;            /* for each value */
  uint64_t allocations; /* by the callbacks */
};
struct feed_cost feed_play(struct feed *feed, const struct writer *writer,
                           size_t n_threads, size_t n_intervals);

/* Bytes of the texts that are kept for identifier i, each with its NUL: the
 * five of the identifier, as the key of its binding and once more as messages
 * have it; the namespace, the metric's name, and names and values of its
 * dimensions.
 */
size_t feed_text_bytes(const struct feed *feed, size_t i);

#endif
