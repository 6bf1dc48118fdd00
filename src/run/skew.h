/* skew: how far the clock of AWS is from this host's, told the times.
 *
 * What is known comes from the Date of answers that AWS wrote, taken less this
 * host's wall clock at the moment when the answer came in: never less the time
 * that was signed with, as a process may have been stopped in between.
 *
 * An offset holds for the wall clock that it was measured with.  When that is
 * stepped, which shows against the steady clock, the offset is worth nothing:
 * mostly the clock has just been put right, and what it stamps must not be
 * judged by an old fault.  A suspended host looks the same, as its steady clock
 * stands still meanwhile.  A clock that is slewed takes the steady one along,
 * so an offset is not believed for more than an hour either.  Whichever it is,
 * the worst that follows is one more request that is refused, and its answer
 * tells the time again. */
#ifndef RUN_SKEW_H
#define RUN_SKEW_H

#include "run/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct skew {
  int64_t offset_s; /* the clock of AWS less this host's; 0: none is known */
  struct clocks at; /* when it was measured */
};

#define SKEW_MIN_S 240    /* AWS allows 300; the way takes some */
#define SKEW_STEP_MS 5000 /* what the two clocks here may differ by */
#define SKEW_HOLDS_MS (60 * 60 * 1000)

/* Whether a difference of two clocks explains that a signature was refused. */
bool skew_is_large(int64_t difference_s);

enum skew_state {
  SKEW_NONE,    /* no offset is known, as when all is well */
  SKEW_HOLDS,   /* the offset is in use */
  SKEW_STEPPED, /* the wall clock was stepped since: it is not */
  SKEW_OLD,     /* nothing was heard of for too long: it is not */
};
enum skew_state skew_state(const struct skew *skew, const struct clocks *now);

/* The offset in seconds to add to the wall clock; 0 unless SKEW_HOLDS. */
int64_t skew_offset_s(const struct skew *skew, const struct clocks *now);

/* What an answer says about the clocks, beside its Date. */
enum skew_cause {
  SKEW_ACCEPTED,  /* the signature was good */
  SKEW_SUSPECTED, /* nothing, or that it was not, for whatever reason */
  SKEW_REFUSED,   /* it was too old, or not valid yet */
};

/* Learns from an answer.  What was refused for the clock sets the offset; where
 * the Date alone tells, it has to differ by SKEW_MIN_S from what was believed;
 * what was accepted ends the offset when the clocks agree again, else measures
 * it anew.
 *
 * date_s    of the answer, since 1970 UTC
 * received  this host's clocks when it came in
 * Whether the offset in use is another now, so that the same request may be
 * accepted if it is signed again. */
bool skew_learn(struct skew *skew, enum skew_cause cause, int64_t date_s,
                const struct clocks *received);

#endif
