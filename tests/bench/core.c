/* bench_core: what is measured inside of one process, through the module's own
 * callbacks.
 *
 *   bench_core [--quick] MODULE [PART...]
 *
 * Prints rows and plots as bench.py wants them.  With --quick everything runs
 * once, small, for the facts that are counted and not timed. */
#include "core.h"

#include "sink.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct part {
  const char *name;
  void (*run)(const struct core *core);
} parts[] = {
    {"write", core_write},   {"shards", core_shards}, {"curves", core_curves},
    {"memory", core_memory}, {"pack", core_pack},     {"wire", core_wire},
};
#define N (sizeof(parts) / sizeof(parts[0]))

void core_start(const struct core *core, const char *metrics) {
  struct buf config = BUF_INIT(1 << 21);

  buf_printf(&config,
             "Endpoint \"http://127.0.0.1:%d\"\n"
             "Region \"eu-west-1\"\n"
             "AccessKeyId \"AKIDEXAMPLE\"\n"
             "SecretAccessKey \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\"\n"
             "FlushInterval 86400\n"
             "MaxMetrics 1000000\n"
             "BufferLimit 1024\n"
             "BackfillRate 0\n"
             "%s",
             core->port, metrics);
  if (!buf_ok(&config))
    fail("no memory for a configuration");
  host_start(buf_str(&config));
  buf_clear(&config);
}

static void run(const struct core *core, const char *name) {
  size_t i = 0;

  while (i < N && strcmp(parts[i].name, name) != 0)
    i++;
  if (i == N)
    fail("there is no part %s", name);
  parts[i].run(core);
}

int main(int argc, char **argv) {
  struct core core = {0};

  (void)argc;
  argv++;
  if (*argv != NULL && strcmp(*argv, "--quick") == 0) {
    core.is_quick = true;
    argv++;
  }
  if (*argv == NULL)
    fail("usage: bench_core [--quick] MODULE [PART...]");
  host_load(*argv++);
  core.port = sink_start();
  for (size_t i = 0; i < N && *argv == NULL; i++)
    parts[i].run(&core);
  for (; *argv != NULL; argv++)
    run(&core, *argv);
  return 0;
}
