#include "aws/retry.h"

#include <limits.h>

/* base x 2^(failures - 1), held at the cap.  Doubling stops there, so a
 * million failures take no more steps than twenty. */
static int64_t ceiling_ms(int64_t base_ms, unsigned n_failed) {
  int64_t ceiling = base_ms < 0 ? 0 : base_ms;
  for (unsigned i = 1; i < n_failed && ceiling > 0; i++) {
    if (ceiling >= RETRY_CAP_MS / 2)
      return RETRY_CAP_MS;
    ceiling *= 2;
  }
  return ceiling < RETRY_CAP_MS ? ceiling : RETRY_CAP_MS;
}

/* Into [low, high]; what is not a number becomes low. */
static double clamp_dice(double dice) {
  if (!(dice > 0.0))
    return 0.0;
  return dice < 1.0 ? dice : 1.0;
}

int64_t retry_next(struct retry *retry, int64_t now_ms, int64_t base_ms,
                   int64_t at_least_ms, double dice) {
  if (retry->n_failed < UINT_MAX)
    retry->n_failed++;

  int64_t ceiling = ceiling_ms(base_ms, retry->n_failed);
  int64_t wait = (int64_t)(clamp_dice(dice) * (double)ceiling);

  /* A server's wish is honoured, but not one to be silent for ever. */
  int64_t wish = at_least_ms < RETRY_CAP_MS ? at_least_ms : RETRY_CAP_MS;
  int64_t least = base_ms / 10 < ceiling ? base_ms / 10 : ceiling;
  if (wait < least)
    wait = least;
  if (wait < wish)
    wait = wish;

  return now_ms > INT64_MAX - wait ? INT64_MAX : now_ms + wait;
}

void retry_reset(struct retry *retry) { retry->n_failed = 0; }
