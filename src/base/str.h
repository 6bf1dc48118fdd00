/* str: borrowed slices of text, and numbers to text and back.
 *
 * A struct str owns nothing: it points into memory that somebody else keeps.
 * Everything here is independent of the locale, because the daemon's plugins
 * may change it at any time. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
  const char *p; /* not NUL-terminated in general; NULL only when len is 0 */
  size_t len;    /* bytes */
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

/* A slice over a whole C string; NULL gives the empty slice. */
struct str str_of(const char *text);

/* A slice over what a buffer holds; empty when it failed.  Valid until the next
 * changing call. */
struct str str_of_buf(const struct buf *b);

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);

/* What stands from byte at on; at <= s.len. */
struct str str_from(struct str s, size_t at);

/* The offset of the first what in s, s.len when there is none; what is not
 * empty. */
size_t str_find(struct str s, struct str what);

/* ASCII, whatever the locale; false for NUL. */
bool str_is_digit(char c);
bool str_is_alnum(char c);

/* Control characters are the bytes below 0x20, of which tab is one, and 0x7f.
 */
bool str_has_control(struct str s);

/* Whether it can be the value of an HTTP header (RFC 9110, section 5.5): no
 * control characters but tabs.  A line break would end the header there. */
bool str_is_field_value(struct str s);

/* Whether there are neither blanks nor control characters in it. */
bool str_is_word(struct str s);

/* Whether all of it is UTF-8 as RFC 3629 has it: no surrogates, no character in
 * a longer form than it needs. */
bool str_is_utf8(struct str s);

/* s without blanks, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);

/* Takes from *rest all that stands before the first sep, and sep.  When there
 * is no sep, takes all.  False when *rest was empty and nothing was taken. */
bool str_split(struct str *rest, char sep, struct str *part);

/* A copy on the heap, NUL-terminated, the caller's to free(); NULL is lack of
 * memory. */
char *str_dup(struct str s);

/* Decimal digits only, the whole slice.  0, or -1 when it is no such number or
 * does not fit. */
int str_to_u64(struct str s, uint64_t *out);

/* The whole slice as a number as JSON writes it ("-1", "2.5", "1e-3"; RFC 8259
 * section 6).  0, or -1 when it is no number, not finite, or longer than
 * STR_NUMBER_MAX bytes. */
#define STR_NUMBER_MAX 512
int str_to_double(struct str s, double *out);

/* Appends the shortest of "%.15g", "%.16g" and "%.17g" that reads back as the
 * same number.  A value that is not finite marks the buffer failed. */
void str_put_double(struct buf *out, double value);

/* Appends s with its ASCII capitals made small. */
void str_put_lower(struct buf *out, struct str s);

/* Appends s with all but the unreserved characters of RFC 3986, section 2.3,
 * percent-encoded (section 2.1, capital digits): so a blank is "%20", never
 * "+", the form that signing and all readers agree on. */
void str_put_percent(struct buf *out, struct str s);

/* 64-bit FNV-1a of the bytes, continued from seed; start with STR_HASH_SEED,
 * or with a random number where strangers choose the text. */
#define STR_HASH_SEED UINT64_C(0xcbf29ce484222325)
uint64_t str_hash(uint64_t seed, const void *data, size_t len);

/* The number of single-character edits (ASCII case ignored) between two words
 * of at most 64 bytes; for "did you mean".  Longer words give SIZE_MAX. */
size_t str_distance(struct str a, struct str b);

#endif
