/* core: the parts of bench_core, which measure inside of one process. */
#ifndef BENCH_CORE_H
#define BENCH_CORE_H

#include "host.h"

#include <stdbool.h>
#include <stddef.h>

/* What each part is told. */
struct core {
  int port;      /* of the sink */
  bool is_quick; /* each measurement once and small, for what it counts */
};

/* Starts the module with a destination that is the sink, with room for
 * everything, and flushes only when it is asked to. */
void core_start(const struct core *core, const char *metrics);

void core_write(const struct core *core);  /* core_write.c: the callback */
void core_curves(const struct core *core); /* the same, by size */
void core_shards(const struct core *core); /* one lock or several */
void core_memory(const struct core *core); /* core_memory.c */
void core_pack(const struct core *core);   /* core_pack.c: body to request */
void core_wire(const struct core *core);   /* core_wire.c: bytes of a datum */

#endif
