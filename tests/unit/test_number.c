#include "metric/number.h"

#include "metric/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

static void scales_then_adds_then_rounds(void **state) {
  (void)state;
  static const struct {
    const char *label;
    double value, scale, offset;
    enum rounding rounding;
    double want;
  } cases[] = {
      {"as it is", 1.25, 1, 0, ROUND_NOT, 1.25},
      {"the offset is not scaled", 2, 10, 1, ROUND_NOT, 21},
      {"rounded last", 1.26, 10, 0.5, ROUND_FLOOR, 13},
      {"ceil", 1.1, 1, 0, ROUND_CEIL, 2},
      {"ceil below 0", -1.9, 1, 0, ROUND_CEIL, -1},
      {"floor", 1.9, 1, 0, ROUND_FLOOR, 1},
      {"floor below 0", -1.1, 1, 0, ROUND_FLOOR, -2},
      {"nearest", 1.4, 1, 0, ROUND_NEAREST, 1},
      {"nearest, half", 2.5, 1, 0, ROUND_NEAREST, 3},
      {"nearest, half below 0", -2.5, 1, 0, ROUND_NEAREST, -3},
      {"a whole number stays", 7, 1, 0, ROUND_CEIL, 7},
      {"scale 0", 5, 0, 3, ROUND_NOT, 3},
      {"bytes to MiB", 1048576, 0.00000095367431640625, 0, ROUND_NOT, 1},
      {"infinity stays", INFINITY, 2, 1, ROUND_FLOOR, INFINITY},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct rule rule = {.scale = cases[i].scale,
                        .offset = cases[i].offset,
                        .rounding = cases[i].rounding};
    double got = number_convert(&rule, cases[i].value);
    if (got != cases[i].want)
      fail_msg("%s: %.17g", cases[i].label, got);
  }
}

static void refuses_what_cloudwatch_refuses(void **state) {
  (void)state;
  static const struct {
    double value;
    enum number_check want;
    double becomes;
  } cases[] = {
      {0, NUMBER_OK, 0},
      {-0.0, NUMBER_OK, 0},
      {1, NUMBER_OK, 1},
      {0x1p360, NUMBER_OK, 0x1p360},
      {-0x1p360, NUMBER_OK, -0x1p360},
      {0x1.0000000000001p360, NUMBER_OUT_OF_RANGE, 0},
      {-0x1.0000000000001p360, NUMBER_OUT_OF_RANGE, 0},
      {0x1p-360, NUMBER_OK, 0x1p-360},
      {-0x1p-360, NUMBER_OK, -0x1p-360},
      {0x1.fffffffffffffp-361, NUMBER_OK, 0},
      {-0x1.fffffffffffffp-361, NUMBER_OK, 0},
      {0x1p-1074, NUMBER_OK, 0},
      {1.7976931348623157e308, NUMBER_OUT_OF_RANGE, 0},
      {INFINITY, NUMBER_INFINITE, 0},
      {-INFINITY, NUMBER_INFINITE, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double value = cases[i].value;
    enum number_check got = number_check(&value);
    if (got != cases[i].want)
      fail_msg("%a: %d", cases[i].value, (int)got);
    if (got == NUMBER_OK &&
        (value != cases[i].becomes || (value == 0 && signbit(value))))
      fail_msg("%a became %a", cases[i].value, value);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scales_then_adds_then_rounds),
      cmocka_unit_test(refuses_what_cloudwatch_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
