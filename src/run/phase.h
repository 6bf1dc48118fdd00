/* phase: when, after each multiple of FlushInterval, this host flushes. */
#ifndef RUN_PHASE_H
#define RUN_PHASE_H

#include <stdint.h>

/* A share of jitter_s that is this host's own and the same after each restart,
 * so that a fleet never flushes at once, and gaps do not move.  In
 * milliseconds.
 *
 * host  name; the machine-id counts beside it */
int64_t phase_ms(const char *host, double jitter_s);

#endif
