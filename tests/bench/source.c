/* source: a plugin of the benchmarks' own: many series of many hosts, and the
 * no-op writer, in the real daemon.
 *
 *   LoadPlugin source           after the plugin to be measured, which must
 *   <Plugin source>             register its write callback before or in init
 *     Series 10000              100 of each host: host0000 to host0099
 *     Rounds 60                 rounds that it reads by itself, one in each
 *                               interval, with the time of the clock; 0: none
 *     Begin 1700000040          time of the first round that is asked for, in
 *                               seconds since 1970, and how far it is from one
 *     Step 10                   to the next
 *     Ahead 1000                values that may wait in the daemon's queue
 *   </Plugin>
 *
 * FLUSH plugin="source" timeout=6 asks for six rounds.  They come in quick
 * succession, each when all values of the one before have been written; the
 * order returns when the last have.  Timeout 0 is the daemon's at its stop, and
 * asks for nothing.
 *
 * Series i has value (7919 i + 104729 n) modulo 100003, divided by 8, in round
 * n, which counts from 1: each has other values in each period, and their sum
 * is exact.
 *
 * The write callback counts.  It is registered in init, so that the daemon
 * calls it after the others: what it has counted, they have had. */
#include "collectd.h"

#include "plugin.h"

#include "configfile.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NAME "source"
#define PER_HOST 100
#define PATIENCE_MS 300000 /* for a daemon that does not write */

static struct {
  int series;
  int rounds;
  int begin_s;
  int step_s;
  int ahead;
} options = {.ahead = 1000};

static _Atomic uint64_t n_dispatched, n_written;
static uint64_t n_rounds; /* begun; of one thread: read, or who flushes */

/* ---- write --------------------------------------------------------------- */

static int on_write(const data_set_t *set, const value_list_t *list,
                    user_data_t *user_data) {
  (void)set;
  (void)user_data;
  if (strcmp(list->plugin, NAME) == 0)
    atomic_fetch_add_explicit(&n_written, 1, memory_order_relaxed);
  return 0;
}

/* ---- values -------------------------------------------------------------- */

/* Waits until no more values are on their way than may be; false: in vain. */
static bool wait_until(uint64_t n_waiting) {
  static const struct timespec pause = {.tv_nsec = 1000000};

  for (int i = 0; i < PATIENCE_MS; i++) {
    if (atomic_load(&n_dispatched) - atomic_load(&n_written) <= n_waiting)
      return true;
    (void)nanosleep(&pause, NULL);
  }
  ERROR(NAME ": the daemon does not write its values");
  return false;
}

static void name_series(value_list_t *list, int i) {
  (void)snprintf(list->host, sizeof(list->host), "host%04d", i / PER_HOST);
  (void)snprintf(list->plugin_instance, sizeof(list->plugin_instance), "%d",
                 i % PER_HOST / 10);
  (void)snprintf(list->type_instance, sizeof(list->type_instance), "value-%d",
                 i % 10);
}

/* One value of each series; time 0 is now. */
static int dispatch_round(cdtime_t time, cdtime_t interval, int ahead) {
  value_t value;
  value_list_t list = VALUE_LIST_INIT;
  uint64_t n = ++n_rounds;

  list.values = &value;
  list.values_len = 1;
  list.time = time;
  list.interval = interval;
  (void)snprintf(list.plugin, sizeof(list.plugin), "%s", NAME);
  (void)snprintf(list.type, sizeof(list.type), "%s", "gauge");
  for (int i = 0; i < options.series; i++) {
    if (ahead > 0 && i % ahead == 0 && !wait_until((uint64_t)ahead))
      return -1;
    name_series(&list, i);
    value.gauge = (double)((7919 * (uint64_t)i + 104729 * n) % 100003) / 8;
    if (plugin_dispatch_values(&list) != 0)
      return -1;
    atomic_fetch_add(&n_dispatched, 1);
  }
  return 0;
}

static int on_read(void) {
  if (n_rounds >= (uint64_t)options.rounds)
    return 0;
  return dispatch_round(0, 0, 0);
}

static int on_flush(cdtime_t timeout, const char *identifier,
                    user_data_t *user_data) {
  (void)identifier;
  (void)user_data;
  for (uint64_t i = timeout >> 30; i > 0; i--) {
    int time_s = options.begin_s + (int)n_rounds * options.step_s;
    if (dispatch_round(TIME_T_TO_CDTIME_T(time_s),
                       TIME_T_TO_CDTIME_T(options.step_s),
                       options.ahead) != 0 ||
        !wait_until(0))
      return -1;
  }
  return 0;
}

/* ---- life ---------------------------------------------------------------- */

static int on_config(oconfig_item_t *block) {
  static const struct {
    const char *name;
    int *value;
  } known[] = {{"Series", &options.series},
               {"Rounds", &options.rounds},
               {"Begin", &options.begin_s},
               {"Step", &options.step_s},
               {"Ahead", &options.ahead}};

  for (int i = 0; i < block->children_num; i++) {
    oconfig_item_t *line = &block->children[i];
    int rc = EINVAL;
    for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
      if (strcasecmp(line->key, known[k].name) == 0)
        rc = cf_util_get_int(line, known[k].value);
    if (rc != 0)
      return rc;
  }
  return 0;
}

static int on_init(void) { return plugin_register_write(NAME, on_write, NULL); }

__attribute__((visibility("default"))) void module_register(void);
__attribute__((visibility("default"))) void module_register(void) {
  plugin_register_complex_config(NAME, on_config);
  plugin_register_init(NAME, on_init);
  plugin_register_read(NAME, on_read);
  plugin_register_flush(NAME, on_flush, NULL);
}
