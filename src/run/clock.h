/* clock: wall and steady time, and randomness: the only file that asks. */
#ifndef RUN_CLOCK_H
#define RUN_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);   /* since 1970 UTC; may be stepped */
int64_t clock_steady_ms(void); /* since some start; never goes back */

/* The wall clock in seconds for those who ask all the time: up to a tick, some
 * milliseconds, behind. */
int64_t clock_wall_s(void);

/* Both at one moment. */
struct clocks {
  int64_t wall_ms;
  int64_t steady_ms;
};
static inline struct clocks clock_both(void) {
  return (struct clocks){clock_wall_ms(), clock_steady_ms()};
}

/* Uniform in [0, 1), unpredictable. */
double clock_dice(void);
uint64_t clock_random(void);

#endif
