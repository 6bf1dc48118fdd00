/* probe: a plugin of the tests' own: what the write callbacks of the plugins
 * between its own two cost, in the real daemon, as they are called there.
 *
 *   <LoadPlugin probe>          after that of the plugin to be measured, which
 *     Interval 0.1              must register its callback in init
 *   </LoadPlugin>
 *   <Plugin probe>
 *     File "/path/probe.json"   written at each flush and at the stop
 *     Series 100                values in each interval: gauge-0 to gauge-99
 *     Rounds 50                 intervals with values; 0: without end
 *   </Plugin>
 *
 * The daemon calls all write callbacks of a value one after the other, in one
 * thread, in the order in which they were registered: the first of ours, which
 * is registered at load, looks at the clock; the second, registered in init,
 * looks again.  Only values of this plugin count; that of round n (from 1) is
 * n.  File is JSON:
 *
 *   dispatched   values that the daemon was given
 *   received     values that came to the second callback, each timed
 *   sum          of these
 *   p50_ns, p99_ns, p999_ns, max_ns   percentiles, 3 % above the truth at most
 */
#include "collectd.h"

#include "plugin.h"

#include "configfile.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NAME "probe"

static struct {
  char *file; /* owned */
  int series;
  int rounds;
} options;

/* ---- the histogram ------------------------------------------------------- */

/* Each power of two has STEPS buckets; below STEPS each number has its own. */
#define STEP_BITS 5
#define STEPS (1 << STEP_BITS)
#define N_BUCKETS ((64 - STEP_BITS + 1) * STEPS)

static _Atomic uint64_t buckets[N_BUCKETS];
static _Atomic uint64_t n_dispatched, n_received, sum, max_ns;

static size_t bucket_of(uint64_t ns) {
  if (ns < STEPS)
    return (size_t)ns;
  int shift = 63 - __builtin_clzll(ns) - STEP_BITS;
  return (size_t)(shift + 1) * STEPS + (size_t)((ns >> shift) - STEPS);
}

/* The greatest number of a bucket. */
static uint64_t end_of(size_t bucket) {
  if (bucket < STEPS)
    return bucket;
  size_t shift = bucket / STEPS - 1;
  return (((uint64_t)(bucket % STEPS) + STEPS + 1) << shift) - 1;
}

static void count(uint64_t ns, uint64_t value) {
  atomic_fetch_add(&buckets[bucket_of(ns)], 1);
  atomic_fetch_add(&n_received, 1);
  atomic_fetch_add(&sum, value);
  uint64_t max = atomic_load(&max_ns);
  while (ns > max && !atomic_compare_exchange_weak(&max_ns, &max, ns))
    ;
}

/* The time that so many thousandths of the values did not pass. */
static uint64_t percentile(uint64_t thousandths) {
  uint64_t want = (atomic_load(&n_received) * thousandths + 999) / 1000;
  uint64_t n = 0;
  for (size_t i = 0; i < N_BUCKETS; i++) {
    n += atomic_load(&buckets[i]);
    if (n > 0 && n >= want)
      return end_of(i);
  }
  return 0;
}

/* ---- write --------------------------------------------------------------- */

static _Thread_local struct timespec begin;

static int on_write_before(const data_set_t *set, const value_list_t *list,
                           user_data_t *user_data) {
  (void)set;
  (void)list;
  (void)user_data;
  (void)clock_gettime(CLOCK_MONOTONIC, &begin);
  return 0;
}

static int on_write_after(const data_set_t *set, const value_list_t *list,
                          user_data_t *user_data) {
  struct timespec end;
  (void)set;
  (void)user_data;
  (void)clock_gettime(CLOCK_MONOTONIC, &end);
  if (strcmp(list->plugin, NAME) == 0)
    count((uint64_t)((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec -
                     begin.tv_nsec),
          (uint64_t)list->values[0].gauge);
  return 0;
}

/* ---- read ---------------------------------------------------------------- */

static int on_read(void) {
  static int round;
  value_t value;
  value_list_t list = VALUE_LIST_INIT;

  if (options.rounds != 0 && round >= options.rounds)
    return 0;
  value.gauge = ++round;
  list.values = &value;
  list.values_len = 1;
  (void)snprintf(list.plugin, sizeof(list.plugin), "%s", NAME);
  (void)snprintf(list.type, sizeof(list.type), "%s", "gauge");
  for (int i = 0; i < options.series; i++) {
    (void)snprintf(list.type_instance, sizeof(list.type_instance), "%d", i);
    if (plugin_dispatch_values(&list) == 0)
      atomic_fetch_add(&n_dispatched, 1);
  }
  return 0;
}

/* ---- the file ------------------------------------------------------------ */

/* Flushes come from several threads, one of them also after shutdown. */
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;

static int write_file(void) {
  char path[4096];

  if (options.file == NULL)
    return 0;
  (void)snprintf(path, sizeof(path), "%s.new", options.file);
  FILE *file = fopen(path, "w");
  if (file == NULL)
    return -1;
  (void)fprintf(file,
                "{\"dispatched\": %llu, \"received\": %llu, \"sum\": %llu, "
                "\"p50_ns\": %llu, \"p99_ns\": %llu, \"p999_ns\": %llu, "
                "\"max_ns\": %llu}\n",
                (unsigned long long)atomic_load(&n_dispatched),
                (unsigned long long)atomic_load(&n_received),
                (unsigned long long)atomic_load(&sum),
                (unsigned long long)percentile(500),
                (unsigned long long)percentile(990),
                (unsigned long long)percentile(999),
                (unsigned long long)atomic_load(&max_ns));
  return fclose(file) == 0 && rename(path, options.file) == 0 ? 0 : -1;
}

static int on_flush(cdtime_t timeout, const char *identifier,
                    user_data_t *user_data) {
  (void)timeout;
  (void)identifier;
  (void)user_data;
  pthread_mutex_lock(&file_lock);
  int rc = write_file();
  pthread_mutex_unlock(&file_lock);
  return rc;
}

/* ---- life ---------------------------------------------------------------- */

static int on_config(oconfig_item_t *block) {
  int rc = 0;
  for (int i = 0; i < block->children_num && rc == 0; i++) {
    oconfig_item_t *line = &block->children[i];
    if (strcasecmp(line->key, "File") == 0)
      rc = cf_util_get_string(line, &options.file);
    else if (strcasecmp(line->key, "Series") == 0)
      rc = cf_util_get_int(line, &options.series);
    else if (strcasecmp(line->key, "Rounds") == 0)
      rc = cf_util_get_int(line, &options.rounds);
    else
      rc = -1;
  }
  return rc;
}

static int on_init(void) {
  return plugin_register_write(NAME "/after", on_write_after, NULL);
}

static int on_shutdown(void) {
  pthread_mutex_lock(&file_lock);
  int rc = write_file();
  free(options.file);
  options.file = NULL;
  pthread_mutex_unlock(&file_lock);
  return rc;
}

__attribute__((visibility("default"))) void module_register(void);
__attribute__((visibility("default"))) void module_register(void) {
  plugin_register_complex_config(NAME, on_config);
  plugin_register_write(NAME "/before", on_write_before, NULL);
  plugin_register_init(NAME, on_init);
  plugin_register_read(NAME, on_read);
  plugin_register_flush(NAME, on_flush, NULL);
  plugin_register_shutdown(NAME, on_shutdown);
}
