/* source: the credential chain: order, cache, refresh, forget.
 *
 * One table in source.c lists the sources in the order in which an AWS SDK
 * asks them; each source is a function in a source_*.c file.  A source that is
 * not configured is skipped silently; one that is configured but fails ends
 * the chain with its error and is tried again later. */
#ifndef RUN_SOURCE_H
#define RUN_SOURCE_H

#include "aws/cred.h"
#include "base/err.h"
#include "run/place.h"
#include "run/session.h"

#include <stdbool.h>
#include <stdint.h>

struct source_options {
  char *access_key_id; /* all owned; NULL: not configured */
  char *secret_access_key;
  char *session_token;
  char *profile;
  char *credentials_file;
  char *config_file;
  char *role_arn; /* assumed with whatever the above yields */
  char *external_id;
  char *role_session_name;
  int64_t role_duration_s; /* 0: not configured */
};
/* Wipes the secrets, frees all. */
void source_options_wipe(struct source_options *options);

struct source;

/* options and session are borrowed for the life of the source; place too, and
 * has been found before source_get() is called.  NULL is lack of memory. */
struct source *source_new(const struct source_options *options,
                          struct session *session, const struct place *place);
void source_free(struct source *source);

/* The credentials to sign with now, borrowed until the next call.  Fetched when
 * there are none that can be used, when they were forgotten, or when their file
 * has changed; a refresh ahead of their end is left to source_tend().
 *
 * now_s  by the service's clock, as far as it is known
 * NULL with *err set (what was tried, why it failed, what to do) when there are
 * none.  *err is set too when these can be used but the last refresh failed; it
 * is empty when all is well. */
const struct cred *source_get(struct source *source, int64_t now_s,
                              struct err *err);

/* Fetches if there are no credentials, or if it is time to refresh them:
 * 15 minutes before their end, at half of a life below 30 minutes; at most once
 * a minute.  0; or -1 with *err set when that failed: what is held goes on. */
int source_tend(struct source *source, int64_t now_s, struct err *err);

/* Whether there are credentials that may be signed with, though a refresh
 * failed: those of an instance or container always, others until their end, or
 * until AWS refused them. */
bool source_is_usable(const struct source *source, int64_t now_s);

/* Seconds until source_tend() has something to do; 0: now. */
int64_t source_due_s(const struct source *source, int64_t now_s);

/* AWS refused the credentials: the next source_get() fetches anew, at most
 * once a minute. */
void source_forget(struct source *source, int64_t now_s);

/* AWS denies them something: others may have been put in their place, such as
 * those of another role of the instance.  As source_forget(), but what is held
 * goes on if that fails. */
void source_doubt(struct source *source, int64_t now_s);

/* Where the credentials came from, in words without secrets, for example
 * "profile default in /root/.aws/credentials"; "" before the first. */
const char *source_origin(const struct source *source);

/* How often they came from elsewhere than those before: tells of a change. */
unsigned source_n_moves(const struct source *source);

/* When they end, seconds since 1970 UTC; CRED_NEVER. */
int64_t source_expires_s(const struct source *source);

#endif
