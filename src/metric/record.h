/* record: a parcel as the bytes of one file, and back.
 *
 * The format is versioned and checksummed, so that a file that was cut off,
 * changed, or written by a later version is never taken for data.  Nothing in
 * it is secret, and nothing is signed. */
#ifndef METRIC_RECORD_H
#define METRIC_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "metric/parcel.h"

#include <stddef.h>

#define RECORD_HEAD_BYTES 56

/* No record is longer: texts and identifiers of a full parcel, and what stands
 * around each. */
#define RECORD_BYTES_MAX (3 * CW_BODY_MAX)

/* Appends the record of a parcel that has data.  0; or -1 and *to is failed,
 * for lack of memory or room. */
int record_put(const struct parcel *parcel, struct buf *to);

enum record_kind {
  RECORD_WHOLE,
  RECORD_DAMAGED,   /* or no record at all */
  RECORD_NO_MEMORY, /* it may be whole */
};

/* Reads a record, of which bytes is all.
 *
 * out  the parcel, the caller's, when it is whole; else NULL
 * err  set when it is damaged: what is wrong with it */
enum record_kind record_read(struct str bytes, struct parcel **out,
                             struct err *err);

/* How many data a record has by its first RECORD_HEAD_BYTES alone; as above,
 * but that only record_read() sees what follows. */
enum record_kind record_count(struct str head, size_t *n_data, struct err *err);

#endif
