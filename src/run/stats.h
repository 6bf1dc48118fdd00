/* stats: what a node has counted and how it is, in plain numbers, for
 * ReportStats. */
#ifndef RUN_STATS_H
#define RUN_STATS_H

#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The plugin of the values that ReportStats has dispatched. */
#define STATS_PLUGIN "write_cloudwatch"

/* What became of data, ever. */
struct delivery_count {
  uint64_t requests;        /* those of credentials are none of them */
  uint64_t failed_requests; /* without an answer, or with one that is no
                               success */
  uint64_t retried;         /* data that these kept, to be sent again */
  uint64_t accepted;
  uint64_t refused;       /* by CloudWatch, in its own error code */
  uint64_t dropped;       /* by BufferLimit */
  uint64_t spool_dropped; /* by SpoolLimit, or with a folder that was removed */
  uint64_t aged;          /* by BufferAge */
  uint64_t lost;          /* unsent at the stop, and not in a spool */
  uint64_t ahead;         /* by us, too far in the future for CloudWatch */
  uint64_t ambiguous; /* in requests whose answer was lost: may count twice */
};

/* Values that did not become data, or not as they came, by reason. */
struct left_out {
  uint64_t n[N_REASONS];
};

struct stats {
  struct delivery_count count;
  struct left_out left_out;
  size_t n_series;      /* alive */
  size_t n_waiting;     /* data, also in the spool */
  size_t waiting_bytes; /* of memory */
  int64_t oldest_s;     /* wall time when the oldest was cut; 0: none waits */
  bool has_spool;
  int64_t spool_bytes; /* of its files, in whole blocks */
  int64_t request_ms;  /* what the last request took; -1: none yet */
  bool has_credentials;
  int64_t expires_s; /* of the credentials, by AWS's clock; CRED_NEVER */
  int64_t offset_s;  /* that clock less this host's */
};

#endif
