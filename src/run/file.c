#include "run/file.h"

#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_stamp file_stamp(const char *path) {
  struct file_stamp stamp = {0};
  struct stat st;
  if (stat(path, &st) != 0)
    return stamp;
  stamp.mtime_ns =
      (int64_t)st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
  stamp.size = (int64_t)st.st_size;
  stamp.inode = (int64_t)st.st_ino;
  stamp.device = (int64_t)st.st_dev;
  return stamp;
}

bool file_stamp_eq(const struct file_stamp *a, const struct file_stamp *b) {
  return a->mtime_ns == b->mtime_ns && a->size == b->size &&
         a->inode == b->inode && a->device == b->device;
}

bool file_is_world_readable(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0;
}

/* Appends whose the file is, which says at once why another may not read it. */
static void put_owner(struct buf *out, const char *path) {
  char text[4096];
  struct passwd entry, *found = NULL;
  struct stat st;

  if (stat(path, &st) != 0) {
    buf_puts(out, "a folder above it may not be entered");
    return;
  }
  if (getpwuid_r(st.st_uid, &entry, text, sizeof(text), &found) == 0 &&
      found != NULL)
    buf_printf(out, "it belongs to %.64s", found->pw_name);
  else
    buf_printf(out, "it belongs to user %lld", (long long)st.st_uid);
  buf_printf(out, " and has mode %04o", (unsigned)st.st_mode & 07777U);
}

static enum file_found say_errno(const char *path, int number,
                                 struct err *err) {
  if (number == ENOENT || number == ENOTDIR)
    return FILE_ABSENT;

  char reason[128], room[160];
  struct buf owner = BUF_OVER(room);
  if (strerror_r(number, reason, sizeof(reason)) != 0)
    reason[0] = '\0';
  if (number != EACCES && number != EPERM) {
    err_set(err, "cannot read %s (%s)", path, reason);
    return FILE_FAILED;
  }
  put_owner(&owner, path);
  err_set(err,
          "cannot read %s (%s): %s; the file should belong to the user that "
          "collectd runs as: root without CAP_DAC_OVERRIDE cannot read the "
          "files of others",
          path, reason, buf_str(&owner));
  return FILE_FAILED;
}

/* Reads what the file was long when it was opened, and fails when there is
 * more: a buffer that grows would leave copies of its text behind. */
static enum file_found read_all(int fd, const char *path, size_t size,
                                struct buf *out, struct err *err) {
  enum file_found found = FILE_FAILED;
  char chunk[4096];

  for (;;) {
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      (void)say_errno(path, errno, err);
      goto out;
    }
    if (n == 0)
      break;
    if ((size_t)n > size - out->len) {
      err_set(err, "%s changed while it was read", path);
      goto out;
    }
    buf_put(out, chunk, (size_t)n);
    if (!buf_ok(out)) {
      err_set(err, "cannot read %s (no memory)", path);
      goto out;
    }
  }
  found = FILE_FOUND;
out:
  digest_wipe(chunk, sizeof(chunk));
  return found;
}

enum file_found file_read(const char *path, struct buf *out, struct err *err) {
  buf_reset(out);
  /* O_NONBLOCK: opening a pipe must not wait for its other end. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return say_errno(path, errno, err);

  enum file_found found = FILE_FAILED;
  struct stat st;
  if (fstat(fd, &st) != 0) {
    (void)say_errno(path, errno, err);
    goto out;
  }
  if (!S_ISREG(st.st_mode)) {
    err_set(err, "cannot read %s (it is not a regular file)", path);
    goto out;
  }
  if ((uintmax_t)st.st_size > out->limit) {
    err_set(err, "cannot read %s (it is longer than %zu bytes)", path,
            out->limit);
    goto out;
  }
  size_t size = (size_t)st.st_size;
  buf_reserve(out, size);
  found = read_all(fd, path, size, out, err);
out:
  if (found == FILE_FAILED)
    buf_wipe(out);
  (void)close(fd);
  return found;
}
