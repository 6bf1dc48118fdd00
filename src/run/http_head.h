/* http_head: the head of a request, line by line.  For http.c only. */
#ifndef RUN_HTTP_HEAD_H
#define RUN_HTTP_HEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "run/http.h"

#include <stddef.h>

#define HTTP_HEAD_LINE_MAX (128 * 1024)

/* Writes line number i, counted from 0, of what curl is to be told: the
 * request's headers, then those that curl would add by itself, as "Name:",
 * which takes them out.  A line may hold a secret: line must be empty, and is
 * to be wiped after each.
 *
 * 1; 0 after the last line; -1 with *err set: no memory, or a header that holds
 * a control character. */
int http_head_line(const struct http_request *request, size_t i,
                   struct buf *line, struct err *err);

#endif
