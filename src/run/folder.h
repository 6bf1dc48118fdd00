/* folder: a folder of ours alone, whose files are complete or absent.
 *
 * A file is written under another name (NAME.new), synchronised, and renamed;
 * after folder_sync() it survives the loss of power.  The folder is locked, so
 * that no two nodes or daemons share one by accident.  The calls go to the
 * folder that was opened, wherever its path leads to by now. */
#ifndef RUN_FOLDER_H
#define RUN_FOLDER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct folder {
  char *path;          /* owned; NULL while it is not open */
  int fd, lock_fd;     /* valid while it is open */
  int64_t block_bytes; /* what a file takes is a multiple of this */
};

/* Opens and locks PATH, or PATH/NODE when node is not empty; each is made with
 * mode 0700 if it is not there, what is above them is not.  Where they lie
 * survives the loss of power, if what is above them may be read.
 *
 * 0; or -1 with *err set: it cannot be made or opened, others may write to it,
 * or another process or node has it. */
int folder_open(struct folder *folder, const char *path, const char *node,
                struct err *err);

/* Gives up the lock; may be called twice, and on a folder of zeros. */
void folder_close(struct folder *folder);

/* Whether somebody has removed the folder since it was opened. */
bool folder_is_gone(const struct folder *folder);

/* What a file of so many bytes takes on the disk, in bytes. */
int64_t folder_space(const struct folder *folder, int64_t bytes);

/* Makes the file, mode 0600, in the place of one of the same name.  0; or -1
 * with *err set, and what was there before is as it was. */
int folder_write(struct folder *folder, const char *name, struct str bytes,
                 struct err *err);

/* Has what was written, renamed and removed reach the disk.  0, or -1 with *err
 * set. */
int folder_sync(struct folder *folder, struct err *err);

enum folder_found {
  FOLDER_FOUND,
  FOLDER_ABSENT, /* there is no such file */
  FOLDER_LATER,  /* no memory, or no file descriptor, just now; *err is set */
  FOLDER_FAILED, /* it cannot be read; *err is set */
};

/* Reads a file from its beginning, as much of it as *out (emptied first) may
 * hold. */
enum folder_found folder_read(const struct folder *folder, const char *name,
                              struct buf *out, struct err *err);

/* 0, also when it is not there; or -1 with *err set. */
int folder_remove(struct folder *folder, const char *name, struct err *err);
int folder_rename(struct folder *folder, const char *from, const char *to,
                  struct err *err);

/* Tells each regular file in the folder but the lock, in any order.  What a
 * write left that did not come to its end is removed.  The function may not
 * change the folder.  0; or -1 with *err set, and not all were told. */
typedef void (*folder_fn)(void *context, const char *name, int64_t bytes);
int folder_list(struct folder *folder, folder_fn told, void *context,
                struct err *err);

#endif
