/* stream: value lists as the daemon hands them out: gauges of a fleet, each
 * identifier once an interval of 10 s, in an order that chance makes anew each
 * time.
 *
 * Time is the stream's own, and lies days back, so that a benchmark need not
 * wait for a period to pass. */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include "host.h"

#include <stddef.h>
#include <stdint.h>

#define STREAM_INTERVAL_S 10
#define STREAM_PERIOD 6 /* intervals in a period of a minute */

struct stream;

/* Identifiers: host-instance-type_instance, 100 of each host, all of one plugin
 * and type. */
#define STREAM_PLUGIN "tcpconns"
struct stream *stream_new(size_t n);
void stream_free(struct stream *stream);

/* Gives each identifier's value to the writer, interval after interval, with as
 * many threads at once, each of which has identifiers of its own.
 *
 * What is timed are the callbacks alone.  With one thread it is the processor
 * time between two looks at the clock, a handful of callbacks apart, as the
 * texts of a value that the daemon has just looked up itself are in the nearest
 * cache.  With several it is the time that all take together: the machine may
 * have fewer processors than there are threads.  What the same takes with a
 * callback that does nothing is taken off. */
struct stream_cost {
  uint64_t values;
  double ns;            /* for each value */
  uint64_t allocations; /* by the callbacks */
};
struct stream_cost stream_play(struct stream *stream,
                               const struct writer *writer, size_t n_threads,
                               size_t n_intervals);

/* Bytes of the five texts of identifier i, with a NUL each. */
size_t stream_key_bytes(const struct stream *stream, size_t i);
/* One of them, as "%{...}" has it; for what is made of it. */
const char *stream_host(const struct stream *stream, size_t i);

#endif
