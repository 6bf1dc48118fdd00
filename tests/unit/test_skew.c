#include "run/skew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define WALL INT64_C(1700000000) /* s; the steady clock says 1000 then */

/* Both clocks of this host, after so many seconds, the wall clock stepped by so
 * many. */
static struct clocks after(int64_t passed_s, int64_t stepped_s) {
  return (struct clocks){(WALL + passed_s + stepped_s) * 1000,
                         (1000 + passed_s) * 1000};
}

static struct skew known(int64_t offset_s) {
  return (struct skew){offset_s, after(0, 0)};
}

static void answers_teach(void **state) {
  (void)state;
  static const struct {
    const char *label;
    int64_t known_s; /* before */
    enum skew_cause cause;
    int64_t date_s; /* less the wall clock */
    int64_t want_s;
    bool is_new;
  } cases[] = {
      {"refused, behind", 0, SKEW_REFUSED, 1200, 1200, true},
      {"refused, ahead", 0, SKEW_REFUSED, -10800, -10800, true},
      {"refused, though by little", 0, SKEW_REFUSED, 20, 20, true},
      {"refused, with the time that it says", 1200, SKEW_REFUSED, 1200, 1200,
       false},
      {"refused, and our own clock was right", 1200, SKEW_REFUSED, 0, 0, true},
      {"refused, with our own clock, which is right", 0, SKEW_REFUSED, 0, 0,
       false},
      {"refused, the offset has changed", 1200, SKEW_REFUSED, 1500, 1500, true},

      {"suspected, by four minutes", 0, SKEW_SUSPECTED, 240, 240, true},
      {"suspected, by less", 0, SKEW_SUSPECTED, 239, 0, false},
      {"suspected, four minutes ahead", 0, SKEW_SUSPECTED, -240, -240, true},
      {"suspected, by less ahead", 0, SKEW_SUSPECTED, -239, 0, false},
      {"suspected, but it was signed with that", 1200, SKEW_SUSPECTED, 1300,
       1200, false},
      {"suspected, and our own clock is right", 1200, SKEW_SUSPECTED, 3, 3,
       true},

      {"accepted, nothing known", 0, SKEW_ACCEPTED, 1000, 0, false},
      {"accepted, as before", 1200, SKEW_ACCEPTED, 1200, 1200, false},
      {"accepted, our clock is slewed", 1200, SKEW_ACCEPTED, 1100, 1100, true},
      {"accepted, our clock is right again", 1200, SKEW_ACCEPTED, 239, 0, true},
      {"accepted, not quite right", 1200, SKEW_ACCEPTED, 240, 240, true},
      {"accepted, right again, was ahead", -9000, SKEW_ACCEPTED, -239, 0, true},
      {"accepted, by a strict service", 20, SKEW_ACCEPTED, 21, 21, true},
  };
  for (size_t i = 0; i < N(cases); i++) {
    struct skew skew = known(cases[i].known_s);
    struct clocks now = after(60, 0);
    bool is_new =
        skew_learn(&skew, cases[i].cause, WALL + 60 + cases[i].date_s, &now);
    int64_t got_s = skew_offset_s(&skew, &now);
    if (is_new != cases[i].is_new || got_s != cases[i].want_s)
      fail_msg("%s: %lld, %d", cases[i].label, (long long)got_s, is_new);
  }
}

static void an_offset_is_of_the_clock_it_was_measured_with(void **state) {
  (void)state;
  static const struct {
    const char *label;
    int64_t passed_s, stepped_s;
    enum skew_state want;
  } cases[] = {
      {"at once", 0, 0, SKEW_HOLDS},
      {"a little off", 600, 4, SKEW_HOLDS},
      {"a little off, back", 600, -4, SKEW_HOLDS},
      {"stepped", 600, 6, SKEW_STEPPED},
      {"stepped back", 600, -6, SKEW_STEPPED},
      {"put right", 600, -10800, SKEW_STEPPED},
      {"suspended for a day: the steady clock stood still", 5, 86400,
       SKEW_STEPPED},
      {"suspended, and the clock of the board is years behind", 5,
       -INT64_C(100000000), SKEW_STEPPED},
      {"stepped and stepped again to where it was", 700, 0, SKEW_HOLDS},
      {"for an hour", 3600, 0, SKEW_HOLDS},
      {"for longer, unheard of", 3601, 0, SKEW_OLD},
      {"stepped long ago", 7200, 3600, SKEW_STEPPED},
  };
  for (size_t i = 0; i < N(cases); i++) {
    struct skew skew = known(1200);
    struct clocks now = after(cases[i].passed_s, cases[i].stepped_s);
    int64_t want_s = cases[i].want == SKEW_HOLDS ? 1200 : 0;
    if (skew_state(&skew, &now) != cases[i].want ||
        skew_offset_s(&skew, &now) != want_s)
      fail_msg("%s: %d", cases[i].label, skew_state(&skew, &now));
  }
  struct skew none = known(0);
  struct clocks now = after(60, 86400);
  assert_int_equal(skew_state(&none, &now), SKEW_NONE);
}

/* The clock was wrong, and another fault takes its place. */
static void what_is_stepped_is_measured_anew(void **state) {
  (void)state;
  struct skew skew = known(-10800);
  struct clocks now = after(60, -9600); /* 20 minutes fast are left */
  assert_int_equal(skew_offset_s(&skew, &now), 0);
  assert_true(skew_learn(&skew, SKEW_REFUSED, now.wall_ms / 1000 - 1200, &now));
  assert_int_equal(skew_offset_s(&skew, &now), -1200);
  now = after(3600, -9600);
  assert_int_equal(skew_offset_s(&skew, &now), -1200);
}

/* What is accepted without it ends an offset that was not in use any more. */
static void what_is_of_no_use_is_forgotten(void **state) {
  (void)state;
  struct skew skew = known(1200);
  struct clocks stepped = after(60, 1200), late = after(7200, 0);

  assert_false(
      skew_learn(&skew, SKEW_ACCEPTED, stepped.wall_ms / 1000, &stepped));
  assert_int_equal(skew_state(&skew, &stepped), SKEW_NONE);
  skew = known(1200);
  assert_false(skew_learn(&skew, SKEW_ACCEPTED, late.wall_ms / 1000, &late));
  assert_int_equal(skew_state(&skew, &late), SKEW_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_teach),
      cmocka_unit_test(an_offset_is_of_the_clock_it_was_measured_with),
      cmocka_unit_test(what_is_stepped_is_measured_anew),
      cmocka_unit_test(what_is_of_no_use_is_forgotten),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
