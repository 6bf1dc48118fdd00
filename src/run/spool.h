/* spool: parcels in a folder, one file each, so that what waits survives
 * restarts, crashes and the loss of power.
 *
 * A parcel that lies on disk may be in memory too, or rest: then only its place
 * in the order is remembered.  Everything here may fail without harm: what
 * cannot be put on disk stays in memory, which is said once, and said again
 * when it is well.
 *
 * Belongs to the node's thread, and does all its input and output there. */
#ifndef RUN_SPOOL_H
#define RUN_SPOOL_H

#include "base/err.h"
#include "metric/parcel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_options {
  const char *directory; /* borrowed; NULL: there is no spool */
  const char *node;      /* borrowed; "" for the only destination */
  int64_t limit_bytes;   /* of files, in whole blocks of the file system */
};

struct spool;

/* Does nothing yet.  NULL is lack of memory. */
struct spool *spool_new(const struct spool_options *options);

/* Leaves all files as they are; says how many data wait in them. */
void spool_free(struct spool *spool);

/* Opens the folder and takes up what is in it, if that has not been done and
 * was not tried a moment ago. */
void spool_open(struct spool *spool);

/* The end is near: what has failed a moment ago may be tried at once. */
void spool_hurry(struct spool *spool);

/* Whether there is a spool to write to. */
bool spool_is_open(const struct spool *spool);

enum spool_kept {
  SPOOL_KEPT,
  SPOOL_FULL,   /* SpoolLimit: nothing that rests is older than the parcel */
  SPOOL_FAILED, /* there is no spool, or it cannot be written to */
};

/* Puts the parcel on disk, in the place of its older file, if it has one.  For
 * room, the oldest parcels that rest are dropped, if they are older than this
 * one. */
enum spool_kept spool_keep(struct spool *spool, struct parcel *parcel);

/* To be called after spool_keep(): what was kept then survives the loss of
 * power, and what was removed stays so. */
void spool_sync(struct spool *spool);

/* Whether the parcel lies on disk as it is. */
bool spool_has(const struct spool *spool, const struct parcel *parcel);

/* Removes the parcel's file, if it has one; when that fails, it is done as soon
 * as it can be. */
void spool_remove(struct spool *spool, struct parcel *parcel);

/* Takes a parcel that lies on disk out of memory.  0; or -1 for lack of memory,
 * and the parcel is still the caller's. */
int spool_rest(struct spool *spool, struct parcel *parcel);

/* The number of the newest flush of which a parcel rests; INT64_MIN when none
 * does. */
int64_t spool_newest(const struct spool *spool);

/* Brings the newest parcel that rests back to memory, the caller's again, if
 * its file is not longer than room_bytes.  NULL when there is none, or it
 * cannot be read just now; what is damaged is set aside.
 *
 * n_known  how many of its data were known to wait: what was found too old
 *          before it came to rest is in its file still */
struct parcel *spool_wake(struct spool *spool, int64_t room_bytes,
                          size_t *n_known);

/* Removes what rests of flushes before number; returns how many data. */
size_t spool_expire(struct spool *spool, int64_t number);

struct spool_sum {
  size_t n_data;      /* that rest */
  int64_t oldest;     /* number of the oldest flush of them; INT64_MAX: none */
  int64_t bytes;      /* of all files, on disk */
  uint64_t n_dropped; /* data dropped by SpoolLimit, ever */
  uint64_t n_damaged; /* files set aside, ever */
};
struct spool_sum spool_sum(const struct spool *spool);

/* What is wrong with it; NULL while it can be used, or there is none. */
struct log_state;
const struct log_state *spool_trouble(const struct spool *spool);

/* Why, in a sentence with its remedy. */
const struct err *spool_why(const struct spool *spool);

#endif
