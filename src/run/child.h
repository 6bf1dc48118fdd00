/* child: a child process with pipes at its output, started from a daemon with
 * threads.
 *
 * It has no standard input, its own process group, default signals, and none of
 * the daemon's file descriptors.  For process.c only. */
#ifndef RUN_CHILD_H
#define RUN_CHILD_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* The ends that are read here. */
enum child_pipe {
  CHILD_OUT,
  CHILD_ERR,
  CHILD_EXEC, /* ends without a byte when the program has begun; else brings the
                 errno of what failed, an int */
  CHILD_PIPES
};

struct child {
  pid_t pid;
  int fd[CHILD_PIPES]; /* -1: closed */
  bool has_ended;      /* nothing is left to wait for */
  bool has_status;     /* *has_ended, and nobody else took the status */
  int status;          /* as of waitpid(); 0 without has_status */
};

/* Starts argv[0], a path or a name in PATH.  0; or -1 with *err set (a clause)
 * and nothing to end.  That the program cannot be run is told by CHILD_EXEC. */
int child_start(struct child *child, char *const argv[], struct err *err);

/* What an errno of CHILD_EXEC means, as a clause with a remedy. */
void child_explain(int number, struct err *err);

/* Asks, without waiting, whether the process has ended. */
void child_look(struct child *child);

/* Kills the whole process group. */
void child_kill(const struct child *child);

/* Closes what is open here; the process is not touched. */
void child_close(struct child *child);

#endif
