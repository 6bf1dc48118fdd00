/* source: the credential chain: order, cache, refresh, forget.
 *
 * One table in source.c lists the sources in the order in which an AWS SDK
 * asks them; each source is a function in a source_*.c file.  A source that is
 * not configured is skipped silently; one that is configured but fails ends
 * the chain with its error and is tried again later. */
#ifndef RUN_SOURCE_H
#define RUN_SOURCE_H

#include "aws/cred.h"
#include "aws/endpoint.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct source_options {
  char *access_key_id; /* all owned; NULL: not configured */
  char *secret_access_key;
  char *session_token;
  char *profile;
  char *credentials_file;
  char *config_file;
};
/* Wipes the secrets, frees all. */
void source_options_wipe(struct source_options *options);

struct source;

/* Reads the environment now, for once: call before other threads may change
 * it.  options is borrowed for the life of the source.  NULL is lack of
 * memory. */
struct source *source_new(const struct source_options *options);
void source_free(struct source *source);

/* The credentials to sign with now, borrowed until the next call; fetched if
 * they are missing, forgotten, stale, or their file has changed.  NULL with
 * *err set (what was tried, why it failed, what to do) when there are none. */
const struct cred *source_get(struct source *source, int64_t now_s,
                              struct err *err);

/* AWS refused the credentials: the next source_get() fetches anew, at most
 * once a minute. */
void source_forget(struct source *source, int64_t now_s);

/* Where the credentials came from, in words without secrets, for example
 * "profile default in /root/.aws/credentials"; "" before the first. */
const char *source_origin(const struct source *source);

/* ---- place: region and endpoint, from the same files and environment ---- */

struct place_options {
  char *region;   /* owned; NULL: as an AWS SDK would find it */
  char *endpoint; /* owned; NULL: likewise */
  bool use_fips, use_dual_stack;
};
void place_options_clear(struct place_options *options);

struct place {
  char *region;             /* owned */
  struct endpoint endpoint; /* owned */
};

/* Finds region and endpoint of a service ("monitoring" in host names,
 * "cloudwatch" and "CLOUDWATCH" in settings).  0 with *out filled (cleared
 * first); or -1 with *err set when there is no region yet, or a setting cannot
 * be used: ask again later, files may change. */
int source_place(struct source *source, const struct place_options *options,
                 struct place *out, struct err *err);
void place_clear(struct place *place);

#endif
