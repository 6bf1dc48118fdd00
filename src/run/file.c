#include "run/file.h"

#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
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

/* A user as a sentence may show one: "root (0)". */
struct user {
  char text[80];
};

static struct user name_user(uid_t id) {
  struct user user;
  char text[4096];
  struct passwd entry, *found = NULL;

  if (getpwuid_r(id, &entry, text, sizeof(text), &found) != 0 || found == NULL)
    (void)snprintf(user.text, sizeof(user.text), "%ld", (long)id);
  else
    (void)snprintf(user.text, sizeof(user.text), "%.60s (%ld)", found->pw_name,
                   (long)id);
  return user;
}

/* Names who may use the file, as most daemons run as another user than the
 * one who wrote it. */
static void say_denied(const char *what, const char *path, const char *reason,
                       struct err *err) {
  struct user me = name_user(geteuid());
  struct stat st;

  if (stat(path, &st) != 0) {
    err_set(err,
            "cannot %s %s (%s): collectd runs as user %s, who may not enter "
            "a folder above it",
            what, path, reason, me.text);
    return;
  }
  err_set(err,
          "cannot %s %s (%s): it belongs to user %s with mode %04o, and "
          "collectd runs as user %s; the %s should belong to the user that "
          "collectd runs as%s",
          what, path, reason, name_user(st.st_uid).text,
          (unsigned)(st.st_mode & 07777), me.text,
          S_ISDIR(st.st_mode) ? "folder" : "file",
          geteuid() == 0 ? ": root without CAP_DAC_OVERRIDE cannot use the "
                           "files of others"
                         : "");
}

/* What to do about it, where that is not in the reason. */
static const char *remedy_for(int number) {
  static const struct {
    int number;
    const char *remedy;
  } remedies[] = {
      {ENOENT, ": make it, or see what should have"},
      {ENOTDIR, ": it must be a folder"},
      {EEXIST, ": remove what lies there"},
      {EISDIR, ": it must be a file, not a folder"},
      {ENOSPC, ": make room there"},
      {EDQUOT, ": raise the quota, or make room there"},
      {EROFS, ": have it mounted for writing"},
      {EIO, ": see the kernel's log; the disk may be failing"},
      {ELOOP, ": a link is not followed here"},
  };
  for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
    if (remedies[i].number == number)
      return remedies[i].remedy;
  return "";
}

void file_explain(const char *what, const char *path, int number,
                  struct err *err) {
  char reason[128];
  if (strerror_r(number, reason, sizeof(reason)) != 0)
    reason[0] = '\0';
  if (number == EACCES || number == EPERM)
    say_denied(what, path, reason, err);
  else
    err_set(err, "cannot %s %s (%s)%s", what, path, reason, remedy_for(number));
}

static enum file_found say_errno(const char *path, int number,
                                 struct err *err) {
  if (number == ENOENT || number == ENOTDIR)
    return FILE_ABSENT;
  file_explain("read", path, number, err);
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

/* ---- replaced ----------------------------------------------------------- */

int file_write_all(int fd, struct str bytes) {
  while (bytes.len > 0) {
    ssize_t n = write(fd, bytes.p, bytes.len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    bytes = str_from(bytes, (size_t)n);
  }
  return 0;
}

int file_close_written(int fd, int rc) {
  int number = errno;
  if (close(fd) != 0 && rc == 0) {
    number = errno;
    rc = -1;
  }
  errno = number;
  return rc;
}

/* Writes a new file that all may read, whatever the umask is.  What an earlier
 * run left there is removed, and a link is not followed: others may be able to
 * write to the folder. */
static int write_new(const char *path, struct str bytes) {
  (void)unlink(path);
  int fd =
      open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return -1;
  int rc = file_write_all(fd, bytes);
  if (rc == 0)
    rc = fchmod(fd, 0644);
  return file_close_written(fd, rc);
}

/* It is the folder that must be there and can be written to, whatever stands at
 * path; only that may not be a folder itself. */
static void explain_replace(const char *path, const char *temporary, int number,
                            struct err *err) {
  const char *slash = strrchr(path, '/');
  size_t len = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
  struct buf folder = BUF_INIT(PATH_MAX);

  buf_put(&folder, slash == NULL ? "." : path, len);
  if (number == EEXIST)
    file_explain("replace", temporary, number, err);
  else
    file_explain("write to", number == EISDIR ? path : buf_str(&folder), number,
                 err);
  buf_clear(&folder);
}

int file_replace(const char *path, struct str bytes, struct err *err) {
  const char *slash = strrchr(path, '/');
  size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  struct buf temporary = BUF_INIT(PATH_MAX);
  int rc = -1;

  buf_put(&temporary, path, folder);
  buf_printf(&temporary, ".%s.new", path + folder);
  if (!buf_ok(&temporary)) {
    (void)err_set(err, "the name is too long to write to %s", path);
    goto out;
  }
  if (write_new(buf_str(&temporary), bytes) == 0 &&
      rename(buf_str(&temporary), path) == 0) {
    rc = 0;
    goto out;
  }
  int number = errno;
  (void)unlink(buf_str(&temporary));
  explain_replace(path, buf_str(&temporary), number, err);
out:
  buf_clear(&temporary);
  return rc;
}
