/* child: a child process with pipes at its output, started from a daemon with
 * threads.
 *
 * There are two processes.  The child of the daemon is a keeper, a copy of the
 * daemon without its descriptors: it starts the program, waits for it, tells
 * what became of it, and ends.  Only the parent of a process is sure to learn
 * its status, and the daemon's children may be waited for by others, or by
 * nobody.
 *
 * Keeper and program lead a process group each.  The program has no standard
 * input, default signals, and none of the daemon's file descriptors.  For
 * process.c only. */
#ifndef RUN_CHILD_H
#define RUN_CHILD_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* The ends that are read here. */
enum child_pipe {
  CHILD_OUT,
  CHILD_ERR,
  CHILD_TELL, /* for child_hear(); ends with the keeper */
  CHILD_PIPES
};

struct child {
  pid_t keeper;
  pid_t program;       /* 0: not told */
  int fd[CHILD_PIPES]; /* -1: closed */
  int exec_errno;      /* 0: none is told; the program could not begin */
  bool has_status;     /* the program has ended, and the keeper is about to */
  int status;          /* as of waitpid(); 0 without has_status */
  bool has_ended;      /* the keeper, and nothing is left to wait for */
};

/* Starts argv[0], a path or a name in PATH.  0; or -1 with *err set (a clause)
 * and nothing to end.  That the program cannot be run is told later. */
int child_start(struct child *child, char *const argv[], struct err *err);

/* What exec_errno means, as a clause with a remedy. */
void child_explain(int number, struct err *err);

/* Reads one thing that is told.  CHILD_TELL must have something, or have ended:
 * then it is closed. */
void child_hear(struct child *child);

/* Asks, without waiting, whether the keeper has ended. */
void child_look(struct child *child);

/* Kills the program's whole process group.  The keeper then ends by itself. */
void child_kill(struct child *child);

/* Kills the keeper, for when it does not. */
void child_kill_keeper(const struct child *child);

/* Closes what is open here; the processes are not touched. */
void child_close(struct child *child);

#endif
