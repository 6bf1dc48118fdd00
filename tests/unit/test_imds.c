#include "run/imds.h"

#include "base/str.h"
#include "run/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ahead.h"
#include "answers.h"
#include "folder.h"

#define ITEM "/latest/meta-data/item"
#define PUT "PUT /latest/api/token"
#define GET "GET " ITEM
#define TOKEN                                                                  \
  { PUT, NULL, "200 OK", "tok", 0, NULL }
#define HAS_TOKEN "x-aws-ec2-metadata-token: tok\r\n"

static struct answers server;
static char server_url[64];

static struct session *open_to_server(const char *words) {
  (void)setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server_url, 1);
  (void)setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
  put_environment(words);
  return open_session(NULL);
}

struct expected {
  const char *label;
  const char *environment;
  struct answer answers[6];
  enum imds_found found;
  const char *body;  /* or what the sentence says */
  const char *asked; /* of the server */
};

#define HINT "set HttpPutResponseHopLimit to 2"
#define DISABLED "AWS_EC2_METADATA_DISABLED="
#define ENDPOINT "AWS_EC2_METADATA_SERVICE_ENDPOINT="
#define MODE "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE="

static const struct expected cases[] = {
    {"a token, then the item",
     "",
     {TOKEN, {GET, HAS_TOKEN, "200 OK", "value", 0, NULL}},
     IMDS_FOUND,
     "value",
     PUT " " GET " "},
    {"an item that is empty",
     "",
     {TOKEN, {GET, NULL, "200 OK", "", 0, NULL}},
     IMDS_FOUND,
     "",
     PUT " " GET " "},
    {"an item that is not there",
     "",
     {TOKEN},
     IMDS_ABSENT,
     "",
     PUT " " GET " "},
    {"the item forbidden",
     "",
     {TOKEN, {GET, NULL, "403 No", "", 0, NULL}},
     IMDS_FAILED,
     "HttpEndpoint=enabled",
     PUT " " GET " "},
    {"metadata switched off for the instance",
     "",
     {{PUT, NULL, "403 No", "", 0, NULL}},
     IMDS_FAILED,
     "answered PUT /latest/api/token with status 403: metadata is switched off",
     PUT " "},
    {"version 1 alone is not asked",
     "",
     {{PUT, NULL, "404 No", "", 0, NULL}, {GET, NULL, "200 OK", "v", 0, NULL}},
     IMDS_FAILED,
     "it knows no IMDSv2",
     PUT " "},
    {"a token that is refused twice",
     "",
     {TOKEN, {GET, NULL, "401 No", "", 0, NULL}},
     IMDS_FAILED,
     "status 401: the token that it had just given was refused",
     PUT " " GET " " PUT " " GET " "},
    {"trouble",
     "",
     {TOKEN, {GET, NULL, "500 Oops", "<html>", 0, NULL}},
     IMDS_FAILED,
     "status 500: it is in trouble",
     PUT " " GET " "},
    {"too many requests",
     "",
     {{PUT, NULL, "429 Slow", "", 0, NULL}},
     IMDS_FAILED,
     "status 429: too many requests",
     PUT " "},
    {"a status that means nothing here",
     "",
     {TOKEN, {GET, NULL, "206 Partial", "v", 0, NULL}},
     IMDS_FAILED,
     "status 206",
     PUT " " GET " "},
    {"a token with a line break",
     "",
     {{PUT, NULL, "200 OK", "tok\n", 0, NULL}},
     IMDS_FAILED,
     "gave a token that cannot be one: it holds a line break",
     PUT " "},
    {"an empty token",
     "",
     {{PUT, NULL, "200 OK", "", 0, NULL}},
     IMDS_FAILED,
     "gave a token that cannot be one: an empty one",
     PUT " "},
    {"a redirect is not followed",
     "",
     {TOKEN,
      {GET, NULL, "302 Found", "", 0, "Location: /latest/other\r\n"},
      {"GET /latest/other", NULL, "200 OK", "v", 0, NULL}},
     IMDS_FAILED,
     "status 302: a redirect, which is never followed",
     PUT " " GET " "},
    {"a redirect of the token is not followed",
     "",
     {{PUT, NULL, "307 Found", "", 0, "Location: /token\r\n"}},
     IMDS_FAILED,
     "status 307: a redirect",
     PUT " "},
    {"1 MB instead of an item",
     "",
     {TOKEN, {GET, NULL, "200 OK", "0123456789", 100000, NULL}},
     IMDS_FAILED,
     "answered GET " ITEM " with more than 65536 bytes",
     PUT " " GET " "},
    {"1 MB instead of a token",
     "",
     {{PUT, NULL, "200 OK", "0123456789", 100000, NULL}},
     IMDS_FAILED,
     "answered PUT /latest/api/token with more than 65536 bytes",
     PUT " "},
    {"no answer to the token's request",
     "",
     {{PUT, NULL, SILENCE, NULL, 0, NULL}},
     IMDS_FAILED,
     HINT,
     PUT " "},
    {"no answer to the item's request",
     "",
     {TOKEN, {GET, NULL, SILENCE, NULL, 0, NULL}},
     IMDS_FAILED,
     "the instance metadata service does not answer: no answer from 127.0.0.1:",
     PUT " " GET " "},
    {"nobody there",
     ENDPOINT "http://127.0.0.1:1",
     {TOKEN},
     IMDS_FAILED,
     "cannot reach 127.0.0.1:1 (Connection refused)",
     ""},
    {"proxies of the environment have no part",
     "http_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 "
     "ALL_PROXY=http://127.0.0.1:1",
     {TOKEN, {GET, NULL, "200 OK", "v", 0, NULL}},
     IMDS_FOUND,
     "v",
     PUT " " GET " "},
    {"switched off, in any case of letters",
     DISABLED "TrUe",
     {TOKEN, {GET, NULL, "200 OK", "v", 0, NULL}},
     IMDS_OFF,
     "switched off (AWS_EC2_METADATA_DISABLED)",
     ""},
    {"only true switches it off",
     DISABLED "1",
     {TOKEN, {GET, NULL, "200 OK", "v", 0, NULL}},
     IMDS_FOUND,
     "v",
     PUT " " GET " "},
    {"an endpoint wins over a mode, even over one that there is not",
     MODE "IPv5",
     {TOKEN, {GET, NULL, "200 OK", "v", 0, NULL}},
     IMDS_FOUND,
     "v",
     PUT " " GET " "},
    {"a mode that there is not",
     ENDPOINT "_ " MODE "IPv5",
     {TOKEN},
     IMDS_FAILED,
     MODE "#: \"IPv5\" is neither IPv4 nor IPv6",
     ""},
    {"a URL that is none",
     ENDPOINT "127.0.0.1",
     {TOKEN},
     IMDS_FAILED,
     ENDPOINT "#: the URL has no scheme",
     ""},
};

/* "NAME=#" stands for the name alone. */
static const char *without_mark(const char *text) {
  static char out[256];
  const char *mark = strstr(text, "=#");
  if (mark == NULL)
    return text;
  (void)snprintf(out, sizeof(out), "%.*s%s", (int)(mark - text), text,
                 mark + 2);
  return out;
}

static void answers_are_judged(void **state) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct expected *c = &cases[i];
    struct buf out = BUF_INIT(IMDS_ANSWER_MAX);
    struct err err = {""};

    assert_int_equal(fresh_folder(state), 0);
    struct session *session = open_to_server(c->environment);
    answers_use(&server, c->answers);
    enum imds_found found = imds_get(session, ITEM, &out, &err);
    const char *asked = answers_asked(&server);
    bool is_right = found == c->found && strcmp(asked, c->asked) == 0;
    if (found == IMDS_FOUND || found == IMDS_ABSENT)
      is_right = is_right && strcmp(buf_str(&out), c->body) == 0;
    else
      is_right = is_right && strstr(err.text, without_mark(c->body)) != NULL &&
                 out.len == 0;
    if (strcmp(c->body, HINT) != 0 && strstr(err.text, HINT) != NULL)
      is_right = false; /* said of what it is not true of */
    if (strstr(err.text, "tok\n") != NULL || strstr(err.text, ": tok"))
      is_right = false;
    if (!is_right)
      fail_msg("%s: %d, \"%s\", \"%s\", asked: %s", c->label, (int)found,
               buf_str(&out), err.text, asked);
    if (found == IMDS_FOUND && out.len > 0)
      assert_int_equal(out.cap, IMDS_ANSWER_MAX + 1); /* never grew */
    buf_wipe(&out);
    session_free(session);
    (void)unsetenv("http_proxy");
    (void)unsetenv("all_proxy");
    (void)unsetenv("ALL_PROXY");
    assert_int_equal(remove_folder(state), 0);
  }
}

static void get(struct session *session, enum imds_found wanted,
                const char *asked) {
  struct buf out = BUF_INIT(IMDS_ANSWER_MAX);
  struct err err = {""};
  enum imds_found found = imds_get(session, ITEM, &out, &err);
  const char *was_asked = answers_asked(&server);
  if (found != wanted || strcmp(was_asked, asked) != 0)
    fail_msg("%d, %s, asked: %s", (int)found, err.text, was_asked);
  buf_wipe(&out);
}

static void a_token_serves_for_six_hours_less_two_minutes(void **state) {
  static const struct answer list[] = {
      TOKEN, {GET, NULL, "200 OK", "v", 0, NULL}, {.request = NULL}};
  struct session *session = open_to_server("");
  (void)state;

  answers_use(&server, list);
  get(session, IMDS_FOUND, PUT " " GET " ");
  get(session, IMDS_FOUND, GET " ");
  ahead_ms += (21600 - 130) * 1000;
  get(session, IMDS_FOUND, GET " ");
  ahead_ms += 11 * 1000;
  get(session, IMDS_FOUND, PUT " " GET " ");
  session_free(session);
}

static void the_request_for_a_token_is_as_the_service_wants_it(void **state) {
  static const struct answer list[] = {{PUT, NULL, "500 Oops", "", 0, NULL},
                                       {.request = NULL}};
  struct session *session = open_to_server("");
  (void)state;

  answers_use(&server, list);
  get(session, IMDS_FAILED, PUT " ");
  assert_non_null(strstr(answers_head(&server),
                         "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
  assert_non_null(strstr(answers_head(&server), "Content-Length: 0\r\n"));
  assert_null(strstr(answers_head(&server), "Forwarded"));
  session_free(session);
}

static void a_token_of_before_is_replaced_when_it_is_refused(void **state) {
  static const struct answer first[] = {
      TOKEN, {GET, HAS_TOKEN, "200 OK", "v", 0, NULL}, {.request = NULL}};
  static const struct answer second[] = {
      {PUT, NULL, "200 OK", "two", 0, NULL},
      {GET, "x-aws-ec2-metadata-token: two\r\n", "200 OK", "v", 0, NULL},
      {GET, NULL, "401 Unauthorized", "", 0, NULL},
      {.request = NULL}};
  struct session *session = open_to_server("");
  (void)state;

  answers_use(&server, first);
  get(session, IMDS_FOUND, PUT " " GET " ");
  answers_use(&server, second);
  get(session, IMDS_FOUND, GET " " PUT " " GET " ");
  get(session, IMDS_FOUND, GET " ");
  session_free(session);
}

static void the_profile_names_the_endpoint(void **state) {
  static const struct answer list[] = {
      {"PUT /base/latest/api/token", NULL, "200 OK", "tok", 0, NULL},
      {"GET /base" ITEM, HAS_TOKEN, "200 OK", "v", 0, NULL},
      {.request = NULL}};
  char config[256], url[64];
  struct answers v6;
  (void)state;

  answers_start(&v6, true, url);
  answers_use(&v6, list);
  (void)snprintf(config, sizeof(config),
                 "[default]\nec2_metadata_service_endpoint = %s/base/\n", url);
  put_config(config);
  put_environment(ENDPOINT "_ " DISABLED "false");
  struct session *session = open_session(NULL);
  get(session, IMDS_FOUND, "");
  assert_string_equal(answers_asked(&v6),
                      "PUT /base/latest/api/token GET /base" ITEM " ");
  session_free(session);
  answers_stop(&v6);
}

/* Requests are given up before they leave the host: its own metadata service
 * has no part in this. */
static void a_mode_names_the_address(void **state) {
  static const char *const words[][2] = {{"ipv6", "to [fd00:ec2::254] ("},
                                         {"IPv6", "to [fd00:ec2::254] ("},
                                         {"IPv4", "to 169.254.169.254 ("},
                                         {"", "to 169.254.169.254 ("}};
  (void)state;

  atomic_store(&no_deadline_ms, 0);
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    struct buf out = BUF_INIT(IMDS_ANSWER_MAX);
    struct err err = {""};
    char config[128];
    (void)snprintf(config, sizeof(config),
                   "[default]\nec2_metadata_service_endpoint_mode = %s\n",
                   words[i][0]);
    put_config(config);
    put_environment(ENDPOINT "_ " DISABLED "false");
    struct session *session = open_session(NULL);
    assert_int_equal(imds_get(session, ITEM, &out, &err), IMDS_FAILED);
    if (strstr(err.text, words[i][1]) == NULL)
      fail_msg("%s: %s", words[i][0], err.text);
    session_free(session);
  }
  atomic_store(&no_deadline_ms, INT64_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_judged),
      cmocka_unit_test_setup_teardown(
          a_token_serves_for_six_hours_less_two_minutes, fresh_folder,
          remove_folder),
      cmocka_unit_test_setup_teardown(
          the_request_for_a_token_is_as_the_service_wants_it, fresh_folder,
          remove_folder),
      cmocka_unit_test_setup_teardown(
          a_token_of_before_is_replaced_when_it_is_refused, fresh_folder,
          remove_folder),
      cmocka_unit_test_setup_teardown(the_profile_names_the_endpoint,
                                      fresh_folder, remove_folder),
      cmocka_unit_test_setup_teardown(a_mode_names_the_address, fresh_folder,
                                      remove_folder),
  };
  if (http_global_init() != 0)
    return 1;
  answers_start(&server, false, server_url);
  int n = cmocka_run_group_tests(tests, NULL, NULL);
  answers_stop(&server);
  return n;
}
