#include "aws/pace.h"

#define GAP_MAX_MS INT64_C(1000000000000) /* for all that matters, never */

/* Rounded up: the rate is a limit. */
static int64_t gap_of(double rate) {
  double gap_ms = rate > 0 ? 1000 / rate : 0;

  if (gap_ms >= (double)GAP_MAX_MS)
    return GAP_MAX_MS;
  int64_t whole_ms = (int64_t)gap_ms;
  return (double)whole_ms < gap_ms ? whole_ms + 1 : whole_ms;
}

void pace_init(struct pace *pace, double backlog_rate) {
  *pace = (struct pace){.backlog_gap_ms = gap_of(backlog_rate)};
}

void pace_begin(struct pace *pace, int64_t now_ms) { pace->begun_ms = now_ms; }

void pace_take_turn(struct pace *pace) {
  pace->turn_ms = pace->begun_ms + pace->backlog_gap_ms;
}

void pace_throttled(struct pace *pace) {
  pace->gap_ms *= 2;
  if (pace->gap_ms < PACE_GAP_MIN_MS)
    pace->gap_ms = PACE_GAP_MIN_MS;
  if (pace->gap_ms > PACE_GAP_MAX_MS)
    pace->gap_ms = PACE_GAP_MAX_MS;
}

void pace_accepted(struct pace *pace) {
  pace->gap_ms /= 2;
  if (pace->gap_ms < PACE_GAP_MIN_MS)
    pace->gap_ms = 0;
}

void pace_hurry(struct pace *pace) { *pace = (struct pace){0}; }

int64_t pace_next(const struct pace *pace, bool is_backlog) {
  int64_t next_ms = pace->begun_ms + pace->gap_ms;

  return is_backlog && pace->turn_ms > next_ms ? pace->turn_ms : next_ms;
}
