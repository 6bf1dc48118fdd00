/* buf: a byte string that grows up to a limit.
 *
 * Appending does not report failure on the spot.  The first append that would
 * pass the limit, or finds no memory, empties the buffer and marks it failed;
 * every later append does nothing.  So a writer appends freely and asks
 * buf_ok() once, at the end.  A buffer is complete or failed, never cut. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
  char *data;    /* NUL after data[len - 1]; NULL while never written */
  size_t len;    /* bytes, the NUL not counted */
  size_t cap;    /* bytes at data */
  size_t limit;  /* len never passes this */
  bool borrowed; /* data is the caller's array: not grown, not freed */
  bool failed;
};

/* A buffer on the heap that holds at most max bytes, the NUL not counted. */
#define BUF_INIT(max)                                                          \
  { .limit = (max) }

/* A buffer over an array of the caller's, for paths that must not allocate. */
#define BUF_OVER(array)                                                        \
  {                                                                            \
    .data = (array), .cap = sizeof(array), .limit = sizeof(array) - 1,         \
    .borrowed = true                                                           \
  }

void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends len bytes, at least one, that the caller writes at once, to where it
 * returns.  NULL when the buffer is failed, or just did. */
char *buf_extend(struct buf *b, size_t len);

/* Gives the buffer room for len more bytes at once: for what must not leave
 * copies behind by growing (secrets), or is known to be large. */
void buf_reserve(struct buf *b, size_t len);

/* Gives the buffer room for len more bytes by doubling it, so that making room
 * again and again costs linear time, but for no more than the limit needs.
 * False, and the buffer is as before, when it is failed, or the limit or lack
 * of memory is in the way: for what must not be lost with what is added. */
bool buf_make_room(struct buf *b, size_t len);

/* Empties the buffer and marks it failed: for a writer that finds that what it
 * was asked to append has no text. */
void buf_fail(struct buf *b);

/* Whether every append since the last reset has succeeded. */
bool buf_ok(const struct buf *b);

/* The text so far, NUL-terminated; "" when nothing was written or it failed.
 * Borrowed: valid until the next changing call. */
const char *buf_str(const struct buf *b);

/* Empties, keeps the memory, forgives a failure. */
void buf_reset(struct buf *b);

/* Shortens to len bytes; len beyond the present length does nothing. */
void buf_cut(struct buf *b, size_t len);

/* Frees the memory; the limit stays, so the buffer can be used again.  May be
 * called twice. */
void buf_clear(struct buf *b);

/* Overwrites all memory of the buffer with zeros, then clears it. */
void buf_wipe(struct buf *b);

/* The bytes go over to *to, whose own are freed first; *from is empty
 * afterwards.  Each keeps its limit: *to is failed when *from was, or held
 * more than *to may.  Only for buffers on the heap. */
void buf_move(struct buf *to, struct buf *from);

#endif
