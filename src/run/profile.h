/* profile: the two shared AWS files, read again when they change, and the
 * profile in them that is in use.
 *
 * What was last understood goes on serving while the files cannot be read or
 * parsed: a file that is half written must not stop anything. */
#ifndef RUN_PROFILE_H
#define RUN_PROFILE_H

#include "aws/ini.h"
#include "base/err.h"
#include "run/env.h"
#include "run/file.h"

#include <stdbool.h>

/* One of the two files. */
struct profile_file {
  char *path;              /* owned; NULL: no home folder, so no file */
  const char *named_by;    /* option that names it; NULL: none does */
  struct file_stamp stamp; /* when it was last read */
  bool found;              /* it was there then */
};

struct profile {
  const char *name; /* borrowed of options or environment */
  bool is_named;    /* somebody asked for this name; it must exist */
  struct profile_file config, credentials;
  struct ini *ini; /* owned; what was last understood; NULL: nothing yet */
  bool failed;     /* the last reading */
  unsigned n_read; /* how often they were understood: tells of a change */
};

/* What the plugin's own options say; all borrowed for the life of the profile,
 * NULL: not configured. */
struct profile_options {
  const char *name, *config_file, *credentials_file;
};

/* Finds names and paths, reads nothing.  env is borrowed for the life of the
 * profile.  0; or -1 for lack of memory, *profile is empty then. */
int profile_init(struct profile *profile, const struct profile_options *options,
                 const struct env *env);
void profile_wipe(struct profile *profile);

/* Whether profile_refresh() would read the files. */
bool profile_has_changed(const struct profile *profile);

/* Reads the files if they have changed, or if the last reading failed.  0; or
 * -1 with *err set: unreadable, unparsable, or named by an option and not
 * there; what was understood before stays. */
int profile_refresh(struct profile *profile, struct err *err);

/* The value of a key in the profile in use, borrowed until the next refresh;
 * NULL when absent, empty or nothing was understood yet. */
const char *profile_get(const struct profile *profile, const char *key);

#endif
