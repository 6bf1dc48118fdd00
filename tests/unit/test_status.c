/* status: when the file is written, and that it holds what there is, as far as
 * the daemon's own tests do not show it (tests/e2e/test_status*.py). */
#include "run/status.h"

#include "ahead.h"
#include "disk.h"
#include "heard.h"

#include "base/json.h"
#include "run/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct sender_options options;
static struct status *status;
static struct status_now now;
static char node[] = "prod", no_node[] = "", path[128];

static int begin(void **state) {
  (void)state;
  if (make_disk("/tmp") != 0)
    return -1;
  (void)snprintf(path, sizeof(path), "%s/status.json", disk);
  ahead_ms = 0;
  said[0] = '\0';
  options = (struct sender_options){.node = no_node,
                                    .status_file = path,
                                    .flush_interval_s = 60,
                                    .max_metrics = 1000};
  now = (struct status_now){.look = {.source = "", .request_ms = -1}};
  status = status_new(&options, "testhost");
  return status != NULL ? 0 : -1;
}

static int end(void **state) {
  status_free(status);
  return remove_disk(state);
}

/* The file, parsed; NULL: there is none. */
static struct json *read_file(const char *name) {
  struct buf text = BUF_INIT(1 << 24);
  struct err err = {""};

  if (file_read(name, &text, &err) != FILE_FOUND)
    return NULL;
  struct json *document = json_parse(str_of_buf(&text), &err);
  if (document == NULL)
    fail_msg("%s: %.200s", err.text, buf_str(&text));
  buf_clear(&text);
  return document;
}

static struct json *read_status(void) {
  struct json *document = read_file(path);
  assert_non_null(document);
  return document;
}

/* Whether status_write() writes the file now. */
static bool is_written(void) {
  (void)unlink(path);
  status_write(status, &now);
  return is_there(path);
}

#define assert_text(value, text)                                               \
  do {                                                                         \
    struct str is = json_text(value);                                          \
    assert_int_equal(is.len, strlen(text));                                    \
    assert_memory_equal(is.p, text, is.len);                                   \
  } while (0)

/* ---- when --------------------------------------------------------------- */

static void only_when_something_happened(void **state) {
  (void)state;
  assert_true(is_written());
  for (int i = 0; i < 3; i++) {
    ahead_ms += 15000;
    assert_false(is_written());
    assert_int_equal(status_wake_ms(status), INT64_MAX);
  }
  ahead_ms += 15000; /* a minute: it tells that we live */
  assert_true(is_written());
}

static void each_thing_that_may_happen(void **state) {
  (void)state;
  assert_true(is_written());
  ahead_ms += 1000;
  now.has_flushed = true;
  now.flushed_s = 1700000000;
  assert_true(is_written());
  ahead_ms += 1000;
  now.look.count.requests++;
  assert_true(is_written());
  ahead_ms += 1000;
  now.look.source = "environment";
  assert_true(is_written());
  ahead_ms += 1000;
  now.look.expires_s = 1800000000;
  assert_true(is_written());
  ahead_ms += 1000;
  now.look.spool_is_usable = true;
  assert_true(is_written());
  ahead_ms += 1000;
  now.look.trouble[0] = (struct delivery_trouble){"sending", 1700000000};
  now.look.n_troubles = 1;
  assert_true(is_written());
  ahead_ms += 1000;
  now.look.trouble[0].what = "spool";
  assert_true(is_written());
  ahead_ms += 1000;
  now.look.n_troubles = 0;
  assert_true(is_written());
  ahead_ms += 1000;
  assert_false(is_written());
}

static void at_most_once_a_second(void **state) {
  (void)state;
  assert_true(is_written());
  now.look.count.requests++;
  ahead_ms += 500;
  assert_false(is_written());
  int64_t left_ms = status_wake_ms(status) - __wrap_clock_steady_ms();
  assert_in_range(left_ms, 1, 500);
  ahead_ms += left_ms;
  assert_true(is_written());
  assert_int_equal(status_wake_ms(status), INT64_MAX);
}

static void the_last_one_waits_for_nothing(void **state) {
  (void)state;
  assert_true(is_written());
  now.is_stopped = true;
  assert_true(is_written());
  struct json *document = read_status();
  assert_text(json_get(document, "node"), "");
  assert_int_equal(json_kind(json_get(document, "stopped")), JSON_BOOL);
  json_free(document);
}

static void nobody_waits_for_none(void **state) {
  (void)state;
  assert_int_equal(status_wake_ms(NULL), INT64_MAX);
}

static void what_goes_wrong_is_said_once(void **state) {
  (void)state;
  assert_int_equal(mkdir(path, 0700), 0);
  for (int i = 0; i < 3; i++) {
    now.look.count.requests++;
    ahead_ms += 1000;
    status_write(status, &now);
  }
  assert_non_null(strstr(said, "the status file cannot be written: cannot "
                               "write to "));
  assert_ptr_equal(strchr(said, '\n') + 1, said + strlen(said));
  assert_int_equal(rmdir(path), 0);
  said[0] = '\0';
  now.look.count.requests++;
  ahead_ms += 1000;
  status_write(status, &now);
  assert_non_null(strstr(said, "status.json is written again"));
}

/* ---- what --------------------------------------------------------------- */

static void a_node_has_a_file_of_its_own(void **state) {
  (void)state;
  char of_node[160];
  (void)snprintf(of_node, sizeof(of_node), "%s.prod", path);
  options.node = node;
  struct status *other = status_new(&options, "testhost");
  assert_non_null(other);
  status_write(other, &now);
  assert_false(is_there(path));
  struct json *document = read_file(of_node);
  assert_text(json_get(document, "node"), "prod");
  json_free(document);
  status_free(other);
}

/* Of bytes that are no UTF-8, a character each; and times that no calendar has
 * are not known. */
static void what_no_text_can_hold(void **state) {
  (void)state;
  const struct delivery_error error = {.at_s = 1700000000,
                                       .sentence = {"a \xff\xfe b \"\n\x01"}};
  now.look.error = &error;
  now.look.source = "profile \xc3\xb6\xc3";
  now.look.expires_s = INT64_MAX / 2;
  now.look.endpoint = "http://127.0.0.1:8/";
  now.look.region = "eu-west-1";
  status_write(status, &now);
  struct json *document = read_status();
  const struct json *last = json_get(document, "last_error");
  assert_text(json_get(last, "sentence"), "a ?? b \"\n\x01");
  assert_text(json_get(last, "time"), "2023-11-14T22:13:20Z");
  assert_int_equal(json_kind(json_get(last, "status")), JSON_NULL);
  const struct json *credentials = json_get(document, "credentials");
  assert_text(json_get(credentials, "source"), "profile ???");
  assert_int_equal(json_kind(json_get(credentials, "expires")), JSON_NULL);
  assert_text(json_get(document, "endpoint"), "http://127.0.0.1:8");
  json_free(document);
}

static void a_path_of_an_endpoint_stays(void **state) {
  (void)state;
  now.look.endpoint = "https://host/path";
  status_write(status, &now);
  struct json *document = read_status();
  assert_text(json_get(document, "endpoint"), "https://host/path");
  json_free(document);
}

static void leave(const char *identifier) {
  char because[] = "Plugin \"a\" does not match \"b\"", name[32];
  (void)snprintf(name, sizeof(name), "%s", identifier);
  struct note note = {.kind = NOTE_UNSELECTED,
                      .label = "m",
                      .identifier = name,
                      .because = because};
  status_note(status, &note);
}

static void the_newest_that_nothing_selects(void **state) {
  (void)state;
  char name[32];
  for (int i = 0; i < STATUS_UNSELECTED_MAX + 30; i++) {
    (void)snprintf(name, sizeof(name), "h/p/t-%d", i);
    leave(name);
    leave("h/p/t-0"); /* again, while it is in the list */
  }
  status_write(status, &now);
  struct json *document = read_status();
  const struct json *list = json_get(document, "unselected");
  assert_int_equal(json_count(list), STATUS_UNSELECTED_MAX);
  /* t-0 fell out once, and came again. */
  assert_text(json_get(json_at(list, STATUS_UNSELECTED_MAX - 1), "identifier"),
              "h/p/t-229");
  size_t n_zero = 0;
  for (size_t i = 0; i < STATUS_UNSELECTED_MAX; i++)
    n_zero += str_eq(json_text(json_get(json_at(list, i), "identifier")),
                     STR("h/p/t-0"));
  assert_int_equal(n_zero, 1);
  json_free(document);
}

static void members_are_not_listed(void **state) {
  (void)state;
  char name[] = "h/p/t-0";
  struct note note = {.kind = NOTE_MEMBER, .label = "m", .identifier = name};
  status_note(status, &note);
  status_write(status, &now);
  struct json *document = read_status();
  assert_int_equal(json_count(json_get(document, "unselected")), 0);
  json_free(document);
}

/* The longest names with the most dimensions: the list ends in time, and the
 * file is whole. */
static void a_list_of_very_long_names(void **state) {
  (void)state;
  static char long_value[1025];
  static struct dimension dimensions[30];
  memset(long_value, '"', 1024); /* two bytes each in JSON */
  for (size_t i = 0; i < 30; i++)
    dimensions[i] = (struct dimension){"D", long_value};
  struct series_name name = {.namespace = "N",
                             .name = "m",
                             .unit = "None",
                             .dimensions = dimensions,
                             .n_dimensions = 30,
                             .resolution_s = 60};
  struct datum datum = {.series = &name,
                        .identifier = "h/p/t",
                        .time_s = 1700000040,
                        .form = DATUM_VALUE};
  for (uint64_t key = 1; key <= 1000; key++)
    status_datum(status, &datum, key, "m");
  status_write(status, &now);
  assert_string_equal(said, "");
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_in_range(st.st_size, 8 << 20, 9 << 20);
  char tail[5] = "";
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, -4, SEEK_END), 0);
  assert_int_equal(fread(tail, 1, 4, file), 4);
  (void)fclose(file);
  assert_string_equal(tail, "[]}\n");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_PLACE(only_when_something_happened),
      IN_PLACE(each_thing_that_may_happen),
      IN_PLACE(at_most_once_a_second),
      IN_PLACE(the_last_one_waits_for_nothing),
      IN_PLACE(nobody_waits_for_none),
      IN_PLACE(what_goes_wrong_is_said_once),
      IN_PLACE(a_node_has_a_file_of_its_own),
      IN_PLACE(what_no_text_can_hold),
      IN_PLACE(a_path_of_an_endpoint_stays),
      IN_PLACE(the_newest_that_nothing_selects),
      IN_PLACE(members_are_not_listed),
      IN_PLACE(a_list_of_very_long_names),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
