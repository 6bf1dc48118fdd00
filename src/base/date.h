/* date: civil time and epoch seconds, by integer arithmetic only.
 *
 * All times are UTC in the proleptic Gregorian calendar; leap seconds do not
 * exist, as in POSIX.  Neither the C library's locale nor its time zone has a
 * say. */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

/* The forms below hold years 1970 to 9999: seconds 0 to DATE_MAX.  Appending
 * a time outside marks the buffer failed. */
#define DATE_MAX INT64_C(253402300799)

/* Appends "2015-08-30T12:36:00Z" (ISO 8601, as AWS Query wants timestamps). */
void date_put_iso(struct buf *out, int64_t seconds);

/* Appends "20150830T123600Z" (ISO 8601 basic form, as SigV4 wants it).  Its
 * first eight characters are the date of a credential scope. */
void date_put_basic(struct buf *out, int64_t seconds);

/* Reads an RFC 3339 / ISO 8601 time: extended or basic form, fraction ignored,
 * "Z", "+hh:mm", "-hhmm" or nothing (taken as UTC).  A leap second, :60, reads
 * as :59.  0, or -1 when it is no such time or lies outside 1970 to 9999. */
int date_parse_iso(struct str text, int64_t *seconds);

/* Reads an HTTP date as RFC 9110 section 5.6.7 says servers must send it
 * ("Sun, 06 Nov 1994 08:49:37 GMT").  The day of the week must be the right
 * one: a clock is set by this date, so a doubtful one is refused.  0, or -1. */
int date_parse_http(struct str text, int64_t *seconds);

#endif
