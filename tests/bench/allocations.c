#include "allocations.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local uint64_t n_here;
static _Atomic int64_t live;

uint64_t allocations_here(void) { return n_here; }

int64_t allocations_live(void) { return atomic_load(&live); }

/* ---- those of libc ------------------------------------------------------- */

static struct {
  void *(*malloc)(size_t);
  void *(*calloc)(size_t, size_t);
  void *(*realloc)(void *, size_t);
  void (*free)(void *);
} real;

/* A pointer to an object is not one to a function, says C; POSIX that both
 * look alike. */
static void find(const char *name, void *to, size_t size) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL)
    abort();
  memcpy(to, &found, size);
}

/* Comes before main(), in the first thread: libraries allocate when loaded. */
static void find_all(void) {
  find("free", &real.free, sizeof(real.free));
  find("calloc", &real.calloc, sizeof(real.calloc));
  find("realloc", &real.realloc, sizeof(real.realloc));
  find("malloc", &real.malloc, sizeof(real.malloc));
}

static void *came(void *block) {
  n_here++;
  atomic_fetch_add_explicit(&live, (int64_t)malloc_usable_size(block),
                            memory_order_relaxed);
  return block;
}

/* ---- ours ---------------------------------------------------------------- */

void *malloc(size_t size) {
  if (real.malloc == NULL)
    find_all();
  return came(real.malloc(size));
}

void *calloc(size_t n, size_t size) {
  if (real.malloc == NULL)
    find_all();
  return came(real.calloc(n, size));
}

void *realloc(void *block, size_t size) {
  if (real.malloc == NULL)
    find_all();
  int64_t before = (int64_t)malloc_usable_size(block);
  void *moved = real.realloc(block, size);
  if (moved == NULL && size > 0)
    return NULL; /* the block is as it was */
  atomic_fetch_sub_explicit(&live, before, memory_order_relaxed);
  return came(moved);
}

void free(void *block) {
  if (block == NULL)
    return;
  atomic_fetch_sub_explicit(&live, (int64_t)malloc_usable_size(block),
                            memory_order_relaxed);
  real.free(block);
}
