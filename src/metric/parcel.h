/* parcel: data of one namespace and one flush, as texts.
 *
 * This is what waits: unsigned, each datum as its JSON text with its time and
 * the collectd identifier that it came from, so that one datum can be taken
 * out, backlogs can travel together, and nothing at rest is secret. */
#ifndef METRIC_PARCEL_H
#define METRIC_PARCEL_H

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "metric/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parcel {
  struct parcel *older, *newer; /* the outbox's list */
  char *namespace;              /* owned */
  int64_t flush;                /* number of the flush that cut it */
  struct buf texts;             /* of all data, each text NUL-terminated */
  struct parcel_datum *data;    /* owned */
  size_t n_data, cap_data;
  size_t text_bytes;   /* of the texts of the n_data data */
  unsigned n_requests; /* made for this parcel to find a refused datum */
  bool is_leaving;     /* in the request that is under way */

  /* The spool's (run/spool.h): the file that holds it. */
  struct parcel_file {
    unsigned epoch;  /* of the folder that it lies in; 0: there is none */
    uint32_t number; /* within the flush */
    int64_t bytes;   /* on the disk */
    bool is_old;     /* data were taken out since it was written */
  } file;
};

struct parcel_datum {
  uint32_t text, text_len; /* offset and bytes in texts */
  uint32_t identifier;     /* offset of a NUL-terminated text */
  int64_t time_s;
};

/* NULL is lack of memory. */
struct parcel *parcel_new(const char *namespace, int64_t flush);
void parcel_free(struct parcel *parcel);

/* Whether one more datum of text_bytes keeps the parcel within one request
 * (CW_DATA_MAX data, CW_BODY_MAX bytes of JSON). */
bool parcel_has_room(const struct parcel *parcel, size_t text_bytes);

/* Adds a datum by its text.  0; or -1 for lack of memory or room, and the
 * parcel is as before. */
int parcel_add(struct parcel *parcel, struct str text, const char *identifier,
               int64_t time_s);

struct str parcel_text(const struct parcel *parcel, size_t i);
const char *parcel_identifier(const struct parcel *parcel, size_t i);

/* Memory that the parcel holds, in bytes. */
size_t parcel_bytes(const struct parcel *parcel);

/* Takes out the data from number first on, n of them; their texts stay in
 * memory until the parcel is freed, and its file has them still. */
void parcel_remove(struct parcel *parcel, size_t first, size_t n);

/* Takes out all data older than oldest_s, or later than latest_s; returns how
 * many.  A file need not be written anew for it: whoever reads it finds them
 * again. */
size_t parcel_expire(struct parcel *parcel, int64_t oldest_s);
size_t parcel_cut_off(struct parcel *parcel, int64_t latest_s);

#endif
