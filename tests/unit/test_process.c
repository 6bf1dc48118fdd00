/* process: what becomes of a child, in a process whose signals are as in the
 * daemon. */
#define _GNU_SOURCE /* pipe2() */

#include "run/process.h"

#include "run/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* of a program that ends by itself */
#define SHORT_MS 300
#define SOON_MS 5000 /* no test that kills takes this long */
#define TEXT_MAX 1000

static char folder[] = "/tmp/test_process.XXXXXX";
static char script_path[64];
static _Atomic int64_t deadline_ms = INT64_MAX;

/* ---- what is left behind ------------------------------------------------ */

/* How many processes have us as their parent, zombies counted. */
static int count_children(void) {
  DIR *proc = opendir("/proc");
  int n = 0;

  assert_non_null(proc);
  for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    char name[300], text[512] = "";
    (void)snprintf(name, sizeof(name), "/proc/%s/stat", entry->d_name);
    FILE *file = fopen(name, "r");
    if (file == NULL)
      continue;
    (void)!fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    const char *after = strrchr(text, ')'); /* "pid (name) state parent" */
    if (after != NULL && strlen(after) > 4 &&
        strtol(after + 4, NULL, 10) == (long)getpid())
      n++;
  }
  (void)closedir(proc);
  return n;
}

static int count_fds(void) {
  int n = 0;
  for (int fd = 0; fd < 256; fd++)
    n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

/* ---- a pipe that somebody else has too ---------------------------------- */

static _Atomic int n_pipes; /* made since it was set */
static int shared_pipe = -1;
static int shared_fd = -1;

/* In place of the one of libc. */
int pipe(int ends[2]) {
  int rc = pipe2(ends, 0);

  if (rc == 0 && n_pipes++ == shared_pipe)
    shared_fd = fcntl(ends[1], F_DUPFD_CLOEXEC, 100);
  return rc;
}

/* ---- a machine under load ----------------------------------------------- */

static int slow_before_ms, slow_after_ms;

/* In place of the one of libc: a child is held up there. */
int setpgid(pid_t pid, pid_t group) {
  if (pid == 0)
    (void)poll(NULL, 0, slow_before_ms);
  int rc = (int)syscall(SYS_setpgid, pid, group);
  if (pid == 0)
    (void)poll(NULL, 0, slow_after_ms);
  return rc;
}

/* ---- running ------------------------------------------------------------ */

static struct buf out = BUF_INIT(TEXT_MAX);
static struct err err;

static int run(char *const argv[], int64_t timeout_ms) {
  const struct process_limits limits = {.timeout_ms = timeout_ms,
                                        .deadline_ms = &deadline_ms};
  int n_fds = count_fds();

  err.text[0] = '\0';
  int rc = process_run(argv, &limits, &out, &err);
  assert_int_equal(count_fds(), n_fds);
  return rc;
}

static int run_shell(const char *script, int64_t timeout_ms) {
  char text[1024];
  char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, text, NULL};

  (void)snprintf(text, sizeof(text), "%s", script);
  return run(argv, timeout_ms);
}

struct expected {
  const char *label;
  const char *script;
  const char *prints; /* all of it; NULL: it fails */
  const char *says;   /* part of the sentence */
  int64_t timeout_ms; /* 0: none that matters */
};

#define FILL "head -c 2000 /dev/zero"
static const struct expected cases[] = {
    {"its output", "echo one; echo two", "one\ntwo\n", "", 0},
    {"output and a remark", "echo hush; echo note >&2", "hush\n", "", 0},
    {"as much as there is room for", "head -c 1000 /dev/zero | tr '\\0' x", "x",
     "", 0},
    {"one byte more", "head -c 1001 /dev/zero", NULL,
     "printed more than 1000 bytes, and was killed", 0},
    {"1 MB", "head -c 1048576 /dev/zero", NULL,
     "printed more than 1000 bytes, and was killed", 0},
    {"output without end", "exec cat /dev/zero", NULL, "printed more than", 0},
    {"nothing", "exit 0", NULL, "printed nothing", 0},
    {"nothing but a remark", "echo 'log in first' >&2", NULL,
     "printed nothing and said: log in first", 0},
    {"nothing on its input", "cat; echo end", "end\n", "", 0},
    {"a remark of many lines", "printf 'a\\tb\\r\\n\\n c\\033[1m\\n' >&2", NULL,
     "and said: a b c [1m", 0},
    {"a remark that is not UTF-8", "printf 'a\\377b\\n' >&2", NULL,
     "and said: a?b", 0},
    {"a remark in UTF-8", "printf 'f\\303\\274r\\n' >&2", NULL,
     "and said: f\303\274r", 0},
    {"the end of a long remark",
     "head -c 5000 /dev/zero | tr '\\0' x >&2; echo last words >&2", NULL,
     "xxxlast words", 0},
    {"1 MB of remarks", FILL " >&2; head -c 1048576 /dev/zero >&2; echo end",
     "end\n", "", 0},
    {"a process that never ends", "echo hush; exec sleep 60", NULL,
     "did not end its output within 1 s, and was killed", SHORT_MS},
    {"one that cannot be asked to end", "trap '' TERM INT HUP; sleep 60", NULL,
     "was killed", SHORT_MS},
    {"a grandchild that holds the pipe", "echo hush; sleep 60 &", NULL,
     "was killed", SHORT_MS},
    {"a grandchild that holds only the remarks", "sleep 3 >/dev/null & echo ok",
     "ok\n", "", 0},
    {"one that goes on after its output", "echo ok; exec >&-; exec sleep 60",
     "ok\n", "", 0},
    {"a status", "echo hush; exit 3", NULL, "ended with status 3", 0},
    {"a status without output", "exit 255", NULL, "ended with status 255", 0},
    {"a status and a remark", "echo hush; echo no login >&2; exit 1", NULL,
     "ended with status 1 and said: no login", 0},
    {"a status soon after the output", "echo hush; exec >&-; sleep 0.3; exit 4",
     NULL, "ended with status 4", 0},
    {"a status of its own, and another of its child", "(exit 5); echo ok",
     "ok\n", "", 0},
    {"a status that means a failed start", "echo hush; exit 127", NULL,
     "ended with status 127", 0},
    {"a signal", "echo hush; kill -9 $$", NULL, "was ended by signal 9", 0},
    {"a signal that dumps", "echo hush; ulimit -c 0; kill -SEGV $$", NULL,
     "was ended by signal 11", 0},
    {"a signal to its group", "trap '' TERM; kill -TERM 0; echo ok", "ok\n", "",
     0},
    {"the end of its group", "echo hush; kill -9 0", NULL,
     "was ended by signal 9", 0},
    {"a parent that was killed", "echo hush; kill -9 $PPID; sleep 0.2", NULL,
     "a status that is not known", 0},
    {"a parent that cannot be asked to end",
     "for s in HUP INT TERM USR1 CHLD SEGV TSTP; do kill -$s $PPID; done; "
     "echo hush; exit 6",
     NULL, "ended with status 6", 0},
    {"a parent that was stopped", "sleep 0.2; kill -STOP $PPID; echo ok",
     "ok\n", "", 0},
    {"a parent that was stopped, and one that never ends",
     "sleep 0.2; kill -STOP $PPID; sleep 60", NULL, "was killed", 1000},
};

static void check(const struct expected *c) {
  int64_t start_ms = clock_steady_ms();
  int64_t timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : LIMIT_MS;
  int rc = run_shell(c->script, timeout_ms);

  if (rc != (c->prints != NULL ? 0 : -1))
    fail_msg("%s: %d, %s", c->label, rc, err.text);
  if (c->prints == NULL && (out.len != 0 || out.data != NULL))
    fail_msg("%s: output is left", c->label);
  if (c->prints != NULL && strcmp(c->prints, "x") == 0)
    assert_int_equal(out.len, TEXT_MAX);
  else if (c->prints != NULL && strcmp(buf_str(&out), c->prints) != 0)
    fail_msg("%s: printed %s", c->label, buf_str(&out));
  if (strstr(err.text, c->says) == NULL || strstr(err.text, "hush") != NULL)
    fail_msg("%s: %s", c->label, err.text);
  if (clock_steady_ms() - start_ms > SOON_MS)
    fail_msg("%s: took %lld ms", c->label,
             (long long)(clock_steady_ms() - start_ms));
  buf_wipe(&out);
  if (count_children() != 0)
    fail_msg("%s: a child is left", c->label);
}

static void check_all(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    check(&cases[i]);
}

static void what_becomes_of_it(void **state) {
  (void)state;
  check_all();
}

static void what_cannot_be_run(void **state);

/* As collectd does it. */
static void ignored_ends_are_no_obstacle(void **state) {
  (void)signal(SIGCHLD, SIG_IGN);
  check_all();
  what_cannot_be_run(state);
  (void)signal(SIGCHLD, SIG_DFL);
}

/* As collectd's exec plugin does it: it waits for whatever ends. */
static volatile sig_atomic_t n_stolen;

static void steal(int number) {
  (void)number;
  int before = errno;
  while (waitpid(-1, NULL, WNOHANG) > 0)
    n_stolen++;
  errno = before;
}

static void another_may_wait_first(void **state) {
  const struct sigaction action = {.sa_handler = steal};
  assert_int_equal(sigaction(SIGCHLD, &action, NULL), 0);
  check_all();
  what_cannot_be_run(state);
  assert_true(n_stolen > 0);
  (void)signal(SIGCHLD, SIG_DFL);
}

static void the_deadline_ends_it(void **state) {
  (void)state;
  int64_t start_ms = clock_steady_ms();
  atomic_store(&deadline_ms, start_ms + 400);
  assert_int_equal(run_shell("sleep 60", LIMIT_MS), -1);
  assert_non_null(strstr(err.text, "as the daemon stops"));
  assert_in_range(clock_steady_ms() - start_ms, 400, 2400);
  assert_int_equal(count_children(), 0);
  atomic_store(&deadline_ms, INT64_MAX);
}

static void the_whole_group_is_killed(void **state) {
  (void)state;
  char script[256];
  (void)snprintf(script, sizeof(script), "sleep 60 & echo $! >%s; wait",
                 script_path);
  assert_int_equal(run_shell(script, 1000), -1);
  FILE *file = fopen(script_path, "r");
  char text[32] = "";
  assert_non_null(file);
  assert_non_null(fgets(text, sizeof(text), file));
  (void)fclose(file);
  pid_t grandchild = (pid_t)strtol(text, NULL, 10);
  assert_true(grandchild > 1);
  for (int i = 0; i < 500; i++) {
    char name[64], stat[256] = "";
    (void)snprintf(name, sizeof(name), "/proc/%d/stat", (int)grandchild);
    file = fopen(name, "r");
    if (file == NULL)
      return;
    (void)!fread(stat, 1, sizeof(stat) - 1, file);
    (void)fclose(file);
    if (strstr(stat, ") Z ") != NULL) /* whoever inherited it is slow */
      return;
    (void)poll(NULL, 0, 10);
  }
  fail_msg("the grandchild lives");
}

/* What a dead parent leaves is ours here, as if we were init: the program has
 * been waited for all the same. */
static void nobody_inherits_what_was_killed(void **state) {
  (void)state;
  static const char *const scripts[] = {
      "exec sleep 60", "exec timeout 60 sleep 60",
      "trap '' TERM; exec sleep 60", "echo ok; exec >&-; exec sleep 60",
      "exec cat /dev/zero"};
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
    (void)run_shell(scripts[i], SHORT_MS);
    /* What timeout(1) has started may well be ours, once it is dead. */
    for (int n = 0; i == 1 && n < 200 && count_children() > 0; n++) {
      (void)poll(NULL, 0, 10);
      (void)waitpid(-1, NULL, WNOHANG);
    }
    if (count_children() != 0)
      fail_msg("%s: something is left", scripts[i]);
  }
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

static void kill_after(int timeout_ms) {
  char *const argv[] = {(char[]){"/bin/sleep"}, (char[]){"60"}, NULL};
  assert_int_equal(run(argv, timeout_ms), -1);
  assert_non_null(strstr(err.text, "was killed"));
  for (int n = 0; n < 200 && count_children() > 0; n++) {
    while (waitpid(-1, NULL, WNOHANG) > 0)
      ;
    (void)poll(NULL, 0, 1);
  }
  if (count_children() != 0)
    fail_msg("killed after %d ms, it lives", timeout_ms);
}

/* Before it has a group, on the way to it, after it. */
static void it_is_killed_at_any_moment(void **state) {
  (void)state;
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  for (int i = 0; i < 300; i++)
    kill_after(i % 6);
  slow_before_ms = 50;
  for (int i = 0; i < 10; i++)
    kill_after(15 * i);
  slow_before_ms = 0;
  slow_after_ms = 50;
  for (int i = 0; i < 10; i++)
    kill_after(15 * i);
  slow_after_ms = 0;
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

/* Without a wait for what is known. */
static void an_end_is_seen_at_once(void **state) {
  (void)state;
  int64_t start_ms = clock_steady_ms();
  for (int i = 0; i < 10; i++)
    assert_int_equal(run_shell("echo ok", LIMIT_MS), 0);
  assert_true(clock_steady_ms() - start_ms < 2000);
}

/* A node each: the status is that of its own program. */
#define THREADS 4
static void *run_some(void *arg) {
  int number = (int)(intptr_t)arg;
  char script[64], words[64];
  char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, script, NULL};
  const struct process_limits limits = {.timeout_ms = LIMIT_MS,
                                        .deadline_ms = &deadline_ms};
  struct buf text = BUF_INIT(TEXT_MAX);
  struct err why;
  bool ok = true;

  (void)snprintf(script, sizeof(script), "echo hush; exit %d", number);
  (void)snprintf(words, sizeof(words), "ended with status %d", number);
  for (int i = 0; i < 30; i++) {
    ok = ok && process_run(argv, &limits, &text, &why) == -1;
    ok = ok && strcmp(why.text, words) == 0;
  }
  buf_wipe(&text);
  return ok ? NULL : arg;
}

static void several_run_at_once(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  bool ok = true;

  (void)signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(
        pthread_create(&threads[i], NULL, run_some, (void *)(intptr_t)(i + 1)),
        0);
  for (int i = 0; i < THREADS; i++) {
    void *failed = NULL;
    (void)pthread_join(threads[i], &failed);
    ok = ok && failed == NULL;
  }
  (void)signal(SIGCHLD, SIG_DFL);
  assert_true(ok);
  assert_int_equal(count_children(), 0);
}

/* ---- what it inherits --------------------------------------------------- */

static void it_has_three_descriptors(void **state) {
  (void)state;
  int fd = open("/dev/null", O_RDONLY);
  assert_int_equal(dup2(fd, 100), 100);
  /* ls itself opens the fourth, to look. */
  assert_int_equal(
      run_shell("readlink /proc/$$/fd/0; exec ls /proc/self/fd", LIMIT_MS), 0);
  assert_string_equal(buf_str(&out), "/dev/null\n0\n1\n2\n3\n");
  (void)close(100);
  (void)close(fd);
}

/* A daemon may run without any of the first three. */
static void closed_descriptors_do_not_mix_up(void **state) {
  (void)state;
  pid_t pid = fork();
  if (pid == 0) {
    (void)alarm(30);
    (void)close(0);
    (void)close(1);
    (void)close(2);
    bool ok = run_shell("cat; echo out; echo err >&2; exit 3", LIMIT_MS) == -1;
    ok = ok && strcmp(err.text, "ended with status 3 and said: err") == 0;
    ok = ok && run_shell("cat; echo out", LIMIT_MS) == 0;
    _exit(ok && strcmp(buf_str(&out), "out\n") == 0 ? 0 : 1);
  }
  int status = -1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

static void its_signals_are_default(void **state) {
  (void)state;
  sigset_t some, before, after;
  (void)sigemptyset(&some);
  (void)sigaddset(&some, SIGTERM);
  (void)sigaddset(&some, SIGUSR1);
  (void)pthread_sigmask(SIG_BLOCK, &some, &before);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)signal(SIGCHLD, SIG_IGN);
  assert_int_equal(run_shell("exec sed -n 's/^Sig[BIC].*\\(........\\)$/\\1/p' "
                             "/proc/self/status",
                             LIMIT_MS),
                   0);
  (void)signal(SIGCHLD, SIG_DFL);
  (void)signal(SIGPIPE, SIG_DFL);
  /* Two above 31 are the C library's own: nobody may change them. */
  char *text = out.data;
  for (int i = 0; i < 3; i++, text += 9)
    if ((strtoul(text, NULL, 16) & 0x7fffffff) != 0)
      fail_msg("%s", buf_str(&out));
  /* Ours are as they were. */
  (void)pthread_sigmask(SIG_SETMASK, &before, &after);
  assert_int_equal(sigismember(&after, SIGTERM), 1);
  assert_int_equal(sigismember(&after, SIGINT), 0);
}

static void arguments_are_passed_as_they_are(void **state) {
  (void)state;
  char *argv[] = {
      (char[]){"printf"}, (char[]){"<%s>"}, (char[]){"a b"},  (char[]){"$HOME"},
      (char[]){"*"},      (char[]){""},     (char[]){"`id`"}, NULL};
  assert_int_equal(run(argv, LIMIT_MS), 0);
  assert_string_equal(buf_str(&out), "<a b><$HOME><*><><`id`>");
}

static void room_is_made_once(void **state) {
  (void)state;
  buf_clear(&out);
  assert_int_equal(run_shell("echo x", LIMIT_MS), 0);
  assert_int_equal(out.cap, TEXT_MAX + 1);
}

/* ---- what cannot be run ------------------------------------------------- */

static void put_script(const char *text, mode_t mode) {
  FILE *file = fopen(script_path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(script_path, mode), 0);
}

static void what_cannot_be_run(void **state) {
  (void)state;
  char *const missing[] = {(char[]){"/nowhere/at/all"}, NULL};
  char *const unknown[] = {(char[]){"no-such-name-in-path"}, NULL};
  char *const script[] = {script_path, NULL};
  static const struct {
    const char *label, *text;
    mode_t mode;
    const char *says;
  } scripts[] = {
      {"not executable", "#!/bin/sh\necho x\n", 0600,
       "cannot be run (Permission denied): the user"},
      {"without an interpreter", "echo x\n", 0700,
       "cannot be run: it is neith"},
      {"with one that is not there", "#!/nowhere/sh\n", 0700,
       "there is no suc"},
      {"", "#!/bin/sh\necho x\n", 0700, ""},
  };

  assert_int_equal(run(missing, LIMIT_MS), -1);
  assert_non_null(strstr(err.text, "there is no such file"));
  assert_int_equal(run(unknown, LIMIT_MS), -1);
  assert_non_null(strstr(err.text, "daemon's PATH may be shorter"));
  for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
    put_script(scripts[i].text, scripts[i].mode);
    int rc = run(script, LIMIT_MS);
    if ((rc == 0) != (scripts[i].says[0] == '\0') ||
        strstr(err.text, scripts[i].says) == NULL)
      fail_msg("%s: %s", scripts[i].label, err.text);
  }
  assert_string_equal(buf_str(&out), "x\n");
  assert_int_equal(count_children(), 0);
}

static void names_are_looked_up_in_path(void **state) {
  (void)state;
  char *const argv[] = {(char[]){"give-keys"}, NULL};
  char *before = getenv("PATH");
  char text[256], kept[4096];
  (void)snprintf(kept, sizeof(kept), "%s", before != NULL ? before : "");
  put_script("#!/bin/sh\necho found\n", 0700);

  (void)snprintf(text, sizeof(text), "/nowhere:/dev/null:%s:/bin", folder);
  (void)setenv("PATH", text, 1);
  assert_int_equal(run(argv, LIMIT_MS), 0);
  assert_string_equal(buf_str(&out), "found\n");
  put_script("#!/bin/sh\necho found\n", 0600);
  assert_int_equal(run(argv, LIMIT_MS), -1);
  assert_non_null(strstr(err.text, "Permission denied"));

  /* Without PATH, in the usual folders. */
  char *const echo[] = {(char[]){"echo"}, (char[]){"x"}, NULL};
  (void)unsetenv("PATH");
  assert_int_equal(run(echo, LIMIT_MS), 0);
  (void)setenv("PATH", kept, 1);
}

static void without_descriptors_it_says_so(void **state) {
  (void)state;
  int held[1024], n = 0;
  struct err said;
  const struct process_limits limits = {.timeout_ms = LIMIT_MS,
                                        .deadline_ms = &deadline_ms};
  char *const argv[] = {(char[]){"/bin/true"}, NULL};

  while (n < 1024 && (held[n] = open("/dev/null", O_RDONLY)) >= 0)
    n++;
  for (int left = 0; left < 8 && n > 0; left++) {
    if (process_run(argv, &limits, &out, &said) != -1 ||
        (strstr(said.text, "cannot be started (") == NULL &&
         strcmp(said.text, "printed nothing") != 0))
      fail_msg("%d left: %s", left, said.text);
    (void)close(held[--n]);
  }
  while (n > 0)
    (void)close(held[--n]);
  assert_int_equal(count_children(), 0);
}

static int begin(void **state) {
  (void)state;
  (void)alarm(240);
  if (mkdtemp(folder) == NULL)
    return -1;
  (void)snprintf(script_path, sizeof(script_path), "%s/give-keys", folder);
  return 0;
}

static int end(void **state) {
  (void)state;
  buf_wipe(&out);
  (void)unlink(script_path);
  return rmdir(folder);
}

/* Another thread's fork may come between a pipe and the mark that keeps it from
 * others: then it never ends. */
static void a_pipe_that_somebody_else_has_ends_at_the_limit(void **state) {
  (void)state;
  const struct process_limits limits = {.timeout_ms = SHORT_MS,
                                        .deadline_ms = &deadline_ms};
  char *argv[] = {(char[]){"/bin/echo"}, (char[]){"hush"}, NULL};

  for (shared_pipe = 0; shared_pipe < 3; shared_pipe++) {
    int64_t begun_ms = clock_steady_ms();
    n_pipes = 0;
    (void)alarm(20); /* should it wait for ever */
    int rc = process_run(argv, &limits, &out, &err);
    (void)alarm(0);
    assert_int_equal(rc, shared_pipe == 0 ? -1 : 0); /* what is told is told */
    assert_true(clock_steady_ms() - begun_ms < SOON_MS);
    assert_true(shared_fd >= 0);
    (void)close(shared_fd);
    shared_fd = -1;
  }
  shared_pipe = -1;
  assert_int_equal(process_run(argv, &limits, &out, &err), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_becomes_of_it),
      cmocka_unit_test(ignored_ends_are_no_obstacle),
      cmocka_unit_test(another_may_wait_first),
      cmocka_unit_test(the_deadline_ends_it),
      cmocka_unit_test(the_whole_group_is_killed),
      cmocka_unit_test(nobody_inherits_what_was_killed),
      cmocka_unit_test(it_is_killed_at_any_moment),
      cmocka_unit_test(an_end_is_seen_at_once),
      cmocka_unit_test(several_run_at_once),
      cmocka_unit_test(it_has_three_descriptors),
      cmocka_unit_test(closed_descriptors_do_not_mix_up),
      cmocka_unit_test(its_signals_are_default),
      cmocka_unit_test(arguments_are_passed_as_they_are),
      cmocka_unit_test(room_is_made_once),
      cmocka_unit_test(what_cannot_be_run),
      cmocka_unit_test(names_are_looked_up_in_path),
      cmocka_unit_test(without_descriptors_it_says_so),
      cmocka_unit_test(a_pipe_that_somebody_else_has_ends_at_the_limit),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
