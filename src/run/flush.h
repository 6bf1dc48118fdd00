/* flush: one flush of a node: cut what is due, as texts in parcels, into the
 * delivery.
 *
 * Belongs to the node's thread. */
#ifndef RUN_FLUSH_H
#define RUN_FLUSH_H

#include "base/json.h"
#include "metric/cut.h"
#include "metric/tally.h"
#include "run/deliver.h"

#include <stdint.h>

struct flush {
  struct cut cut;
  struct json_out *json; /* owned */
  struct buf text;
};

/* limit_bytes  of the samples of open periods
 * 0, or -1 for lack of memory; to be given back with flush_clear(). */
int flush_init(struct flush *flush, size_t limit_bytes);
void flush_clear(struct flush *flush);

/* Cuts what the horizon reaches and hands it over.
 *
 * number  of this flush, greater than of those before: the order in the outbox
 * Data for which there is no memory are counted in tally. */
void flush_run(struct flush *flush, const struct horizon *horizon,
               int64_t number, struct tally *tally, struct delivery *to);

#endif
