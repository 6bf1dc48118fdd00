/* freed: whether memory that is given back still holds a secret, for programs
 * that are linked with $(wrap_memory).
 *
 * Only what our own code gives back is seen; new memory is emptied, as
 * libraries leave theirs behind. */
#ifndef TESTS_FREED_H
#define TESTS_FREED_H

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

/* Whether a text stands in a block; an empty one does not. */
static bool freed_holds(const char *block, size_t size, const char *text) {
  size_t len = strlen(text);
  for (size_t i = 0; len > 0 && i + len <= size; i++)
    if (block[i] == text[0] && memcmp(block + i, text, len) == 0)
      return true;
  return false;
}

/* Looks at a block that is given back.  A program that knows more than one
 * secret has its own; else it is the text SECRET, which nothing else holds. */
static void look_at(const char *block, size_t size);

#ifndef FREED_HAS_OWN_LOOK
#define SECRET "hush"
static _Atomic unsigned n_secrets_freed;

static void look_at(const char *block, size_t size) {
  if (freed_holds(block, size, SECRET))
    n_secrets_freed++;
}
#endif

void *__wrap_malloc(size_t size) {
  void *block = __real_malloc(size);
  if (block != NULL)
    memset(block, 0, malloc_usable_size(block));
  return block;
}

void *__wrap_calloc(size_t n, size_t size) {
  void *block = __real_calloc(n, size);
  if (block != NULL)
    memset(block, 0, malloc_usable_size(block));
  return block;
}

/* Always to another place, as it may be. */
void *__wrap_realloc(void *block, size_t size) {
  void *other = __wrap_malloc(size);
  if (other == NULL || block == NULL)
    return other;
  size_t old_size = malloc_usable_size(block);
  memcpy(other, block, size < old_size ? size : old_size);
  __wrap_free(block);
  return other;
}

void __wrap_free(void *block) {
  if (block != NULL)
    look_at(block, malloc_usable_size(block));
  __real_free(block);
}

#endif
