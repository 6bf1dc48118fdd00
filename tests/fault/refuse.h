/* refuse: what reaches the disk, or asks for memory, refused by the linker
 * (--wrap): the first, the second, the third ... call since it was armed, alone
 * or with all later ones. */
#ifndef TESTS_REFUSE_H
#define TESTS_REFUSE_H

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum call {
  CALL_OPENAT,
  CALL_WRITE,
  CALL_FSYNC,
  CALL_RENAMEAT,
  CALL_UNLINKAT,
  CALL_MKDIR,
  CALL_FLOCK,
  CALLS_NEEDED, /* the others may have other names in a libc or a build */
  CALL_OPEN = CALLS_NEEDED,
  CALL_CLOSE,
  CALL_READ,
  CALL_READDIR,
  CALL_FDOPENDIR,
  CALL_FSTAT,
  CALL_FSTATAT,
  CALL_FSTATVFS,
  CALL_ALLOCATION,
  N_CALLS
};

static struct {
  bool is_armed;
  bool of_memory; /* allocations are refused; else, calls to the disk */
  bool stays;     /* all later ones are refused, too */
  size_t at;      /* the call that is refused, from 1; 0: none */
  int number;     /* errno */
  bool halves;    /* instead: writes and reads are interrupted, and cut short */
  size_t n;       /* calls since it was armed */
  size_t n_refused[N_CALLS]; /* ever */
  enum call last_refused;
} fault;

static bool is_refused(enum call call) {
  if (!fault.is_armed || fault.of_memory != (call == CALL_ALLOCATION))
    return false;
  fault.n++;
  if (fault.at == 0 || (fault.stays ? fault.n < fault.at : fault.n != fault.at))
    return false;
  fault.n_refused[call]++;
  fault.last_refused = call;
  errno = fault.number;
  return true;
}

/* Every other one is interrupted, the others are given less than they ask. */
static bool is_interrupted(size_t *size) {
  static bool is_odd;
  if (!fault.is_armed || !fault.halves)
    return false;
  is_odd = !is_odd;
  errno = EINTR;
  *size = *size > 100 ? 100 : *size;
  return is_odd;
}

#define WRAP(type, name, parameters, arguments, call, refused)                 \
  type __real_##name parameters;                                               \
  type __wrap_##name parameters;                                               \
  type __wrap_##name parameters {                                              \
    return is_refused(call) ? (refused) : __real_##name arguments;             \
  }

WRAP(int, renameat, (int from, const char *old, int to, const char *new),
     (from, old, to, new), CALL_RENAMEAT, -1)
WRAP(int, unlinkat, (int folder, const char *name, int flags),
     (folder, name, flags), CALL_UNLINKAT, -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), CALL_MKDIR, -1)
WRAP(int, flock, (int fd, int what), (fd, what), CALL_FLOCK, -1)
WRAP(struct dirent *, readdir, (DIR * entries), (entries), CALL_READDIR, NULL)
WRAP(DIR *, fdopendir, (int fd), (fd), CALL_FDOPENDIR, NULL)
WRAP(int, fstat, (int fd, struct stat *out), (fd, out), CALL_FSTAT, -1)
WRAP(int, fstatat, (int fd, const char *name, struct stat *out, int flags),
     (fd, name, out, flags), CALL_FSTATAT, -1)
WRAP(int, fstatvfs, (int fd, struct statvfs *out), (fd, out), CALL_FSTATVFS, -1)

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode) {
  return is_refused(CALL_OPEN) ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int folder, const char *name, int flags, mode_t mode);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode) {
  return is_refused(CALL_OPENAT) ? -1
                                 : __real_openat(folder, name, flags, mode);
}

/* The descriptor is gone, whatever it says. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd) {
  bool is_bad = is_refused(CALL_CLOSE);
  int rc = __real_close(fd);
  errno = is_bad ? fault.number : errno;
  return is_bad ? -1 : rc;
}

/* This disk is quick; tests/fault/crash.c looks at what is lost. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
  (void)fd;
  return is_refused(CALL_FSYNC) ? -1 : 0;
}

/* A full disk takes the first bytes. */
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size) {
  if (is_refused(CALL_WRITE)) {
    int number = errno;
    (void)!__real_write(fd, bytes, size / 2);
    errno = number;
    return -1;
  }
  return is_interrupted(&size) ? -1 : __real_write(fd, bytes, size);
}

ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size) {
  if (is_refused(CALL_READ) || is_interrupted(&size))
    return -1;
  return __real_read(fd, bytes, size);
}

WRAP(void *, malloc, (size_t size), (size), CALL_ALLOCATION, NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), CALL_ALLOCATION, NULL)
WRAP(void *, realloc, (void *block, size_t size), (block, size),
     CALL_ALLOCATION, NULL)

#endif
