/* Output is read until its end, not until the process ends: its status may be
 * another's (process.h), and what counts is what it printed. */
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
#define LOOK_MS 20     /* until the process is, when its end is near */
#define LINGER_MS 1000 /* from the end of its output to its own */

#define SAID_MAX 300 /* bytes of standard error in a sentence */
#define DRAIN_MAX 16 /* reads of standard error after the end */

enum stop { STOP_END, STOP_TOO_LONG, STOP_TIMEOUT, STOP_DEADLINE };

struct run {
  struct child child;
  const struct process_limits *limits;
  struct buf *out;
  char said[SAID_MAX]; /* the last of what stood on standard error: programs
                          end with what matters */
  size_t n_said;
  bool was_cut;
  bool is_too_long;
  int exec_errno; /* 0: the program has begun */
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
  switch (which) {
  case CHILD_OUT:
    keep_output(run, chunk, (size_t)n);
    break;
  case CHILD_ERR:
    keep_said(run, chunk, (size_t)n);
    break;
  case CHILD_EXEC:
    if (n == (ssize_t)sizeof(run->exec_errno))
      memcpy(&run->exec_errno, chunk, sizeof(run->exec_errno));
    break;
  case CHILD_PIPES:
    break;
  }
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

/* Once its output has ended, it has either begun its program or failed to; but
 * that end, too, is awaited within the limits only, as a child of somebody else
 * may have got the pipe. */
static enum stop read_all(struct run *run, int64_t end_ms) {
  while (run->child.fd[CHILD_OUT] >= 0 || run->child.fd[CHILD_EXEC] >= 0) {
    int64_t now_ms = clock_steady_ms();
    int64_t left_ms = end_ms - now_ms;
    if (now_ms >= atomic_load(run->limits->deadline_ms))
      return STOP_DEADLINE;
    if (left_ms <= 0)
      return STOP_TIMEOUT;
    (void)read_some(run, left_ms < STEP_MS ? left_ms : STEP_MS);
    if (run->is_too_long)
      return STOP_TOO_LONG;
  }
  return STOP_END;
}

/* ---- ending ------------------------------------------------------------- */

/* Waits for the end of the process, but not for long.  Its standard error is
 * read meanwhile, as a full pipe would hold it up. */
static void wait_shortly(struct run *run) {
  int64_t end_ms = clock_steady_ms() + LINGER_MS;

  for (;;) {
    child_look(&run->child);
    int64_t now_ms = clock_steady_ms();
    if (run->child.has_ended || now_ms >= end_ms ||
        now_ms >= atomic_load(run->limits->deadline_ms))
      return;
    if (run->child.fd[CHILD_ERR] < 0)
      (void)poll(NULL, 0, LOOK_MS);
    else
      (void)read_some(run, LOOK_MS);
  }
}

/* Kills it, and waits for it whatever the deadline says: a killed process ends
 * within a moment, and must not stay behind as a zombie. */
static void end_by_force(struct run *run) {
  int64_t end_ms = clock_steady_ms() + LINGER_MS;

  child_kill(&run->child);
  for (child_look(&run->child);
       !run->child.has_ended && clock_steady_ms() < end_ms;
       child_look(&run->child))
    (void)poll(NULL, 0, 1);
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
static void put_status(struct buf *out, const struct child *child) {
  if (!child->has_status)
    return;
  if (WIFSIGNALED(child->status))
    buf_printf(out, "was ended by signal %d", WTERMSIG(child->status));
  else if (WEXITSTATUS(child->status) != 0)
    buf_printf(out, "ended with status %d", WEXITSTATUS(child->status));
}

static int judge(const struct run *run, enum stop stop, bool was_killed,
                 struct err *err) {
  long long limit_s = (run->limits->timeout_ms + 999) / 1000;
  struct buf why = BUF_INIT(1024);

  if (run->exec_errno != 0) {
    child_explain(run->exec_errno, err);
    return -1;
  }
  switch (stop) {
  case STOP_TOO_LONG:
    buf_printf(&why, "printed more than %zu bytes, and was killed",
               run->out->limit);
    break;
  case STOP_TIMEOUT:
    buf_printf(&why, "did not end its output within %lld s, and was killed",
               limit_s);
    break;
  case STOP_DEADLINE:
    buf_puts(&why, "was killed, as the daemon stops");
    break;
  case STOP_END:
    if (!was_killed)
      put_status(&why, &run->child);
    if (why.len == 0 && run->out->len == 0)
      buf_puts(&why, "printed nothing");
    break;
  }
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
    wait_shortly(&run);
  bool was_killed = !run.child.has_ended;
  if (was_killed)
    end_by_force(&run);
  drain_said(&run);
  child_close(&run.child);
  int rc = judge(&run, stop, was_killed, err);
  if (rc != 0)
    buf_wipe(out);
  digest_wipe(run.said, sizeof(run.said));
  return rc;
}
