#include "base/str.h"

#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 64

/* No double is reached by an exponent beyond this, however many digits stand
 * before it. */
#define EXPONENT_END 100000

struct str str_of(const char *text) {
  if (text == NULL)
    return (struct str){NULL, 0};
  return (struct str){text, strlen(text)};
}

/* Not tolower(): its answer depends on the locale. */
static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_is_digit(char c) { return c >= '0' && c <= '9'; }

bool str_is_alnum(char c) {
  return str_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_control(char c) { return (unsigned char)c < 0x20 || c == 0x7f; }

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_of_buf(const struct buf *b) {
  return (struct str){buf_str(b), b->len};
}

bool str_eq(struct str a, struct str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool str_eq_nocase(struct str a, struct str b) {
  if (a.len != b.len)
    return false;
  for (size_t i = 0; i < a.len; i++)
    if (lower(a.p[i]) != lower(b.p[i]))
      return false;
  return true;
}

bool str_has_prefix(struct str s, struct str prefix) {
  return s.len >= prefix.len && str_eq((struct str){s.p, prefix.len}, prefix);
}

bool str_has_suffix(struct str s, struct str suffix) {
  if (suffix.len == 0)
    return true;
  return s.len >= suffix.len &&
         memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0;
}

struct str str_trim(struct str s) {
  while (s.len > 0 && is_blank(s.p[s.len - 1]))
    s.len--;
  while (s.len > 0 && is_blank(*s.p)) {
    s.p++;
    s.len--;
  }
  return s;
}

struct str str_from(struct str s, size_t at) {
  return (struct str){s.p + at, s.len - at};
}

size_t str_find(struct str s, struct str what) {
  for (size_t i = 0; i + what.len <= s.len; i++)
    if (s.p[i] == what.p[0] && memcmp(s.p + i, what.p, what.len) == 0)
      return i;
  return s.len;
}

bool str_has_control(struct str s) {
  for (size_t i = 0; i < s.len; i++)
    if (is_control(s.p[i]))
      return true;
  return false;
}

bool str_is_field_value(struct str s) {
  for (size_t i = 0; i < s.len; i++)
    if (is_control(s.p[i]) && s.p[i] != '\t')
      return false;
  return true;
}

bool str_is_word(struct str s) {
  for (size_t i = 0; i < s.len; i++)
    if (is_control(s.p[i]) || s.p[i] == ' ')
      return false;
  return true;
}

bool str_split(struct str *rest, char sep, struct str *part) {
  if (rest->len == 0)
    return false;

  const char *at = memchr(rest->p, sep, rest->len);
  size_t taken = at == NULL ? rest->len : (size_t)(at - rest->p);
  size_t passed = at == NULL ? taken : taken + 1;
  *part = (struct str){rest->p, taken};
  rest->p += passed;
  rest->len -= passed;
  return true;
}

char *str_dup(struct str s) {
  char *copy = malloc(s.len + 1);
  if (copy == NULL)
    return NULL;
  if (s.len > 0)
    memcpy(copy, s.p, s.len);
  copy[s.len] = '\0';
  return copy;
}

int str_to_u64(struct str s, uint64_t *out) {
  uint64_t sum = 0;

  if (s.len == 0)
    return -1;
  for (size_t i = 0; i < s.len; i++) {
    if (!str_is_digit(s.p[i]))
      return -1;
    uint64_t digit = (uint64_t)(s.p[i] - '0');
    if (sum > (UINT64_MAX - digit) / 10)
      return -1;
    sum = sum * 10 + digit;
  }
  *out = sum;
  return 0;
}

/* Length of the character at p, of which left bytes are there; 0 when it is
 * none.  It is the second byte that rules out what has a shorter form,
 * surrogates, and what lies beyond U+10FFFF. */
static size_t utf8_length(const unsigned char *p, size_t left) {
  size_t n = *p < 0x80   ? 1
             : *p < 0xc2 ? 0
             : *p < 0xe0 ? 2
             : *p < 0xf0 ? 3
             : *p < 0xf5 ? 4
                         : 0;
  if (n < 2)
    return n;
  if (n > left)
    return 0;

  unsigned char low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
  unsigned char high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
  if (p[1] < low || p[1] > high)
    return 0;
  for (size_t i = 2; i < n; i++)
    if (p[i] < 0x80 || p[i] > 0xbf)
      return 0;
  return n;
}

bool str_is_utf8(struct str s) {
  for (size_t at = 0; at < s.len;) {
    size_t n = utf8_length((const unsigned char *)s.p + at, s.len - at);
    if (n == 0)
      return false;
    at += n;
  }
  return true;
}

/* ---- doubles ------------------------------------------------------------ *
 *
 * What the C library reads and writes differs between locales in the decimal
 * point alone.  So a number is given to it without one, "2.5e3" as "25e2", and
 * in what it wrote, the byte or bytes that are no part of any other number are
 * the point.  That asks nobody for the locale, which another thread might be
 * changing just then. */

/* Appends the digits at the front of *s to *to; how many there were. */
static size_t take_digits(struct str *s, struct buf *to) {
  size_t n = 0;
  while (n < s->len && str_is_digit(s->p[n]))
    n++;
  buf_put(to, s->p, n);
  s->p += n;
  s->len -= n;
  return n;
}

static bool take_char(struct str *s, char c) {
  if (s->len == 0 || *s->p != c)
    return false;
  s->p++;
  s->len--;
  return true;
}

/* An exponent, "e-3", or nothing, which is 0. */
static int take_exponent(struct str *s, int *exponent) {
  *exponent = 0;
  if (!take_char(s, 'e') && !take_char(s, 'E'))
    return 0;

  bool negative = take_char(s, '-');
  if (!negative)
    take_char(s, '+');
  if (s->len == 0 || !str_is_digit(*s->p))
    return -1;
  for (; s->len > 0 && str_is_digit(*s->p); s->p++, s->len--)
    if (*exponent < EXPONENT_END)
      *exponent = *exponent * 10 + (*s->p - '0');
  if (negative)
    *exponent = -*exponent;
  return 0;
}

int str_to_double(struct str s, double *out) {
  char array[STR_NUMBER_MAX + 32];
  struct buf text = BUF_OVER(array);
  int exponent;

  if (s.len == 0 || s.len > STR_NUMBER_MAX)
    return -1;
  if (take_char(&s, '-'))
    buf_putc(&text, '-');

  bool zero_first = s.len > 0 && *s.p == '0';
  size_t whole = take_digits(&s, &text);
  if (whole == 0 || (zero_first && whole > 1))
    return -1;

  size_t fraction = 0;
  if (take_char(&s, '.')) {
    fraction = take_digits(&s, &text);
    if (fraction == 0)
      return -1;
  }
  if (take_exponent(&s, &exponent) != 0 || s.len > 0)
    return -1;

  if (exponent != 0 || fraction != 0)
    buf_printf(&text, "e%d", exponent - (int)fraction);
  double value = strtod(buf_str(&text), NULL);
  if (!buf_ok(&text) || !isfinite(value))
    return -1;
  *out = value;
  return 0;
}

static bool is_number_char(char c) {
  return str_is_digit(c) || c == '-' || c == '+' || c == 'e';
}

/* Puts '.' in the place of the locale's decimal point, which may be of several
 * bytes.  The new length. */
static size_t set_point(char *text, size_t len) {
  size_t start = 0, end;

  while (start < len && is_number_char(text[start]))
    start++;
  if (start == len)
    return len;
  for (end = start + 1; end < len && !is_number_char(text[end]);)
    end++;
  text[start] = '.';
  memmove(text + start + 1, text + end, len - end);
  return len - (end - start - 1);
}

void str_put_double(struct buf *out, double value) {
  char text[64];
  size_t len = 0;

  if (!isfinite(value)) {
    buf_fail(out);
    return;
  }
  if (decimal_put(out, value))
    return;
  for (int digits = 15; digits <= 17; digits++) {
    double back;
    int n = snprintf(text, sizeof(text), "%.*g", digits, value);
    if (n < 0 || (size_t)n >= sizeof(text)) {
      buf_fail(out);
      return;
    }
    len = set_point(text, (size_t)n);
    if (str_to_double((struct str){text, len}, &back) == 0 && back == value)
      break;
  }
  buf_put(out, text, len);
}

/* ---- the rest ----------------------------------------------------------- */

void str_put_lower(struct buf *out, struct str s) {
  for (size_t i = 0; i < s.len; i++)
    buf_putc(out, lower(s.p[i]));
}

static bool is_unreserved(char c) {
  return str_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void str_put_percent(struct buf *out, struct str s) {
  static const char hex[] = "0123456789ABCDEF";
  size_t done = 0; /* bytes written, or plain and written in one go later */

  for (size_t i = 0; i < s.len; i++) {
    if (is_unreserved(s.p[i]))
      continue;
    unsigned char byte = (unsigned char)s.p[i];
    char code[] = {'%', hex[byte >> 4], hex[byte & 15]};
    if (i > done)
      buf_put(out, s.p + done, i - done);
    buf_put(out, code, sizeof(code));
    done = i + 1;
  }
  if (s.len > done)
    buf_put(out, s.p + done, s.len - done);
}

uint64_t str_hash(uint64_t seed, const void *data, size_t len) {
  const unsigned char *bytes = data;
  for (size_t i = 0; i < len; i++)
    seed = (seed ^ bytes[i]) * UINT64_C(0x100000001b3);
  return seed;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

size_t str_distance(struct str a, struct str b) {
  /* cost[j]: the edits that turn the part of a seen so far into the first j
   * bytes of b. */
  size_t cost[WORD_MAX + 1];

  if (a.len > WORD_MAX || b.len > WORD_MAX)
    return SIZE_MAX;
  for (size_t j = 0; j <= b.len; j++)
    cost[j] = j;
  for (size_t i = 0; i < a.len; i++) {
    size_t diagonal = cost[0];
    cost[0] = i + 1;
    for (size_t j = 0; j < b.len; j++) {
      size_t replace = diagonal + (lower(a.p[i]) != lower(b.p[j]));
      diagonal = cost[j + 1];
      cost[j + 1] = least(replace, least(diagonal, cost[j]) + 1);
    }
  }
  return cost[b.len];
}
