/* arrival: a value list of the daemon on its way in.
 *
 * Its identifier is borrowed at once; its numbers are turned into readings only
 * when they go somewhere, which most do not. */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include "collectd.h"

#include "plugin.h"

#include "metric/binding.h"
#include "metric/metric.h"

/* Data sources of one value list. */
#define ARRIVAL_READINGS_MAX BINDING_READINGS_MAX

struct arrival {
  const data_set_t *set;
  const value_list_t *list;
  struct reading readings[ARRIVAL_READINGS_MAX];
};

/* The identifier and the number of readings, which is ARRIVAL_READINGS_MAX at
 * most; borrows set and list. */
struct input arrival_begin(struct arrival *arrival, const data_set_t *set,
                           const value_list_t *list);

/* All else but the meta data, for sender_write().  arrival: a struct arrival,
 * which must live as long as in is used. */
void arrival_fill(struct input *in, void *arrival);

#endif
