/* Secrets are overwritten before their memory is given back, by the linker
 * (--wrap): every block that free() gets, and that realloc() leaves behind, as
 * it may any time, is searched for all secrets of the story; what is still
 * there fails by its name.
 *
 * Only what our own code gives back is seen: libraries are shared, and give
 * their copies back themselves (the manual says which these are).  As they
 * leave them in memory that we may get next, new memory is emptied here.
 *
 * Each story gets credentials from one source, signs with them, refreshes them,
 * has them refused and fetched anew, and gives all back; some fail on the way,
 * with the secrets in hand. */
#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/str.h"
#include "run/place.h"
#include "run/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "answers.h"
#include "folder.h"

#define FREED_HAS_OWN_LOOK
#include "freed.h"

#define NOW INT64_C(1700000000) /* 2023-11-14T22:13:20Z */
#define END "2023-11-15T04:13:20Z"
#define LATE (NOW + 21000) /* within the last 15 minutes */

/* ---- what is freed ------------------------------------------------------ */

#define KEY "keyHUSHkeyHUSHkey"
#define TOKEN "sessionHUSHsession"
#define BASE_KEY "firstHUSHfirst"
#define BASE_TOKEN "firstsessionHUSH"
#define IMDS_TOKEN "metadataHUSHmetadata"
#define POD_TOKEN "podHUSHpod"
#define WEB_TOKEN "webHUSHweb"
#define ANSWER "answerHUSHanswer"

enum { SIGNATURE_LEN = 64 };
static char signature[SIGNATURE_LEN + 1]; /* the last one; "" is none */

static struct {
  const char *name, *text;
  size_t n_left; /* blocks */
} secrets[] = {{"the secret access key", KEY, 0},
               {"the session token", TOKEN, 0},
               {"the secret access key that assumes a role", BASE_KEY, 0},
               {"the session token that assumes a role", BASE_TOKEN, 0},
               {"the token of the metadata service", IMDS_TOKEN, 0},
               {"the container's token", POD_TOKEN, 0},
               {"the web identity token", WEB_TOKEN, 0},
               {"the output of a program, or a body", ANSWER, 0},
               {"a signature", signature, 0}};
#define N_SECRETS (sizeof(secrets) / sizeof(secrets[0]))

static void look_at(const char *block, size_t size) {
  for (size_t i = 0; i < N_SECRETS; i++)
    if (freed_holds(block, size, secrets[i].text))
      secrets[i].n_left++;
}

/* The name of what was left since the last call, NULL for nothing. */
static const char *find_left(void) {
  const char *name = NULL;
  for (size_t i = 0; i < N_SECRETS; i++) {
    name = name == NULL && secrets[i].n_left > 0 ? secrets[i].name : name;
    secrets[i].n_left = 0;
  }
  return name;
}

/* ---- stories ------------------------------------------------------------ */

static struct answers server;
static char server_url[64];

/* In all texts "#" stands for the server's URL and "@" for the folder. */
struct story {
  const char *label;
  struct source_options options;
  const char *environment; /* as of put_environment() */
  const char *config;      /* the shared config file; NULL: none */
  const char *credentials; /* likewise */
  const char *other;       /* a file beside them: a token, a program */
  struct answer answers[5];
  const char *fails; /* part of the error; NULL: there are credentials */
};

#define KEYS "\"AccessKeyId\": \"AK\", \"SecretAccessKey\": \"" KEY "\", "
#define NOTE "\"Note\": \"" ANSWER "\", \"Expiration\": \"" END "\"}"
#define NEARBY "{\"Code\": \"Success\", " KEYS "\"Token\": \"" TOKEN "\", " NOTE
#define PROCESS                                                                \
  "{\"Version\": 1, " KEYS "\"SessionToken\": \"" TOKEN "\", " NOTE
#define OF_STS                                                                 \
  "<Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>" KEY            \
  "</SecretAccessKey><SessionToken>" TOKEN "</SessionToken><Expiration>" END   \
  "</Expiration></Credentials><Note>" ANSWER "</Note>"
#define XML(name)                                                              \
  "<" name "Response><" name "Result>" OF_STS "</" name "Result></" name       \
  "Response>"
#define JSON(name)                                                             \
  "{\"" name "Response\": {\"" name "Result\": {\"Credentials\": {" KEYS       \
  "\"SessionToken\": \"" TOKEN "\", " NOTE "}}}"

#define PLAIN_KEYS "aws_access_key_id = AK\naws_secret_access_key = " KEY "\n"
#define BASE                                                                   \
  "[base]\naws_access_key_id = AB\naws_secret_access_key = " BASE_KEY          \
  "\naws_session_token = " BASE_TOKEN "\n"
#define ARN "arn:aws:iam::123456789012:role/r"
#define ROLE "[profile r]\nrole_arn = " ARN "\nsource_profile = base\n"
#define BY_PROGRAM "[default]\ncredential_process = @/other\n"
#define PRINT "#!/bin/sh\ncat <<'END'\n"

#define AT_IMDS                                                                \
  "AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=#"
#define GIVES_TOKEN                                                            \
  { "PUT /latest/api/token", NULL, "200 OK", IMDS_TOKEN, 0, NULL }
#define ROLES "GET /latest/meta-data/iam/security-credentials/"
#define GIVES_ROLE                                                             \
  { ROLES, IMDS_TOKEN, "200 OK", "host-role", 0, NULL }
#define GIVES(request, body)                                                   \
  { request, NULL, "200 OK", body, 0, NULL }
#define AT_POD                                                                 \
  "AWS_CONTAINER_CREDENTIALS_FULL_URI=#/c "                                    \
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=@/other"
#define AT_STS "AWS_ENDPOINT_URL_STS=#"
#define BY_WEB AT_STS " AWS_WEB_IDENTITY_TOKEN_FILE=@/other AWS_ROLE_ARN=" ARN
#define OF_PROFILE                                                             \
  { .profile = T("r") }

/* More than is read at once. */
#define LINES "#-------\n#-------\n#-------\n#-------\n#-------\n#-------\n"
#define MORE LINES LINES LINES LINES LINES LINES LINES LINES LINES LINES
#define LONG MORE MORE MORE MORE MORE MORE MORE MORE MORE MORE

static const struct story stories[] = {
    {.label = "options",
     .options = {.access_key_id = T("AK"),
                 .secret_access_key = T(KEY),
                 .session_token = T(TOKEN)}},
    {.label = "environment",
     .environment = "AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY=" KEY
                    " AWS_SESSION_TOKEN=" TOKEN},
    {.label = "half of the environment",
     .environment = "AWS_SECRET_ACCESS_KEY=" KEY " AWS_SESSION_TOKEN=" TOKEN,
     .fails = "AWS_SECRET_ACCESS_KEY, but no AWS_ACCESS_KEY_ID"},
    {.label = "profile",
     .credentials = "[default]\n" PLAIN_KEYS "aws_session_token = " TOKEN "\n"},
    {.label = "profile in a long file",
     .credentials =
         "[default]\n" PLAIN_KEYS LONG "aws_session_token = " TOKEN "\n" LONG},
    {.label = "profile in the config file", .config = "[default]\n" PLAIN_KEYS},
    {.label = "file that is none",
     .credentials = "[default]\n" PLAIN_KEYS "= " TOKEN "\n",
     .fails = "credentials file, line 4"},
    {.label = "half of a profile",
     .credentials = "[default]\naws_secret_access_key = " KEY "\n",
     .fails = "needs an aws_access_key_id"},

    {.label = "program", .config = BY_PROGRAM, .other = PRINT PROCESS "\nEND"},
    {.label = "program with arguments",
     .config = "[default]\ncredential_process = @/other " BASE_KEY "\n",
     .other = PRINT PROCESS "\nEND"},
    {.label = "program of another version",
     .config = BY_PROGRAM,
     .other = PRINT "{\"Version\": 2, " KEYS NOTE "\nEND",
     .fails = "Version is not the number 1"},
    {.label = "program that prints too little",
     .config = BY_PROGRAM,
     .other = PRINT "{\"Version\": 1, " KEYS "\nEND",
     .fails = "not readable as JSON"},
    {.label = "program that prints too much",
     .config = BY_PROGRAM,
     .other = "#!/bin/sh\nwhile echo '" ANSWER KEY "'; do :; done",
     .fails = "more than 65536 bytes"},

    {.label = "instance",
     .environment = AT_IMDS,
     .answers = {GIVES_TOKEN, GIVES_ROLE, GIVES(ROLES "host-role", NEARBY)}},
    {.label = "instance with a document cut off",
     .environment = AT_IMDS,
     .answers = {GIVES_TOKEN, GIVES_ROLE,
                 GIVES(ROLES "host-role", "{" KEYS "\"" ANSWER)},
     .fails = "not readable as JSON"},
    {.label = "instance that answers too much",
     .environment = AT_IMDS,
     .answers = {GIVES_TOKEN, {ROLES, NULL, "200 OK", ANSWER KEY, 5000, NULL}},
     .fails = "more than 65536 bytes"},
    {.label = "instance with a line break in the token",
     .environment = AT_IMDS,
     .answers = {GIVES("PUT /latest/api/token", IMDS_TOKEN "\n" ANSWER)},
     .fails = "gave a token that cannot be one"},
    {.label = "instance that refuses its own token",
     .environment = AT_IMDS,
     .answers = {GIVES_TOKEN,
                 {ROLES, NULL, "401 Unauthorized", ANSWER, 0, NULL}},
     .fails = "was refused"},

    {.label = "container",
     .environment = AT_POD,
     .other = POD_TOKEN,
     .answers = {GIVES("GET /c", NEARBY)}},
    {.label = "container with the token in the environment",
     .environment = "AWS_CONTAINER_CREDENTIALS_FULL_URI=#/c "
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN=" POD_TOKEN,
     .answers = {GIVES("GET /c", NEARBY)}},
    {.label = "container with a line break in the token",
     .environment = AT_POD,
     .other = POD_TOKEN "\n",
     .fails = "the token holds a line break"},
    {.label = "container that answers too much",
     .environment = AT_POD,
     .other = POD_TOKEN,
     .answers = {{"GET /c", NULL, "200 OK", ANSWER KEY, 5000, NULL}},
     .fails = "more than 65536 bytes"},
    {.label = "container that refuses",
     .environment = AT_POD,
     .other = POD_TOKEN,
     .answers = {{"GET /c", NULL, "403 No", "{\"x\": \"" ANSWER "\"}", 0,
                  NULL}},
     .fails = "status 403"},

    {.label = "role, XML",
     .options = OF_PROFILE,
     .environment = AT_STS,
     .config = ROLE,
     .credentials = BASE,
     .answers = {GIVES("POST /", XML("AssumeRole"))}},
    {.label = "role, JSON, of the configuration",
     .options = {.access_key_id = T("AB"),
                 .secret_access_key = T(BASE_KEY),
                 .session_token = T(BASE_TOKEN),
                 .role_arn = T(ARN)},
     .environment = AT_STS,
     .answers = {GIVES("POST /", JSON("AssumeRole"))}},
    {.label = "role without a session token",
     .options = OF_PROFILE,
     .environment = AT_STS,
     .config = ROLE,
     .credentials = BASE,
     .answers = {GIVES("POST /", "{\"AssumeRoleResponse\": "
                                 "{\"AssumeRoleResult\": {\"Credentials\": "
                                 "{" KEYS NOTE "}}}")},
     .fails = "the session token is missing"},
    {.label = "role with an answer that is too long",
     .options = OF_PROFILE,
     .environment = AT_STS,
     .config = ROLE,
     .credentials = BASE,
     .answers = {{"POST /", NULL, "200 OK", ANSWER KEY, 5000, NULL}},
     .fails = "longer than 65536 bytes"},
    {.label = "role with an answer cut off",
     .options = OF_PROFILE,
     .environment = AT_STS,
     .config = ROLE,
     .credentials = BASE,
     .answers = {GIVES("POST /", "<AssumeRoleResponse>" OF_STS)},
     .fails = "is no answer of STS"},
    {.label = "web identity",
     .environment = BY_WEB,
     .other = WEB_TOKEN "\n",
     .answers = {GIVES("POST /", XML("AssumeRoleWithWebIdentity"))}},
    {.label = "web identity, JSON",
     .environment = BY_WEB,
     .other = WEB_TOKEN "\n",
     .answers = {GIVES("POST /", JSON("AssumeRoleWithWebIdentity"))}},
    {.label = "web identity that is refused",
     .environment = BY_WEB,
     .other = WEB_TOKEN,
     .answers = {{"POST /", NULL, "400 No",
                  "<ErrorResponse><Error><Code>X"
                  "</Code></Error>" ANSWER "</ErrorResponse>",
                  0, NULL}},
     .fails = "answered X "},
    {.label = "web identity with a line break",
     .environment = BY_WEB,
     .other = WEB_TOKEN "\n" WEB_TOKEN,
     .fails = "inside the token"},
};

/* ---- telling them ------------------------------------------------------- */

/* One of two texts; the next but one call takes its place. */
static const char *expand(const char *text) {
  static char room[2][4096];
  static size_t n;
  char *out = room[n++ % 2];
  size_t len = 0;

  for (; *text != '\0' && len < sizeof(room[0]) - 256; text++) {
    if (*text == '#' && text[1] != '!')
      len += (size_t)snprintf(out + len, 128, "%s", server_url);
    else if (*text == '@')
      len += (size_t)snprintf(out + len, 128, "%s", folder);
    else
      out[len++] = *text;
  }
  out[len] = '\0';
  return out;
}

static void put_files(const struct story *story) {
  put_config(story->config != NULL ? expand(story->config) : NULL);
  put_credentials(story->credentials);
  put_file("other", story->other);
  if (story->other != NULL)
    assert_int_equal(chmod(path_of("other"), 0700), 0);
}

static char *copy(const char *text) {
  return text != NULL ? str_dup(str_of(text)) : NULL;
}

static struct source_options copy_options(const struct source_options *from) {
  return (struct source_options){.access_key_id = copy(from->access_key_id),
                                 .secret_access_key =
                                     copy(from->secret_access_key),
                                 .session_token = copy(from->session_token),
                                 .profile = copy(from->profile),
                                 .role_arn = copy(from->role_arn)};
}

static void sign(const struct cred *cred) {
  const struct sigv4_header host = {"host", STR("monitoring.example")};
  const struct sigv4_request request = {.method = "POST",
                                        .path = "/",
                                        .query = "",
                                        .headers = &host,
                                        .n_headers = 1,
                                        .body = STR("{}")};
  struct sigv4_headers headers = SIGV4_HEADERS_INIT;
  struct sigv4_trace trace = {0};

  assert_int_equal(sigv4_sign(&request, cred, "eu-west-1", "monitoring", NOW,
                              &headers, &trace, NULL),
                   0);
  const struct buf *text = &headers.authorization;
  assert_true(text->len > SIGNATURE_LEN);
  memcpy(signature, buf_str(text) + text->len - SIGNATURE_LEN, SIGNATURE_LEN);
  sigv4_clear(&headers);
  sigv4_trace_clear(&trace);
}

static void get(const struct story *story, struct source *source, int64_t now_s,
                bool must_work) {
  struct err err = {""};
  const struct cred *cred = source_get(source, now_s, &err);

  if (story->fails == NULL && (must_work || cred != NULL)) {
    if (cred == NULL)
      fail_msg("%s: %s", story->label, err.text);
    assert_string_equal(cred->secret_access_key, KEY);
    sign(cred);
  } else if (cred != NULL || strstr(err.text, story->fails) == NULL) {
    fail_msg("%s: it says \"%s\"", story->label, err.text);
  }
}

static void tell(const struct story *story) {
  const struct profile_options profile = {.name = story->options.profile};
  const struct place_options where = {.region = T("eu-west-1")};
  struct source_options options = copy_options(&story->options);
  struct place place = {0};

  put_files(story);
  if (story->environment != NULL)
    put_environment(expand(story->environment));
  answers_use(&server, story->answers);
  struct session *session = open_session(&profile);
  (void)place_find(session, &where, &place, NULL);
  struct source *source = source_new(&options, session, &place);
  assert_non_null(source);

  get(story, source, NOW, true);
  (void)source_tend(source, LATE, NULL);
  put_files(story); /* as if they had been rotated */
  get(story, source, LATE, true);
  source_forget(source, LATE + 61);
  get(story, source, LATE + 61, true);

  source_free(source);
  place_clear(&place);
  session_free(session);
  source_options_wipe(&options);
}

static void nothing_is_left(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
    clear_environment();
    tell(&stories[i]);
    const char *name = find_left();
    if (name != NULL)
      fail_msg("%s: %s is left in memory that was given back", stories[i].label,
               name);
  }
}

/* ---- the hook itself ---------------------------------------------------- */

static void what_is_left_is_seen(void **state) {
  (void)state;
  char *block = copy("x " TOKEN);
  assert_non_null(block);
  free(block);
  assert_string_equal(find_left(), "the session token");

  block = copy(KEY);
  assert_non_null(block);
  char *longer = realloc(block, 4096);
  assert_non_null(longer);
  assert_string_equal(find_left(), "the secret access key");
  digest_wipe(longer, sizeof(KEY));
  free(longer);
  assert_null(find_left());
}

static int start(void **state) {
  answers_start(&server, false, server_url);
  return fresh_folder(state);
}

static int stop(void **state) {
  answers_stop(&server);
  return remove_folder(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_left_is_seen),
      cmocka_unit_test(nothing_is_left),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
