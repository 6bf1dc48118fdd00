/* allocations: what the whole program allocates, counted.
 *
 * malloc() and its like are the program's own here, so that those of the
 * module and of every library come by. */
#ifndef BENCH_ALLOCATIONS_H
#define BENCH_ALLOCATIONS_H

#include <stdint.h>

/* How many blocks the calling thread has asked for, or asked to be larger. */
uint64_t allocations_here(void);

/* Bytes that all threads hold, as malloc_usable_size() has it: what was asked
 * for, rounded up, without the words that the allocator keeps for itself. */
int64_t allocations_live(void);

#endif
