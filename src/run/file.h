/* file: small files, read and replaced whole. */
#ifndef RUN_FILE_H
#define RUN_FILE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum file_found { FILE_FOUND, FILE_ABSENT, FILE_FAILED };

/* What tells whether a file has changed. */
struct file_stamp {
  int64_t mtime_ns, size, inode, device; /* all 0: there is no such file */
};

/* The file's stamp now; all 0 when it cannot be asked. */
struct file_stamp file_stamp(const char *path);
bool file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b);

/* Whether others than owner and group may read the file. */
bool file_is_world_readable(const char *path);

/* Reads a regular file whole into *out (emptied first), which gets room for it
 * at once, so that no copy is left behind by growing.
 *
 * FILE_ABSENT: there is no such file, *err untouched.  FILE_FAILED: it is no
 * regular file, longer than out's limit, or unreadable; *err says so, for
 * EACCES with the file's owner and mode, our user and a remedy. */
enum file_found file_read(const char *path, struct buf *out, struct err *err);

/* Writes all bytes to an open file.  0, or -1 with errno set. */
int file_write_all(int fd, struct str bytes);

/* Closes a file that was written.  rc, or -1 with errno set when closing tells
 * that it was not; where rc is -1, errno stays. */
int file_close_written(int fd, int rc);

/* Puts bytes in the place of a file, mode 0644: who reads it sees the old ones
 * or the new ones, never a part.  They are written to .NAME.new beside it
 * first, which must be no link.  Whether they survive the loss of power is left
 * to the file system.
 *
 * 0; or -1 with *err set, and what was there before is as it was. */
int file_replace(const char *path, struct str bytes, struct err *err);

/* Says why a file or folder cannot be used, with a remedy.
 *
 * what    what could not be done: "read", "write to"
 * path    which file; for EACCES and EPERM its owner and mode are looked up
 * number  errno */
void file_explain(const char *what, const char *path, int number,
                  struct err *err);

#endif
