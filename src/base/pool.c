#include "base/pool.h"

#include <stdalign.h>
#include <string.h>

#define POOL_ALIGN alignof(max_align_t)

void *pool_take(void *ctx, size_t len) {
  struct pool *pool = ctx;
  size_t padded = (len + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN + POOL_ALIGN;
  if (padded > pool->size - pool->used)
    return NULL;

  unsigned char *block = pool->bytes + pool->used;
  pool->used += padded;
  memcpy(block, &len, sizeof(len));
  return block + POOL_ALIGN;
}

void *pool_grow(void *ctx, void *old, size_t len) {
  unsigned char *block = pool_take(ctx, len);
  if (block == NULL || old == NULL)
    return block;

  size_t old_len;
  memcpy(&old_len, (unsigned char *)old - POOL_ALIGN, sizeof(old_len));
  memcpy(block, old, old_len < len ? old_len : len);
  return block;
}

void pool_give_back(void *ctx, void *block) {
  (void)ctx;
  (void)block;
}
