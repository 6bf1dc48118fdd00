/* dry_run: what DryRun says instead of sending: each new series once, each
 * identifier that nothing selects, each member of a Combine.
 *
 * Belongs to the node's thread. */
#ifndef RUN_DRY_RUN_H
#define RUN_DRY_RUN_H

#include "base/str.h"
#include "metric/metric.h"
#include "run/notes.h"

#include <stdbool.h>
#include <stdint.h>

#define DRY_RUN_MAX 10000 /* explanations in one life of a node */

struct dry_run;

/* node   borrowed, for messages
 * every  whether each datum is said (LogPublished), not the first of its series
 * NULL is lack of memory. */
struct dry_run *dry_run_new(const char *node, bool every);
void dry_run_free(struct dry_run *dry_run);

/* A datum that would be sent.
 *
 * key     names the series (refuse_key())
 * metric  argument of its <Metric> block
 * text    of encode_json_datum() */
void dry_run_datum(struct dry_run *dry_run, const struct datum *datum,
                   uint64_t key, const char *metric, struct str text);

/* What the rules say of an identifier. */
void dry_run_note(struct dry_run *dry_run, const struct note *note);

#endif
