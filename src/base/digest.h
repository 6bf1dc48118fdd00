/* digest: SHA-256, HMAC-SHA-256, and a wipe that no compiler removes.
 *
 * The only file that knows OpenSSL. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/buf.h"

#include <stddef.h>

#define DIGEST_BYTES 32

/* Has the library set up now what it sets up once, at the first use: OpenSSL 3
 * stays unusable for the life of the process if memory lacks then.  To be
 * called before other threads use it.  0 or -1. */
int digest_set_up(void);

/* SHA-256 (FIPS 180-4) of the len bytes at data.  0; or -1 when the library
 * refuses, and out is zero. */
int digest_sha256(const void *data, size_t len,
                  unsigned char out[DIGEST_BYTES]);

/* HMAC-SHA-256 (RFC 2104).  As above.  out may be key. */
int digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
                unsigned char out[DIGEST_BYTES]);

/* Appends the bytes as lower-case hexadecimal digits. */
void digest_put_hex(struct buf *out, const unsigned char *bytes, size_t len);

/* Overwrites with zeros, for certain.  data may be NULL when len is 0. */
void digest_wipe(void *data, size_t len);

#endif
