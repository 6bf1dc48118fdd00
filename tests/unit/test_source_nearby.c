/* The two sources that are asked by plain HTTP: a container's endpoint and the
 * instance's role. */
#include "run/source.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "answers.h"
#include "folder.h"
#include "freed.h"

#define NOW INT64_C(1700000000) /* 2023-11-14T22:13:20Z */
#define KEYS                                                                   \
  "\"AccessKeyId\": \"AKnear\", \"SecretAccessKey\": \"hushkey\", "            \
  "\"Token\": \"hushtoken\", \"Expiration\": \"2023-11-15T04:13:20Z\"}"
#define END_S (NOW + 21600)
#define JSON "{\"Code\": \"Success\", " KEYS

static struct answers server;
static char server_url[64];

static const struct source_options no_options = {0};
static const struct place no_place = {0};

struct expected {
  const char *label;
  const char *environment; /* "#" stands for the server's URL */
  const char *file;        /* text of the file "other"; NULL: absent */
  struct answer answers[4];
  const char *says;    /* part of the origin, or of the error's sentence */
  int64_t expires_s;   /* 0: an error */
  const char *head[3]; /* what stands in the last request's head */
};

#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI=#/v1/cred?x=1"
#define ASKED "GET /v1/cred?x=1"
#define WITH_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=@"
#define WITH_TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN=hushenv"
#define AT "the container's credentials endpoint at 127.0.0.1:"

static const struct expected containers[] = {
    {"a full URI",
     FULL,
     NULL,
     {{ASKED, NULL, "200 OK", "{" KEYS, 0, NULL}},
     AT,
     END_S,
     {"Accept: application/json\r\n"}},
    {"a token, sent as it is",
     FULL " AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic/hushenv==",
     NULL,
     {{ASKED, NULL, "200 OK", "{" KEYS, 0, NULL}},
     AT,
     END_S,
     {"Authorization: Basic/hushenv==\r\n"}},
    {"a token's file wins over the variable",
     FULL " " WITH_FILE " " WITH_TOKEN,
     "hush file",
     {{ASKED, NULL, "200 OK", "{" KEYS, 0, NULL}},
     AT,
     END_S,
     {"Authorization: hush file\r\n"}},
    {"the clock there runs ahead by an hour",
     FULL,
     NULL,
     {{ASKED, NULL, "200 OK", "{" KEYS, 0,
       "Date: Tue, 14 Nov 2023 23:13:20 GMT\r\n"}},
     AT,
     END_S,
     {NULL}},
    {"a token's file with a line break",
     FULL " " WITH_FILE,
     "hushfile\n",
     {{ASKED, NULL, "200 OK", "{" KEYS, 0, NULL}},
     "/other: the token holds a line break or another control character",
     0,
     {NULL}},
    {"a token's file that is not there",
     FULL " " WITH_FILE " " WITH_TOKEN,
     NULL,
     {{ASKED, NULL, "200 OK", "{" KEYS, 0, NULL}},
     "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: there is no file /",
     0,
     {NULL}},
    {"an empty token's file",
     FULL " " WITH_FILE,
     "",
     {{ASKED, NULL, "200 OK", "{" KEYS, 0, NULL}},
     "/other is empty",
     0,
     {NULL}},
    {"a foreign host",
     "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/x",
     NULL,
     {{NULL, NULL, NULL, NULL, 0, NULL}},
     "AWS_CONTAINER_CREDENTIALS_FULL_URI",
     0,
     {NULL}},
    {"nobody there",
     "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/x",
     NULL,
     {{NULL, NULL, NULL, NULL, 0, NULL}},
     "does not answer: cannot reach 127.0.0.1:1 (Connection refused); see that",
     0,
     {NULL}},
    {"the endpoint's own words",
     FULL " " WITH_TOKEN,
     NULL,
     {{ASKED, NULL, "403 No",
       "{\"code\": \"AccessDenied\", \"message\": \"not\\nyou\"}", 0, NULL}},
     " answered with status 403, AccessDenied: not you",
     0,
     {NULL}},
    {"an error without words",
     FULL,
     NULL,
     {{ASKED, NULL, "500 Oops", "<html>hush</html>", 0, NULL}},
     " answered with status 500",
     0,
     {NULL}},
    {"a redirect",
     FULL,
     NULL,
     {{ASKED, NULL, "302 Found", NULL, 0, "Location: /other\r\n"},
      {"GET /other", NULL, "200 OK", "{" KEYS, 0, NULL}},
     " answered with a redirect (302), which is never followed",
     0,
     {NULL}},
    {"HTML instead of JSON",
     FULL,
     NULL,
     {{ASKED, NULL, "200 OK", "<html>hush</html>", 0, NULL}},
     "the document is HTML or XML, not JSON",
     0,
     {NULL}},
    {"1 MB",
     FULL,
     NULL,
     {{ASKED, NULL, "200 OK", "0123456789", 100000, NULL}},
     " answered with more than 65536 bytes",
     0,
     {NULL}},
    {"no answer",
     FULL,
     NULL,
     {{ASKED, NULL, SILENCE, NULL, 0, NULL}},
     "does not answer: no answer from 127.0.0.1:",
     0,
     {NULL}},
};

#define METADATA                                                               \
  "AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=#"
#define TOKEN                                                                  \
  { "PUT /latest/api/token", NULL, "200 OK", "hushmeta", 0, NULL }
#define ROLES "GET /latest/meta-data/iam/security-credentials/"
#define ROLE(names)                                                            \
  { ROLES, NULL, "200 OK", names, 0, NULL }

static const struct expected instances[] = {
    {"a role",
     METADATA,
     NULL,
     {TOKEN,
      ROLE("some.Role-1"),
      {ROLES "some.Role-1", NULL, "200 OK", JSON, 0, NULL}},
     "the instance's role some.Role-1",
     END_S,
     {"x-aws-ec2-metadata-token: hushmeta\r\n"}},
    {"the first of several lines",
     METADATA,
     NULL,
     {TOKEN,
      ROLE("one\r\ntwo\n"),
      {ROLES "one", NULL, "200 OK", JSON, 0, NULL}},
     "the instance's role one",
     END_S,
     {NULL}},
    {"the clock there is an hour behind",
     METADATA,
     NULL,
     {TOKEN,
      ROLE("one"),
      {ROLES "one", NULL, "200 OK", JSON, 0,
       "Date: Tue, 14 Nov 2023 21:13:20 GMT\r\n"}},
     "the instance's role one",
     END_S,
     {NULL}},
    {"no role",
     METADATA,
     NULL,
     {TOKEN},
     "no credentials found: no AccessKeyId in the configuration, no "
     "AWS_ACCESS_KEY_ID in the environment, none for profile default in ",
     0,
     {NULL}},
    {"an empty list of roles",
     METADATA,
     NULL,
     {TOKEN, ROLE("\n")},
     "no container's, and the instance has no role; attach",
     0,
     {NULL}},
    {"HTML instead of a role's name",
     METADATA,
     NULL,
     {TOKEN, ROLE("<html>hush</html>")},
     "gave a role's name that cannot be one",
     0,
     {NULL}},
    {"a role that is gone",
     METADATA,
     NULL,
     {TOKEN, ROLE("one")},
     "the instance's role was taken away while it was asked for",
     0,
     {NULL}},
    {"a role that must not be assumed",
     METADATA,
     NULL,
     {TOKEN,
      ROLE("one"),
      {ROLES "one", NULL, "200 OK",
       "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"no\"}", 0,
       NULL}},
     "the instance's role one: no credentials, but "
     "AssumeRoleUnauthorizedAccess",
     0,
     {NULL}},
    {"JSON that is cut",
     METADATA,
     NULL,
     {TOKEN,
      ROLE("one"),
      {ROLES "one", NULL, "200 OK", "{\"Code\": \"hush", 0, NULL}},
     "the instance's role one: ",
     0,
     {NULL}},
    {"trouble",
     METADATA,
     NULL,
     {TOKEN, {ROLES, NULL, "500 Oops", "hush", 0, NULL}},
     "status 500",
     0,
     {NULL}},
    {"switched off",
     METADATA " AWS_EC2_METADATA_DISABLED=TRUE",
     NULL,
     {TOKEN, ROLE("one")},
     "switched off (AWS_EC2_METADATA_DISABLED); provide one of these",
     0,
     {NULL}},
};

/* "#" and "@" at the place of a value's beginning stand for the server and for
 * the file. */
static void prepare(const char *words, const char *file) {
  char text[1024], *to = text;
  for (const char *p = words; *p != '\0'; p++)
    if (p[0] == '#')
      to += snprintf(to, 128, "%s", server_url);
    else if (p[0] == '@')
      to += snprintf(to, 128, "%s", path_of("other"));
    else
      *to++ = *p;
  *to = '\0';
  put_environment(text);
  put_file("other", file);
}

static void judge(const struct expected *c, void **state) {
  struct err err = {""};

  assert_int_equal(fresh_folder(state), 0);
  prepare(c->environment, c->file);
  answers_use(&server, c->answers);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&no_options, session, &no_place);
  assert_non_null(source);
  const struct cred *cred = source_get(source, NOW, &err);
  const char *says = cred != NULL ? source_origin(source) : err.text;
  bool is_right = (cred != NULL) == (c->expires_s != 0) &&
                  strstr(says, c->says) != NULL && strstr(says, "hush") == NULL;
  if (cred != NULL)
    is_right = is_right && strcmp(cred->access_key_id, "AKnear") == 0 &&
               strcmp(cred->secret_access_key, "hushkey") == 0 &&
               strcmp(cred->session_token, "hushtoken") == 0 &&
               source_expires_s(source) == c->expires_s &&
               session->skew.offset_s == 0;
  for (size_t i = 0; i < 3 && c->head[i] != NULL; i++)
    is_right = is_right && strstr(answers_head(&server), c->head[i]) != NULL;
  if (!is_right)
    fail_msg("%s: %s (%s)", c->label, says, answers_asked(&server));
  source_free(source);
  session_free(session);
  assert_int_equal(remove_folder(state), 0);
  if (n_secrets_freed > 0)
    fail_msg("%s: memory with a secret was given back", c->label);
}

static void containers_give_credentials(void **state) {
  for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++)
    judge(&containers[i], state);
}

static void instances_give_credentials(void **state) {
  for (size_t i = 0; i < sizeof(instances) / sizeof(instances[0]); i++)
    judge(&instances[i], state);
}

/* The address of ECS is not there in a test: the request is given up before
 * it leaves the host. */
static void a_relative_uri_wins_and_is_of_ecs(void **state) {
  struct err err = {""};
  (void)state;

  prepare(FULL " AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x", NULL);
  atomic_store(&no_deadline_ms, 0);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&no_options, session, &no_place);
  assert_null(source_get(source, NOW, &err));
  assert_non_null(strstr(err.text, "to 169.254.170.2 (stopping)"));
  atomic_store(&no_deadline_ms, INT64_MAX);
  source_free(source);
  session_free(session);
}

static void a_token_that_was_rotated_is_read_again(void **state) {
  static const struct answer list[] = {
      {ASKED, "Authorization: one\r\n", "200 OK", "{" KEYS, 0, NULL},
      {ASKED, "Authorization: two\r\n", "200 OK",
       "{\"AccessKeyId\": \"AKtwo\", \"SecretAccessKey\": \"s\"}", 0, NULL},
      {.request = NULL}};
  static const struct answer ill[] = {
      {ASKED, "Authorization: two\r\n", "500 Oops", NULL, 0, NULL},
      {.request = NULL}};
  struct err err = {""};
  (void)state;

  prepare(FULL " " WITH_FILE, "one");
  answers_use(&server, list);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&no_options, session, &no_place);
  assert_non_null(source_get(source, NOW, &err));
  put_file("other", "two");
  answers_use(&server, ill);
  assert_int_equal(source_tend(source, END_S + 1, &err), -1);
  assert_string_equal(source_get(source, END_S + 2, &err)->access_key_id,
                      "AKnear"); /* as with an instance */
  answers_use(&server, list);
  assert_int_equal(source_tend(source, END_S + 1000, &err), 0);
  assert_string_equal(source_get(source, END_S + 1000, &err)->access_key_id,
                      "AKtwo");
  source_free(source);
  session_free(session);
}

/* AWS decides about credentials whose service is in trouble. */
static void
credentials_that_ended_are_used_until_there_are_new_ones(void **state) {
  static const struct answer well[] = {
      TOKEN,
      ROLE("one"),
      {ROLES "one", NULL, "200 OK", JSON, 0, NULL},
      {.request = NULL}};
  static const struct answer ill[] = {{ROLES, NULL, "500 Oops", NULL, 0, NULL},
                                      {.request = NULL}};
  static const struct answer other[] = {
      ROLE("two"),
      {ROLES "two", NULL, "200 OK",
       "{\"Code\": \"Success\", \"AccessKeyId\": \"AKtwo\", "
       "\"SecretAccessKey\": \"s\"}",
       0, NULL},
      {.request = NULL}};
  struct err err = {""};
  (void)state;

  prepare(METADATA, NULL);
  answers_use(&server, well);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&no_options, session, &no_place);
  assert_non_null(source_get(source, NOW, &err));

  answers_use(&server, ill);
  assert_int_equal(source_tend(source, END_S + 60, &err), -1);
  assert_non_null(strstr(err.text, "status 500"));
  assert_string_equal(source_get(source, END_S + 61, &err)->access_key_id,
                      "AKnear");

  answers_use(&server, other);
  assert_int_equal(source_tend(source, END_S + 1000, &err), 0);
  assert_string_equal(source_get(source, END_S + 1000, &err)->access_key_id,
                      "AKtwo");
  assert_string_equal(source_origin(source), "the instance's role two");
  source_free(source);
  session_free(session);
}

#define IN_FOLDER(test)                                                        \
  cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(containers_give_credentials),
      cmocka_unit_test(instances_give_credentials),
      IN_FOLDER(a_relative_uri_wins_and_is_of_ecs),
      IN_FOLDER(a_token_that_was_rotated_is_read_again),
      IN_FOLDER(credentials_that_ended_are_used_until_there_are_new_ones),
  };
  if (http_global_init() != 0)
    return 1;
  char *volatile block = malloc(100); /* that what looks can see */
  if (block == NULL)
    return 1;
  memcpy(block + 50, SECRET, sizeof(SECRET));
  free(block);
  if (n_secrets_freed-- != 1)
    return 1;
  answers_start(&server, false, server_url);
  int n = cmocka_run_group_tests(tests, NULL, NULL);
  answers_stop(&server);
  return n;
}
