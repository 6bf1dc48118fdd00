#include "run/identity.h"

#include "base/str.h"
#include "run/clock.h"
#include "run/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ahead.h"
#include "answers.h"
#include "folder.h"
#include "heard.h"

#define WAIT_MS 300000

#define TOKEN                                                                  \
  { "PUT /latest/api/token", NULL, "200 OK", "tok", 0, NULL }
#define DOCUMENT "GET /latest/dynamic/instance-identity/document"
#define TAG(key) "GET /latest/meta-data/tags/instance/" key
#define GROUP TAG("aws:autoscaling:groupName")
#define END                                                                    \
  { .request = NULL }
#define KNOWN(request, body)                                                   \
  { request, NULL, "200 OK", body, 0, NULL }
#define TROUBLE(request)                                                       \
  { request, NULL, "500 Oops", "", 0, NULL }

static struct answers server;
static char server_url[64];

static struct ec2_keys keys;
static struct session *session;
static struct identity *identity;

/* names: of the templates, separated by blanks */
static void begin(const char *names, int64_t wait_ms, const char *environment) {
  static char text[256];
  char *rest = NULL;

  (void)snprintf(text, sizeof(text), "%s", names);
  keys.n = 0;
  for (char *key = strtok_r(text, " ", &rest); key != NULL;
       key = strtok_r(NULL, " ", &rest))
    keys.key[keys.n++] = key;
  (void)setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server_url, 1);
  (void)setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
  put_environment(environment);
  session = open_session(NULL);
  identity = identity_new(&keys, session, "", wait_ms);
  assert_non_null(identity);
  said[0] = '\0';
}

static void end(void) {
  identity_free(identity);
  session_free(session);
}

/* What is known, "?" for awaited, "-" for missing, and what it took. */
static void expect(int line, const char *values, const char *asked) {
  const struct ec2_values *known = identity_values(identity, clock_steady_ms());
  char text[1024] = "";

  assert_int_equal(known->n, keys.n);
  for (size_t i = 0; i < known->n; i++) {
    size_t n = strlen(text);
    const char *value = known->value[i].state == EC2_AWAITED   ? "?"
                        : known->value[i].state == EC2_MISSING ? "-"
                                                               : "";
    if ((known->value[i].text != NULL) != (known->value[i].state == EC2_KNOWN))
      fail_msg("line %d: value %zu has a text and is not known", line, i);
    (void)snprintf(text + n, sizeof(text) - n, "%s%s%s", i > 0 ? " " : "",
                   value,
                   known->value[i].text != NULL ? known->value[i].text : "");
  }
  const char *was_asked = answers_asked(&server);
  if (strcmp(text, values) != 0 || strcmp(was_asked, asked) != 0)
    fail_msg("line %d: %s (asked: %s)", line, text, was_asked);
}
#define EXPECT(values, asked) expect(__LINE__, values, asked)

static void tend_after(int64_t ms) {
  ahead_ms += ms;
  identity_tend(identity);
}

#define DOCUMENT_TEXT                                                          \
  "{\"instanceId\": \"i-1\", \"instanceType\": \"t3.nano\", \"imageId\": "     \
  "\"ami-1\", \"availabilityZone\": \"eu-west-1a\", \"region\": "              \
  "\"eu-west-1\", \"accountId\": \"012345678901\", \"kernelId\": null}"

static void what_is_named_is_asked_and_no_more(void **state) {
  static const struct {
    const char *keys, *values, *asked;
  } cases[] = {
      {"", "", ""},
      {"instance_id", "i-1", "PUT /latest/api/token " DOCUMENT " "},
      {"account_id region availability_zone image_id instance_type",
       "012345678901 eu-west-1 eu-west-1a ami-1 t3.nano",
       "PUT /latest/api/token " DOCUMENT " "},
      {"tag:Name", "web", "PUT /latest/api/token " TAG("Name") " "},
      {"autoscaling_group", "asg", "PUT /latest/api/token " GROUP " "},
      {"tag:Name instance_id tag:None autoscaling_group", "web i-1 - asg",
       "PUT /latest/api/token " TAG("Name") " " TAG("None") " " GROUP
                                                            " " DOCUMENT " "},
  };
  static const struct answer list[] = {TOKEN, KNOWN(DOCUMENT, DOCUMENT_TEXT),
                                       KNOWN(TAG("Name"), "web"),
                                       KNOWN(GROUP, "asg"), END};
  (void)state;

  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    answers_use(&server, list);
    begin(cases[i].keys, WAIT_MS, "");
    identity_tend(identity);
    expect((int)i, cases[i].values, cases[i].asked);
    assert_string_equal(said, "");
    end();
  }
}

static void before_anything_is_asked_all_is_awaited(void **state) {
  (void)state;
  begin("tag:Name instance_id", WAIT_MS, "");
  answers_use(&server, (const struct answer[]){END});
  EXPECT("? ?", "");
  assert_true(identity_wake_ms(identity) <= clock_steady_ms());
  end();

  begin("", WAIT_MS, "");
  assert_true(identity_wake_ms(identity) == INT64_MAX);
  end();
}

static void the_document_is_read_once_and_tags_every_5_minutes(void **state) {
  static const struct answer first[] = {TOKEN, KNOWN(DOCUMENT, DOCUMENT_TEXT),
                                        KNOWN(TAG("Name"), "web"), END};
  static const struct answer second[] = {KNOWN(TAG("Name"), "db"), END};
  (void)state;

  answers_use(&server, first);
  begin("instance_id tag:Name", WAIT_MS, "");
  identity_tend(identity);
  EXPECT("i-1 web", "PUT /latest/api/token " TAG("Name") " " DOCUMENT " ");
  int64_t wait_ms = identity_wake_ms(identity) - clock_steady_ms();
  assert_in_range(wait_ms, 299000, 305000);

  answers_use(&server, second);
  tend_after(298000);
  EXPECT("i-1 web", "");
  tend_after(8000);
  EXPECT("i-1 db", TAG("Name") " ");
  end();
}

static void
what_was_known_outlives_a_service_that_does_not_answer(void **state) {
  static const struct answer first[] = {TOKEN, KNOWN(TAG("Name"), "web"), END};
  static const struct answer second[] = {TROUBLE(TAG("Name")), END};
  static const struct answer third[] = {END};
  (void)state;

  answers_use(&server, first);
  begin("tag:Name", WAIT_MS, "");
  identity_tend(identity);
  EXPECT("web", "PUT /latest/api/token " TAG("Name") " ");
  answers_use(&server, second);
  tend_after(310000);
  EXPECT("web", TAG("Name") " ");
  assert_string_equal(said, "");
  answers_use(&server, third); /* a tag that was removed */
  tend_after(1000);
  EXPECT("-", TAG("Name") " ");
  end();
}

static void what_is_not_there_is_missing_at_once_and_may_appear(void **state) {
  static const struct answer none[] = {TOKEN, END};
  static const struct answer some[] = {TOKEN, KNOWN(GROUP, "asg"),
                                       KNOWN(DOCUMENT, DOCUMENT_TEXT), END};
  static const char *const cases[][3] = {{"autoscaling_group", GROUP, "asg"},
                                         {"instance_id", DOCUMENT, "i-1"}};
  (void)state;

  for (size_t i = 0; i < 2; i++) {
    char asked[256];
    (void)snprintf(asked, sizeof(asked), "PUT /latest/api/token %s ",
                   cases[i][1]);
    answers_use(&server, none);
    begin(cases[i][0], WAIT_MS, "");
    identity_tend(identity);
    EXPECT("-", asked);
    assert_string_equal(said, ""); /* who misses it says so */

    answers_use(&server, some);
    tend_after(59000);
    EXPECT("-", "");
    tend_after(7000);
    (void)snprintf(asked, sizeof(asked), "%s ", cases[i][1]);
    EXPECT(cases[i][2], asked);
    end();
  }
}

static void blank_and_absent_values_are_missing(void **state) {
  static const struct answer list[] = {
      TOKEN, KNOWN(DOCUMENT, "{\"instanceId\": \" \", \"region\": null}"),
      KNOWN(TAG("Empty"), ""), KNOWN(TAG("Blank"), " \t"), END};
  (void)state;

  answers_use(&server, list);
  begin("tag:Empty tag:Blank instance_id region image_id", WAIT_MS, "");
  identity_tend(identity);
  EXPECT("- - - - -", "PUT /latest/api/token " TAG("Empty") " " TAG(
                          "Blank") " " DOCUMENT " ");
  end();
}

static void a_document_that_lacks_a_value_is_read_again(void **state) {
  static const struct answer half[] = {
      TOKEN, KNOWN(DOCUMENT, "{\"instanceId\": \"i-1\"}"), END};
  static const struct answer whole[] = {
      TOKEN,
      KNOWN(DOCUMENT, "{\"instanceId\": \"i-1\", \"region\": \"eu-west-1\"}"),
      END};
  (void)state;

  answers_use(&server, half);
  begin("instance_id region", WAIT_MS, "");
  identity_tend(identity);
  EXPECT("i-1 -", "PUT /latest/api/token " DOCUMENT " ");
  answers_use(&server, whole);
  tend_after(305000);
  EXPECT("i-1 eu-west-1", DOCUMENT " ");
  tend_after(86400000);
  EXPECT("i-1 eu-west-1", "");
  end();
}

static void a_service_that_is_switched_off_is_a_definite_answer(void **state) {
  static const struct answer none[] = {END};
  (void)state;

  answers_use(&server, none);
  begin("autoscaling_group instance_id", WAIT_MS,
        "AWS_EC2_METADATA_DISABLED=true");
  identity_tend(identity);
  EXPECT("- -", "");
  assert_true(identity_wake_ms(identity) == INT64_MAX);
  assert_string_equal(said, "");
  end();
}

/* Asks whenever it is time to. */
static void tend_often(int n) {
  for (int i = 0; i < n; i++) {
    int64_t wait_ms = identity_wake_ms(identity) - clock_steady_ms();
    tend_after(wait_ms > 0 ? wait_ms + 1 : 0);
  }
}

static size_t count_lines(const char *text) {
  size_t n = 0;
  for (; *text != '\0'; text++)
    n += *text == '\n' ? 1 : 0;
  return n;
}

static const struct answer not_yet[] = {
    {"PUT /latest/api/token", NULL, "503 Not yet", "", 0, NULL}, END};
static const struct answer at_last[] = {TOKEN, KNOWN(DOCUMENT, DOCUMENT_TEXT),
                                        KNOWN(TAG("Name"), "web"), END};

static void a_late_service_is_awaited_and_said_once(void **state) {
  (void)state;
  answers_use(&server, not_yet);
  begin("instance_id tag:Name tag:B tag:C tag:D", 3600000, "");
  identity_tend(identity);
  EXPECT("? ? ? ? ?", "PUT /latest/api/token "); /* not one for each */
  assert_non_null(
      strstr(said, "waiting for the instance's identity (%{ec2:instance_id}, "
                   "%{ec2:tag:Name}, %{ec2:tag:B} and 2 more): the instance "
                   "metadata service at 127.0.0.1:"));
  assert_non_null(strstr(said, "status 503"));

  tend_after(100); /* too early */
  EXPECT("? ? ? ? ?", "");
  for (int i = 1; i < 12; i++) {
    int64_t wait_ms = identity_wake_ms(identity) - clock_steady_ms();
    int64_t longest_ms = i < 7 ? 500 << i : 60000;
    assert_in_range(wait_ms, longest_ms / 2 - 400, longest_ms);
    tend_often(1);
    EXPECT("? ? ? ? ?", "PUT /latest/api/token ");
  }
  assert_int_equal(count_lines(said), 1);

  answers_use(&server, at_last);
  tend_often(1);
  EXPECT("i-1 web - - -",
         "PUT /latest/api/token " TAG("C") " " TAG("D") " " DOCUMENT " " TAG(
             "Name") " " TAG("B") " ");
  assert_int_equal(count_lines(said), 2);
  assert_non_null(strstr(said, "the instance's identity was read after "));
  end();
}

static void the_waiting_has_an_end_and_the_asking_none(void **state) {
  (void)state;
  answers_use(&server, not_yet);
  begin("instance_id", 20000, "");
  identity_tend(identity);
  EXPECT("?", "PUT /latest/api/token ");
  assert_int_equal(count_lines(said), 1);

  ahead_ms += 19000;
  EXPECT("?", "");
  ahead_ms += 1001;
  EXPECT("-", "");
  tend_often(3);
  assert_int_equal(count_lines(said), 2);
  assert_non_null(strstr(said, "(%{ec2:instance_id}) is not known: "));
  (void)answers_asked(&server);

  answers_use(&server, at_last);
  tend_often(1);
  EXPECT("i-1", "PUT /latest/api/token " DOCUMENT " ");
  assert_int_equal(count_lines(said), 3);
  end();
}

static void without_waiting_nothing_is_ever_awaited(void **state) {
  (void)state;
  answers_use(&server, not_yet);
  begin("tag:Name instance_id", 0, "");
  EXPECT("- -", "");
  identity_tend(identity);
  EXPECT("- -", "PUT /latest/api/token ");
  assert_null(strstr(said, "MetadataWait"));
  answers_use(&server, at_last);
  tend_often(1);
  EXPECT("web i-1", "PUT /latest/api/token " DOCUMENT " " TAG("Name") " ");
  end();
}

static void one_item_in_trouble_does_not_keep_back_others(void **state) {
  static const struct answer list[] = {TOKEN, TROUBLE(TAG("A")),
                                       KNOWN(TAG("B"), "b"), END};
  (void)state;

  answers_use(&server, list);
  begin("tag:A tag:B", WAIT_MS, "");
  identity_tend(identity);
  EXPECT("? ?", "PUT /latest/api/token " TAG("A") " ");
  tend_often(1);
  EXPECT("? b", TAG("B") " " TAG("A") " ");
  assert_int_equal(count_lines(said), 1); /* it is not all read yet */
  end();
}

static void what_cannot_be_a_value_is_none(void **state) {
  static const struct {
    struct answer answers[4];
    const char *says;
  } cases[] = {
      {{TOKEN, KNOWN(DOCUMENT, "<html>"), KNOWN(TAG("Name"), "web")},
       "the instance identity document cannot be read: "},
      {{TOKEN, KNOWN(DOCUMENT, "[]"), KNOWN(TAG("Name"), "web")},
       "it is no JSON object"},
      {{TOKEN,
        KNOWN(DOCUMENT, DOCUMENT_TEXT),
        {TAG("Name"), NULL, "200 OK", "<html>    ", 200, NULL}},
       "gave more for tag Name than a tag can hold"},
  };
  (void)state;

  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    answers_use(&server, cases[i].answers);
    begin("tag:Name instance_id", WAIT_MS, "");
    identity_tend(identity);
    tend_often(1);
    if (strstr(said, cases[i].says) == NULL)
      fail_msg("%zu: %s", i, said);
    (void)answers_asked(&server);
    expect((int)i, i < 2 ? "web ?" : "? i-1", "");
    end();
  }
}

/* A text ends at a NUL; what is blank before it is none. */
static void a_nul_byte_makes_no_blank_value(void **state) {
  static const struct answer list[] = {
      TOKEN,
      KNOWN(DOCUMENT,
            "{\"instanceId\": \"\\u0000x\", \"region\": \" \\u0000x\", "
            "\"imageId\": \"a\\u0000x\"}"),
      END};
  (void)state;

  answers_use(&server, list);
  begin("instance_id region image_id", WAIT_MS, "");
  identity_tend(identity);
  EXPECT("- - a", "PUT /latest/api/token " DOCUMENT " ");
  end();
}

static void a_stop_is_no_trouble(void **state) {
  (void)state;
  answers_use(&server, at_last);
  begin("instance_id", WAIT_MS, "");
  atomic_store(&no_deadline_ms, 0);
  identity_tend(identity);
  EXPECT("?", "");
  assert_string_equal(said, "");
  atomic_store(&no_deadline_ms, INT64_MAX);
  end();
}

#define IN_FOLDER(test)                                                        \
  cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_FOLDER(what_is_named_is_asked_and_no_more),
      IN_FOLDER(before_anything_is_asked_all_is_awaited),
      IN_FOLDER(the_document_is_read_once_and_tags_every_5_minutes),
      IN_FOLDER(what_was_known_outlives_a_service_that_does_not_answer),
      IN_FOLDER(what_is_not_there_is_missing_at_once_and_may_appear),
      IN_FOLDER(blank_and_absent_values_are_missing),
      IN_FOLDER(a_document_that_lacks_a_value_is_read_again),
      IN_FOLDER(a_service_that_is_switched_off_is_a_definite_answer),
      IN_FOLDER(a_late_service_is_awaited_and_said_once),
      IN_FOLDER(the_waiting_has_an_end_and_the_asking_none),
      IN_FOLDER(without_waiting_nothing_is_ever_awaited),
      IN_FOLDER(one_item_in_trouble_does_not_keep_back_others),
      IN_FOLDER(what_cannot_be_a_value_is_none),
      IN_FOLDER(a_nul_byte_makes_no_blank_value),
      IN_FOLDER(a_stop_is_no_trouble),
  };
  if (http_global_init() != 0)
    return 1;
  log_set_sink(hear);
  answers_start(&server, false, server_url);
  int n = cmocka_run_group_tests(tests, NULL, NULL);
  answers_stop(&server);
  return n;
}
