/* What the files of the spool share: spool.c (what is kept, removed and rests),
 * spool_open.c (the folder opened, and what goes wrong with it). */
#ifndef RUN_SPOOL_INNER_H
#define RUN_SPOOL_INNER_H

#include "base/buf.h"
#include "base/err.h"
#include "run/folder.h"
#include "run/log.h"
#include "run/resting.h"
#include "run/spool.h"
#include "run/spool_file.h"

struct spool {
  struct spool_options options;
  struct folder folder;
  bool is_open;
  bool is_unsynced; /* since the last spool_sync() something has changed */
  unsigned epoch;   /* of the folder: another once it had to be opened anew */
  uint32_t number;  /* of the next file */
  int64_t retry_ms; /* steady; nothing is tried before */

  struct resting_list rest;
  struct resting_list ended; /* could not be removed yet */
  int64_t bytes;             /* of all files */
  uint64_t n_dropped;        /* data, ever */
  uint64_t n_damaged;        /* files, ever */
  struct buf record;         /* of the file that is read or written */

  struct err why;           /* it could not be used last */
  struct log_state trouble; /* it cannot be used */
  struct log_state full;    /* SpoolLimit drops what waits */
  struct log_state damaged; /* files were set aside */
};

/* Whether the pause after the last failure is over. */
bool spool_may_try(const struct spool *spool);

/* Something failed: says so, and begins a pause.  When the folder was removed,
 * it is closed, and what rested there is counted as dropped. */
void spool_fail(struct spool *spool, const struct err *err);

/* It is well again: says so if it was not. */
void spool_recover(struct spool *spool);

/* Closes the folder, and forgets what is in it. */
void spool_close(struct spool *spool);

/* Puts a file where it is in nobody's way, for somebody to look at.  False when
 * it can neither be read nor renamed: then the disk is ill, not the file.
 *
 * err  why it cannot be sent; on false, why it cannot be renamed */
bool spool_set_aside(struct spool *spool, const struct resting *file,
                     enum spool_file kind, struct err *err);

#endif
