/* sink: accepts everything, in a thread of its own, on a port of 127.0.0.1, and
 * counts what comes. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdint.h>

struct sink_count {
  uint64_t requests;
  uint64_t data;        /* elements of MetricData */
  uint64_t samples;     /* numbers in them, each as often as Counts says */
  uint64_t body_bytes;  /* as they came, compressed or not */
  uint64_t plain_bytes; /* decompressed */
};

/* Returns the port. */
int sink_start(void);

struct sink_count sink_count(void);

/* Waits until so many samples have come, ever; ends the program if they do not
 * within a minute, or if more do. */
void sink_wait(uint64_t samples);

/* The last body that came with the most data that a request may have, as it was
 * before compression; to be freed.  NULL when there was none. */
char *sink_full_body(void);

#endif
