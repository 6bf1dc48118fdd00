#include "base/buf.h"

#include "base/digest.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first memory of a buffer: enough for most short texts. */
#define FIRST_CAP 64

void buf_fail(struct buf *b) {
  b->len = 0;
  b->failed = true;
}

/* Gives the memory exactly cap bytes; false, and it is as before, when there
 * are none. */
static bool resize(struct buf *b, size_t cap) {
  char *data = b->borrowed ? NULL : realloc(b->data, cap);
  if (data == NULL)
    return false;
  b->data = data;
  b->cap = cap;
  return true;
}

/* Whether len more bytes are allowed; then their sum with the NUL does not
 * overflow either. */
static bool allow(const struct buf *b, size_t len) {
  return !b->failed && len <= b->limit - b->len && len < SIZE_MAX - b->len;
}

bool buf_make_room(struct buf *b, size_t len) {
  if (!allow(b, len))
    return false;

  size_t need = b->len + len + 1;
  if (need <= b->cap)
    return true;

  size_t most = b->limit < SIZE_MAX ? b->limit + 1 : SIZE_MAX;
  size_t cap = b->cap < FIRST_CAP / 2 ? FIRST_CAP / 2 : b->cap;
  cap = cap > most / 2 ? most : cap * 2;
  return resize(b, cap < need ? need : cap);
}

static bool grow(struct buf *b, size_t len) {
  if (buf_make_room(b, len))
    return true;
  buf_fail(b);
  return false;
}

/* Room for len more bytes and the NUL, or failure; the usual case without a
 * call. */
static inline bool has_room(struct buf *b, size_t len) {
  if (!b->failed && len < b->cap - b->len && len <= b->limit - b->len)
    return true;
  return grow(b, len);
}

void buf_put(struct buf *b, const void *data, size_t len) {
  char *added = len > 0 ? buf_extend(b, len) : NULL;
  if (added != NULL)
    memcpy(added, data, len);
}

char *buf_extend(struct buf *b, size_t len) {
  if (!has_room(b, len))
    return NULL;
  char *added = b->data + b->len;
  b->len += len;
  b->data[b->len] = '\0';
  return added;
}

void buf_puts(struct buf *b, const char *text) {
  buf_put(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c) {
  char *added = buf_extend(b, 1);
  if (added != NULL)
    *added = c;
}

void buf_printf(struct buf *b, const char *format, ...) {
  if (b->failed)
    return;

  /* Into the spare room first: mostly it is enough. */
  size_t room = b->data == NULL ? 0 : b->cap - b->len;
  va_list args;
  va_start(args, format);
  int n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, format, args);
  va_end(args);
  if (n < 0) {
    buf_fail(b);
    return;
  }

  size_t len = (size_t)n;
  bool written = len < room;
  if (len == 0 || !grow(b, len))
    return;
  if (!written) {
    va_start(args, format);
    n = vsnprintf(b->data + b->len, len + 1, format, args);
    va_end(args);
    if (n < 0 || (size_t)n != len) {
      buf_fail(b);
      return;
    }
  }
  b->len += len;
}

void buf_reserve(struct buf *b, size_t len) {
  if (!allow(b, len) ||
      (b->len + len + 1 > b->cap && !resize(b, b->len + len + 1)))
    buf_fail(b);
}

bool buf_ok(const struct buf *b) { return !b->failed; }

const char *buf_str(const struct buf *b) { return b->len > 0 ? b->data : ""; }

void buf_reset(struct buf *b) {
  b->len = 0;
  b->failed = false;
}

void buf_cut(struct buf *b, size_t len) {
  if (len >= b->len)
    return;
  b->len = len;
  b->data[len] = '\0';
}

void buf_clear(struct buf *b) {
  if (!b->borrowed) {
    free(b->data);
    b->data = NULL;
    b->cap = 0;
  }
  buf_reset(b);
}

void buf_wipe(struct buf *b) {
  digest_wipe(b->data, b->cap);
  buf_clear(b);
}

void buf_move(struct buf *to, struct buf *from) {
  if (to == from)
    return;
  buf_clear(to);
  if (from->failed || from->len > to->limit) {
    buf_clear(from);
    buf_fail(to);
    return;
  }
  to->data = from->data;
  to->len = from->len;
  to->cap = from->cap;
  from->data = NULL;
  from->cap = 0;
  buf_reset(from);
}
