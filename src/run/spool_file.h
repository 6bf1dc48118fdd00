/* spool_file: one parcel as one file of the spool's folder: found by its flush
 * and number, read, removed, or set aside. */
#ifndef RUN_SPOOL_FILE_H
#define RUN_SPOOL_FILE_H

#include "base/buf.h"
#include "base/err.h"
#include "metric/parcel.h"
#include "run/folder.h"
#include "run/resting.h"

#include <stdbool.h>
#include <stddef.h>

#define SPOOL_FILE_ASIDE ".damaged" /* what was set aside ends so */

enum spool_file {
  SPOOL_FILE_WHOLE,
  SPOOL_FILE_ABSENT,
  SPOOL_FILE_DAMAGED,    /* or no record at all; *err is set */
  SPOOL_FILE_UNREADABLE, /* nothing is known of what is in it; *err is set */
  SPOOL_FILE_LATER,      /* there is no memory now; *err is set */
};

/* How many data it has by its beginning alone. */
enum spool_file spool_file_count(const struct folder *folder,
                                 const struct resting *file, size_t *n_data,
                                 struct err *err);

/* Reads the parcel.
 *
 * record  emptied first; has the file's bytes afterwards
 * out     the caller's, of the file's flush, when it is whole; else NULL */
enum spool_file spool_file_read(const struct folder *folder,
                                const struct resting *file, struct buf *record,
                                struct parcel **out, struct err *err);

/* Writes a record as the parcel's file, in the place of the one before.  As
 * folder_write(). */
int spool_file_write(struct folder *folder, const struct resting *file,
                     const struct buf *record, struct err *err);

/* 0, also when it is not there; or -1 with *err set. */
int spool_file_remove(struct folder *folder, const struct resting *file,
                      struct err *err);

/* Renames it, so that nobody reads it any more.  As folder_rename(). */
int spool_file_set_aside(struct folder *folder, const struct resting *file,
                         struct err *err);

#endif
