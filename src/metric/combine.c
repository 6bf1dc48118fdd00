#include "metric/combine.h"

#include "metric/number.h"

#include <stdlib.h>

struct group_value {
  struct member *member;
  double value;
  uint32_t second;
  uint32_t order; /* of coming: the later of two of one second is the newer */
};

/* ---- groups ------------------------------------------------------------- */

struct group *group_use(struct series *series, const struct rule *rule) {
  struct group *group = series->groups;

  while (group != NULL && group->rule != rule)
    group = group->next;
  if (group != NULL)
    return group;

  group = calloc(1, sizeof(*group));
  if (group == NULL)
    return NULL;
  group->series = series;
  group->rule = rule;
  group->next = series->groups;
  series->groups = group;
  return group;
}

static void join(struct group *group, struct member *member) {
  member->next = group->members;
  member->link = &group->members;
  if (group->members != NULL)
    group->members->link = &member->next;
  group->members = member;
}

void group_leave(struct member *member) {
  /* One that never reported is in no list, which may be the thread's to walk.
   */
  if (member->interval_s == 0)
    return;
  *member->link = member->next;
  if (member->next != NULL)
    member->next->link = member->link;
  member->group->slot_s = 0;
}

/* The longest interval among the members.  Found out once after it may have
 * become less: thousands may leave at once. */
static void find_slot_length(struct group *group) {
  if (group->slot_s != 0)
    return;
  for (const struct member *m = group->members; m != NULL; m = m->next)
    if (m->interval_s > group->slot_s)
      group->slot_s = m->interval_s;
}

/* The member's values come at another interval from now on. */
static void set_interval(struct group *group, struct member *member,
                         uint32_t interval_s) {
  uint32_t before_s = member->interval_s;

  member->interval_s = interval_s;
  if (group->slot_s == 0)
    return;
  if (interval_s > group->slot_s)
    group->slot_s = interval_s;
  else if (before_s == group->slot_s)
    group->slot_s = 0;
}

void group_free_all(struct group *groups) {
  while (groups != NULL) {
    struct group *group = groups;
    groups = group->next;
    free(group->waiting);
    free(group);
  }
}

/* ---- how far a flush reaches -------------------------------------------- */

static uint32_t period_length(const struct horizon *horizon,
                              const struct series *series) {
  return series->name.resolution_s == 1 ? 1 : horizon->period_s;
}

uint32_t horizon_period(const struct horizon *horizon,
                        const struct series *series, uint32_t second) {
  return second - second % period_length(horizon, series);
}

/* Whether the period begins later than a value can be: it was stamped by a
 * clock that has been set back since, and nothing more comes for it. */
static bool is_stranded(const struct horizon *horizon,
                        const struct series *series, uint32_t second) {
  return horizon_period(horizon, series, second) > horizon->latest_s;
}

bool horizon_holds(const struct horizon *horizon, const struct series *series,
                   uint32_t second) {
  int64_t end = (int64_t)horizon_period(horizon, series, second) +
                period_length(horizon, series);

  if (horizon_awaits(horizon->awaited, series))
    return false;
  return horizon->is_forced || end <= horizon->until_s ||
         is_stranded(horizon, series, second);
}

bool horizon_awaits(uint64_t awaited, const struct series *series) {
  return (series->needs & awaited) != 0;
}

/* ---- values in, samples out --------------------------------------------- */

static int make_room(struct group *group) {
  if (group->n_waiting < group->cap_waiting)
    return 0;
  size_t cap = group->cap_waiting == 0 ? 8 : group->cap_waiting * 2;
  struct group_value *grown =
      realloc(group->waiting, cap * sizeof(*group->waiting));
  if (grown == NULL)
    return -1;
  group->waiting = grown;
  group->cap_waiting = cap;
  return 0;
}

int combine_add(struct group *group, const struct sample *sample) {
  struct member *member = sample->member;
  uint32_t interval_s = sample->interval_s & ~SAMPLE_MEMBER;

  if (make_room(group) != 0)
    return -1;
  if (member->interval_s == 0) /* its first value */
    join(group, member);
  if (member->interval_s != interval_s)
    set_interval(group, member, interval_s);
  group->waiting[group->n_waiting] = (struct group_value){
      member, sample->value, sample->second, (uint32_t)group->n_waiting};
  group->n_waiting++;
  member->n_held++;
  return 0;
}

static int by_time(const void *a, const void *b) {
  const struct group_value *x = a, *y = b;

  if (x->second != y->second)
    return x->second < y->second ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

/* The value is the member's from now on, unless it has a newer one. */
static void take_value(struct group_value *value) {
  struct member *member = value->member;

  member->n_held--;
  if (value->second < member->newest_s)
    return;
  member->newest_s = value->second;
  member->newest = value->value;
}

/* The function over the members' newest values at a slot. */
static double combine(const struct group *group, uint32_t slot) {
  double sum = 0, least = 0, greatest = 0;
  size_t n = 0;

  for (const struct member *m = group->members; m != NULL; m = m->next) {
    if (m->newest_s == 0 ||
        (int64_t)m->newest_s < (int64_t)slot - 2 * (int64_t)group->slot_s)
      continue;
    sum += m->newest;
    if (n == 0 || m->newest < least)
      least = m->newest;
    if (n == 0 || m->newest > greatest)
      greatest = m->newest;
    n++;
  }
  switch (group->rule->combine) {
  case COMBINE_NONE:
  case COMBINE_SUM:
    return sum;
  case COMBINE_AVERAGE:
    return sum / (double)n; /* the member that reported is one of them */
  case COMBINE_MIN:
    return least;
  case COMBINE_MAX:
    return greatest;
  case COMBINE_COUNT:
    return (double)n;
  }
  return sum;
}

static void yield(struct group *group, uint32_t slot, struct tally *tally,
                  combine_fn emit, void *context) {
  double value = number_convert(group->rule, combine(group, slot));

  switch (number_check(&value)) {
  case NUMBER_OK:
    emit(context, group, value, slot);
    return;
  case NUMBER_INFINITE:
    tally_add_text(tally, REASON_INFINITE, 1, group->series->identifier);
    return;
  case NUMBER_OUT_OF_RANGE:
    tally_add_text(tally, REASON_RANGE, 1, group->series->identifier);
    return;
  }
}

/* Marks the members' values of one slot, from number i on, as theirs; returns
 * the number of the first value behind it. */
static size_t take_slot(struct group *group, size_t i, uint32_t slot,
                        int64_t end) {
  for (; i < group->n_waiting && group->waiting[i].second < end; i++) {
    struct member *member = group->waiting[i].member;
    if (member->reported_s != slot) {
      member->before_s = member->reported_s;
      member->reported_s = slot;
    }
    take_value(&group->waiting[i]);
  }
  return i;
}

/* Whether all who reported in the slot before have reported in this one, and
 * there was somebody. */
static bool is_complete(const struct group *group, uint32_t slot) {
  uint32_t before = slot - group->slot_s;
  bool anybody = false;

  for (const struct member *m = group->members; m != NULL; m = m->next) {
    if (m->reported_s == before)
      return false;
    anybody |= m->reported_s == slot && m->before_s == before;
  }
  return anybody;
}

/* Whether a flush is forced and a slot, the first one ever, has hardly ended.
 * Nobody knows yet who belongs to it: collectd -T reads once, loses some of the
 * values and forces a flush, which may come just after the slot's end. */
static bool is_fresh(const struct group *group, const struct horizon *horizon,
                     int64_t end) {
  return horizon->is_forced && group->cut_s == 0 &&
         end + group->slot_s > horizon->until_s;
}

/* What lies further ahead than a value can came under a clock that has been
 * set back since; it must not make all that follows late. */
static void forget_the_future(struct group *group, int64_t latest_s) {
  if (group->cut_s <= latest_s + group->slot_s)
    return;
  group->cut_s = 0;
  for (struct member *m = group->members; m != NULL; m = m->next)
    if (m->newest_s > latest_s)
      m->newest_s = m->reported_s = m->before_s = 0;
}

/* Forgets the first i of the values that wait. */
static void forget_values(struct group *group, size_t i) {
  for (size_t kept = 0; i + kept < group->n_waiting; kept++) {
    group->waiting[kept] = group->waiting[i + kept];
    group->waiting[kept].order = (uint32_t)kept;
  }
  group->n_waiting -= i;
}

size_t combine_drop(struct group *group, uint32_t before_s) {
  size_t i = 0;

  find_slot_length(group);
  qsort(group->waiting, group->n_waiting, sizeof(*group->waiting), by_time);
  while (i < group->n_waiting) {
    uint32_t slot =
        group->waiting[i].second - group->waiting[i].second % group->slot_s;
    int64_t end = (int64_t)slot + group->slot_s;
    if (slot >= before_s)
      break;
    i = take_slot(group, i, slot, end);
    if (group->cut_s < end)
      group->cut_s = (uint32_t)end;
  }
  forget_values(group, i);
  return i;
}

void combine_span(const struct group *group, uint32_t *oldest_s,
                  uint32_t *newest_s) {
  *oldest_s = *newest_s = group->waiting[0].second;
  for (size_t i = 1; i < group->n_waiting; i++) {
    uint32_t second = group->waiting[i].second;
    if (second < *oldest_s)
      *oldest_s = second;
    if (second > *newest_s)
      *newest_s = second;
  }
}

/* Whether a slot is left to a later flush. */
static bool is_early(const struct group *group, const struct horizon *horizon,
                     uint32_t slot, int64_t end) {
  if (!horizon_holds(horizon, group->series, slot))
    return true;
  /* A slot of the future is nobody's whose clock is right: it waits. */
  return end > horizon->until_s &&
         (!horizon->is_forced || slot > horizon->until_s) &&
         !is_stranded(horizon, group->series, slot);
}

/* Whether more might have come for a slot that is cut.  is_last: nothing waits
 * that is later. */
static bool may_be_half(const struct group *group,
                        const struct horizon *horizon, uint32_t slot,
                        int64_t end, bool is_last) {
  if (is_stranded(horizon, group->series, slot))
    return is_last;
  return end > horizon->until_s || (is_last && is_fresh(group, horizon, end));
}

/* Cuts what is due of the values from number i up to n, which are in order;
 * returns the number of the first that is not. */
static size_t cut_range(struct group *group, size_t i, size_t n,
                        const struct horizon *horizon, struct tally *tally,
                        combine_fn emit, void *context) {
  for (; i < n && group->waiting[i].second < group->cut_s; i++) {
    tally_add_text(tally, REASON_LATE, 1, group->series->identifier);
    take_value(&group->waiting[i]);
  }

  while (i < n) {
    uint32_t slot =
        group->waiting[i].second - group->waiting[i].second % group->slot_s;
    int64_t end = (int64_t)slot + group->slot_s;
    /* After the slots grew, the first begins where the last short one ended:
     * no time is told twice. */
    if (slot < group->cut_s)
      slot = group->cut_s;
    if (is_early(group, horizon, slot, end))
      break;

    i = take_slot(group, i, slot, end);
    bool is_half = may_be_half(group, horizon, slot, end, i == n);
    group->cut_s = (uint32_t)end;
    if (is_half && !is_complete(group, slot))
      tally_add_text(tally, REASON_SLOT_DROPPED, 1, group->series->identifier);
    else
      yield(group, slot, tally, emit, context);
  }
  return i;
}

/* Cuts what a clock that has been set back since has left: values at the end,
 * the last slots of their time. */
static void cut_stranded(struct group *group, const struct horizon *horizon,
                         struct tally *tally, combine_fn emit, void *context) {
  size_t n = group->n_waiting;

  if (horizon_awaits(horizon->awaited, group->series))
    return;
  while (n > 0 && is_stranded(horizon, group->series,
                              group->waiting[n - 1].second -
                                  group->waiting[n - 1].second % group->slot_s))
    n--;
  (void)cut_range(group, n, group->n_waiting, horizon, tally, emit, context);
  group->n_waiting = n;
}

void combine_cut(struct group *group, const struct horizon *horizon,
                 struct tally *tally, combine_fn emit, void *context) {
  find_slot_length(group);
  qsort(group->waiting, group->n_waiting, sizeof(*group->waiting), by_time);
  cut_stranded(group, horizon, tally, emit, context);
  forget_the_future(group, horizon->latest_s);
  forget_values(group, cut_range(group, 0, group->n_waiting, horizon, tally,
                                 emit, context));
}
