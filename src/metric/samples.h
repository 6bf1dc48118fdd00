/* samples: a list of samples: the numbers of many series, in one array.
 *
 * As the write threads leave it, each entry is one sample.  The node's thread
 * makes lists shorter (fold.h): then one entry may stand for several samples of
 * a series and period. */
#ifndef METRIC_SAMPLES_H
#define METRIC_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct member; /* metric/bind.h */
struct series; /* metric/series.h */

/* A bit of struct sample's n: value is not one of the samples, but the sum of n
 * of them, or what rounding took from it (n is 0). */
#define SAMPLE_SUM (UINT32_C(1) << 31)

/* A bit of struct sample's interval_s: it is a member's value. */
#define SAMPLE_MEMBER (UINT32_C(1) << 31)

/* One number for one series, after Scale, Offset and Round; or, as it comes,
 * the value of a member of a group as it is, for Combine.  Neither leads back
 * to the binding: what the node's thread does to it would take the binding from
 * the caches of the writers' processors. */
struct sample {
  union {
    struct series *series;
    struct member *member; /* with SAMPLE_MEMBER */
  };
  double value;    /* finite */
  uint32_t second; /* since 1970 UTC, of the value list, rounded down */
  union {
    uint32_t interval_s; /* as it comes: of the value list, rounded up */
    /* As it waits to be cut: how often the value came.  0: it is the least or
     * the greatest of those in a sum.  With Statistics "last": its place in the
     * order of coming. */
    uint32_t n;
  };
};

struct samples {
  struct sample *sample; /* owned */
  size_t n, cap;
};

/* Makes room for cap samples.  0, or -1 for lack of memory. */
int samples_reserve(struct samples *samples, size_t cap);

/* Gives back what room there is beyond the samples. */
void samples_fit(struct samples *samples);
void samples_clear(struct samples *samples);

/* Sorts n samples: series in the order of their birth, each in the order of
 * seconds, each of these in the order of values, or with Statistics "last" of
 * coming.  In place, without memory; n log n steps at most. */
void samples_sort(struct sample *sample, size_t n);

#endif
