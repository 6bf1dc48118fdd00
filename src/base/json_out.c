#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct json_out {
  struct buf *to;
  bool is_object[JSON_DEPTH_MAX]; /* what is open: an object or an array */
  size_t depth;
  char separator; /* before what comes: ':' after a member's name, ',' after a
                     value, 0 where nothing stands before */
  bool complete;  /* a whole text was written */
  bool failed;    /* or not begun: then everything is quiet */
};

struct json_out *json_out_new(void) {
  struct json_out *out = calloc(1, sizeof(*out));
  if (out != NULL)
    out->failed = true;
  return out;
}

void json_out_free(struct json_out *out) { free(out); }

void json_begin(struct json_out *out, struct buf *to) {
  *out = (struct json_out){.to = to};
}

static bool in_object(const struct json_out *out) {
  return out->depth > 0 && out->is_object[out->depth - 1];
}

/* Whether a value, or a name, may stand here; if not, the text is failed. */
static bool may_stand(struct json_out *out, bool is_name) {
  if (out->complete || (in_object(out) && out->separator != ':' && !is_name))
    out->failed = true;
  return !out->failed;
}

/* Whether a value may be written, and what separates it is. */
static bool enter(struct json_out *out) {
  if (!may_stand(out, false))
    return false;
  if (out->separator != 0)
    buf_putc(out->to, out->separator);
  return true;
}

/* Notes that a value or a name has been written. */
static void leave(struct json_out *out) {
  bool was_name = in_object(out) && out->separator != ':';
  out->separator = was_name ? ':' : ',';
  out->complete = out->depth == 0;
}

static void open_bracket(struct json_out *out, bool is_object) {
  if (!enter(out))
    return;
  if (out->depth == JSON_DEPTH_MAX) {
    out->failed = true;
    return;
  }
  buf_putc(out->to, is_object ? '{' : '[');
  out->is_object[out->depth++] = is_object;
  out->separator = 0;
}

static void close_bracket(struct json_out *out, bool is_object) {
  if (out->depth == 0 || out->is_object[out->depth - 1] != is_object ||
      out->separator == ':')
    out->failed = true;
  if (out->failed)
    return;
  buf_putc(out->to, is_object ? '}' : ']');
  out->depth--;
  out->separator = ',';
  out->complete = out->depth == 0;
}

void json_open_object(struct json_out *out) { open_bracket(out, true); }
void json_close_object(struct json_out *out) { close_bracket(out, true); }
void json_open_array(struct json_out *out) { open_bracket(out, false); }
void json_close_array(struct json_out *out) { close_bracket(out, false); }

/* ---- strings ------------------------------------------------------------ */

/* What a character must be written as (RFC 8259, section 7). */
static void put_escape(struct buf *to, unsigned char c) {
  static const char short_forms[][2] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'},
                                        {'\f', 'f'}, {'\n', 'n'},  {'\r', 'r'},
                                        {'\t', 't'}};

  for (size_t i = 0; i < sizeof(short_forms) / sizeof(short_forms[0]); i++)
    if (short_forms[i][0] == (char)c) {
      buf_putc(to, '\\');
      buf_putc(to, short_forms[i][1]);
      return;
    }
  buf_printf(to, "\\u%04x", (unsigned)c);
}

/* Whether a character of ASCII stands for itself. */
static bool is_plain(unsigned char c) {
  return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

/* The same of eight at once: a byte from which something greater is taken away
 * borrows, which sets its highest bit, as all have that are not ASCII. */
static bool are_plain(const char *eight) {
  const uint64_t each = UINT64_C(0x0101010101010101);
  uint64_t text, quote, backslash;

  memcpy(&text, eight, sizeof(text));
  quote = text ^ each * '"'; /* 0 where there is one */
  backslash = text ^ each * '\\';
  return ((text | (text - each * ' ') | (quote - each) | (backslash - each)) &
          each * 0x80) == 0;
}

static bool is_plain_text(struct str text) {
  size_t n = 0;
  while (n + sizeof(uint64_t) <= text.len && are_plain(text.p + n))
    n += sizeof(uint64_t);
  while (n < text.len && is_plain((unsigned char)text.p[n]))
    n++;
  return n == text.len;
}

/* In one go with what separates it, as most strings are. */
static void put_plain(struct json_out *out, struct str text) {
  size_t first = out->separator != 0;
  char *room = buf_extend(out->to, first + text.len + 2);
  if (room == NULL)
    return;
  room[0] = out->separator;
  room[first] = room[first + 1 + text.len] = '"';
  if (text.len > 0)
    memcpy(room + first + 1, text.p, text.len);
}

static void put_awkward(struct json_out *out, struct str text) {
  if (!str_is_utf8(text))
    out->failed = true;
  if (out->separator != 0)
    buf_putc(out->to, out->separator);
  buf_putc(out->to, '"');
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.p[i];
    if (is_plain(c) || c >= 0x80)
      buf_putc(out->to, text.p[i]);
    else
      put_escape(out->to, c);
  }
  buf_putc(out->to, '"');
}

void json_put_str(struct json_out *out, struct str text) {
  if (!may_stand(out, true))
    return;
  if (is_plain_text(text))
    put_plain(out, text);
  else
    put_awkward(out, text);
  leave(out);
}

/* ---- numbers and the rest ----------------------------------------------- */

void json_put_double(struct json_out *out, double value) {
  if (!enter(out))
    return;
  str_put_double(out->to, value); /* fails the buffer if there is no text */
  leave(out);
}

void json_put_int(struct json_out *out, long long value) {
  char digits[24];
  size_t at = sizeof(digits);
  unsigned long long rest =
      value < 0 ? -(unsigned long long)value : (unsigned long long)value;

  if (!enter(out))
    return;
  do {
    digits[--at] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0)
    digits[--at] = '-';
  buf_put(out->to, digits + at, sizeof(digits) - at);
  leave(out);
}

void json_put_bool(struct json_out *out, bool value) {
  if (!enter(out))
    return;
  buf_puts(out->to, value ? "true" : "false");
  leave(out);
}

void json_put_null(struct json_out *out) {
  if (!enter(out))
    return;
  buf_puts(out->to, "null");
  leave(out);
}

int json_end(struct json_out *out) {
  struct buf *to = out->to;
  bool whole = !out->failed && out->complete;

  out->failed = true; /* quiet until the next json_begin() */
  out->to = NULL;
  if (to == NULL)
    return -1;
  if (!whole)
    buf_fail(to);
  return buf_ok(to) ? 0 : -1;
}
