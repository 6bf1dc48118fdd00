/* times: what is measured with, in nanoseconds. */
#ifndef BENCH_TIMES_H
#define BENCH_TIMES_H

#include <time.h>

static inline double times_ask(clockid_t which) {
  struct timespec now = {0};
  (void)clock_gettime(which, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Processor time of the calling thread: what else runs on the machine takes no
 * part in it, but for the caches. */
static inline double times_thread_ns(void) {
  return times_ask(CLOCK_THREAD_CPUTIME_ID);
}

/* Time that passes, for several threads. */
static inline double times_wall_ns(void) { return times_ask(CLOCK_MONOTONIC); }

#endif
