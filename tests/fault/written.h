/* written: what a child has told the disk, written down in shared memory by the
 * linker (--wrap), until it is killed before a step of its choice: a call that
 * changes the disk, or the middle of a write. */
#ifndef TESTS_WRITTEN_H
#define TESTS_WRITTEN_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum what { MADE_FOLDER, MADE, WROTE, RENAMED, REMOVED, SYNCED, SYNCED_FOLDER };

#define EVENTS_MAX 1024
#define INODES_MAX 64
#define FILE_MAX 2048

struct event {
  enum what what;
  int inode; /* of a file; or the level of a folder, see below */
  size_t n;  /* bytes in all, after WROTE */
  char name[64], to[64];
};

static struct told {
  size_t die_at, n_steps;
  size_t n_events;
  struct event events[EVENTS_MAX];
  int n_inodes;
  char bytes[INODES_MAX][FILE_MAX]; /* of each file */
} * told;

/* Folders by level: 0 is the spool's own, 1 and 2 are those above. */
enum { FD_MAX = 256, NO_FD = -1 };
static struct {
  bool is_folder;
  int inode; /* or level */
} open_fds[FD_MAX];

static bool is_child;

static void step(void) {
  if (is_child && ++told->n_steps == told->die_at)
    _exit(EXIT_FAILURE);
}

static struct event *tell(enum what what, int inode) {
  struct event *event = &told->events[told->n_events++];
  if (told->n_events > EVENTS_MAX)
    abort();
  *event = (struct event){.what = what, .inode = inode};
  return event;
}

static void name_it(char *out, const char *name) {
  (void)snprintf(out, 64, "%s", name);
}

static void know(int fd, bool is_folder, int inode) {
  if (fd >= FD_MAX || inode >= INODES_MAX)
    abort();
  if (fd < 0)
    return;
  open_fds[fd].is_folder = is_folder;
  open_fds[fd].inode = inode;
}

/* ---- the calls that change the disk ------------------------------------- */

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode) {
  step();
  int rc = __real_mkdir(path, mode);
  if (is_child && rc == 0)
    (void)tell(MADE_FOLDER, strstr(path, "/node") != NULL ? 1 : 2);
  return rc;
}

/* Only folders are opened so. */
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode) {
  int fd = __real_open(path, flags, mode);
  if (is_child)
    know(fd, true, 0);
  return fd;
}

static int open_for_writing(int folder, const char *name, int flags,
                            mode_t mode,
                            int (*really)(int, const char *, int, mode_t)) {
  step();
  int fd = really(folder, name, flags, mode);
  if (fd < 0)
    return fd;
  know(fd, false, told->n_inodes++);
  name_it(tell(MADE, open_fds[fd].inode)->name, name);
  return fd;
}

int __real_openat(int folder, const char *name, int flags, mode_t mode);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode) {
  if (is_child && (flags & O_CREAT) != 0)
    return open_for_writing(folder, name, flags, mode, __real_openat);
  int fd = __real_openat(folder, name, flags, mode);
  if (is_child)
    know(fd, true,
         strcmp(name, "..") == 0      ? 1
         : strcmp(name, "../..") == 0 ? 2
                                      : 0);
  return fd;
}

static void write_down(int fd, const char *bytes, size_t size, size_t *before) {
  int inode = open_fds[fd].inode;
  if (*before + size > FILE_MAX)
    abort();
  memcpy(told->bytes[inode] + *before, bytes, size);
  *before += size;
  tell(WROTE, inode)->n = *before;
}

static size_t count_written(int inode) {
  for (size_t i = told->n_events; i-- > 0;)
    if (told->events[i].what == WROTE && told->events[i].inode == inode)
      return told->events[i].n;
  return 0;
}

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size) {
  if (!is_child)
    return __real_write(fd, bytes, size);
  step();
  size_t half = size / 2, n = count_written(open_fds[fd].inode);
  if (__real_write(fd, bytes, half) != (ssize_t)half)
    abort();
  write_down(fd, bytes, half, &n);
  step();
  const char *rest = (const char *)bytes + half;
  if (__real_write(fd, rest, size - half) != (ssize_t)(size - half))
    abort();
  write_down(fd, rest, size - half, &n);
  return (ssize_t)size;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
  step();
  if (is_child)
    (void)tell(open_fds[fd].is_folder ? SYNCED_FOLDER : SYNCED,
               open_fds[fd].inode);
  return 0;
}

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new) {
  step();
  int rc = __real_renameat(from, old, to, new);
  if (is_child && rc == 0) {
    struct event *event = tell(RENAMED, -1);
    name_it(event->name, old);
    name_it(event->to, new);
  }
  return rc;
}

int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags) {
  step();
  int rc = __real_unlinkat(folder, name, flags);
  if (is_child && rc == 0)
    name_it(tell(REMOVED, -1)->name, name);
  return rc;
}

/* Memory that parent and child share; NULL when there is none. */
static void *share(size_t size) {
  FILE *shared = tmpfile();
  if (shared == NULL || ftruncate(fileno(shared), (off_t)size) != 0)
    return NULL;
  void *memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(shared), 0);
  return memory != MAP_FAILED ? memory : NULL;
}

#endif
