/* Output is read until its end, not until the process ends: programs leave
 * others behind that still print, and some go on for long after it. */
#include "run/process.h"

#include "base/digest.h"
#include "base/str.h"
#include "run/child.h"
#include "run/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_MS 200    /* until the deadline is looked at again */
#define END_MS 500     /* for the keeper to end in, when it is about to */
#define LOOK_MS 1      /* until the keeper is, when its end is near */
#define LINGER_MS 1000 /* from the end of its output to its own */

#define SAID_MAX 300 /* bytes of standard error in a sentence */
#define DRAIN_MAX 16 /* reads of standard error after the end */

enum stop {
  STOP_END,    /* by itself, with a status */
  STOP_LINGER, /* its output ended, but it did not */
  STOP_LOST,   /* nobody is left who could tell its status */
  STOP_TOO_LONG,
  STOP_TIMEOUT,
  STOP_DEADLINE
};

struct run {
  struct child child;
  const struct process_limits *limits;
  struct buf *out;
  char said[SAID_MAX]; /* the last of what stood on standard error: programs
                          end with what matters */
  size_t n_said;
  bool was_cut;
  bool is_too_long;
};

/* ---- reading ------------------------------------------------------------ */

static void keep_said(struct run *run, const char *text, size_t len) {
  if (len > SAID_MAX) {
    text += len - SAID_MAX;
    len = SAID_MAX;
    run->was_cut = true;
  }
  size_t keep = SAID_MAX - len < run->n_said ? SAID_MAX - len : run->n_said;
  run->was_cut = run->was_cut || keep < run->n_said;
  memmove(run->said, run->said + run->n_said - keep, keep);
  memcpy(run->said + keep, text, len);
  run->n_said = keep + len;
}

static void keep_output(struct run *run, const char *text, size_t len) {
  if (len > run->out->limit - run->out->len)
    run->is_too_long = true;
  else
    buf_put(run->out, text, len);
}

/* Reads once from a pipe that has something, or has ended. */
static void take(struct run *run, enum child_pipe which) {
  if (which == CHILD_TELL) {
    child_hear(&run->child);
    return;
  }
  int *fd = &run->child.fd[which];
  char chunk[4096];
  ssize_t n = read(*fd, chunk, sizeof(chunk));

  if (n < 0 && errno == EINTR)
    return;
  if (n <= 0) {
    (void)close(*fd);
    *fd = -1;
    return;
  }
  if (which == CHILD_OUT)
    keep_output(run, chunk, (size_t)n);
  else
    keep_said(run, chunk, (size_t)n);
  digest_wipe(chunk, sizeof(chunk));
}

/* Waits for something to read, and reads it.  Returns whether there was. */
static bool read_some(struct run *run, int64_t wait_ms) {
  struct pollfd fds[CHILD_PIPES];

  for (int i = 0; i < CHILD_PIPES; i++)
    fds[i] = (struct pollfd){.fd = run->child.fd[i], .events = POLLIN};
  if (poll(fds, CHILD_PIPES, (int)wait_ms) <= 0)
    return false;
  for (int i = 0; i < CHILD_PIPES; i++)
    if (fds[i].revents != 0)
      take(run, (enum child_pipe)i);
  return true;
}

static enum stop read_all(struct run *run, int64_t end_ms) {
  while (run->child.fd[CHILD_OUT] >= 0) {
    int64_t now_ms = clock_steady_ms();
    int64_t left_ms = end_ms - now_ms;
    if (now_ms >= atomic_load(run->limits->deadline_ms))
      return STOP_DEADLINE;
    if (left_ms <= 0)
      return STOP_TIMEOUT;
    meanwhile_act(run->limits->meanwhile);
    (void)read_some(run, left_ms < STEP_MS ? left_ms : STEP_MS);
    if (run->is_too_long)
      return STOP_TOO_LONG;
  }
  return STOP_END;
}

/* ---- ending ------------------------------------------------------------- */

/* Waits for the status, but not for long.  Standard error is read meanwhile, as
 * a full pipe would hold the process up. */
static enum stop await_status(struct run *run) {
  int64_t end_ms = clock_steady_ms() + LINGER_MS;

  while (!run->child.has_status) {
    int64_t now_ms = clock_steady_ms();
    if (run->child.fd[CHILD_TELL] < 0)
      return STOP_LOST;
    if (now_ms >= end_ms || now_ms >= atomic_load(run->limits->deadline_ms))
      return STOP_LINGER;
    (void)read_some(run, end_ms - now_ms < STEP_MS ? end_ms - now_ms : STEP_MS);
  }
  return STOP_END;
}

/* Waits for the keeper whatever the deadline says: with its program it ends
 * within a moment, and must not stay behind as a zombie. */
static void await_keeper(struct child *child) {
  int64_t end_ms = clock_steady_ms() + END_MS;

  for (child_look(child); !child->has_ended && clock_steady_ms() < end_ms;
       child_look(child))
    (void)poll(NULL, 0, LOOK_MS);
}

/* A program that is killed may not be able to end (a hanging network drive);
 * its keeper always is. */
static void end(struct child *child, enum stop stop) {
  if (stop != STOP_END)
    child_kill(child);
  await_keeper(child);
  if (child->has_ended)
    return;
  child_kill_keeper(child);
  await_keeper(child);
}

/* What of standard error is still in its pipe.  A grandchild may hold it open,
 * or write without end. */
static void drain_said(struct run *run) {
  for (int i = 0; i < DRAIN_MAX && run->child.fd[CHILD_ERR] >= 0; i++)
    if (!read_some(run, 0))
      return;
}

/* ---- judging ------------------------------------------------------------ */

/* Appends what stood on standard error, on one line, printable. */
static void put_said(struct buf *out, const struct run *run) {
  struct str said = {run->said, run->n_said};
  bool was_blank = false;

  while (run->was_cut && said.len > 0 && (said.p[0] & 0xc0) == 0x80)
    said = str_from(said, 1); /* the rest of a character that was cut */
  bool is_utf8 = str_is_utf8(said);
  said = str_trim(said);
  if (said.len == 0)
    return;
  buf_puts(out, run->was_cut ? " and said: ..." : " and said: ");
  for (size_t i = 0; i < said.len; i++) {
    char c = said.p[i];
    bool is_blank = c == ' ' || str_has_control((struct str){&c, 1});
    if (is_blank && !was_blank)
      buf_putc(out, ' ');
    else if (!is_blank)
      buf_putc(out, (c & 0x80) != 0 && !is_utf8 ? '?' : c);
    was_blank = is_blank;
  }
}

/* Appends why its status makes the output worthless; nothing if it does not. */
static void put_status(struct buf *out, int status) {
  if (WIFSIGNALED(status))
    buf_printf(out, "was ended by signal %d", WTERMSIG(status));
  else if (WEXITSTATUS(status) != 0)
    buf_printf(out, "ended with status %d", WEXITSTATUS(status));
}

/* Appends why it has failed; nothing if it has not. */
static void put_stop(struct buf *out, const struct run *run, enum stop stop) {
  switch (stop) {
  case STOP_TOO_LONG:
    buf_printf(out, "printed more than %zu bytes, and was killed",
               run->out->limit);
    return;
  case STOP_TIMEOUT:
    buf_printf(out, "did not end its output within %lld s, and was killed",
               (long long)(run->limits->timeout_ms + 999) / 1000);
    return;
  case STOP_DEADLINE:
    buf_puts(out, "was killed, as the daemon stops");
    return;
  case STOP_LOST:
    buf_puts(out, "ended with a status that is not known, as the process that "
                  "waited for it was killed");
    return;
  case STOP_END:
    put_status(out, run->child.status);
    break;
  case STOP_LINGER:
    break;
  }
  if (out->len == 0 && run->out->len == 0)
    buf_puts(out, "printed nothing");
}

static int judge(const struct run *run, enum stop stop, struct err *err) {
  struct buf why = BUF_INIT(1024);

  if (run->child.exec_errno != 0) {
    child_explain(run->child.exec_errno, err);
    return -1;
  }
  put_stop(&why, run, stop);
  bool has_failed = why.len > 0;
  if (has_failed) {
    put_said(&why, run);
    (void)err_set(err, "%s", buf_str(&why));
  }
  buf_clear(&why);
  return has_failed ? -1 : 0;
}

int process_run(char *const argv[], const struct process_limits *limits,
                struct buf *out, struct err *err) {
  struct run run = {.limits = limits, .out = out};
  int64_t end_ms = clock_steady_ms() + limits->timeout_ms;

  buf_reset(out);
  buf_reserve(out, out->limit);
  if (!buf_ok(out)) {
    buf_wipe(out);
    return err_set(err, "cannot be started (no memory)");
  }
  if (child_start(&run.child, argv, err) != 0) {
    buf_wipe(out);
    return -1;
  }

  enum stop stop = read_all(&run, end_ms);
  if (stop == STOP_END)
    stop = await_status(&run);
  end(&run.child, stop);
  drain_said(&run);
  child_close(&run.child);
  int rc = judge(&run, stop, err);
  if (rc != 0)
    buf_wipe(out);
  digest_wipe(run.said, sizeof(run.said));
  return rc;
}
