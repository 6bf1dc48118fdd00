#include "run/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/test_file.XXXXXX";
static char path[64];

static void write_file(const char *text, size_t len) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

static int begin(void **state) {
  (void)state;
  if (mkdtemp(folder) == NULL)
    return -1;
  (void)snprintf(path, sizeof(path), "%s/text", folder);
  return 0;
}

static int end(void **state) {
  (void)state;
  (void)unlink(path);
  return rmdir(folder);
}

static void a_file_is_read_whole(void **state) {
  (void)state;
  struct buf out = BUF_INIT(20000);
  struct err err = {0};
  char text[10000];
  for (size_t i = 0; i < sizeof(text); i++)
    text[i] = (char)(i % 251);

  const size_t sizes[] = {0, 1, 4095, 4096, 4097, 10000};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    write_file(text, sizes[i]);
    buf_puts(&out, "what was there before");
    assert_int_equal(file_read(path, &out, &err), FILE_FOUND);
    assert_int_equal(out.len, sizes[i]);
    assert_memory_equal(buf_str(&out), text, sizes[i]);
  }
  assert_string_equal(err.text, "");
  buf_clear(&out);
}

static void room_is_made_once(void **state) {
  (void)state;
  struct buf out = BUF_INIT(20000);
  char text[10000];
  memset(text, 'k', sizeof(text));
  write_file(text, sizeof(text));
  assert_int_equal(file_read(path, &out, NULL), FILE_FOUND);
  assert_in_range(out.cap, 10000, 10200);
  buf_clear(&out);
}

static void what_cannot_be_read(void **state) {
  (void)state;
  struct buf out = BUF_INIT(100);
  struct err err = {0};
  char below[96];

  write_file("x", 1);
  (void)snprintf(below, sizeof(below), "%s/below", path);
  assert_int_equal(file_read("/nowhere/at/all", &out, &err), FILE_ABSENT);
  assert_int_equal(file_read(below, &out, &err), FILE_ABSENT);
  assert_string_equal(err.text, "");

  assert_int_equal(file_read(folder, &out, &err), FILE_FAILED);
  assert_non_null(strstr(err.text, "not a regular file"));
  assert_non_null(strstr(err.text, folder));
  assert_int_equal(file_read("/dev/zero", &out, &err), FILE_FAILED);

  char text[101] = {0};
  write_file(text, 100);
  assert_int_equal(file_read(path, &out, &err), FILE_FOUND);
  write_file(text, 101);
  assert_int_equal(file_read(path, &out, &err), FILE_FAILED);
  assert_non_null(strstr(err.text, "longer than 100 bytes"));
  assert_int_equal(out.len, 0);
  buf_clear(&out);
}

static void a_pipe_does_not_hang(void **state) {
  (void)state;
  struct buf out = BUF_INIT(100);
  struct err err = {0};
  (void)unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  (void)alarm(10);
  assert_int_equal(file_read(path, &out, &err), FILE_FAILED);
  (void)alarm(0);
  (void)unlink(path);
}

static void a_stamp_tells_a_change(void **state) {
  (void)state;
  const struct file_stamp none = {0};
  (void)unlink(path);
  struct file_stamp absent = file_stamp(path);
  assert_true(file_stamp_eq(&absent, &none));

  write_file("one", 3);
  struct file_stamp first = file_stamp(path), again = file_stamp(path);
  assert_false(file_stamp_eq(&first, &none));
  assert_true(file_stamp_eq(&first, &again));

  /* A tool that keeps the times, and one that keeps the length. */
  const struct timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 7},
                                    {.tv_sec = 1000, .tv_nsec = 7}};
  const struct timespec later[2] = {{.tv_sec = 1000, .tv_nsec = 8},
                                    {.tv_sec = 1000, .tv_nsec = 8}};
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  first = file_stamp(path);
  write_file("four", 4);
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  again = file_stamp(path);
  assert_false(file_stamp_eq(&first, &again));
  first = again;
  assert_int_equal(utimensat(AT_FDCWD, path, later, 0), 0);
  again = file_stamp(path);
  assert_false(file_stamp_eq(&first, &again));
}

static void who_may_read(void **state) {
  (void)state;
  write_file("x", 1);
  assert_int_equal(chmod(path, 0640), 0);
  assert_false(file_is_world_readable(path));
  assert_int_equal(chmod(path, 0604), 0);
  assert_true(file_is_world_readable(path));
  assert_false(file_is_world_readable("/nowhere/at/all"));
}

/* In a child, as a user of no name: the answer is its sentence. */
static void sentence_of_another(const char *name, char *text, size_t size) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    struct buf out = BUF_INIT(100);
    struct err err = {""};
    if ((geteuid() == 0 && (setgid(60000) != 0 || setuid(60000) != 0)) ||
        file_read(name, &out, &err) != FILE_FAILED)
      _exit(1);
    (void)!write(ends[1], err.text, strlen(err.text));
    _exit(0);
  }
  int status = -1;
  (void)close(ends[1]);
  ssize_t n = read(ends[0], text, size - 1);
  (void)close(ends[0]);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  text[n > 0 ? n : 0] = '\0';
}

static void who_may_not_is_told_why(void **state) {
  (void)state;
  char text[600], want[200];
  bool is_root = geteuid() == 0;

  write_file("x", 1);
  assert_int_equal(chmod(path, is_root ? 0600 : 0), 0);
  assert_int_equal(chmod(folder, 0755), 0);
  sentence_of_another(path, text, sizeof(text));
  (void)snprintf(want, sizeof(want),
                 "cannot read %s (Permission denied): it "
                 "belongs to user %s",
                 path,
                 is_root ? "root (0) with mode 0600, and collectd runs "
                           "as user 60000; the file should belong to"
                         : "");
  if (strncmp(text, want, strlen(want)) != 0)
    fail_msg("%s", text);

  assert_int_equal(chmod(folder, is_root ? 0700 : 0), 0);
  sentence_of_another(path, text, sizeof(text));
  assert_int_equal(chmod(folder, 0700), 0);
  if (strstr(text, "who may not enter a folder above it") == NULL)
    fail_msg("%s", text);
}

/* ---- replaced ----------------------------------------------------------- */

static void assert_holds(const char *name, const char *text) {
  struct buf out = BUF_INIT(64);
  struct err err = {""};
  assert_int_equal(file_read(name, &out, &err), FILE_FOUND);
  assert_string_equal(buf_str(&out), text);
  buf_clear(&out);
}

/* A name beside path; valid until the next call. */
static const char *beside(const char *name) {
  static char text[128];
  (void)snprintf(text, sizeof(text), "%s/%s", folder, name);
  return text;
}

static void a_file_is_replaced(void **state) {
  (void)state;
  struct err err = {""};
  struct stat before, after;
  mode_t mask = umask(077);
  write_file("old", 3);
  assert_int_equal(chmod(path, 0600), 0);
  assert_int_equal(stat(path, &before), 0);
  assert_int_equal(file_replace(path, STR("new one"), &err), 0);
  (void)umask(mask);
  assert_int_equal(stat(path, &after), 0);
  assert_true(before.st_ino != after.st_ino); /* who reads it, reads on */
  assert_int_equal(after.st_mode & 07777, 0644);
  assert_holds(path, "new one");
  assert_int_equal(access(beside(".text.new"), F_OK), -1);
}

static void no_link_is_followed(void **state) {
  (void)state;
  struct err err = {""};
  char other[128];
  (void)snprintf(other, sizeof(other), "%s", beside("other"));
  assert_int_equal(file_replace(other, STR("mine"), &err), 0);
  (void)unlink(path);
  assert_int_equal(symlink(other, path), 0);
  assert_int_equal(symlink(other, beside(".text.new")), 0);
  assert_int_equal(file_replace(path, STR("new"), &err), 0);
  assert_holds(other, "mine");
  assert_holds(path, "new");
  struct stat st;
  assert_int_equal(lstat(path, &st), 0);
  assert_true(S_ISREG(st.st_mode));
  (void)unlink(other);
}

/* What is said, and that nothing is left. */
static void assert_not_replaced(const char *name, const char *says) {
  struct err err = {""};
  assert_int_equal(file_replace(name, STR("x"), &err), -1);
  if (strstr(err.text, says) == NULL)
    fail_msg("%s", err.text);
  assert_int_equal(access(beside(".folder.new"), F_OK), -1);
}

static void what_cannot_be_replaced(void **state) {
  (void)state;
  char name[128], says[256], below[160];
  static char long_name[5000];
  (void)snprintf(name, sizeof(name), "%s", beside("folder"));
  assert_int_equal(mkdir(name, 0700), 0);
  (void)snprintf(says, sizeof(says),
                 "cannot write to %s (Is a directory): it must be a file",
                 name);
  assert_not_replaced(name, says);
  assert_int_equal(rmdir(name), 0);

  (void)snprintf(says, sizeof(says),
                 "cannot write to %s (No such file or directory): make it",
                 name);
  (void)snprintf(below, sizeof(below), "%s/file", name);
  assert_not_replaced(below, says);
  memset(long_name, 'x', sizeof(long_name) - 1);
  assert_not_replaced(long_name, "the name is too long to write");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_is_read_whole),
      cmocka_unit_test(room_is_made_once),
      cmocka_unit_test(what_cannot_be_read),
      cmocka_unit_test(a_pipe_does_not_hang),
      cmocka_unit_test(a_stamp_tells_a_change),
      cmocka_unit_test(who_may_read),
      cmocka_unit_test(who_may_not_is_told_why),
      cmocka_unit_test(a_file_is_replaced),
      cmocka_unit_test(no_link_is_followed),
      cmocka_unit_test(what_cannot_be_replaced),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
