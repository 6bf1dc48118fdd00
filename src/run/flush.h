/* flush: one flush of a node: cut what is due, as texts in parcels, into the
 * delivery.
 *
 * Belongs to the node's thread. */
#ifndef RUN_FLUSH_H
#define RUN_FLUSH_H

#include "base/json.h"
#include "metric/cut.h"
#include "metric/fill.h"
#include "metric/rule.h"
#include "metric/tally.h"
#include "run/deliver.h"
#include "run/dry_run.h"
#include "run/log.h"
#include "run/status.h"

#include <stdbool.h>
#include <stdint.h>

struct flush {
  struct cut cut;
  struct json_out *json; /* owned */
  struct buf text;
  struct fill fill;
  const struct ec2_keys *keys;            /* borrowed */
  struct delivery *to;                    /* borrowed */
  const char *node;                       /* borrowed */
  const struct rules *rules;              /* borrowed */
  struct status *status;                  /* borrowed; NULL: there is none */
  struct dry_run *dry_run;                /* likewise */
  struct log_state lacking[EC2_KEYS_MAX]; /* of values that are not there */
  bool said_changed;

  /* Of the last flush. */
  uint64_t number; /* how many there were, with it; 0: none yet */
  int64_t at_s;    /* wall time */
  size_t n_data, n_parcels;
};

/* keys  values of the instance that templates name
 * node  for messages
 * to    where what is cut goes
 * What the owner of flush->cut sets is still to be set, and rules, and status
 * and dry_run if there are such.
 * 0, or -1 for lack of memory; to be given back with flush_clear(). */
int flush_init(struct flush *flush, const struct ec2_keys *keys,
               const char *node, struct delivery *to);
void flush_clear(struct flush *flush);

/* Cuts what the horizon reaches, fills in the instance's values, and hands it
 * over.  What names a value that there is not, nor a text for it, is not
 * published, which is said once for each value, and when the value has come.
 * Nor is what CloudWatch refused by its name, for a while.
 *
 * number  of this flush, greater than of those before: the order in the outbox
 * Data that are not published, or for which there is no memory, are counted in
 * tally. */
void flush_run(struct flush *flush, const struct horizon *horizon,
               int64_t number, const struct ec2_values *values,
               struct tally *tally);

#endif
