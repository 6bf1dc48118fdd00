/* baseline: what a value costs at the least, by design: a mutex, the hash of
 * the five texts, the look-up, the comparison, and an addition.
 *
 * It has the shape of a write callback.  With more than one shard each has a
 * mutex and a table of its own. */
#ifndef BENCH_BASELINE_H
#define BENCH_BASELINE_H

#include "host.h"

struct baseline;

/* n_series is what there will be; n_shards a power of 2. */
struct baseline *baseline_new(size_t n_series, size_t n_shards);
void baseline_free(struct baseline *baseline);

struct writer baseline_writer(struct baseline *baseline);

/* Values that were added, ever. */
uint64_t baseline_count(const struct baseline *baseline);

#endif
