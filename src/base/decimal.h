/* decimal: the digits of most doubles by integers alone.
 *
 * A double from 2^-11 up to 10^15 is a whole number and 64 bits of a fraction,
 * exactly.  So its digits come by multiplying the fraction by 10, and how far a
 * rounded number is from the double is known without reading it back: some 20
 * times as fast as the C library, and in no locale. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/buf.h"

#include <stdbool.h>

/* Appends 0, or a value of a magnitude from 2^-11 to less than 10^15, as the
 * shortest of "%.15g", "%.16g" and "%.17g" that reads back as the same number
 * would be in the C locale.  False for any other value, -0 too, and nothing is
 * appended. */
bool decimal_put(struct buf *out, double value);

#endif
