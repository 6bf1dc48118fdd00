/* session: what one node knows before it asks anybody: the environment, the
 * shared files, and the clients that it asks with.
 *
 * Credentials (source.h), region and endpoint (place.h) and the instance's
 * identity (identity.h) are all found through it.  Belongs to the node's thread
 * after session_new(). */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "base/err.h"
#include "run/env.h"
#include "run/http.h"
#include "run/imds.h"
#include "run/profile.h"
#include "run/skew.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct session {
  struct env env; /* as it was at start */
  struct profile profile;
  struct http *aws;    /* owned: to CloudWatch and STS */
  struct http *nearby; /* owned: to metadata and container endpoints; never
                          through a proxy, short time limits */
  struct http_options nearby_options; /* its proxy is "", not owned */
  const _Atomic int64_t *deadline_ms; /* borrowed */
  struct meanwhile meanwhile; /* set by the owner: while any of these waits */
  struct imds imds;
  struct skew skew; /* of the clock of AWS */
};

/* Reads the environment now, for once: call before other threads may change
 * it.  profile and http are borrowed for the life of the session; deadline_ms
 * as for http_new().  NULL is lack of memory. */
struct session *session_new(const struct profile_options *profile,
                            const struct http_options *http,
                            const _Atomic int64_t *deadline_ms);
void session_free(struct session *session);

/* The clock of AWS, as far as it is known: less this host's, in seconds (0:
 * nothing is known of a difference), and since 1970 UTC. */
int64_t session_offset_s(const struct session *session);
int64_t session_now_s(const struct session *session);

/* Learns from the Date of an answer that AWS wrote, as skew_learn() does; what
 * has none, or was written by another, such as the metadata service, is none of
 * its business. */
bool session_learn_clock(struct session *session, enum skew_cause cause,
                         const struct http_answer *answer);

/* A setting by its variable, else by its key in the profile in use: the value,
 * borrowed until the files are read again, NULL when neither has it.  The files
 * are read again if they have changed; what was last understood serves while
 * they cannot be. */
const char *session_setting(struct session *session, enum env_name variable,
                            const char *key);

#endif
