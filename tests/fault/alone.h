/* alone: the node's thread run by the test's own, with waits that are over at
 * once: both clocks leap, and the test goes on with its story.  For programs
 * that are linked with $(wrap_waits). */
#ifndef TESTS_ALONE_H
#define TESTS_ALONE_H

#include "run/clock.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* The program's: called, without the node's lock, each time the node waits for
 * orders. */
static void go_on(void);

/* The clocks run ahead of the real ones by this. */
static int64_t ahead_ms;

int64_t __real_clock_steady_ms(void);
int64_t __wrap_clock_steady_ms(void);
int64_t __wrap_clock_steady_ms(void) {
  return __real_clock_steady_ms() + ahead_ms;
}

int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void) { return __real_clock_wall_ms() + ahead_ms; }

int64_t __wrap_clock_wall_s(void);
int64_t __wrap_clock_wall_s(void) { return clock_wall_ms() / 1000; }

/* What the disk does later is nothing to these stories, but takes long. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
  (void)fd;
  return 0;
}

/* Between two attempts at the stop. */
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left) {
  (void)left;
  ahead_ms += pause->tv_sec * 1000 + pause->tv_nsec / 1000000 + 1;
  return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until) {
  int64_t until_ms = until->tv_sec * 1000 + until->tv_nsec / 1000000;
  int64_t left_ms = until_ms - clock_steady_ms();

  (void)cond;
  pthread_mutex_unlock(mutex);
  ahead_ms += left_ms > 0 ? left_ms : 0;
  go_on();
  pthread_mutex_lock(mutex);
  return 0;
}

#endif
