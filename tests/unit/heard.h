/* heard: what the log said, all of it, one message a line.  For tests of one
 * thread; log_set_sink(hear). */
#ifndef TESTS_HEARD_H
#define TESTS_HEARD_H

#include "run/log.h"

#include <stdio.h>
#include <string.h>

static char said[4096];

static void hear(enum log_level level, const char *message) {
  size_t n = strlen(said);
  (void)level;
  (void)snprintf(said + n, sizeof(said) - n, "%s\n", message);
}

#endif
