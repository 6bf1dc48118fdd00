/* What answers tell of this host's clock, and what is said about it. */
#include "run/clock.h"
#include "run/delivery.h"

#include <stdlib.h>

/* Whether what this host stamps is beyond what CloudWatch accepts, or
 * BufferAge. */
static bool is_out_of_window(const struct delivery *d, int64_t offset_s) {
  return offset_s < -CW_FUTURE_S || offset_s > d->options->buffer_age_s;
}

static void say_wrong(struct delivery *d, int64_t offset_s) {
  static const struct {
    enum log_level level;
    const char *key, *what_follows;
  } texts[] = {
      {SAY_WARNING, "signed",
       "requests are signed with the service's time; repair the clock, the "
       "data carry its time"},
      {SAY_ERROR, "lost",
       "what this host stamps lies too far from the service's time and is "
       "left out, counted, until the clock is right: set it, for example by "
       "chronyc makestep"},
  };
  bool is_lost = is_out_of_window(d, offset_s);

  log_state_bad(
      &d->clock, texts[is_lost].level, d->options->node, clock_steady_ms(),
      texts[is_lost].key, "this host's clock is %lld s %s the service's; %s",
      (long long)llabs(offset_s), offset_s > 0 ? "behind" : "ahead of",
      texts[is_lost].what_follows);
}

void delivery_say_clock(struct delivery *d) {
  const struct skew *skew = &d->session->skew;
  struct clocks now = clock_both();

  switch (skew_state(skew, &now)) {
  case SKEW_OLD: /* nobody knows */
    return;
  case SKEW_HOLDS:
    if (skew_is_large(skew->offset_s)) {
      say_wrong(d, skew->offset_s);
      return;
    }
    break;
  case SKEW_STEPPED:
    (void)log_state_good(&d->clock, d->options->node, now.steady_ms,
                         "this host's clock was set; it is taken to be right");
    return;
  case SKEW_NONE:
    break;
  }
  (void)log_state_good(&d->clock, d->options->node, now.steady_ms,
                       "this host's clock agrees with the service's again");
}

bool delivery_correct_clock(struct delivery *d) {
  bool is_refused = d->reply.class == REPLY_SKEWED;

  if ((!is_refused && d->reply.class != REPLY_UNPROVEN) ||
      !session_learn_clock(
          d->session, is_refused ? SKEW_REFUSED : SKEW_SUSPECTED, &d->answer))
    return false;
  delivery_say_clock(d);
  bool is_first = !d->has_corrected;
  d->has_corrected = true;
  return is_first;
}

void delivery_confirm_clock(struct delivery *d) {
  (void)session_learn_clock(d->session, SKEW_ACCEPTED, &d->answer);
  delivery_say_clock(d);
}

void delivery_learn_time(struct delivery *d) {
  int64_t date_s = http_answer_date_s(&d->answer);
  bool is_of_aws = d->reply.outcome == OUTCOME_SENT || d->reply.code[0] != '\0';

  if (!is_of_aws || date_s <= 0)
    return;
  d->has_time = true;
  d->ahead_of_steady_ms = date_s * 1000 - d->answer.received.steady_ms;
}

int64_t delivery_time_s(const struct delivery *d) {
  return (clock_steady_ms() + d->ahead_of_steady_ms) / 1000;
}
