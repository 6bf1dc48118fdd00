/* retry: when to try again.
 *
 * Exponential back-off with full jitter (AWS Architecture Blog, "Exponential
 * Backoff And Jitter"), told the time and the dice. */
#ifndef AWS_RETRY_H
#define AWS_RETRY_H

#include <stdint.h>

struct retry {
  unsigned n_failed; /* in a row */
};

#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS (5 * 60 * 1000)
#define RETRY_SLOW_MS (60 * 1000) /* base when only a person can help */

/* Counts one failure and says when to try again.
 *
 * now_ms     any clock that goes steadily, milliseconds
 * base_ms    RETRY_BASE_MS or RETRY_SLOW_MS
 * at_least_ms  what the server asked for, 0 to RETRY_CAP_MS; 0: nothing
 * dice       uniform in [0, 1)
 *
 * The wait is dice x min(base x 2^(failures - 1), cap), not below
 * at_least_ms nor below a tenth of base. */
int64_t retry_next(struct retry *retry, int64_t now_ms, int64_t base_ms,
                   int64_t at_least_ms, double dice);

void retry_reset(struct retry *retry);

#endif
