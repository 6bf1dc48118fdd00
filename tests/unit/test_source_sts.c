/* Roles, asked for at an STS that answers as a table says.  That requests are
 * signed rightly is shown elsewhere. */
#include "run/source.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "answers.h"
#include "folder.h"

#define NOW INT64_C(1700000000) /* 2023-11-14T22:13:20Z */
#define END_S (NOW + 3600)

/* The wall clock of the test; linked with $(wrap_wall). */
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void) { return NOW * 1000; }

#define ARN(name) "arn:aws:iam::123456789012:role/" name
#define ASKED "POST /sts"

#define GIVES(name, end)                                                       \
  "{\"AssumeRoleResponse\": {\"AssumeRoleResult\": {\"Credentials\": "         \
  "{\"AccessKeyId\": \"AK" name "\", \"SecretAccessKey\": \"hush" name         \
  "\", \"SessionToken\": \"hushtok" name "\", \"Expiration\": " end "}}}}"
#define JSON(name) GIVES(name, "1.7000036E9")
#define XML                                                                    \
  "<AssumeRoleResponse "                                                       \
  "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"     \
  "<Credentials><AccessKeyId>AKone</AccessKeyId><SecretAccessKey>hushone"      \
  "</SecretAccessKey><SessionToken>hushtok</SessionToken><Expiration>"         \
  "2023-11-14T23:13:20Z</Expiration></Credentials></AssumeRoleResult>"         \
  "</AssumeRoleResponse>"
#define WEB(name)                                                              \
  "{\"AssumeRoleWithWebIdentityResponse\": "                                   \
  "{\"AssumeRoleWithWebIdentityResult\": {\"Credentials\": "                   \
  "{\"AccessKeyId\": \"AK" name "\", \"SecretAccessKey\": \"hush\", "          \
  "\"SessionToken\": \"hushtok\", \"Expiration\": 1700003600}}}}"
#define FAULT(code, message)                                                   \
  "<ErrorResponse><Error><Type>Sender</Type><Code>" code                       \
  "</Code><Message>" message "</Message></Error></ErrorResponse>"

#define BASE                                                                   \
  "[base]\naws_access_key_id = AKbase\naws_secret_access_key = hushb\n"
#define SIGNED "Credential=AKbase/20231114/eu-west-1/sts/aws4_request"

static struct answers server;
static char server_url[64];
static struct place place;

struct expected {
  const char *label;
  const char *environment; /* "@" stands for the file "other" */
  const char *config;
  struct source_options options;
  const char *token; /* text of the file "other"; NULL: absent */
  struct answer answers[4];
  const char *id;   /* NULL: an error */
  const char *says; /* part of the origin, or of the error's sentence */
  const char *sent; /* part of the last request; NULL: anything */
  int n_asked;
};

#define ROLE_OF_BASE                                                           \
  "[default]\nrole_arn = " ARN("one") "\nsource_profile = base\n"
#define ONE(status, body)                                                      \
  {                                                                            \
    { ASKED, SIGNED, status, body, 0, "x-amzn-RequestId: id-1\r\n" }           \
  }
#define BY_ENVIRONMENT "AWS_WEB_IDENTITY_TOKEN_FILE=@ AWS_ROLE_ARN=" ARN("web")

static const struct expected cases[] = {
    {"a role, JSON",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("200 OK", JSON("one")),
     "AKone",
     "role " ARN("one") ", assumed with profile base in ",
     "\r\n\r\nAction=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A"
     "%3A123456789012%3Arole%2Fone&RoleSessionName=write_cloudwatch-",
     1},
    {"a role, XML",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("200 OK", XML),
     "AKone",
     "role " ARN("one"),
     "accept: application/json\r\n",
     1},
    {"with external id, name and duration",
     "",
     ROLE_OF_BASE "external_id = a:b\nrole_session_name = me@x\n"
                  "duration_seconds = 1000\n",
     {0},
     NULL,
     ONE("200 OK", JSON("one")),
     "AKone",
     "role " ARN("one"),
     "&RoleSessionName=me%40x&DurationSeconds=1000&ExternalId=a%3Ab",
     1},
    {"a role on a role on a role",
     "",
     "[default]\nrole_arn = " ARN(
         "three") "\nsource_profile = two\n"
                  "[profile two]\nrole_arn = " ARN(
                      "two") "\nsource_profile = one\n"
                             "[profile one]\nrole_arn = " ARN(
                                 "one") "\nsource_profile = base\n",
     {0},
     NULL,
     {{ASKED, "role%2Fone", "200 OK", JSON("one"), 0, NULL},
      {ASKED, "role%2Ftwo", "200 OK", JSON("two"), 0, NULL},
      {ASKED, "role%2Fthree", "200 OK", JSON("three"), 0, NULL}},
     "AKthree",
     "role " ARN("three") ", assumed with role " ARN(
         "two") ", assumed with "
                "role " ARN("one") ", assumed with profile base in ",
     "Credential=AKtwo/",
     3},
    {"the configuration's role on top of a profile's",
     "",
     ROLE_OF_BASE,
     {.role_arn = T(ARN("two")),
      .external_id = T("xyz"),
      .role_session_name = T("me"),
      .role_duration_s = 900},
     NULL,
     {{ASKED, "role%2Fone", "200 OK", JSON("one"), 0, NULL},
      {ASKED, "x-amz-security-token: hushtokone\r\n", "200 OK", JSON("two"), 0,
       NULL}},
     "AKtwo",
     "role " ARN("two") ", assumed with role " ARN("one"),
     "&RoleSessionName=me&DurationSeconds=900&ExternalId=xyz",
     2},
    {"no permission",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("403 No", FAULT("AccessDenied", "User: x is not authorized")),
     NULL,
     " answered AccessDenied [request id-1]; allow sts:AssumeRole on "
     "resource " ARN("one") " in",
     NULL,
     1},
    {"STS's own words",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("400 No", FAULT("Strange", "so it is")),
     NULL,
     "cannot assume role " ARN("one") " with profile base in ",
     NULL,
     1},
    {"a code without a hint",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("400 No", FAULT("Strange", "so it is")),
     NULL,
     " answered Strange [request id-1]; it says: so it is",
     NULL,
     1},
    {"trouble there",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("500 Oops", "<html>hush</html>"),
     NULL,
     " answered with status 500, but not in the way AWS does",
     NULL,
     1},
    {"a login page",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("200 OK", "<html>hush</html>"),
     NULL,
     ": the answer of 127.0.0.1:",
     NULL,
     1},
    {"JSON that is cut",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     ONE("200 OK", "{\"AssumeRoleResponse\": {\"hush"),
     NULL,
     ": the answer of 127.0.0.1:",
     NULL,
     1},
    {"1 MB",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     {{ASKED, NULL, "200 OK", "0123456789", 100000, NULL}},
     NULL,
     " is longer than 65536 bytes",
     NULL,
     1},

    /* clocks */
    {"our clock is behind, by its code",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     {{ASKED, "x-amz-date: 20231114T221320Z\r\n", "403 No",
       FAULT("RequestExpired", ""), 0,
       "Date: Wed, 15 Nov 2023 00:13:20 GMT\r\n"},
      {ASKED, "x-amz-date: 20231115T001320Z\r\n", "200 OK",
       GIVES("one", "1700010800"), 0,
       "Date: Wed, 15 Nov 2023 00:13:20 GMT\r\n"}},
     "AKone",
     "role " ARN("one"),
     NULL,
     2},
    {"our clock is ahead, by a wrong signature",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     {{ASKED, "x-amz-date: 20231114T221320Z\r\n", "403 No",
       FAULT("SignatureDoesNotMatch", "Signature not yet current"), 0,
       "Date: Tue, 14 Nov 2023 22:03:20 GMT\r\n"},
      {ASKED, "x-amz-date: 20231114T220320Z\r\n", "200 OK",
       GIVES("one", "1700003000"), 0,
       "Date: Tue, 14 Nov 2023 22:03:20 GMT\r\n"}},
     "AKone",
     "role " ARN("one"),
     NULL,
     2},
    {"a wrong signature with the right clock",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     {{ASKED, NULL, "403 No", FAULT("SignatureDoesNotMatch", "no"), 0,
       "Date: Tue, 14 Nov 2023 22:13:21 GMT\r\n"}},
     NULL,
     " answered SignatureDoesNotMatch [request without id]; check Region, the "
     "secret",
     NULL,
     1},
    {"a clock that cannot be made right is no loop",
     "",
     ROLE_OF_BASE,
     {0},
     NULL,
     {{ASKED, NULL, "403 No", FAULT("RequestExpired", ""), 0,
       "Date: Wed, 15 Nov 2023 00:13:20 GMT\r\n"}},
     NULL,
     " answered RequestExpired",
     NULL,
     2},

    /* web identities */
    {"a web identity",
     BY_ENVIRONMENT " AWS_ROLE_SESSION_NAME=pod",
     "",
     {0},
     "hush.token\n",
     {{ASKED, NULL, "200 OK", WEB("web"), 0, NULL}},
     "AKweb",
     "role " ARN("web") ", assumed with the token in /",
     "\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%"
     "3A"
     "aws%3Aiam%3A%3A123456789012%3Arole%2Fweb&RoleSessionName=pod&"
     "WebIdentityToken=hush.token",
     1},
    {"a token that STS does not take",
     BY_ENVIRONMENT,
     "",
     {0},
     "hush.token",
     {{ASKED, NULL, "400 No", FAULT("InvalidIdentityToken", "No provider"), 0,
       NULL}},
     NULL,
     " answered InvalidIdentityToken [request without id]; check that the",
     NULL,
     1},
    {"an empty token",
     BY_ENVIRONMENT,
     "",
     {0},
     "\n",
     {{NULL, NULL, NULL, NULL, 0, NULL}},
     NULL,
     "/other is empty; it is to hold the token",
     NULL,
     0},
    {"a token with a line break",
     BY_ENVIRONMENT,
     "",
     {0},
     "hush\ntoken",
     {{NULL, NULL, NULL, NULL, 0, NULL}},
     NULL,
     "/other holds a line break, a blank or a control character inside",
     NULL,
     0},
    {"a role of the environment that is none",
     "AWS_WEB_IDENTITY_TOKEN_FILE=@ AWS_ROLE_ARN=collectd",
     "",
     {0},
     "hush.token",
     {{NULL, NULL, NULL, NULL, 0, NULL}},
     NULL,
     "web identity: role ARN \"collectd\": names no role",
     NULL,
     0},
};

/* ---- asking ------------------------------------------------------------- */

static void put_words(const char *words) {
  char text[1024], *to = text;
  for (const char *p = words; *p != '\0'; p++)
    if (*p == '@')
      to += snprintf(to, 128, "%s", path_of("other"));
    else
      *to++ = *p;
  *to = '\0';
  put_environment(text);
}

static size_t count_words(const char *text, const char *word) {
  size_t n = 0;
  for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
    n++;
  return n;
}

static bool is_right(const struct expected *c, const struct cred *cred,
                     const char *says, int64_t offset_s) {
  if ((cred != NULL) != (c->id != NULL) || strstr(says, c->says) == NULL ||
      strstr(says, "hush") != NULL)
    return false;
  if (c->sent != NULL && strstr(answers_head(&server), c->sent) == NULL)
    return false;
  /* An exchange is not signed. */
  if (c->environment[0] != '\0' && c->n_asked > 0 &&
      strstr(answers_head(&server), "authorization") != NULL)
    return false;
  return cred == NULL || (strcmp(cred->access_key_id, c->id) == 0 &&
                          strncmp(cred->secret_access_key, "hush", 4) == 0 &&
                          strncmp(cred->session_token, "hushtok", 7) == 0 &&
                          cred->expires_s - offset_s == END_S);
}

static void judge(const struct expected *c, void **state) {
  struct err err = {""};

  assert_int_equal(fresh_folder(state), 0);
  put_words(c->environment);
  put_file("other", c->token);
  put_config(c->config);
  put_credentials(BASE);
  answers_use(&server, c->answers);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&c->options, session, &place);
  assert_non_null(source);
  const struct cred *cred = source_get(source, NOW, &err);
  const char *says = cred != NULL ? source_origin(source) : err.text;
  if (!is_right(c, cred, says, session->skew.offset_s))
    fail_msg("%s: %s (%s)", c->label, says, answers_head(&server));
  size_t n = count_words(answers_asked(&server), ASKED);
  if (n != (size_t)c->n_asked)
    fail_msg("%s: asked %zu times", c->label, n);
  source_free(source);
  session_free(session);
  assert_int_equal(remove_folder(state), 0);
}

static void roles_are_assumed(void **state) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    judge(&cases[i], state);
}

/* Else the role would look ended for ever: nothing would be sent, and nobody
 * but CloudWatch could tell of the clock. */
static void a_clock_set_forward_later_is_seen(void **state) {
  static const struct answer list[] = {
      {ASKED, "x-amz-date: 20231114T221320Z\r\n", "403 No",
       FAULT("RequestExpired", ""), 0,
       "Date: Tue, 14 Nov 2023 20:13:20 GMT\r\n"},
      {ASKED, NULL, "200 OK", GIVES("one", "1699996400"), 0,
       "Date: Tue, 14 Nov 2023 20:13:20 GMT\r\n"},
      {.request = NULL}};
  static const struct source_options none = {0};
  struct err err = {""};
  (void)state;

  put_config(ROLE_OF_BASE);
  put_credentials(BASE);
  answers_use(&server, list);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&none, session, &place);
  assert_non_null(source);
  assert_non_null(source_get(source, NOW, &err));
  assert_int_equal(session->skew.offset_s, -7200);
  source_free(source);
  session_free(session);
}

static void a_token_of_20000_characters(void **state) {
  static char text[20002];
  static const struct answer none[] = {{.request = NULL}};
  struct err err = {""};
  (void)state;

  memset(text, 'h', 20000);
  answers_use(&server, none);
  put_file("other", text);
  put_words(BY_ENVIRONMENT);
  struct session *session = open_session(NULL);
  struct source *source =
      source_new(&(struct source_options){0}, session, &place);
  assert_null(source_get(source, NOW, &err));
  assert_non_null(strstr(err.text, " answered with status 404"));
  text[20000] = 'h';
  put_file("other", text);
  assert_null(source_get(source, NOW, &err));
  assert_non_null(strstr(err.text, "/other (it is longer than 20000 bytes)"));
  source_free(source);
  session_free(session);
}

static void a_token_that_was_replaced_is_read_again(void **state) {
  static const struct answer list[] = {
      {ASKED, "Token=one", "200 OK", WEB("one"), 0, NULL},
      {ASKED, "Token=two", "200 OK", WEB("two"), 0, NULL},
      {.request = NULL}};
  static const struct source_options options = {0};
  struct err err = {""};
  (void)state;

  answers_use(&server, list);
  put_file("other", "one");
  put_words(BY_ENVIRONMENT);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&options, session, &place);
  assert_string_equal(source_get(source, NOW, &err)->access_key_id, "AKone");
  put_file("other", "two");
  assert_string_equal(source_get(source, NOW, &err)->access_key_id, "AKone");
  assert_int_equal(source_tend(source, END_S - 900, &err), 0);
  assert_string_equal(source_get(source, NOW, &err)->access_key_id, "AKtwo");
  source_free(source);
  session_free(session);
}

/* A role's credentials are used to their end, and not beyond, while STS cannot
 * be asked; and they are of the files as those are that they came with. */
static void a_role_ends_and_follows_its_files(void **state) {
  static const struct answer well[] = {
      {ASKED, NULL, "200 OK", JSON("one"), 0, NULL}, {.request = NULL}};
  static const struct answer ill[] = {{ASKED, NULL, "503 Oops", NULL, 0, NULL},
                                      {.request = NULL}};
  static const struct source_options options = {0};
  struct err err = {""};
  (void)state;

  answers_use(&server, well);
  put_config(ROLE_OF_BASE);
  put_credentials(BASE);
  struct session *session = open_session(NULL);
  struct source *source = source_new(&options, session, &place);
  assert_non_null(source_get(source, NOW, &err));
  assert_string_equal(answers_asked(&server), ASKED " ");
  assert_non_null(source_get(source, NOW + 1, &err));
  assert_string_equal(answers_asked(&server), "");

  put_config(ROLE_OF_BASE "external_id = other\n");
  assert_non_null(source_get(source, NOW + 2, &err));
  assert_string_equal(answers_asked(&server), ASKED " ");

  answers_use(&server, ill);
  assert_int_equal(source_tend(source, NOW + 3000, &err), -1);
  assert_non_null(source_get(source, NOW + 3001, &err));
  assert_non_null(strstr(err.text, "status 503"));
  assert_null(source_get(source, END_S + 1, &err));
  source_free(source);
  session_free(session);
}

#define IN_FOLDER(test)                                                        \
  cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(roles_are_assumed),
      IN_FOLDER(a_token_of_20000_characters),
      IN_FOLDER(a_clock_set_forward_later_is_seen),
      IN_FOLDER(a_token_that_was_replaced_is_read_again),
      IN_FOLDER(a_role_ends_and_follows_its_files),
  };
  char url[80];

  if (http_global_init() != 0)
    return 1;
  answers_start(&server, false, server_url);
  (void)snprintf(url, sizeof(url), "%s/sts", server_url);
  place.region = T("eu-west-1");
  place.sts_region = place.region;
  if (endpoint_parse(&place.sts, str_of(url), NULL) != 0)
    return 1;
  int n = cmocka_run_group_tests(tests, NULL, NULL);
  answers_stop(&server);
  endpoint_clear(&place.sts);
  return n;
}
