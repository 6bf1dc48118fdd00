/* combine: the members' values of one slot to one sample.
 *
 * The members of a group are the identifiers that one <Metric> selects for one
 * series.  Time is cut into slots of the longest interval among the members,
 * aligned to the wall clock.  A slot in which at least one member reported
 * yields one sample: the function over each member's newest value that is not
 * older than two slots.  So a read that is missed once, or split by a flush,
 * changes nothing, and half a sum is never published.
 *
 * Groups are made under the node's lock; all else is the node's thread's. */
#ifndef METRIC_COMBINE_H
#define METRIC_COMBINE_H

#include "metric/agg.h"
#include "metric/series.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct group {
  struct group *next; /* of the same series */
  struct series *series;
  const struct rule *rule;

  /* The thread's. */
  struct member *members;
  uint32_t slot_s;             /* length of a slot; 0: to be found out */
  uint32_t cut_s;              /* end of the last slot that was cut */
  struct group_value *waiting; /* owned: values of open slots */
  size_t n_waiting, cap_waiting;
  struct group *next_busy; /* in a list of groups that have values waiting */
  bool is_busy;
};

/* The group of a series and a rule, made when there is none.  NULL is lack of
 * memory. */
struct group *group_use(struct series *series, const struct rule *rule);
void group_leave(struct member *member); /* of its group */
void group_free_all(struct group *groups);

/* How far a flush reaches. */
struct horizon {
  int64_t until_s;   /* what ended by then is cut; forced: the time now */
  int64_t latest_s;  /* no value can be later, by the clock of now */
  uint32_t period_s; /* of series with StorageResolution 60 */
  bool is_forced;    /* what is still open, too */
  uint64_t awaited;  /* values of the instance; what needs one is not cut */
};

/* Start of the period that holds a second. */
uint32_t horizon_period(const struct horizon *horizon,
                        const struct series *series, uint32_t second);
/* Whether that period is cut by this flush. */
bool horizon_holds(const struct horizon *horizon, const struct series *series,
                   uint32_t second);

/* Whether the series needs a value that is awaited. */
bool horizon_awaits(uint64_t awaited, const struct series *series);

/* Takes the value of a member of the group; the member is held (n_held) until
 * the value's slot is cut.  0, or -1 for lack of memory. */
int combine_add(struct group *group, const struct sample *sample);

/* Told each sample: fit for CloudWatch, at the start of its slot. */
typedef void (*combine_fn)(void *context, struct group *group, double value,
                           uint32_t second);

/* Cuts the slots that the horizon reaches, oldest first.  An open slot is cut
 * by a forced flush only if every member that reported in the slot before has
 * reported in it; otherwise it is dropped, as is a first and only slot that has
 * hardly ended.  What was left out is counted. */
void combine_cut(struct group *group, const struct horizon *horizon,
                 struct tally *tally, combine_fn emit, void *context);

/* Drops the slots that begin before a second, whole, so that no half sum is
 * left; their values are still their members' newest.  Returns how many values
 * that were. */
size_t combine_drop(struct group *group, uint32_t before_s);

/* The time of the oldest and of the newest value that waits; there is one. */
void combine_span(const struct group *group, uint32_t *oldest_s,
                  uint32_t *newest_s);

#endif
