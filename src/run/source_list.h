/* source_list: the sources that source.c asks in turn, and what they share.
 * For source.c, source_file.c and place.c only. */
#ifndef RUN_SOURCE_LIST_H
#define RUN_SOURCE_LIST_H

#include "aws/cred.h"
#include "base/buf.h"
#include "base/err.h"
#include "run/env.h"
#include "run/profile.h"
#include "run/source.h"

#include <stdbool.h>
#include <stdint.h>

struct source {
  const struct source_options *options; /* borrowed */
  struct env env;                       /* as it was at start */
  struct profile profile;
  struct cred cred;     /* held; empty: none */
  struct buf origin;    /* of cred, in words */
  bool of_files;        /* cred comes from the shared files */
  int64_t may_forget_s; /* when source_forget() may forget again */
};

/* Whether the plugin's options choose the shared files: then what the
 * environment holds is not asked, as with a profile given to an AWS SDK. */
bool source_is_by_file(const struct source *source);

/* One source.  SOURCE_ABSENT: not configured, *err untouched.  SOURCE_FAILED:
 * configured, but it cannot be used: *err says why.  *out is empty and stays
 * so unless SOURCE_FOUND; *origin is empty, and is told where they came from.
 */
enum source_found { SOURCE_FOUND, SOURCE_ABSENT, SOURCE_FAILED };
typedef enum source_found (*source_fn)(struct source *source, struct cred *out,
                                       struct buf *origin, struct err *err);

enum source_found source_option(struct source *source, struct cred *out,
                                struct buf *origin, struct err *err);
enum source_found source_environment(struct source *source, struct cred *out,
                                     struct buf *origin, struct err *err);
enum source_found source_web_identity(struct source *source, struct cred *out,
                                      struct buf *origin, struct err *err);
enum source_found source_profile(struct source *source, struct cred *out,
                                 struct buf *origin, struct err *err);
enum source_found source_container(struct source *source, struct cred *out,
                                   struct buf *origin, struct err *err);

#endif
