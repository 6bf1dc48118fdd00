#include "arrival.h"

#include <stdint.h>
#include <string.h>

/* cdtime_t counts 2^-30 s. */
static int64_t to_us(cdtime_t time) {
  uint64_t fraction = time & ((UINT64_C(1) << 30) - 1);
  return (int64_t)((time >> 30) * 1000000 +
                   ((fraction * 1000000 + (UINT64_C(1) << 29)) >> 30));
}

static struct reading to_reading(const data_source_t *source, value_t value) {
  struct reading reading = {
      .name = source->name, .min = source->min, .max = source->max};
  switch (source->type) {
  case DS_TYPE_COUNTER:
    reading.kind = KIND_COUNTER;
    reading.value.counter = value.counter;
    break;
  case DS_TYPE_DERIVE:
    reading.kind = KIND_DERIVE;
    reading.value.derive = value.derive;
    break;
  case DS_TYPE_ABSOLUTE:
    reading.kind = KIND_ABSOLUTE;
    reading.value.counter = value.absolute;
    break;
  default:
    reading.kind = KIND_GAUGE;
    reading.value.gauge = value.gauge;
    break;
  }
  return reading;
}

struct input arrival_begin(struct arrival *arrival, const data_set_t *set,
                           const value_list_t *list) {
  arrival->set = set;
  arrival->list = list;
  return (struct input){.part = {[PART_HOST] = list->host,
                                 [PART_PLUGIN] = list->plugin,
                                 [PART_PLUGIN_INSTANCE] = list->plugin_instance,
                                 [PART_TYPE] = list->type,
                                 [PART_TYPE_INSTANCE] = list->type_instance},
                        .n_readings = list->values_len};
}

void arrival_fill(struct input *in, void *context) {
  struct arrival *arrival = context;
  const value_list_t *list = arrival->list;

  for (size_t i = 0; i < list->values_len; i++)
    arrival->readings[i] = to_reading(&arrival->set->ds[i], list->values[i]);
  in->readings = arrival->readings;
  in->is_local = strcmp(list->host, hostname_g) == 0;
  in->time_us = to_us(list->time);
  in->interval_us = list->interval > 0 ? to_us(list->interval) : 1000000;
}
