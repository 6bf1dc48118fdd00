/* refuse: the series that CloudWatch refused, and when each is let back.
 *
 * Only a refusal of what all data of a series share belongs here: its name, its
 * dimensions, its unit.  Such a series is kept back for ten minutes, as policy
 * and limits of the service may change; if it is refused once more after that,
 * for twice as long, up to a day.  A day after it was let back it is forgotten.
 *
 * The table has room for REFUSE_MAX series.  Beyond, the one that would be let
 * back first (or was, longest ago) makes room: it costs one refused datum more.
 *
 * Belongs to the node's thread; pure, told the time. */
#ifndef METRIC_REFUSE_H
#define METRIC_REFUSE_H

#include "base/str.h"
#include "metric/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFUSE_MAX CW_DATA_MAX /* as many as one answer can name */
#define REFUSE_FIRST_S 600
#define REFUSE_LONGEST_S 86400
#define REFUSE_FORGET_S 86400 /* after it was let back */

struct refuse {
  struct refuse_series {
    uint64_t key;
    int64_t until_s;    /* steady time at which it is let back */
    int32_t out_s;      /* how long it is kept back */
    bool is_well;       /* accepted since */
  } series[REFUSE_MAX]; /* ascending by key */
  size_t n;
};

/* Names a series of a namespace.  text: as encode_json_series() gives it. */
uint64_t refuse_key(const char *namespace, struct str text);

/* Whether the series is kept back now.  now_s: steady time, seconds. */
bool refuse_holds(const struct refuse *refuse, uint64_t key, int64_t now_s);

/* The series was refused.  Returns for how many seconds from now on it is kept
 * back; 0 when it is kept back already, as data that waited come later. */
int64_t refuse_add(struct refuse *refuse, uint64_t key, int64_t now_s);

/* A datum of the series was accepted: it is let back, if it is not yet.
 * Returns, the first time, for how many seconds it was to be kept back; else 0.
 */
int64_t refuse_accept(struct refuse *refuse, uint64_t key, int64_t now_s);

/* Forgets the series that have been well for long enough. */
void refuse_forget(struct refuse *refuse, int64_t now_s);

#endif
