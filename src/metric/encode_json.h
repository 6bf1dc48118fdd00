/* encode_json: a datum to its JSON text, and texts to the body of a
 * PutMetricData request in AWS JSON 1.0.
 *
 * Member names and forms are those of the service model (cloudwatch,
 * 2010-08-01); timestamps are whole seconds since 1970. */
#ifndef METRIC_ENCODE_JSON_H
#define METRIC_ENCODE_JSON_H

#include "base/buf.h"
#include "base/json.h"
#include "metric/metric.h"

/* Values of the headers Content-Type, X-Amz-Target and x-amzn-query-mode.  The
 * last asks for the error codes and statuses of the Query protocol. */
#define ENCODE_JSON_CONTENT_TYPE "application/x-amz-json-1.0"
#define ENCODE_JSON_TARGET "GraniteServiceVersion20100801.PutMetricData"
#define ENCODE_JSON_QUERY_MODE "true"

/* Appends the text of one element of MetricData: one JSON object without
 * blanks, what names its series first, and of that the dimensions: data that
 * follow each other mostly are of one host, and then begin alike, up to the
 * name, which gzip makes one reference of.  Unit "None", resolution 60 and
 * counts that are all 1 are the service's defaults and left out.  0; or -1 and
 * *to is failed. */
int encode_json_datum(struct json_out *json, const struct datum *datum,
                      struct buf *to);

/* The beginning of such a text, which is the same for all data of one series
 * (name, dimensions, unit, resolution) and for no other of its namespace. */
struct str encode_json_series(struct str text);

/* Appends all that stands before the first and after the last element; between
 * two elements stands a comma.  0; or -1 and *to is failed. */
int encode_json_open(struct json_out *json, const char *namespace,
                     struct buf *to);
void encode_json_close(struct buf *to);

#endif
