/* vectors: the folders below tests/vectors/KIND, one per case, for unit tests.
 *
 * The folder of the sources is the environment variable srcdir, as automake
 * sets it; else the current one. */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "base/str.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTOR_BYTES_MAX (1u << 20)

/* The bytes of a file of the case, NUL after them, the caller's to free(). */
static inline struct str vector_read(const char *folder, const char *name) {
  char path[512];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    fail_msg("%s: cannot be opened", path);
  char *text = calloc(1, VECTOR_BYTES_MAX + 1);
  assert_non_null(text);
  size_t len = fread(text, 1, VECTOR_BYTES_MAX, file);
  fclose(file);
  return (struct str){text, len};
}

static inline void vector_free(struct str text) { free((char *)text.p); }

/* Takes all up to the first empty line, and that. */
static inline struct str vector_block(struct str *rest) {
  struct str block = *rest;
  for (size_t i = 0; i + 1 < rest->len; i++)
    if (rest->p[i] == '\n' && rest->p[i + 1] == '\n') {
      block.len = i;
      *rest = (struct str){rest->p + i + 2, rest->len - i - 2};
      return block;
    }
  *rest = (struct str){NULL, 0};
  return block;
}

/* What stands after "name " on a line of its own; empty when nothing does. */
static inline struct str vector_field(struct str block, const char *name) {
  struct str line, word;
  while (str_split(&block, '\n', &line))
    if (str_split(&line, ' ', &word) && str_eq(word, str_of(name)))
      return line;
  return (struct str){"", 0};
}

/* Runs every case; a kind without cases fails. */
static inline void vector_each(const char *kind,
                               void (*run)(const char *folder)) {
  const char *srcdir = getenv("srcdir");
  char folder[256], path[512];
  snprintf(folder, sizeof(folder), "%s/tests/vectors/%s",
           srcdir != NULL ? srcdir : ".", kind);
  DIR *dir = opendir(folder);
  if (dir == NULL)
    fail_msg("%s: cannot be opened", folder);

  size_t n = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.')
      continue;
    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    run(path);
    n++;
  }
  closedir(dir);
  if (n == 0)
    fail_msg("%s: no cases", folder);
}

#endif
