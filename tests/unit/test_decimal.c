#include "base/decimal.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define N_RANDOM 400000

/* The definition: the C library's, in the C locale that a test begins in. */
static void print_shortest(char out[32], double value) {
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(out, 32, "%.*g", digits, value);
    if (strtod(out, NULL) == value)
      return;
  }
}

static void assert_shortest(double value) {
  char want[32], array[32];
  struct buf got = BUF_OVER(array);

  print_shortest(want, value);
  if (!decimal_put(&got, value) || strcmp(buf_str(&got), want) != 0)
    fail_msg("%a: \"%s\", not \"%s\"", value, buf_str(&got), want);
}

static void writes_what_printf_would(void **state) {
  (void)state;
  static const double values[] = {
      0,
      1,
      10,
      0.1,
      0.1 + 0.2,
      0.25,
      0.001,
      0.0005,
      0.000999999999999999,
      0.00099999999999999991,
      0.99999999999999989, /* the double before 1 */
      9.9999999999999982,
      1e14,
      99999999999999.98,
      999999999999999,
      999999999999999.88,
      281474976710656.5,  /* to the even of two, with 15 and 16 digits */
      562949953421312.25, /* of which 17 are not all */
      4503599627370.497,
      100.0 * 37 / 4001,
      5123456 / 10.000173,
      0x1p-11,
      0x1.fffffffffffffp-11,
      0x1p49,
      0x1.fffffffffffffp48,
  };
  for (size_t i = 0; i < N(values); i++) {
    assert_shortest(values[i]);
    if (values[i] > 0)
      assert_shortest(-values[i]);
  }
}

static void leaves_the_others_alone(void **state) {
  (void)state;
  static const double values[] = {
      -0.0,     0x1.fffffffffffffp-12,
      1e-4,     4.9406564584124654e-324,
      1e15,     -1e15,
      1e22,     CW_VALUE_MAX,
      INFINITY, -INFINITY,
      NAN,
  };
  for (size_t i = 0; i < N(values); i++) {
    char array[32];
    struct buf got = BUF_OVER(array);
    buf_puts(&got, "before");
    if (decimal_put(&got, values[i]) || strcmp(buf_str(&got), "before") != 0)
      fail_msg("%a: \"%s\"", values[i], buf_str(&got));
  }
}

/* Any mantissa with any exponent of the range; what monitoring yields: rates of
 * an interval that is not quite whole, percentages; and the doubles next to a
 * number of few digits. */
static double draw(struct wire_random *random) {
  uint64_t bits = wire_next(random);
  double whole = (double)(bits % 5000000), value;

  switch (wire_below(random, 4)) {
  case 0:
    return ldexp(1 + (double)(bits >> 12) * 0x1p-52,
                 (int)wire_below(random, 60) - 11);
  case 1:
    return whole / (10 + (double)wire_below(random, 2000) / 1e6);
  case 2:
    return 100 * whole / (double)(5000000 + wire_below(random, 1000));
  default:
    value = whole / pow(10, (double)wire_below(random, 7));
    for (size_t n = wire_below(random, 3); n > 0; n--)
      value = nextafter(value, wire_often(random, 50) ? 1e15 : 0);
    return value;
  }
}

static void random_numbers_are_those_of_printf(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("decimal");
  size_t n_tried = 0;

  for (int i = 0; i < N_RANDOM; i++) {
    double value = draw(&random);
    if (value < 0x1p-11)
      continue;
    assert_shortest(wire_often(&random, 50) ? value : -value);
    n_tried++;
  }
  assert_true(n_tried > N_RANDOM * 9 / 10);
}

static void a_full_buffer_fails(void **state) {
  (void)state;
  for (size_t limit = 0; limit < 8; limit++) {
    struct buf out = BUF_INIT(limit);
    assert_true(decimal_put(&out, -12.25));
    assert_int_equal(buf_ok(&out), limit >= 6);
    buf_clear(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes_what_printf_would),
      cmocka_unit_test(leaves_the_others_alone),
      cmocka_unit_test(random_numbers_are_those_of_printf),
      cmocka_unit_test(a_full_buffer_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
