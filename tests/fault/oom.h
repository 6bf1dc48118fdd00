/* oom: allocations that are refused, by the linker, for programs that are
 * linked with $(refuse_memory).
 *
 * Only what our own code asks for is refused: libraries are shared, and ask for
 * themselves. */
#ifndef TESTS_OOM_H
#define TESTS_OOM_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static struct {
  bool is_armed;
  bool stays; /* all later ones are refused, too */
  size_t at;  /* the allocation that is refused, from 1; 0: none */
  size_t n;   /* allocations asked for since it was armed */
} fault;

static bool is_refused(void) {
  if (!fault.is_armed)
    return false;
  fault.n++;
  return fault.at != 0 &&
         (fault.n == fault.at || (fault.stays && fault.n > fault.at));
}

void *__wrap_malloc(size_t size) {
  return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
  return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size) {
  return is_refused() ? NULL : __real_realloc(p, size);
}

#endif
