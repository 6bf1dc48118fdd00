/* source_list: the sources that source.c asks in turn, and what they share.
 * For source*.c only. */
#ifndef RUN_SOURCE_LIST_H
#define RUN_SOURCE_LIST_H

#include "aws/cred.h"
#include "aws/role.h"
#include "base/buf.h"
#include "base/err.h"
#include "run/http.h"
#include "run/session.h"
#include "run/source.h"

#include <stdbool.h>
#include <stdint.h>

/* What a source gives. */
struct found {
  struct cred cred;
  struct buf origin; /* in words */
  bool of_files;     /* to be fetched anew when the shared files change */
  bool is_stable;    /* of an instance or container: used beyond their end while
                        no new ones can be had, and AWS decides */
};
#define SOURCE_ORIGIN_MAX 16384
#define FOUND_INIT                                                             \
  { .origin = BUF_INIT(SOURCE_ORIGIN_MAX) }
void found_wipe(struct found *found);

struct source {
  const struct source_options *options; /* borrowed */
  struct session *session;              /* borrowed */
  const struct place *place;            /* borrowed */
  int64_t now_s;      /* of the fetch under way, by the service's clock */
  struct found held;  /* empty: none */
  size_t rank;        /* of who gave them, in the order of the chain */
  int64_t gone_s;     /* since when he has had none; 0: he has */
  unsigned n_moves;   /* how often they came from elsewhere than before */
  unsigned n_read;    /* of the profile, when they were fetched */
  int64_t fetched_s;  /* when that was */
  int64_t retry_s;    /* no refresh before; 0: whenever it is due */
  int64_t refused_s;  /* when source_forget() was last obeyed; 0: never */
  bool must_fetch;    /* AWS refused what is held */
  bool is_outdated;   /* there may be others by now */
  struct err failure; /* of the last refresh; "" when it succeeded */
};

/* One source.  SOURCE_ABSENT: not configured, *err untouched.  SOURCE_FAILED:
 * configured, but it cannot be used: *err says why.  *out is empty and stays
 * so unless SOURCE_FOUND. */
enum source_found { SOURCE_FOUND, SOURCE_ABSENT, SOURCE_FAILED };
typedef enum source_found (*source_fn)(struct source *source, struct found *out,
                                       struct err *err);

/* source_file.c: what only needs reading. */
enum source_found source_option(struct source *source, struct found *out,
                                struct err *err);
enum source_found source_environment(struct source *source, struct found *out,
                                     struct err *err);

/* source_profile.c: a profile of the shared files, with the roles, processes
 * and other sources that it names. */
enum source_found source_profile(struct source *source, struct found *out,
                                 struct err *err);

/* source_process.c: the output of a credential_process.
 *
 * profile  that names it, for messages */
enum source_found source_process(struct source *source, const char *command,
                                 const char *profile, struct found *out,
                                 struct err *err);

/* source_sts.c: a web identity token of a file, by environment or profile, and
 * a role on top of what was found. */
enum source_found source_web_identity(struct source *source, struct found *out,
                                      struct err *err);
enum source_found source_exchange(struct source *source,
                                  const struct role *role,
                                  const char *token_file, struct found *out,
                                  struct err *err);
/* Turns *io, which holds credentials, into those of the role.  0; or -1 with
 * *err set and *io empty. */
int source_assume(struct source *source, const struct role *role,
                  struct found *io, struct err *err);

/* source_container.c: ECS, EKS Pod Identity and the like. */
enum source_found source_container(struct source *source, struct found *out,
                                   struct err *err);

/* source_instance.c: the instance's role. */
enum source_found source_instance(struct source *source, struct found *out,
                                  struct err *err);

/* Told an answer of STS: takes a difference of clocks from it, so
 * that a wrong clock here does not make credentials look old, or eternal.  What
 * is nearer, as the metadata service, has no say in what time it is.
 *
 * Whether source->now_s is another now. */
bool source_learn_clock(struct source *source, enum skew_cause cause,
                        const struct http_answer *answer);

#endif
