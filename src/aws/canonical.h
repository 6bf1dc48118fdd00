/* canonical: path and query of a request in the form that is signed (Signature
 * Version 4, "Create a canonical request").
 *
 * Where the document leaves room, this does what the AWS SDK for Python does
 * (botocore): the path is cleaned of "", "." and ".." segments and then
 * percent-encoded once more, and the query is sorted as sent. */
#ifndef AWS_CANONICAL_H
#define AWS_CANONICAL_H

#include "base/buf.h"

/* Appends at most 3 bytes for each of the path's, and one. */
void canonical_put_path(struct buf *out, const char *path);

/* Appends the query by key, then by value; a key alone gets its "=".  At most
 * 2 bytes for each of the query's, and one.  0; or -1 for lack of memory. */
int canonical_put_query(struct buf *out, const char *query);

#endif
