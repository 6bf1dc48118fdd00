/* tally: what became of values that were not published, counted by reason.
 *
 * A write callback must not log, so it counts here, and leaves the identifier
 * of the first value of each reason for the node's thread to say once. */
#ifndef METRIC_TALLY_H
#define METRIC_TALLY_H

#include "metric/metric.h"

#include <stdbool.h>
#include <stdint.h>

enum reason {
  REASON_NAN,          /* not a number, OnNaN drop */
  REASON_INFINITE,     /* plus or minus infinity */
  REASON_RANGE,        /* magnitude above 2^360, after Scale and Offset */
  REASON_OLD,          /* older than BufferAge, or CloudWatch accepts */
  REASON_AHEAD,        /* more than FlushInterval or 2 h in the future */
  REASON_TWICE,        /* the same identifier and time as the one before */
  REASON_NOT_NEWER,    /* a counter's value not newer than the one before */
  REASON_RESET,        /* a counter went back to its beginning */
  REASON_LATE,         /* came after its slot of a Combine was cut */
  REASON_SLOT_DROPPED, /* an incomplete slot of a Combine at a forced flush */
  REASON_MAX_METRICS,  /* one series more than MaxMetrics */
  REASON_DISAGREE,     /* two blocks feed one series and do not agree */
  REASON_CROWDED,      /* no room in the table of identifiers */
  REASON_FULL,         /* no room within BufferLimit */
  REASON_FOLDED,       /* published in a sum: too many values in its period */
  REASON_MEMORY,       /* the system had no memory */
  REASON_AWAITED,      /* waited for a value of the instance for too long */
  REASON_LACKING,      /* needs a value of the instance that there is not */
  REASON_UNFIT,        /* a name that is blank or kept for AWS, once filled */
  REASON_QUARANTINED,  /* CloudWatch refused the name of its metric */
  N_REASONS,
};

#define TALLY_EXAMPLE_BYTES 200

struct tally {
  struct tally_row {
    uint64_t n;
    bool said;                         /* for the one who says it */
    char example[TALLY_EXAMPLE_BYTES]; /* identifier of the first; "" unknown */
  } row[N_REASONS];
};

/* What happened and what to do about it: the texts of a message. */
struct reason_text {
  const char *what;   /* "values are not a number" */
  const char *remedy; /* "OnNaN \"zero\" publishes them as 0"; "" for none */
  bool is_normal;     /* happens in good health: not worth a warning */
  bool is_lost;       /* the value is not published */
};
struct reason_text tally_text(enum reason reason);

/* What the reason is called where it is counted for others to read: "nan",
 * letters and "_". */
const char *tally_name(enum reason reason);

/* Counts one value of an identifier. */
void tally_add(struct tally *tally, enum reason reason, const struct input *in);

/* Counts n values; example may be NULL. */
void tally_add_text(struct tally *tally, enum reason reason, uint64_t n,
                    const char *example);

#endif
