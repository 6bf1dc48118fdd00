/* binding: what is remembered of one collectd identifier.
 *
 * One block of memory, in this order: the struct with the key, whose loads need
 * not wait for each other; the targets, in the order of their reading; a rate
 * for each reading, if a counter is among them; a member for each target, if
 * one is of a Combine.  A value touches two or three lines of the cache of
 * this, and nothing that the node's thread writes to. */
#ifndef METRIC_BINDING_H
#define METRIC_BINDING_H

#include "metric/metric.h"
#include "metric/plan.h"
#include "metric/rate.h"
#include "metric/rule.h"
#include "metric/series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One reading of one identifier that feeds one series under one rule. */
struct target {
  union {
    struct series *series;
    struct member *member; /* of a Combine */
  };
  const struct rule *rule;
  uint32_t reading; /* its number in the value list */
  bool is_admitted; /* false: refused, by lack of room or disagreement */
};

/* The target as a member of a group. */
struct member {
  struct group *group;

  /* The thread's: its newest value. */
  struct member *next, **link; /* what points to this one */
  double newest;
  uint32_t n_held;     /* values that the thread keeps for later */
  uint32_t newest_s;   /* when; 0: never */
  uint32_t interval_s; /* between its values, rounded up */
  uint32_t reported_s; /* start of the last slot that it reported in */
  uint32_t before_s;   /* start of the one before that */
};

struct binding {
  struct binding *next; /* in its chain of the table */
  uint64_t last;        /* a hash of time and values of the last value list */
  uint32_t hash;        /* of the key, as much of it as fits */
  uint32_t seen_s;      /* steady time; bind_forget() sets it if is_seen */
  uint32_t interval_s;  /* of its values, rounded up */
  uint32_t n_forgotten; /* of the series table, when refused */
  uint32_t n_targets;
  uint32_t targets_at; /* bytes from the beginning */
  uint8_t n_readings;
  bool is_seen;    /* a value came since bind_forget() looked */
  bool is_refused; /* a target was not admitted: worth asking again */
  bool has_rates;
  char key[]; /* as identifier_key_write() has it */
};

/* An identifier has at most so many readings. */
#define BINDING_READINGS_MAX 64

/* The binding of an identifier by its plan, of which no target is admitted yet;
 * to be given back with free().  NULL is lack of memory.
 *
 * n_meta  meta data values that belong to the key
 * hash    of identifier_hash() */
struct binding *binding_new(const struct plan *plan, const struct input *in,
                            size_t n_meta, uint64_t hash);

static inline struct target *binding_targets(const struct binding *binding) {
  return (struct target *)(void *)((char *)(uintptr_t)binding +
                                   binding->targets_at);
}

/* The last values of its readings; only if has_rates. */
static inline struct rate *binding_rates(const struct binding *binding) {
  return (struct rate *)(void *)(binding_targets(binding) + binding->n_targets);
}

static inline bool binding_is_member(const struct target *target) {
  return target->rule->combine != COMBINE_NONE;
}

/* The target's series; NULL if it is not admitted. */
struct series *binding_series(const struct target *target);

/* Whether it feeds anything, and whether nothing but groups. */
bool binding_feeds(const struct binding *binding);
bool binding_feeds_groups_only(const struct binding *binding);

/* Whether the node's thread keeps something that would not outlive it: values
 * of a member, or samples of a series that nobody else is certain to feed. */
bool binding_is_held(const struct binding *binding);

#endif
