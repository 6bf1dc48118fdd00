/* gzip: bytes compressed as one gzip member (RFC 1952).
 *
 * The only file that knows zlib. */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include "base/buf.h"

#include <stddef.h>

/* Appends the len bytes at data, compressed, to *out.  The result depends on
 * the bytes alone: no time, no name.  0; or -1 when out's limit was passed or
 * memory ran out, and *out is failed. */
int gzip_put(struct buf *out, const void *data, size_t len);

#endif
