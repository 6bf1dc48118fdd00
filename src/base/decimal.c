#include "base/decimal.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VALUE_MIN 0x1p-11
#define VALUE_END 1e15 /* from here on "%.15g" has an exponent */

/* Fewer need not be tried: a number that fewer tell ends in zeros.  More are
 * never needed (IEEE 754, section 5.12.2). */
#define DIGITS_FIRST 15
#define DIGITS_LAST 17

#define MANTISSA_BITS 52 /* that are stored; there is one more */
#define EXPONENT_BIAS 1075

/* A value on the way to its digits. */
struct work {
  uint64_t part; /* what no digit stands for yet: 2^64 is 1 in the last one */
  uint64_t half; /* half the way to the next double, likewise; or the greatest
                    number, if it is more */
  char digits[DIGITS_LAST + 3]; /* without a point; three zeros at most before
                                   the first that counts */
  size_t n;
  size_t n_whole; /* of them stand before the point; 0 for a value below 1 */
};

/* Shifts the point of a fraction by one decimal; the digit that passes it. */
static unsigned shift(uint64_t *fraction) {
  uint64_t low = (*fraction & UINT32_MAX) * 10;
  uint64_t high = (*fraction >> 32) * 10 + (low >> 32);
  *fraction = high << 32 | (low & UINT32_MAX);
  return (unsigned)(high >> 32);
}

static void put_whole(struct work *w, uint64_t whole) {
  char digits[DIGITS_LAST];
  size_t at = sizeof(digits);

  for (; whole > 0; whole /= 10)
    digits[--at] = (char)('0' + whole % 10);
  w->n = w->n_whole = sizeof(digits) - at;
  memcpy(w->digits, digits + at, w->n);
}

/* The value is the mantissa divided by 2^down: what is shifted out to the right
 * is its fraction. */
static void begin(struct work *w, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  uint64_t stored = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
  uint64_t mantissa = stored | UINT64_C(1) << MANTISSA_BITS;
  unsigned down = EXPONENT_BIAS - (unsigned)(bits >> MANTISSA_BITS); /* 3-63 */

  w->part = mantissa << (64 - down);
  w->half = UINT64_C(1) << (63 - down);
  put_whole(w, mantissa >> down);
}

static void put_digit(struct work *w) {
  unsigned digit = shift(&w->part);

  if (shift(&w->half) > 0)
    w->half = UINT64_MAX;
  w->digits[w->n++] = (char)('0' + digit);
}

/* Rounds the digits that are there as printf() does, to the nearest and to the
 * even of two.  False, and they are as before, when they would then be read
 * back as another number, which 17 digits never are.
 *
 * Below a power of 2 the doubles lie closer together, but all powers in the
 * range have so few digits that nothing of them is rounded.  Nor can a round
 * number be so near to a double that the carry passes the first digit. */
static bool round_off(struct work *w) {
  const uint64_t middle = UINT64_C(1) << 63;
  bool is_odd = (w->digits[w->n - 1] & 1) != 0;
  bool is_up = w->part > middle || (w->part == middle && is_odd);
  uint64_t error = is_up ? -w->part : w->part;

  if (error >= w->half)
    return false;
  for (size_t i = w->n; is_up && i-- > 0;) {
    is_up = w->digits[i] == '9';
    w->digits[i] = is_up ? '0' : (char)(w->digits[i] + 1);
  }
  return true;
}

static void make_digits(struct work *w) {
  while (w->part > 0 && (w->n < DIGITS_FIRST || !round_off(w)))
    put_digit(w);
}

static void put_digits(struct buf *out, const struct work *w) {
  size_t n = w->n;

  while (n > w->n_whole && w->digits[n - 1] == '0')
    n--;
  if (w->n_whole == 0)
    buf_putc(out, '0');
  buf_put(out, w->digits, w->n_whole);
  if (n > w->n_whole) {
    buf_putc(out, '.');
    buf_put(out, w->digits + w->n_whole, n - w->n_whole);
  }
}

bool decimal_put(struct buf *out, double value) {
  double magnitude = fabs(value);
  struct work w;

  if (value == 0 && !signbit(value)) {
    buf_putc(out, '0');
    return true;
  }
  if (!(magnitude >= VALUE_MIN && magnitude < VALUE_END))
    return false;
  if (value < 0)
    buf_putc(out, '-');
  begin(&w, magnitude);
  make_digits(&w);
  put_digits(out, &w);
  return true;
}
