/* place: where requests go: region and endpoints, from options, environment,
 * shared files and instance metadata, in the order of the AWS SDKs. */
#ifndef RUN_PLACE_H
#define RUN_PLACE_H

#include "aws/endpoint.h"
#include "base/err.h"
#include "run/session.h"

#include <stdbool.h>

/* An option that may be left to environment and profile. */
enum place_choice { PLACE_UNSAID, PLACE_NO, PLACE_YES };

struct place_options {
  char *region;   /* owned; NULL: as an AWS SDK would find it */
  char *endpoint; /* owned; NULL: likewise; of CloudWatch alone */
  enum place_choice use_fips, use_dual_stack;
};
void place_options_clear(struct place_options *options);

struct place {
  char *region;             /* owned; NULL: not found yet */
  struct endpoint endpoint; /* owned: of CloudWatch */
  struct endpoint sts;      /* owned; empty: sts_error says why */
  const char *sts_region;   /* that requests to STS are signed for */
  struct err sts_error;     /* what is given for STS cannot be used, which
                               matters only to who asks it */
};

/* Finds region and endpoints.  0 with *out filled (cleared first); or -1 with
 * *err set and *out empty when there is no region yet, or a setting cannot be
 * used: ask again later, files may change and the metadata service may
 * answer. */
int place_find(struct session *session, const struct place_options *options,
               struct place *out, struct err *err);
void place_clear(struct place *place);

#endif
