/* The keeper is the daemon's copy between fork and _exit, and the program is so
 * until it is begun: only what is safe in a signal handler may be called there
 * (of POSIX.1-2008; fork is).  Another thread may have held any lock at the
 * moment of the fork, and its owner does not exist in the child. */
#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Descriptors 0 to 2 are the program's own; what happens is told at 3. */
#define TELL_FD 3
#define FIRST_FD (TELL_FD + 1)

/* A limit of descriptors may be 2^30 (containers); to close that many takes
 * minutes.  They are given out from the lowest on, so none is this high. */
#define FDS_MAX (1024 * 1024)

#define PATH_LEN_MAX 4096
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

enum told {
  TOLD_PROGRAM = 1, /* its process id, before it leaves the keeper's group */
  TOLD_ERRNO,       /* of what kept it from beginning */
  TOLD_STATUS       /* as of waitpid() */
};

/* Written at once, and so read at once: a pipe does not part so little. */
struct record {
  int told; /* enum told */
  int value;
};

/* ---- in the children ---------------------------------------------------- */

static void tell(enum told told, int value) {
  const struct record record = {(int)told, value};

  (void)!write(TELL_FD, &record, sizeof(record));
}

_Noreturn static void give_up(int number) {
  tell(TOLD_ERRNO, number);
  _exit(127);
}

/* getenv() is not safe here, and may be disturbed by a setenv() elsewhere. */
static const char *find_path(void) {
  for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
    if (strncmp(*entry, "PATH=", 5) == 0)
      return *entry + 5;
  return DEFAULT_PATH;
}

/* Runs a name of a folder in PATH, as execvp() would, but for its last resort:
 * a file that is no program is not given to a shell. */
static int run_by_path(char *const argv[]) {
  size_t name_len = strlen(argv[0]);
  int worst = ENOENT;

  for (const char *at = find_path();; at++) {
    char path[PATH_LEN_MAX];
    size_t len = strcspn(at, ":");
    if (len + name_len + 2 <= sizeof(path)) {
      memcpy(path, at, len);
      path[len] = '/';
      memcpy(path + len + (len > 0), argv[0], name_len + 1);
      (void)execve(path, argv, environ);
      if (errno != ENOENT && errno != ENOTDIR)
        worst = errno;
    }
    at += len;
    if (*at == '\0')
      return worst;
  }
}

static void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};

  /* Those that may not be changed refuse, which is well. */
  for (int number = 1; number <= SIGRTMAX; number++)
    (void)sigaction(number, &action, NULL);
}

/* It leads a group of its own, as programs of a shell do: one that makes itself
 * a leader, as timeout(1) does, then stays where it is killed, and one that
 * signals its group does not end the keeper. */
_Noreturn static void become(char *const argv[]) {
  sigset_t none;

  tell(TOLD_PROGRAM, (int)getpid());
  if (setpgid(0, 0) != 0)
    give_up(errno);
  (void)sigemptyset(&none);
  (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
  if (strchr(argv[0], '/') == NULL)
    give_up(run_by_path(argv));
  (void)execve(argv[0], argv, environ);
  give_up(errno);
}

/* Its signals stay blocked: nothing but SIGKILL takes the status away.
 *
 * fds  what becomes descriptor 0, 1, 2 and TELL_FD; all above TELL_FD */
_Noreturn static void keep(char *const argv[], const int fds[FIRST_FD],
                           int n_fds) {
  int status = 0;

  if (dup2(fds[TELL_FD], TELL_FD) < 0)
    _exit(127);
  for (int i = 0; i < TELL_FD; i++)
    if (dup2(fds[i], i) < 0)
      give_up(errno);
  if (fcntl(TELL_FD, F_SETFD, FD_CLOEXEC) != 0 || setpgid(0, 0) != 0)
    give_up(errno);
  for (int fd = FIRST_FD; fd < n_fds; fd++)
    (void)close(fd);
  reset_signals(); /* an ignored SIGCHLD would take the status from here too */
  pid_t pid = fork();
  if (pid == 0)
    become(argv);
  if (pid < 0)
    give_up(errno);
  for (int fd = 0; fd < TELL_FD; fd++)
    (void)close(fd); /* that the program's ends are the last */
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      _exit(127);
  tell(TOLD_STATUS, status);
  _exit(0);
}

/* ---- here --------------------------------------------------------------- */

static void close_fd(int *fd) {
  if (*fd >= 0)
    (void)close(*fd);
  *fd = -1;
}

/* Moves *fd out of the child's own descriptors, so that none of them is
 * overwritten before it is used, and where no other program inherits it. */
static int lift(int *fd) {
  int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FD);

  close_fd(fd);
  *fd = lifted;
  return lifted < 0 ? -1 : 0;
}

/* Fills the ends that are read here and those that the child gets. */
static int open_all(int ours[CHILD_PIPES], int theirs[FIRST_FD]) {
  static const int place[CHILD_PIPES] = {
      [CHILD_OUT] = 1, [CHILD_ERR] = 2, [CHILD_TELL] = TELL_FD};

  theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (theirs[0] < 0 || lift(&theirs[0]) != 0)
    return -1;
  for (int i = 0; i < CHILD_PIPES; i++) {
    int ends[2];
    if (pipe(ends) != 0)
      return -1;
    ours[i] = ends[0];
    theirs[place[i]] = ends[1];
    if (lift(&ours[i]) != 0 || lift(&theirs[place[i]]) != 0)
      return -1;
  }
  return 0;
}

static int count_fds(void) {
  long n = sysconf(_SC_OPEN_MAX);

  return n > 0 && n < FDS_MAX ? (int)n : FDS_MAX;
}

/* Signals are kept away from the keeper from the first moment on, as it has the
 * daemon's handlers then. */
static pid_t start(char *const argv[], const int fds[FIRST_FD]) {
  int n_fds = count_fds();
  sigset_t all, before;

  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0)
    keep(argv, fds, n_fds);
  int number = errno;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = number;
  return pid;
}

static void put_errno(int number, const char *what, struct err *err) {
  char reason[128];

  if (strerror_r(number, reason, sizeof(reason)) != 0)
    reason[0] = '\0';
  (void)err_set(err, "%s (%s)", what, reason);
}

int child_start(struct child *child, char *const argv[], struct err *err) {
  int theirs[FIRST_FD] = {-1, -1, -1, -1};

  *child = (struct child){.keeper = -1, .fd = {-1, -1, -1}};
  if (open_all(child->fd, theirs) == 0)
    child->keeper = start(argv, theirs);
  int number = errno;
  for (int i = 0; i < FIRST_FD; i++)
    close_fd(&theirs[i]);
  if (child->keeper > 0) {
    /* Said here too: it must hold before the first kill. */
    (void)setpgid(child->keeper, child->keeper);
    return 0;
  }
  child_close(child);
  put_errno(number, "cannot be started", err);
  return -1;
}

void child_explain(int number, struct err *err) {
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    (void)err_set(err,
                  "cannot be run: there is no such file, or its first line "
                  "names an interpreter that is not there; write its full "
                  "path, as the daemon's PATH may be shorter than yours");
    return;
  case EACCES:
    (void)err_set(err, "cannot be run (Permission denied): the user that "
                       "collectd runs as must be allowed to execute the file "
                       "and to enter the folders above it");
    return;
  case ENOEXEC:
    (void)err_set(err, "cannot be run: it is neither a program for this "
                       "machine nor a script that begins with #! and its "
                       "interpreter");
    return;
  default:
    put_errno(number, "cannot be run", err);
  }
}

void child_hear(struct child *child) {
  struct record record = {0, 0};
  ssize_t n = read(child->fd[CHILD_TELL], &record, sizeof(record));

  if (n < 0 && errno == EINTR)
    return;
  if (n != (ssize_t)sizeof(record)) {
    close_fd(&child->fd[CHILD_TELL]);
    return;
  }
  switch ((enum told)record.told) {
  case TOLD_PROGRAM:
    child->program = (pid_t)record.value;
    break;
  case TOLD_ERRNO:
    child->exec_errno = record.value;
    break;
  case TOLD_STATUS:
    child->has_status = true;
    child->status = record.value;
    break;
  }
}

void child_look(struct child *child) {
  pid_t pid;

  if (child->has_ended)
    return;
  do
    pid = waitpid(child->keeper, NULL, WNOHANG);
  while (pid < 0 && errno == EINTR);
  /* ECHILD: SIGCHLD is ignored, or another waited for all children. */
  child->has_ended = pid != 0;
}

/* Hears what has been told up to now. */
static void catch_up(struct child *child) {
  while (child->fd[CHILD_TELL] >= 0) {
    struct pollfd fd = {.fd = child->fd[CHILD_TELL], .events = POLLIN};
    if (poll(&fd, 1, 0) <= 0)
      return;
    child_hear(child);
  }
}

/* As long as a member of a group lives, or its leader is not waited for, no
 * other gets its number. */
void child_kill(struct child *child) {
  catch_up(child);
  if (child->program <= 0) {
    /* Then it is still in the keeper's group, unless it says meanwhile that it
     * is about to leave. */
    child_kill_keeper(child);
    catch_up(child);
  }
  if (child->program <= 0)
    return;
  if (!child->has_status)
    (void)kill(child->program, SIGKILL); /* it may not have its group yet */
  (void)kill(-child->program, SIGKILL);
}

void child_kill_keeper(const struct child *child) {
  (void)kill(-child->keeper, SIGKILL);
}

void child_close(struct child *child) {
  for (int i = 0; i < CHILD_PIPES; i++)
    close_fd(&child->fd[i]);
}
