/* pool: the memory that yajl works in.
 *
 * yajl does not look whether it was given the memory that it asked for.  So it
 * gets a pool that holds all it can ever need, and lack of memory shows where
 * the pool is made.  Nothing is given back singly; a block is preceded by its
 * length, which growing must know. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

/* What the handle and the stacks of a parser fit in: they are about 1,100
 * bytes.
 */
#define POOL_FIXED 4096

struct pool {
  unsigned char *bytes; /* the caller's, aligned as malloc() does */
  size_t used, size;
};

/* The functions of a yajl_alloc_funcs; ctx is the struct pool.  NULL: the pool
 * is used up. */
void *pool_take(void *ctx, size_t len);
void *pool_grow(void *ctx, void *old, size_t len);
void pool_give_back(void *ctx, void *block); /* does nothing */

#endif
