#include "run/skew.h"

bool skew_is_large(int64_t difference_s) {
  return difference_s <= -SKEW_MIN_S || difference_s >= SKEW_MIN_S;
}

enum skew_state skew_state(const struct skew *skew, const struct clocks *now) {
  int64_t passed_ms = now->steady_ms - skew->at.steady_ms;
  int64_t stepped_ms = now->wall_ms - skew->at.wall_ms - passed_ms;

  if (skew->offset_s == 0)
    return SKEW_NONE;
  if (stepped_ms < -SKEW_STEP_MS || stepped_ms > SKEW_STEP_MS)
    return SKEW_STEPPED;
  return passed_ms > SKEW_HOLDS_MS ? SKEW_OLD : SKEW_HOLDS;
}

int64_t skew_offset_s(const struct skew *skew, const struct clocks *now) {
  return skew_state(skew, now) == SKEW_HOLDS ? skew->offset_s : 0;
}

bool skew_learn(struct skew *skew, enum skew_cause cause, int64_t date_s,
                const struct clocks *received) {
  int64_t used_s = skew_offset_s(skew, received);
  int64_t found_s = date_s - received->wall_ms / 1000;

  switch (cause) {
  case SKEW_ACCEPTED:
    if (skew->offset_s == 0)
      return false;
    /* A small one was asked for by a service that is strict: it stays. */
    if (skew_is_large(skew->offset_s) && !skew_is_large(found_s))
      found_s = 0;
    break;
  case SKEW_SUSPECTED:
    if (!skew_is_large(found_s - used_s))
      return false;
    break;
  case SKEW_REFUSED:
    break;
  }
  *skew = (struct skew){found_s, *received};
  return found_s != used_s;
}
