/* host: in the place of the daemon: loads the module, configures and starts it,
 * and has its callbacks.
 *
 * There is one at a time, as in the daemon.  What cannot go wrong unless the
 * benchmark is wrong ends the program with a sentence. */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include "collectd.h"

#include "plugin.h"

/* A write callback and what it is called with. */
struct writer {
  plugin_write_cb write;
  user_data_t user_data;
};

/* Loads the module for good. */
void host_load(const char *module);

/* Configures it with what stands in <Plugin>, and calls init. */
void host_start(const char *config);

struct writer host_writer(void);

/* Flushes what was written, open periods too; returns at once. */
void host_flush(void);

/* Calls shutdown; host_start() may follow. */
void host_stop(void);

/* Prints a sentence and ends the program. */
void fail(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

#endif
