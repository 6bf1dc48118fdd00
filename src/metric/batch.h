/* batch: joins data of one or more parcels of one namespace into the body of
 * one request that respects CloudWatch's limits.
 *
 * A batch borrows its parcels; it does not change them.  It remembers which
 * data it took, so that the answer can be settled. */
#ifndef METRIC_BATCH_H
#define METRIC_BATCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "metric/parcel.h"

#include <stdbool.h>
#include <stddef.h>

enum protocol { PROTOCOL_JSON, PROTOCOL_QUERY };

#define BATCH_PARCELS_MAX CW_DATA_MAX /* one datum of each, at the least */

struct batch {
  enum protocol protocol;
  struct buf body; /* complete after batch_end(); at most CW_BODY_MAX bytes */
  size_t n_data;
  size_t max_data; /* taken at most, and never more than CW_DATA_MAX, which
                      batch_begin() sets */
  struct batch_part {
    struct parcel *parcel;
    size_t n; /* the first n data of the parcel */
  } parts[BATCH_PARCELS_MAX];
  size_t n_parts;
};

/* A Query datum shows its size only once it is written; so the buffer has room
 * for one that is too large (9 times its JSON text, which a parcel bounds) and
 * is cut back.  What a batch keeps never passes CW_BODY_MAX. */
#define BATCH_INIT                                                             \
  { .body = BUF_INIT(11 * (size_t)CW_BODY_MAX) }

/* Empties the batch and begins a body for a namespace.  0, or -1 with *err
 * set. */
int batch_begin(struct batch *batch, enum protocol protocol,
                struct json_out *json, const char *namespace, struct err *err);

/* Adds as many data from the parcel's beginning as there is room for, at least
 * one into an empty batch if it fits at all; the parcel must be of the batch's
 * namespace.  Returns how many were taken; a datum that alone passes the limit
 * is never taken.  When memory ran out, the body is failed (buf_ok() tells) and
 * batch_end() says so; 0 from an empty batch whose body is not failed means
 * that the parcel's first datum can never be sent, and *err says why. */
size_t batch_add(struct batch *batch, struct parcel *parcel, struct err *err);

/* Completes the body.  0; or -1 with *err set: no data in it, no memory. */
int batch_end(struct batch *batch, struct err *err);

/* The parcel and the number in it of the batch's datum i (from 0).  False when
 * there is no such datum. */
bool batch_where(const struct batch *batch, size_t i, struct parcel **parcel,
                 size_t *datum);

void batch_clear(struct batch *batch);

#endif
