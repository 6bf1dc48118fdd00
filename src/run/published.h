/* published: a datum as one line for people: LogPublished has one for each that
 * CloudWatch accepted, DryRun for each that it would be sent. */
#ifndef RUN_PUBLISHED_H
#define RUN_PUBLISHED_H

#include "base/buf.h"
#include "base/str.h"
#include "metric/batch.h"

#include <stdint.h>

#define PUBLISHED_MAX (1 << 16) /* bytes of a line; the log cuts it earlier */

/* Appends: namespace "name" {Dimension=value, ...}: value unit at time.
 *
 * text  of encode_json_datum() */
void published_put(struct buf *line, const char *namespace, struct str text,
                   int64_t time_s);

/* Logs each datum of an accepted batch. */
void published_log(const char *node, const struct batch *batch);

#endif
