#include "run/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "disk.h"

/* The user that we seem to run as; -1 is the one that we are. */
static uid_t pretended = (uid_t)-1;
uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void) {
  return pretended != (uid_t)-1 ? pretended : __real_geteuid();
}

static struct folder opened(const char *path, const char *node) {
  struct folder folder;
  struct err err = {""};
  if (folder_open(&folder, path, node, &err) != 0)
    fail_msg("%s", err.text);
  return folder;
}

/* Refused, with a sentence that has these words; it is closed. */
static void assert_refused(const char *path, const char *node,
                           const char *words) {
  struct folder folder;
  struct err err = {""};
  assert_int_equal(folder_open(&folder, path, node, &err), -1);
  if (strstr(err.text, words) == NULL)
    fail_msg("\"%s\" is not in: %s", words, err.text);
  assert_null(folder.path);
  folder_close(&folder);
}

static void put(struct folder *folder, const char *name, const char *text) {
  struct err err = {""};
  if (folder_write(folder, name, str_of(text), &err) != 0)
    fail_msg("%s", err.text);
}

static void assert_holds(const struct folder *folder, const char *name,
                         const char *text) {
  struct buf bytes = BUF_INIT(1 << 20);
  struct err err = {""};
  enum folder_found found = folder_read(folder, name, &bytes, &err);
  assert_int_equal(found, text != NULL ? FOLDER_FOUND : FOLDER_ABSENT);
  if (text != NULL)
    assert_string_equal(buf_str(&bytes), text);
  buf_clear(&bytes);
}

static mode_t mode_of(const char *path) {
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  return st.st_mode & 07777;
}

/* ---- opening ------------------------------------------------------------ */

static void is_made_for_us_alone(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  assert_string_equal(folder.path, on_disk("a"));
  assert_int_equal(mode_of(on_disk("a")), 0700);
  put(&folder, "x", "text");
  assert_int_equal(mode_of(on_disk("a/x")), 0600);
  folder_close(&folder);
  assert_null(folder.path);
  folder_close(&folder);
  assert_true(is_there(on_disk("a/x")));

  folder = opened(on_disk("b"), "prod");
  assert_int_equal(mode_of(on_disk("b")), 0700);
  assert_int_equal(mode_of(on_disk("b/prod")), 0700);
  folder_close(&folder);
  folder_close(&(struct folder){0});
}

static void what_is_above_is_not_made(void **state) {
  (void)state;
  assert_refused(on_disk("no/a"), "", "cannot make");
  assert_refused(on_disk("no/a"), "prod", "cannot make");
  assert_false(is_there(on_disk("no")));
  put_bytes(on_disk("file"), "", 0);
  assert_refused(on_disk("file"), "", "must be a folder");
  assert_refused(on_disk("file"), "prod", "must be a folder");
}

static void nobody_else_may_write_there(void **state) {
  (void)state;
  static const mode_t open_to_others[] = {0777, 0770, 0702, 0720, 01777};
  assert_int_equal(mkdir(on_disk("a"), 0700), 0);
  for (size_t i = 0; i < sizeof(open_to_others) / sizeof(mode_t); i++) {
    assert_int_equal(chmod(on_disk("a"), open_to_others[i]), 0);
    assert_refused(on_disk("a"), "", "written to by other users");
    assert_false(is_there(on_disk("a/lock")));
  }
  static const mode_t ours_alone[] = {0755, 0750, 0711};
  for (size_t i = 0; i < sizeof(ours_alone) / sizeof(mode_t); i++) {
    assert_int_equal(chmod(on_disk("a"), ours_alone[i]), 0);
    struct folder folder = opened(on_disk("a"), "");
    folder_close(&folder);
  }
}

/* Root may give the folder away; another user pretends to be a third. */
static void is_of_our_user_or_root(void **state) {
  (void)state;
  const uid_t other = 12345;
  uid_t owner = __real_geteuid() == 0 ? other : __real_geteuid();
  assert_int_equal(mkdir(on_disk("a"), 0700), 0);
  if (owner == other)
    assert_int_equal(chown(on_disk("a"), other, other), 0);
  pretended = owner + 1;
  assert_refused(on_disk("a"), "", "belongs to another user");
  pretended = owner;
  struct folder folder = opened(on_disk("a"), "");
  folder_close(&folder);
  if (owner == other) {
    assert_int_equal(chown(on_disk("a"), 0, 0), 0);
    folder = opened(on_disk("a"), "");
    folder_close(&folder);
  }
  pretended = (uid_t)-1;
}

/* ---- the lock ----------------------------------------------------------- */

static void no_two_have_it(void **state) {
  (void)state;
  struct folder first = opened(on_disk("a"), "");
  struct folder node = opened(on_disk("a"), "prod");
  assert_refused(on_disk("a"), "", "in use by another");
  assert_refused(on_disk("a"), "prod", "in use by another");
  assert_int_equal(symlink(on_disk("a"), on_disk("b")), 0);
  assert_refused(on_disk("b"), "", "in use by another");
  folder_close(&first);
  first = opened(on_disk("b"), "");
  folder_close(&first);
  folder_close(&node);
}

/* A process that holds it until it is told to end; -1 when it cannot. */
static pid_t hold(const char *path, int *until) {
  int told[2], ready[2];
  char sign = '-';
  assert_int_equal(pipe(told), 0);
  assert_int_equal(pipe(ready), 0);
  pid_t pid = fork();
  if (pid == 0) {
    struct folder folder;
    struct err err;
    (void)close(told[1]);
    sign = folder_open(&folder, path, "", &err) == 0 ? '+' : '-';
    if (write(ready[1], &sign, 1) == 1)
      (void)!read(told[0], &sign, 1);
    _exit(0); /* as if it was killed: nothing is given up */
  }
  (void)close(told[0]);
  (void)close(ready[1]);
  assert_int_equal(read(ready[0], &sign, 1), 1);
  assert_int_equal(sign, '+');
  (void)close(ready[0]);
  *until = told[1];
  return pid;
}

static void no_two_processes_have_it(void **state) {
  (void)state;
  int until, status;
  pid_t pid = hold(on_disk("a"), &until);
  assert_refused(on_disk("a"), "", "in use by another");
  (void)close(until);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  struct folder folder = opened(on_disk("a"), "");
  folder_close(&folder);
}

/* A program that we start must not keep it beyond our end. */
static void is_not_handed_on(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  assert_true((fcntl(folder.fd, F_GETFD) & FD_CLOEXEC) != 0);
  assert_true((fcntl(folder.lock_fd, F_GETFD) & FD_CLOEXEC) != 0);
  folder_close(&folder);
}

/* ---- files -------------------------------------------------------------- */

static void files_are_written_and_replaced(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  struct err err = {""};

  put(&folder, "x", "one");
  assert_holds(&folder, "x", "one");
  put(&folder, "x", "another");
  assert_holds(&folder, "x", "another");
  put(&folder, "x", "");
  assert_holds(&folder, "x", "");
  assert_int_equal(folder_sync(&folder, &err), 0);
  assert_int_equal(count_names(on_disk("a"), ".new"), 0);

  /* What a write left that was cut off does not stand in the way. */
  put_bytes(on_disk("a/x.new"), "much longer than the other", 26);
  put(&folder, "x", "short");
  assert_holds(&folder, "x", "short");

  char name[300];
  memset(name, 'n', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  assert_int_equal(folder_write(&folder, name, STR("x"), &err), -1);
  assert_non_null(strstr(err.text, "too long"));
  folder_close(&folder);
}

static void many_bytes_come_back(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  struct buf bytes = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20);
  struct err err = {""};

  for (unsigned i = 0; i < 300000; i++)
    buf_putc(&bytes, (char)(unsigned char)(i * i >> 7));
  assert_int_equal(folder_write(&folder, "x", str_of_buf(&bytes), &err), 0);
  assert_int_equal(folder_read(&folder, "x", &back, &err), FOLDER_FOUND);
  assert_true(str_eq(str_of_buf(&bytes), str_of_buf(&back)));

  /* Only as many as there is room for. */
  static char room[1001];
  struct buf head = BUF_OVER(room);
  assert_int_equal(folder_read(&folder, "x", &head, &err), FOLDER_FOUND);
  assert_int_equal(head.len, 1000);
  assert_memory_equal(head.data, bytes.data, 1000);
  buf_clear(&bytes);
  buf_clear(&back);
  folder_close(&folder);
}

static void files_are_removed_and_renamed(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  struct err err = {""};

  put(&folder, "x", "one");
  assert_int_equal(folder_rename(&folder, "x", "y", &err), 0);
  assert_holds(&folder, "x", NULL);
  assert_holds(&folder, "y", "one");
  assert_int_equal(folder_rename(&folder, "x", "z", &err), -1);
  assert_non_null(strstr(err.text, on_disk("a/x")));
  assert_int_equal(folder_remove(&folder, "y", &err), 0);
  assert_holds(&folder, "y", NULL);
  assert_int_equal(folder_remove(&folder, "y", &err), 0);
  assert_int_equal(mkdir(on_disk("a/below"), 0700), 0);
  assert_int_equal(folder_remove(&folder, "below", &err), -1);
  assert_non_null(strstr(err.text, on_disk("a/below")));
  folder_close(&folder);
}

static void what_is_no_file_is_not_read(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  struct buf bytes = BUF_INIT(100);
  struct err err = {""};

  assert_int_equal(mkdir(on_disk("a/below"), 0700), 0);
  assert_int_equal(folder_read(&folder, "below", &bytes, &err), FOLDER_FAILED);
  assert_non_null(strstr(err.text, on_disk("a/below")));
  assert_int_equal(symlink("/etc/passwd", on_disk("a/link")), 0);
  assert_int_equal(folder_read(&folder, "link", &bytes, &err), FOLDER_FAILED);
  assert_int_equal(mkfifo(on_disk("a/pipe"), 0600), 0);
  (void)folder_read(&folder, "pipe", &bytes, &err); /* does not wait */
  assert_int_equal(bytes.len, 0);

  /* Nor written through. */
  put_bytes(on_disk("elsewhere"), "", 0);
  assert_int_equal(symlink(on_disk("elsewhere"), on_disk("a/x.new")), 0);
  assert_int_equal(folder_write(&folder, "x", STR("text"), &err), -1);
  char byte;
  assert_int_equal(get_bytes(on_disk("elsewhere"), &byte, 1), 0);
  assert_false(is_there(on_disk("a/x")));
  buf_clear(&bytes);
  folder_close(&folder);
}

static void takes_whole_blocks(void **state) {
  (void)state;
  struct folder folder = {.block_bytes = 4096};
  assert_int_equal(folder_space(&folder, 0), 0);
  assert_int_equal(folder_space(&folder, 1), 4096);
  assert_int_equal(folder_space(&folder, 4096), 4096);
  assert_int_equal(folder_space(&folder, 4097), 8192);
  folder = opened(on_disk("a"), "");
  assert_true(folder.block_bytes > 0);
  folder_close(&folder);
}

/* ---- the list ----------------------------------------------------------- */

struct seen {
  size_t n, n_known;
  int64_t bytes;
};

static void see(void *context, const char *name, int64_t bytes) {
  struct seen *seen = context;
  seen->n++;
  seen->n_known += strcmp(name, "x") == 0 || strcmp(name, "y.damaged") == 0;
  seen->bytes += bytes;
}

static void tells_files_and_sweeps_halves(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  struct err err = {""};
  struct seen seen = {0};

  assert_int_equal(folder_list(&folder, see, &seen, &err), 0);
  assert_int_equal(seen.n, 0); /* the lock is not told */
  put(&folder, "x", "one");
  put(&folder, "y.damaged", "four");
  put_bytes(on_disk("a/z.new"), "half", 4);
  assert_int_equal(mkdir(on_disk("a/below"), 0700), 0);
  assert_int_equal(symlink("x", on_disk("a/link")), 0);
  assert_int_equal(symlink("x", on_disk("a/link.new")), 0);
  assert_int_equal(folder_list(&folder, see, &seen, &err), 0);
  assert_int_equal(seen.n, 2);
  assert_int_equal(seen.n_known, 2);
  assert_int_equal(seen.bytes, 3 + 4);
  assert_int_equal(count_names(on_disk("a"), ".new"), 0);
  folder_close(&folder);
}

static void tells_all_of_many(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  struct err err = {""};
  struct seen seen = {0};
  char name[64];
  for (int i = 0; i < 3000; i++) {
    (void)snprintf(name, sizeof(name), "a/%08d.%s", i,
                   i % 3 == 0 ? "parcel.new" : "parcel");
    put_bytes(on_disk(name), "", 0);
  }
  assert_int_equal(folder_list(&folder, see, &seen, &err), 0);
  assert_int_equal(seen.n, 2000);
  assert_int_equal(count_names(on_disk("a"), ".new"), 0);
  folder_close(&folder);
}

/* ---- removed under us --------------------------------------------------- */

static void knows_that_it_is_gone(void **state) {
  (void)state;
  struct folder folder = opened(on_disk("a"), "");
  struct err err = {""};

  assert_false(folder_is_gone(&folder));
  assert_int_equal(rename(on_disk("a"), on_disk("moved")), 0);
  assert_false(folder_is_gone(&folder));
  put(&folder, "x", "one"); /* the folder that was opened */
  assert_true(is_there(on_disk("moved/x")));

  remove_all(on_disk("moved"));
  assert_true(folder_is_gone(&folder));
  assert_int_equal(folder_write(&folder, "x", STR("one"), &err), -1);
  assert_holds(&folder, "x", NULL);
  folder_close(&folder);
  folder = opened(on_disk("a"), "");
  assert_false(folder_is_gone(&folder));
  folder_close(&folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_DISK(is_made_for_us_alone),
      ON_DISK(what_is_above_is_not_made),
      ON_DISK(nobody_else_may_write_there),
      ON_DISK(is_of_our_user_or_root),
      ON_DISK(no_two_have_it),
      ON_DISK(no_two_processes_have_it),
      ON_DISK(is_not_handed_on),
      ON_DISK(files_are_written_and_replaced),
      ON_DISK(many_bytes_come_back),
      ON_DISK(files_are_removed_and_renamed),
      ON_DISK(what_is_no_file_is_not_read),
      ON_DISK(takes_whole_blocks),
      ON_DISK(tells_files_and_sweeps_halves),
      ON_DISK(tells_all_of_many),
      ON_DISK(knows_that_it_is_gone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
