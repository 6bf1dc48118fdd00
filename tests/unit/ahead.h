/* ahead: a steady clock that the test moves, for programs that are linked with
 * $(wrap_clock). */
#ifndef TESTS_AHEAD_H
#define TESTS_AHEAD_H

#include <stdint.h>

/* The test's clock runs ahead of the real one by this. */
static int64_t ahead_ms;
int64_t __real_clock_steady_ms(void);
int64_t __wrap_clock_steady_ms(void);
int64_t __wrap_clock_steady_ms(void) {
  return __real_clock_steady_ms() + ahead_ms;
}

#endif
