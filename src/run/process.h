/* process: a child process whose output is read: for credential_process.
 *
 * No shell.  The child has no standard input, its own process group, default
 * signals, and none of the daemon's file descriptors.
 *
 * Its status is always known, though the daemon ignores SIGCHLD, and its exec
 * plugin waits for every child: between the two stands a keeper (child.h),
 * which waits for the program and tells.  While the program runs, there is thus
 * a second process with the daemon's name and, as pages that both share, its
 * memory.
 *
 * No zombie is left behind: the program is waited for by the keeper; the keeper
 * by the kernel where SIGCHLD is ignored, by the exec plugin's handler, or by
 * process_run().  What the program itself has left, and the program if its
 * keeper had to be killed, is init's. */
#ifndef RUN_PROCESS_H
#define RUN_PROCESS_H

#include "base/buf.h"
#include "base/err.h"
#include "run/meanwhile.h"

#include <stdatomic.h>
#include <stdint.h>

struct process_limits {
  int64_t timeout_ms; /* then the whole process group is killed */
  const _Atomic int64_t *deadline_ms; /* steady time, seen within 200 ms */
  const struct meanwhile *meanwhile;  /* NULL: nothing to do */
};

/* Runs argv[0] (a path, or a name in PATH) to its end.
 *
 * out  what it printed, emptied first; a secret, so it is given its whole limit
 *      at once, and is to be wiped
 * 0; or -1 with *err set (a clause: "ended with status 2 and said: ...") and
 * *out empty: it cannot be started, ended with a status other than 0, by a
 * signal or unknown how (its keeper was killed by somebody), printed nothing or
 * more than out may hold, or was killed at a time limit.  What it says on
 * standard error is part of the sentence, cut and made printable; of what it
 * prints on standard output nothing ever is.
 *
 * A process that goes on for more than a second after the end of its output is
 * killed too; its output counts.  Killed is always its whole process group:
 * children that made a group or a session of their own go on. */
int process_run(char *const argv[], const struct process_limits *limits,
                struct buf *out, struct err *err);

#endif
