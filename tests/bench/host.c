#include "host.h"

#include "base/buf.h"
#include "config_text.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_S 10

static struct {
  int (*config)(oconfig_item_t *);
  plugin_init_cb init;
  plugin_shutdown_cb shutdown;
  plugin_flush_cb flush;
  struct writer writer;
} module;

void fail(const char *format, ...) {
  va_list arguments;

  (void)fprintf(stderr, "bench_core: ");
  va_start(arguments, format);
  (void)vfprintf(stderr, format, arguments);
  va_end(arguments);
  (void)fprintf(stderr, "\n");
  exit(2);
}

/* ---- what the daemon exports --------------------------------------------- */

/* A pointer, and an array up to collectd 5.8. */
__typeof__(hostname_g) hostname_g;

static void set_hostname(void) {
  static char name[DATA_MAX_NAME_LEN] = "relay.example.com";
  char *pointer = name;

  memcpy((void *)&hostname_g,
         sizeof(hostname_g) == sizeof(pointer) ? (void *)&pointer : name,
         sizeof(hostname_g));
}

void plugin_log(int level, const char *format, ...) {
  va_list arguments;

  if (level > LOG_WARNING)
    return;
  (void)fprintf(stderr, "module: ");
  va_start(arguments, format);
  (void)vfprintf(stderr, format, arguments);
  va_end(arguments);
  (void)fprintf(stderr, "\n");
}

cdtime_t plugin_get_interval(void) { return TIME_T_TO_CDTIME_T(INTERVAL_S); }

int plugin_register_complex_config(const char *name,
                                   int (*callback)(oconfig_item_t *)) {
  (void)name;
  module.config = callback;
  return 0;
}

int plugin_register_init(const char *name, plugin_init_cb callback) {
  (void)name;
  module.init = callback;
  return 0;
}

int plugin_register_shutdown(const char *name, plugin_shutdown_cb callback) {
  (void)name;
  module.shutdown = callback;
  return 0;
}

int plugin_register_write(const char *name, plugin_write_cb callback,
                          user_data_t const *user_data) {
  (void)name;
  module.writer = (struct writer){callback, *user_data};
  return 0;
}

int plugin_register_flush(const char *name, plugin_flush_cb callback,
                          user_data_t const *user_data) {
  (void)name;
  (void)user_data; /* the writer's */
  module.flush = callback;
  return 0;
}

/* ReportStats is not asked for here. */
int plugin_register_complex_read(const char *group, const char *name,
                                 plugin_read_cb callback, cdtime_t interval,
                                 user_data_t const *user_data) {
  (void)group;
  (void)name;
  (void)callback;
  (void)interval;
  (void)user_data;
  return -1;
}

int plugin_dispatch_values(value_list_t const *list) {
  (void)list;
  return -1;
}

int meta_data_as_string(meta_data_t *meta, const char *key, char **value) {
  (void)meta;
  (void)key;
  (void)value;
  return -1; /* there is none */
}

/* ---- life ---------------------------------------------------------------- */

void host_load(const char *path) {
  void (*module_register)(void);

  set_hostname();
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL)
    fail("%s", dlerror());
  void *found = dlsym(handle, "module_register");
  if (found == NULL)
    fail("%s is no plugin of collectd", path);
  memcpy(&module_register, &found, sizeof(module_register));
  module_register();
}

void host_start(const char *config) {
  oconfig_item_t tree = config_parse(config);

  module.writer.write = NULL;
  int rc = module.config(&tree);
  config_clear(&tree);
  if (rc != 0 || module.init() != 0 || module.writer.write == NULL)
    fail("the module did not start");
}

struct writer host_writer(void) {
  return module.writer;
}

void host_flush(void) { (void)module.flush(0, NULL, &module.writer.user_data); }

void host_stop(void) { (void)module.shutdown(); }
