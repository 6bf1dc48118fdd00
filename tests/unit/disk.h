/* disk: a temporary folder, and a look at what is in it, for the tests of what
 * writes there. */
#ifndef TESTS_DISK_H
#define TESTS_DISK_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char disk[64]; /* its path */

/* The path of a name there; valid for the next three calls. */
static inline const char *on_disk(const char *name) {
  static char path[4][512];
  static size_t n;
  char *out = path[n++ % 4];
  (void)snprintf(out, sizeof(path[0]), "%s/%s", disk, name);
  return out;
}

/* Removes a file, or a folder with all that is in it. */
static inline void remove_at(int folder, const char *name) {
  if (unlinkat(folder, name, 0) == 0)
    return;
  int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
  for (struct dirent *e; entries != NULL && (e = readdir(entries)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
      remove_at(fd, e->d_name);
  if (entries != NULL)
    (void)closedir(entries);
  (void)unlinkat(folder, name, AT_REMOVEDIR);
}

static inline void remove_all(const char *path) { remove_at(AT_FDCWD, path); }

static inline int make_disk(const char *above) {
  (void)snprintf(disk, sizeof(disk), "%s/test_spool.XXXXXX", above);
  return mkdtemp(disk) != NULL ? 0 : -1;
}

static inline int fresh_disk(void **state) {
  (void)state;
  return make_disk("/tmp");
}

/* In memory, where there is such a folder: for a test that writes very much. */
static inline int fresh_quick_disk(void **state) {
  (void)state;
  return make_disk(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static int remove_disk(void **state) {
  (void)state;
  remove_all(disk);
  return 0;
}

/* A test in a folder of its own. */
#define ON_DISK(test)                                                          \
  cmocka_unit_test_setup_teardown(test, fresh_disk, remove_disk)
#define ON_QUICK_DISK(test)                                                    \
  cmocka_unit_test_setup_teardown(test, fresh_quick_disk, remove_disk)

static inline bool is_there(const char *path) {
  struct stat st;
  return stat(path, &st) == 0;
}

/* How many names there end so. */
static inline size_t count_names(const char *path, const char *suffix) {
  DIR *entries = opendir(path);
  size_t n = 0;

  for (struct dirent *e; entries != NULL && (e = readdir(entries)) != NULL;) {
    size_t len = strlen(e->d_name), want = strlen(suffix);
    n += len > want && strcmp(e->d_name + len - want, suffix) == 0;
  }
  if (entries != NULL)
    (void)closedir(entries);
  return n;
}

static inline void put_bytes(const char *path, const void *bytes, size_t len) {
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0)
    abort();
}

/* The bytes of a file that is not longer than size; how many. */
static inline size_t get_bytes(const char *path, void *out, size_t size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    abort();
  size_t n = fread(out, 1, size, file);
  (void)fclose(file);
  return n;
}

#endif
