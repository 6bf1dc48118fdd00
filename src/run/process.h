/* process: a child process whose output is read: for credential_process.
 *
 * No shell.  The child has no standard input, its own process group, default
 * signals, and none of the daemon's file descriptors.  The daemon ignores
 * SIGCHLD, and its exec plugin waits for every child, so the exit status may be
 * lost: it counts when it is there.  No zombie is left behind. */
#ifndef RUN_PROCESS_H
#define RUN_PROCESS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

struct process_limits {
  int64_t timeout_ms; /* then the whole process group is killed */
  const _Atomic int64_t *deadline_ms; /* steady time, seen within 200 ms */
};

/* Runs argv[0] (a path, or a name in PATH) to its end.
 *
 * out  what it printed, emptied first; a secret, so it is given its whole limit
 *      at once, and is to be wiped
 * 0; or -1 with *err set (a clause: "ended with status 2 and said: ...") and
 * *out empty: it cannot be started, ended with a status other than 0 or by a
 * signal, printed nothing or more than out may hold, or was killed at a time
 * limit.  What it says on standard error is part of the sentence, cut and made
 * printable; of what it prints on standard output nothing ever is.
 *
 * A process that goes on for more than a second after the end of its output is
 * killed too; its output counts. */
int process_run(char *const argv[], const struct process_limits *limits,
                struct buf *out, struct err *err);

#endif
