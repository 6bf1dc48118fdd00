/* Between fork and exec only what is safe in a signal handler may be called:
 * another thread may have held any lock at the moment of the fork, and its
 * owner does not exist in the child. */
#include "run/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Descriptors 0 to 2 are the program's own, 3 tells of a failed exec. */
#define TELL_FD 3
#define FIRST_FD (TELL_FD + 1)

/* A limit of descriptors may be 2^30 (containers); to close that many takes
 * minutes.  They are given out from the lowest on, so none is this high. */
#define FDS_MAX (1024 * 1024)

#define PATH_LEN_MAX 4096
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* ---- in the child ------------------------------------------------------- */

_Noreturn static void tell(int number) {
  (void)!write(TELL_FD, &number, sizeof(number));
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
  sigset_t none;

  /* Those that may not be changed refuse, which is well. */
  for (int number = 1; number <= SIGRTMAX; number++)
    (void)sigaction(number, &action, NULL);
  (void)sigemptyset(&none);
  (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* fds  what becomes descriptor 0, 1, 2 and TELL_FD; all above TELL_FD */
_Noreturn static void become(char *const argv[], const int fds[FIRST_FD],
                             int n_fds) {
  if (dup2(fds[TELL_FD], TELL_FD) < 0)
    _exit(127);
  for (int i = 0; i < TELL_FD; i++)
    if (dup2(fds[i], i) < 0)
      tell(errno);
  if (fcntl(TELL_FD, F_SETFD, FD_CLOEXEC) != 0 || setpgid(0, 0) != 0)
    tell(errno);
  for (int fd = FIRST_FD; fd < n_fds; fd++)
    (void)close(fd);
  reset_signals();
  if (strchr(argv[0], '/') == NULL)
    tell(run_by_path(argv));
  (void)execve(argv[0], argv, environ);
  tell(errno);
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
      [CHILD_OUT] = 1, [CHILD_ERR] = 2, [CHILD_EXEC] = TELL_FD};

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

/* Signals are kept away from the child until it has none of the daemon's
 * handlers any more. */
static pid_t start(char *const argv[], const int fds[FIRST_FD]) {
  int n_fds = count_fds();
  sigset_t all, before;

  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0)
    become(argv, fds, n_fds);
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

  *child = (struct child){.pid = -1, .fd = {-1, -1, -1}};
  if (open_all(child->fd, theirs) == 0)
    child->pid = start(argv, theirs);
  int number = errno;
  for (int i = 0; i < FIRST_FD; i++)
    close_fd(&theirs[i]);
  if (child->pid > 0) {
    /* Said here too: it must hold before the first kill.  Fails when the
     * program has begun, and has done it itself. */
    (void)setpgid(child->pid, child->pid);
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

void child_look(struct child *child) {
  int status = 0;
  pid_t pid;

  if (child->has_ended)
    return;
  do
    pid = waitpid(child->pid, &status, WNOHANG);
  while (pid < 0 && errno == EINTR);
  if (pid == 0)
    return;
  /* ECHILD: SIGCHLD is ignored, or another waited for all children. */
  child->has_ended = true;
  child->has_status = pid > 0;
  child->status = pid > 0 ? status : 0;
}

void child_kill(const struct child *child) {
  /* As long as a member of the group lives, no other gets its number. */
  (void)kill(-child->pid, SIGKILL);
}

void child_close(struct child *child) {
  for (int i = 0; i < CHILD_PIPES; i++)
    close_fd(&child->fd[i]);
}
