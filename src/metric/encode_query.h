/* encode_query: the same texts to the body of an AWS Query request.
 *
 * Works on the JSON text of a datum by one rule for all members (Smithy, AWS
 * Query protocol): a member of an object is ".Name", an element of a list is
 * ".member.N" from 1.  A Timestamp becomes ISO 8601. */
#ifndef METRIC_ENCODE_QUERY_H
#define METRIC_ENCODE_QUERY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/* Value of the header Content-Type. */
#define ENCODE_QUERY_CONTENT_TYPE                                              \
  "application/x-www-form-urlencoded; charset=utf-8"

/* Appends "Action=...&Version=...&Namespace=...". */
void encode_query_open(struct buf *to, const char *namespace);

/* Appends "&MetricData.member.N...=..." for one text of encode_json_datum().
 * number counts from 1.  0; or -1 with *err set: not such a text, and *to is as
 * before; or *to is full or out of memory, and failed. */
int encode_query_datum(struct buf *to, size_t number, struct str text,
                       struct err *err);

#endif
