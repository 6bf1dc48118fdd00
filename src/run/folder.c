/* What is found after a crash, by the step at which it came:
 *
 *   open NAME.new, write, fsync   nothing, or a NAME.new that is removed
 *   rename to NAME                NAME as it was, or the new one
 *   fsync of the folder           the new one
 *
 * The lock is flock()'s, as it must also keep two nodes of one process apart,
 * and goes with the process, however that ends. */
#include "run/folder.h"

#include "run/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK "lock"
#define NEW ".new"
#define NAME_MAX_BYTES 255
#define BLOCK_BYTES 4096 /* where the file system does not tell */

/* ---- opening ------------------------------------------------------------ */

/* PATH/NAME, or PATH when name is empty; the caller's to free(). */
static char *join(const char *path, const char *name) {
  struct buf text = BUF_INIT(4096);
  char *joined = NULL;

  buf_puts(&text, path);
  if (name[0] != '\0')
    buf_printf(&text, "/%s", name);
  if (buf_ok(&text))
    joined = str_dup(str_of_buf(&text));
  buf_clear(&text);
  return joined;
}

static int say(const struct folder *folder, const char *what, const char *name,
               int number, struct err *err) {
  char *path = join(folder->path, name);
  file_explain(what, path != NULL ? path : name, number, err);
  free(path);
  return -1;
}

/* Whoever may write here could have us publish what he likes. */
static int check_owner(const struct folder *folder, struct err *err) {
  struct stat st;

  if (fstat(folder->fd, &st) != 0)
    return say(folder, "use", "", errno, err);
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return err_set(err,
                   "%s may be written to by other users (mode %04o): run chmod "
                   "0700 %s",
                   folder->path, (unsigned)(st.st_mode & 07777), folder->path);
  if (st.st_uid != geteuid() && st.st_uid != 0)
    return err_set(err,
                   "%s belongs to another user (%ld) than the one that "
                   "collectd runs as (%ld): run chown %ld %s",
                   folder->path, (long)st.st_uid, (long)geteuid(),
                   (long)geteuid(), folder->path);
  return 0;
}

static int lock(struct folder *folder, struct err *err) {
  folder->lock_fd =
      openat(folder->fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (folder->lock_fd < 0)
    return say(folder, "write to", "", errno, err);
  if (flock(folder->lock_fd, LOCK_EX | LOCK_NB) == 0)
    return 0;
  if (errno != EWOULDBLOCK)
    return say(folder, "lock", LOCK, errno, err);
  return err_set(err,
                 "%s is in use by another collectd or node: give each a "
                 "folder of its own",
                 folder->path);
}

static int64_t ask_block_bytes(int fd) {
  struct statvfs about;

  if (fstatvfs(fd, &about) != 0 || about.f_frsize == 0)
    return BLOCK_BYTES;
  return (int64_t)about.f_frsize;
}

static int open_made(struct folder *folder, struct err *err) {
  if (mkdir(folder->path, 0700) != 0 && errno != EEXIST)
    return say(folder, "make", "", errno, err);
  folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder->fd < 0)
    return say(folder, "open", "", errno, err);
  if (check_owner(folder, err) != 0 || lock(folder, err) != 0)
    return -1;
  folder->block_bytes = ask_block_bytes(folder->fd);
  return 0;
}

/* A folder that is lost from the one above it takes all with it.  Whoever made
 * it may not have come to this. */
static void sync_above(const struct folder *folder, const char *above) {
  int fd = openat(folder->fd, above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return; /* one may write into it, and not read it */
  (void)fsync(fd);
  (void)close(fd);
}

int folder_open(struct folder *folder, const char *path, const char *node,
                struct err *err) {
  *folder = (struct folder){.fd = -1, .lock_fd = -1};
  folder->path = join(path, node);
  if (folder->path == NULL)
    return err_set(err, "no memory for the path of %s", path);
  if (node[0] != '\0' && mkdir(path, 0700) != 0 && errno != EEXIST) {
    file_explain("make", path, errno, err);
  } else if (open_made(folder, err) == 0) {
    sync_above(folder, "..");
    if (node[0] != '\0')
      sync_above(folder, "../..");
    return 0;
  }
  folder_close(folder);
  return -1;
}

void folder_close(struct folder *folder) {
  if (folder->path == NULL)
    return;
  if (folder->lock_fd >= 0)
    (void)close(folder->lock_fd);
  if (folder->fd >= 0)
    (void)close(folder->fd);
  free(folder->path);
  *folder = (struct folder){.fd = -1, .lock_fd = -1};
}

bool folder_is_gone(const struct folder *folder) {
  struct stat st;
  return fstat(folder->fd, &st) == 0 && st.st_nlink == 0;
}

int64_t folder_space(const struct folder *folder, int64_t bytes) {
  int64_t block = folder->block_bytes;
  return (bytes + block - 1) / block * block;
}

/* ---- files -------------------------------------------------------------- */

/* Writes the whole of a new file to the disk. */
static int write_new(struct folder *folder, const char *name,
                     struct str bytes) {
  int fd = openat(folder->fd, name,
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return -1;
  int rc = file_write_all(fd, bytes);
  if (rc == 0)
    rc = fsync(fd);
  return file_close_written(fd, rc);
}

int folder_write(struct folder *folder, const char *name, struct str bytes,
                 struct err *err) {
  char room[NAME_MAX_BYTES + 1];
  struct buf temporary = BUF_OVER(room);

  buf_printf(&temporary, "%s%s", name, NEW);
  if (!buf_ok(&temporary))
    return err_set(err, "the name %s is too long", name);
  if (write_new(folder, buf_str(&temporary), bytes) == 0 &&
      renameat(folder->fd, buf_str(&temporary), folder->fd, name) == 0)
    return 0;
  int number = errno;
  (void)unlinkat(folder->fd, buf_str(&temporary), 0);
  return say(folder, "write to", "", number, err);
}

int folder_sync(struct folder *folder, struct err *err) {
  if (fsync(folder->fd) == 0)
    return 0;
  return say(folder, "write to", "", errno, err);
}

/* Reads to the end of the file, or as much as out may hold.  -1 with errno set.
 */
static int read_all(int fd, struct buf *out) {
  char chunk[4096];

  while (out->len < out->limit) {
    size_t room = out->limit - out->len;
    ssize_t n = read(fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return (int)n;
    buf_put(out, chunk, (size_t)n);
    if (!buf_ok(out)) {
      errno = ENOMEM;
      return -1;
    }
  }
  return 0;
}

static enum folder_found say_unread(const struct folder *folder,
                                    const char *name, int number,
                                    struct err *err) {
  if (number == ENOENT)
    return FOLDER_ABSENT;
  (void)say(folder, "read", name, number, err);
  return number == ENOMEM || number == EMFILE || number == ENFILE
             ? FOLDER_LATER
             : FOLDER_FAILED;
}

enum folder_found folder_read(const struct folder *folder, const char *name,
                              struct buf *out, struct err *err) {
  buf_reset(out);
  int fd =
      openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return say_unread(folder, name, errno, err);
  int rc = read_all(fd, out);
  int number = errno;
  (void)close(fd);
  return rc == 0 ? FOLDER_FOUND : say_unread(folder, name, number, err);
}

int folder_remove(struct folder *folder, const char *name, struct err *err) {
  if (unlinkat(folder->fd, name, 0) == 0 || errno == ENOENT)
    return 0;
  return say(folder, "remove", name, errno, err);
}

int folder_rename(struct folder *folder, const char *from, const char *to,
                  struct err *err) {
  if (renameat(folder->fd, from, folder->fd, to) == 0)
    return 0;
  return say(folder, "rename", from, errno, err);
}

/* Tells one entry, or removes it.  -1 with errno set. */
static int list_one(struct folder *folder, const char *name, folder_fn told,
                    void *context) {
  struct stat st;

  if (strcmp(name, LOCK) == 0)
    return 0;
  if (str_has_suffix(str_of(name), STR(NEW))) {
    (void)unlinkat(folder->fd, name, 0);
    return 0;
  }
  if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? 0 : -1;
  if (S_ISREG(st.st_mode))
    told(context, name, (int64_t)st.st_size);
  return 0;
}

int folder_list(struct folder *folder, folder_fn told, void *context,
                struct err *err) {
  int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
  int number = errno;

  if (entries == NULL) {
    if (fd >= 0)
      (void)close(fd);
    return say(folder, "read", "", number, err);
  }
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(entries);
    if (entry == NULL || list_one(folder, entry->d_name, told, context) != 0)
      break;
  }
  number = errno; /* 0 at the end of all */
  (void)closedir(entries);
  return number == 0 ? 0 : say(folder, "read", "", number, err);
}
