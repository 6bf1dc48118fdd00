#include "base/gzip.h"

#include <limits.h>

#define ZLIB_CONST
#include <zlib.h>

/* A third more bytes than zlib's default leaves, at a third of its time;
 * HACKING has the figures. */
#define LEVEL 1

/* The largest window and, by the 16, a gzip wrapper; its header then holds no
 * time and no name. */
#define WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL 8

#define STEP_BYTES 4096

/* Compresses what stands before the stream, to its end.  Ends early when out
 * is failed. */
static int run_stream(z_stream *stream, size_t left, struct buf *out) {
  unsigned char step[STEP_BYTES];
  int rc = Z_OK;

  while (rc != Z_STREAM_END) {
    /* zlib counts in unsigned int, which may be less than size_t. */
    if (stream->avail_in == 0 && left > 0) {
      stream->avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
      left -= stream->avail_in;
    }
    stream->next_out = step;
    stream->avail_out = sizeof(step);
    rc = deflate(stream, left > 0 ? Z_NO_FLUSH : Z_FINISH);
    if (rc != Z_OK && rc != Z_STREAM_END)
      return -1;
    buf_put(out, step, sizeof(step) - stream->avail_out);
    if (!buf_ok(out))
      return -1;
  }
  return 0;
}

int gzip_put(struct buf *out, const void *data, size_t len) {
  z_stream stream = {.next_in = data};

  if (!buf_ok(out))
    return -1;
  if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    buf_fail(out);
    return -1;
  }
  int rc = run_stream(&stream, len, out);
  deflateEnd(&stream);
  if (rc != 0)
    buf_fail(out);
  return rc;
}
