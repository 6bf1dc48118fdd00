#include "run/source.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "folder.h"

#define NOW INT64_C(1700000000)

#define KEYS(name)                                                             \
  "aws_access_key_id = AK" name "\naws_secret_access_key = hush" name "\n"

struct expected {
  const char *label;
  const char *environment;
  const char *config, *credentials; /* files; NULL: absent */
  struct source_options options;    /* texts are copied */
  const char *id;                   /* NULL: an error */
  const char *token;                /* NULL: none */
  const char *says; /* part of the origin, or of the error's sentence */
};

#define ENV_KEYS "AWS_ACCESS_KEY_ID=AKenv AWS_SECRET_ACCESS_KEY=hushenv"
#define FILE_KEYS "[default]\n" KEYS("file")
#define ROLE "arn:aws:iam::123456789012:role/r"
#define REFUSED(key, sentence)                                                 \
  {                                                                            \
    "a profile with " key, "", "[default]\n" key " = x\n", NULL, {0}, NULL,    \
        NULL, sentence                                                         \
  }
#define PRINTS(name)                                                           \
  "credential_process = printf "                                               \
  "'{\"Version\": 1, \"AccessKeyId\": \"AK" name                               \
  "\", \"SecretAccessKey\": \"hush" name "\", \"SessionToken\": \"t\"}'\n"
#define NO_STS "no STS in this test"

static const struct expected cases[] = {
    /* order */
    {"options come first",
     ENV_KEYS,
     NULL,
     FILE_KEYS,
     {.access_key_id = T("AKopt"), .secret_access_key = T("hushopt")},
     "AKopt",
     NULL,
     "AccessKeyId in the configuration"},
    {"options with a token",
     "",
     NULL,
     NULL,
     {.access_key_id = T("AKopt"),
      .secret_access_key = T("hushopt"),
      .session_token = T("tok")},
     "AKopt",
     "tok",
     "AccessKeyId"},
    {"environment before files",
     ENV_KEYS " AWS_SESSION_TOKEN=tok",
     NULL,
     FILE_KEYS,
     {0},
     "AKenv",
     "tok",
     "environment"},
    {"the older name of the token",
     ENV_KEYS " AWS_SECURITY_TOKEN=old",
     NULL,
     NULL,
     {0},
     "AKenv",
     "old",
     "environment"},
    {"the newer name of the token comes first",
     ENV_KEYS " AWS_SECURITY_TOKEN=old AWS_SESSION_TOKEN=new",
     NULL,
     NULL,
     {0},
     "AKenv",
     "new",
     "environment"},
    {"blank variables count as unset",
     "AWS_ACCESS_KEY_ID=_ AWS_SECRET_ACCESS_KEY= AWS_PROFILE=_",
     NULL,
     FILE_KEYS,
     {0},
     "AKfile",
     NULL,
     "profile default in "},
    {"credentials file alone",
     "",
     NULL,
     FILE_KEYS,
     {0},
     "AKfile",
     NULL,
     "/.aws/credentials"},
    {"config file alone",
     "",
     "[default]\n" KEYS("conf") "aws_session_token = t\n",
     NULL,
     {0},
     "AKconf",
     "t",
     "/.aws/config"},
    {"the credentials file wins over the config file",
     "",
     "[default]\n" KEYS("conf"),
     FILE_KEYS,
     {0},
     "AKfile",
     NULL,
     "profile default"},

    /* which profile */
    {"AWS_PROFILE",
     "AWS_PROFILE=two",
     NULL,
     FILE_KEYS "[two]\n" KEYS("two"),
     {0},
     "AKtwo",
     NULL,
     "profile two in "},
    {"AWS_PROFILE does not suppress the environment's keys",
     ENV_KEYS " AWS_PROFILE=two",
     NULL,
     "[two]\n" KEYS("two"),
     {0},
     "AKenv",
     NULL,
     "environment"},
    {"AWS_DEFAULT_PROFILE alone",
     "AWS_DEFAULT_PROFILE=two",
     NULL,
     "[two]\n" KEYS("two"),
     {0},
     "AKtwo",
     NULL,
     "profile two"},
    {"AWS_PROFILE before AWS_DEFAULT_PROFILE",
     "AWS_DEFAULT_PROFILE=one AWS_PROFILE=two",
     NULL,
     "[one]\n" KEYS("one") "[two]\n" KEYS("two"),
     {0},
     "AKtwo",
     NULL,
     "profile two"},
    {"the option Profile suppresses the environment's keys",
     ENV_KEYS " AWS_PROFILE=one",
     NULL,
     "[one]\n" KEYS("one") "[two]\n" KEYS("two"),
     {.profile = T("two")},
     "AKtwo",
     NULL,
     "profile two"},
    {"the option CredentialsFile suppresses them too",
     ENV_KEYS,
     NULL,
     FILE_KEYS,
     {.credentials_file = T("~/.aws/credentials")},
     "AKfile",
     NULL,
     "profile default"},
    {"a file named by a variable, from the home folder",
     "AWS_SHARED_CREDENTIALS_FILE=~/.aws/config",
     FILE_KEYS,
     NULL,
     {0},
     "AKfile",
     NULL,
     "/.aws/config"},
    {"/dev/null is no file",
     "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
     "[default]\n" KEYS("conf"),
     FILE_KEYS,
     {0},
     "AKconf",
     NULL,
     "profile default"},
    {"static keys before a program",
     "",
     "[default]\ncredential_process = /bin/false\n",
     FILE_KEYS,
     {0},
     "AKfile",
     NULL,
     "profile default"},
    {"files before a container",
     "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/",
     NULL,
     FILE_KEYS,
     {0},
     "AKfile",
     NULL,
     "profile default"},

    /* errors */
    {"nothing at all", "", NULL, NULL, {0}, NULL, NULL, "no credentials found"},
    {"a default profile without keys is nothing",
     "",
     "[default]\nregion = eu-west-1\n",
     NULL,
     {0},
     NULL,
     NULL,
     "no credentials found"},
    {"key without secret in the environment",
     "AWS_ACCESS_KEY_ID=AK",
     NULL,
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     "holds AWS_ACCESS_KEY_ID, but no AWS_SECRET_ACCESS_KEY"},
    {"secret without key in the environment",
     "AWS_SECRET_ACCESS_KEY=hush",
     NULL,
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     "holds AWS_SECRET_ACCESS_KEY, but no AWS_ACCESS_KEY_ID"},
    {"half a pair in a file",
     "",
     NULL,
     "[default]\naws_access_key_id = AK\n",
     {0},
     NULL,
     NULL,
     "aws_access_key_id needs an aws_secret_access_key beside it (in /tmp/"},
    {"a file that does not parse",
     "",
     "[default\n",
     NULL,
     {0},
     NULL,
     NULL,
     "/.aws/config"},
    {"a profile that is not there, by option",
     "",
     NULL,
     FILE_KEYS,
     {.profile = T("two")},
     NULL,
     NULL,
     "there is no profile two in "},
    {"a profile that is not there, by variable",
     "AWS_PROFILE=two",
     NULL,
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     "there is no profile two in "},
    {"a profile, but no files",
     "AWS_PROFILE=two",
     NULL,
     NULL,
     {0},
     NULL,
     NULL,
     "there is no profile two: neither "},
    {"a profile without keys, by option",
     ENV_KEYS,
     "[profile two]\nregion = eu-west-1\n",
     NULL,
     {.profile = T("two")},
     NULL,
     NULL,
     "none for profile two in "},
    {"a file named by an option that is not there",
     ENV_KEYS,
     NULL,
     FILE_KEYS,
     {.credentials_file = T("/nowhere/keys")},
     NULL,
     NULL,
     "there is no file /nowhere/keys, which CredentialsFile names"},

    /* programs */
    {"a program",
     "",
     "[default]\n" PRINTS("proc"),
     NULL,
     {0},
     "AKproc",
     "t",
     "credential_process printf of profile default"},
    {"a program that is not there",
     "",
     "[default]\ncredential_process = /nowhere/give hush\n",
     NULL,
     {0},
     NULL,
     NULL,
     "profile default: credential_process /nowhere/give cannot be run: there "
     "is no such file"},
    {"a program that fails",
     "",
     "[default]\ncredential_process = sh -c 'echo hush; echo no login >&2; "
     "exit 2'\n",
     NULL,
     {0},
     NULL,
     NULL,
     "profile default: credential_process sh ended with status 2 and said: no "
     "login"},
    {"a program that prints something else",
     "",
     "[default]\ncredential_process = echo hush\n",
     NULL,
     {0},
     NULL,
     NULL,
     "credential_process echo of profile default: "},
    {"a program of another version",
     "",
     "[default]\ncredential_process = echo '{\"Version\": 2}'\n",
     NULL,
     {0},
     NULL,
     NULL,
     "credential_process echo of profile default: Version is not the number 1"},
    {"a program that prints nothing",
     "",
     "[default]\ncredential_process = true hush\n",
     NULL,
     {0},
     NULL,
     NULL,
     "profile default: credential_process true printed nothing"},
    {"no shell, no home folder",
     "",
     "[default]\ncredential_process = echo ~ $HOME `id` >/dev/null\n",
     NULL,
     {0},
     NULL,
     NULL,
     "credential_process echo of profile default: "},
    {"a quote without its end",
     "",
     "[default]\ncredential_process = give 'hush\n",
     NULL,
     {0},
     NULL,
     NULL,
     "profile default: credential_process: the command line cannot be split"},

    /* roles, as far as one comes without STS */
    {"a web identity of the environment",
     "AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere/t AWS_ROLE_ARN=" ROLE,
     NULL,
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     "web identity: there is no file /nowhere/t, which is to hold the token"},
    {"a web identity without its role",
     "AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere/t",
     NULL,
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     "holds AWS_WEB_IDENTITY_TOKEN_FILE, but no AWS_ROLE_ARN; set both"},
    {"a role of the environment without a token is nothing",
     "AWS_ROLE_ARN=" ROLE,
     NULL,
     FILE_KEYS,
     {0},
     "AKfile",
     NULL,
     "profile default"},
    {"an option for a file suppresses the web identity",
     "AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere/t AWS_ROLE_ARN=" ROLE,
     NULL,
     FILE_KEYS,
     {.profile = T("default")},
     "AKfile",
     NULL,
     "profile default"},
    {"a web identity of a profile",
     "",
     "[default]\nweb_identity_token_file = /nowhere/t\nrole_arn = " ROLE "\n",
     NULL,
     {0},
     NULL,
     NULL,
     "web identity: there is no file /nowhere/t"},
    {"a role with the keys of another profile",
     "",
     "[default]\nrole_arn = " ROLE "\nsource_profile = base\n",
     "[base]\n" KEYS("base"),
     {0},
     NULL,
     NULL,
     "cannot assume role " ROLE " with profile base in "},
    {"a role with its own keys",
     "",
     "[default]\nrole_arn = " ROLE "\nsource_profile = default\n",
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     NO_STS},
    {"a role with a program",
     "",
     "[default]\nrole_arn = " ROLE "\nsource_profile = base\n"
     "[profile base]\n" PRINTS("proc"),
     NULL,
     {0},
     NULL,
     NULL,
     "with credential_process printf of profile base: " NO_STS},
    {"a role with the keys of the environment",
     ENV_KEYS,
     "[profile two]\nrole_arn = " ROLE "\ncredential_source = Environment\n",
     NULL,
     {.profile = T("two")},
     NULL,
     NULL,
     "cannot assume role " ROLE " with environment: " NO_STS},
    {"a role with an empty environment",
     "",
     "[default]\nrole_arn = " ROLE "\ncredential_source = Environment\n",
     NULL,
     {0},
     NULL,
     NULL,
     "profile default: credential_source Environment gives none: set AWS_ACC"},
    {"a role with half a pair in the environment",
     "AWS_ACCESS_KEY_ID=AK",
     "[profile two]\nrole_arn = " ROLE "\ncredential_source = Environment\n",
     NULL,
     {.profile = T("two")},
     NULL,
     NULL,
     "profile two: credential_source Environment: the environment holds AWS_A"},
    {"a role outside of a container",
     "",
     "[default]\nrole_arn = " ROLE "\ncredential_source = EcsContainer\n",
     NULL,
     {0},
     NULL,
     NULL,
     "credential_source EcsContainer gives none: this is no container"},
    {"a role without metadata",
     "",
     "[default]\nrole_arn = " ROLE
     "\ncredential_source = Ec2InstanceMetadata\n",
     NULL,
     {0},
     NULL,
     NULL,
     "credential_source Ec2InstanceMetadata gives none: the instance metadata "
     "service is switched off"},
    {"a loop",
     "",
     "[default]\nrole_arn = " ROLE "\nsource_profile = two\n"
     "[profile two]\nrole_arn = " ROLE "\nsource_profile = default\n",
     NULL,
     {0},
     NULL,
     NULL,
     "leads back to a profile that was asked before"},
    {"the option RoleArn on top",
     "",
     NULL,
     FILE_KEYS,
     {.role_arn = T(ROLE)},
     NULL,
     NULL,
     "cannot assume role " ROLE " with profile default in "},
    {"the option RoleArn without anything below",
     "",
     NULL,
     NULL,
     {.role_arn = T(ROLE)},
     NULL,
     NULL,
     "no credentials found"},
    {"the option RoleArn that names no role",
     "",
     NULL,
     FILE_KEYS,
     {.role_arn = T("arn:aws:iam::123456789012:user/x")},
     NULL,
     NULL,
     "names no role"},
    REFUSED("role_arn = " ROLE "\nx", "needs source_profile or credential_so"),
    REFUSED("sso_account_id", "SSO (IAM Identity Center) needs somebody"),
    REFUSED("login_session", "a login session needs somebody"),
};

static struct session *session;
static struct place place = {.region = T("eu-west-1"), .sts_error = {NO_STS}};

static struct source *open_source(const struct source_options *options) {
  struct profile_options profile = {.name = options->profile,
                                    .config_file = options->config_file,
                                    .credentials_file =
                                        options->credentials_file};
  session = open_session(&profile);
  struct source *source = source_new(options, session, &place);
  assert_non_null(source);
  return source;
}

static void close_source(struct source *source) {
  source_free(source);
  session_free(session);
}

static void check(struct source *source, const struct expected *c) {
  struct err err = {0};
  const struct cred *cred = source_get(source, NOW, &err);
  if (cred == NULL) {
    if (c->id != NULL || strstr(err.text, c->says) == NULL)
      fail_msg("%s: %s", c->label, err.text);
    if (strstr(err.text, "hush") != NULL)
      fail_msg("%s: a secret in: %s", c->label, err.text);
    return;
  }
  if (c->id == NULL)
    fail_msg("%s: found %s", c->label, cred->access_key_id);
  const char *token = cred->session_token != NULL ? cred->session_token : "";
  if (strcmp(cred->access_key_id, c->id) != 0 ||
      strcmp(token, c->token != NULL ? c->token : "") != 0 ||
      strncmp(cred->secret_access_key, "hush", 4) != 0)
    fail_msg("%s: found %s, token %s", c->label, cred->access_key_id, token);
  if (strstr(source_origin(source), c->says) == NULL)
    fail_msg("%s: from %s", c->label, source_origin(source));
}

static void each_source_has_its_turn(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct expected *c = &cases[i];
    clear_environment();
    put_environment(c->environment);
    put_config(c->config);
    put_credentials(c->credentials);
    struct source *source = open_source(&c->options);
    assert_string_equal(source_origin(source), "");
    check(source, c);
    close_source(source);
  }
}

static const struct source_options no_options = {0};

/* The key in use, or the error's sentence. */
static const char *key_now(struct source *source, int64_t now_s) {
  static struct err err;
  const struct cred *cred = source_get(source, now_s, &err);
  return cred != NULL ? cred->access_key_id : err.text;
}

static void the_environment_is_read_once(void **state) {
  (void)state;
  put_environment(ENV_KEYS);
  struct source *source = open_source(&no_options);
  put_environment("AWS_ACCESS_KEY_ID=AKlater");
  assert_string_equal(key_now(source, NOW), "AKenv");
  close_source(source);
}

static void without_home_the_user_database_is_asked(void **state) {
  (void)state;
  (void)unsetenv("HOME");
  struct source *source = open_source(
      &(struct source_options){.credentials_file = T("~/surely/not/there")});
  struct err err = {0};
  assert_null(source_get(source, NOW, &err));
  assert_non_null(strstr(err.text, "/surely/not/there"));
  assert_null(strstr(err.text, "~"));
  close_source(source);
}

static void a_rotated_file_is_read_again(void **state) {
  (void)state;
  put_credentials("[default]\n" KEYS("one"));
  struct source *source = open_source(&no_options);
  assert_string_equal(key_now(source, NOW), "AKone");
  assert_string_equal(key_now(source, NOW), "AKone");
  put_credentials("[default]\n" KEYS("two"));
  assert_string_equal(key_now(source, NOW), "AKtwo");

  /* The other file counts as well. */
  put_config("[default]\nrole_arn = x\n");
  assert_string_equal(key_now(source, NOW), "AKtwo");
  source_forget(source, NOW);
  assert_non_null(strstr(key_now(source, NOW), "role_arn"));
  put_config(NULL);
  assert_string_equal(key_now(source, NOW), "AKtwo");
  close_source(source);
}

static void keys_that_appear_later_are_found(void **state) {
  (void)state;
  struct source *source = open_source(&no_options);
  assert_non_null(strstr(key_now(source, NOW), "no credentials found"));
  put_credentials(FILE_KEYS);
  assert_string_equal(key_now(source, NOW), "AKfile");
  close_source(source);
}

static void a_broken_file_takes_nothing_away(void **state) {
  (void)state;
  put_credentials(FILE_KEYS);
  struct source *source = open_source(&no_options);
  assert_string_equal(key_now(source, NOW), "AKfile");

  static const char *const broken[] = {"[default\n", "no section = x\n",
                                       "[default]\naws_access_key_id = AK\n",
                                       "", NULL};
  for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
    put_credentials(broken[i]);
    assert_string_equal(key_now(source, NOW), "AKfile");
    assert_string_equal(key_now(source, NOW), "AKfile");
  }
  assert_int_equal(mkdir(path_of(".aws/credentials"), 0700), 0);
  assert_string_equal(key_now(source, NOW), "AKfile");

  source_forget(source, NOW); /* AWS refused what was held */
  assert_non_null(strstr(key_now(source, NOW), "not a regular file"));
  put_credentials("[default]\n" KEYS("new"));
  assert_string_equal(key_now(source, NOW), "AKnew");
  close_source(source);
}

static void credentials_are_forgotten_once_a_minute(void **state) {
  (void)state;
  put_credentials(FILE_KEYS);
  struct source *source = open_source(&no_options);
  assert_string_equal(key_now(source, NOW), "AKfile");
  put_credentials(NULL);
  assert_string_equal(key_now(source, NOW), "AKfile");
  source_forget(source, NOW);
  assert_non_null(strstr(key_now(source, NOW), "no credentials"));

  put_credentials(FILE_KEYS);
  assert_string_equal(key_now(source, NOW), "AKfile");
  put_credentials(NULL);
  source_forget(source, NOW + 59);
  assert_string_equal(key_now(source, NOW + 59), "AKfile");
  source_forget(source, NOW + 60);
  assert_non_null(strstr(key_now(source, NOW + 60), "no credentials"));

  /* A clock that was set back must not keep us from asking for years. */
  put_credentials(FILE_KEYS);
  assert_string_equal(key_now(source, 1000), "AKfile");
  put_credentials(NULL);
  source_forget(source, 1000);
  assert_non_null(strstr(key_now(source, 1000), "no credentials"));
  close_source(source);
}

static void options_are_wiped(void **state) {
  (void)state;
  struct source_options options = {0};
  options.access_key_id = str_dup(STR("AK"));
  options.secret_access_key = str_dup(STR("SECRET"));
  options.config_file = str_dup(STR("x"));
  source_options_wipe(&options);
  source_options_wipe(&options);
  assert_null(options.secret_access_key);
  assert_null(options.config_file);
}

/* ---- freshness ---------------------------------------------------------- */

/* A credential_process in the folder whose credentials end at a time; each run
 * gives the next key. */
static void put_program(const char *end) {
  char text[1024];
  (void)snprintf(text, sizeof(text),
                 "#!/bin/sh\n"
                 "printf x >>%s\n"
                 "n=$(wc -c <%s)\n"
                 "test '%s' != slow || { sleep 2; exit 1; }\n"
                 "test '%s' != fail || { echo broken >&2; exit 1; }\n"
                 "echo '{\"Version\":1,\"AccessKeyId\":\"AK'$((n))'\",'\n"
                 "echo '\"SecretAccessKey\":\"hush\",\"Expiration\":\"%s\"}'\n",
                 path_of("count"), path_of("count"), end, end, end);
  put_file("other", text);
  if (chmod(path_of("other"), 0700) != 0)
    abort();
}

static struct source *open_program(const char *end) {
  char text[256];
  put_program(end);
  (void)snprintf(text, sizeof(text), "[default]\ncredential_process = %s\n",
                 path_of("other"));
  put_config(text);
  return open_source(&no_options);
}

static void close_program(struct source *source) {
  close_source(source);
  put_file("count", NULL);
}

static int tend(struct source *source, int64_t now_s) {
  struct err err = {""};
  return source_tend(source, now_s, &err);
}

#define HOUR_S 3600
#define IN_AN_HOUR "2023-11-14T23:13:20Z"   /* NOW + 1 h */
#define IN_TWO_HOURS "2023-11-15T00:13:20Z" /* NOW + 2 h */
#define IN_20_MIN "2023-11-14T22:33:20Z"
#define IN_100_S "2023-11-14T22:15:00Z"
#define AN_HOUR_AGO "2023-11-14T21:13:20Z"

static void they_are_renewed_15_minutes_before_their_end(void **state) {
  (void)state;
  struct source *source = open_program(IN_AN_HOUR);
  assert_int_equal(source_due_s(source, NOW), 0);
  assert_int_equal(tend(source, NOW), 0);
  assert_int_equal(source_expires_s(source), NOW + HOUR_S);
  assert_string_equal(key_now(source, NOW), "AK1");
  assert_int_equal(source_due_s(source, NOW), 2700);
  assert_int_equal(tend(source, NOW + 2699), 0);
  assert_string_equal(key_now(source, NOW + 2699), "AK1");

  put_program(IN_TWO_HOURS);
  assert_int_equal(source_due_s(source, NOW + 2700), 0);
  assert_string_equal(key_now(source, NOW + 2700), "AK1"); /* no wait there */
  assert_int_equal(tend(source, NOW + 2700), 0);
  assert_string_equal(key_now(source, NOW + 2700), "AK2");
  assert_int_equal(source_due_s(source, NOW + 2700), 2 * HOUR_S - 900 - 2700);
  close_program(source);
}

static void those_of_a_short_life_at_half_of_it(void **state) {
  (void)state;
  struct source *source = open_program(IN_20_MIN);
  assert_int_equal(tend(source, NOW), 0);
  assert_int_equal(source_due_s(source, NOW), 600);
  assert_int_equal(tend(source, NOW + 599), 0);
  assert_string_equal(key_now(source, NOW + 599), "AK1");
  assert_int_equal(tend(source, NOW + 600), 0);
  assert_string_equal(key_now(source, NOW + 600), "AK2");
  close_program(source);
}

/* Who has a cache gives the same again until their end. */
static void those_of_a_cache_are_asked_for_once_a_minute(void **state) {
  (void)state;
  struct source *source = open_program(IN_100_S);
  assert_int_equal(tend(source, NOW), 0);
  assert_int_equal(source_due_s(source, NOW), 50);
  assert_int_equal(tend(source, NOW + 50), 0);
  assert_int_equal(source_due_s(source, NOW + 50), 60);
  for (int64_t s = 50; s < 100; s++) {
    assert_int_equal(tend(source, NOW + s), 0);
    assert_string_equal(key_now(source, NOW + s), "AK2");
  }
  close_program(source);
}

/* The minute begins when the try has ended, else a source that hangs would
 * leave no time for sending. */
static void between_two_slow_tries_is_a_minute(void **state) {
  (void)state;
  struct source *source = open_program(IN_AN_HOUR);
  assert_int_equal(tend(source, NOW), 0);
  put_program("slow");
  assert_int_equal(tend(source, NOW + 2700), -1);
  assert_in_range(source_due_s(source, NOW + 2702), 60, 70);
  close_program(source);
}

static void those_without_an_end_are_not_renewed(void **state) {
  (void)state;
  put_config("[default]\n" PRINTS("proc"));
  struct source *source = open_source(&no_options);
  assert_int_equal(tend(source, NOW), 0);
  assert_int_equal(source_due_s(source, NOW + 1000000), INT64_MAX);
  assert_int_equal(source_expires_s(source), CRED_NEVER);
  close_source(source);
}

/* A broken source is asked once a minute, and what is held serves to its
 * end. */
static void a_refresh_that_fails_is_tried_once_a_minute(void **state) {
  (void)state;
  struct source *source = open_program(IN_AN_HOUR);
  struct err err = {""};
  assert_int_equal(tend(source, NOW), 0);
  put_program("fail");
  assert_int_equal(source_tend(source, NOW + 2700, &err), -1);
  assert_non_null(strstr(err.text, "ended with status 1 and said: broken"));
  assert_int_equal(source_due_s(source, NOW + 2701), 59);
  assert_int_equal(tend(source, NOW + 2759), 0); /* not asked */
  assert_string_equal(source_get(source, NOW + 2759, &err)->access_key_id,
                      "AK1");
  assert_non_null(strstr(err.text, "said: broken")); /* and says so */
  assert_int_equal(tend(source, NOW + 2760), -1);

  /* A clock that is set back does not make it wait for longer. */
  assert_int_equal(source_due_s(source, NOW - 1000000), 1000000 + 2700);

  assert_non_null(source_get(source, NOW + 3599, &err));
  assert_true(source_is_usable(source, NOW + 3599));
  assert_false(source_is_usable(source, NOW + 3600));
  assert_null(source_get(source, NOW + 3600, &err));
  assert_non_null(strstr(err.text, "said: broken"));
  put_program(IN_TWO_HOURS);
  assert_string_equal(key_now(source, NOW + 3700), "AK5");
  assert_int_equal(source_due_s(source, NOW + 3700), 2 * HOUR_S - 900 - 3700);
  close_program(source);
}

static void keys_that_aws_refused_are_fetched_anew(void **state) {
  (void)state;
  struct source *source = open_program(IN_AN_HOUR);
  struct err err = {""};
  assert_string_equal(key_now(source, NOW), "AK1");
  source_forget(source, NOW + 1);
  assert_string_equal(key_now(source, NOW + 1), "AK2");
  source_forget(source, NOW + 30); /* once a minute */
  assert_string_equal(key_now(source, NOW + 30), "AK2");
  put_program("fail");
  source_forget(source, NOW + 61);
  assert_null(source_get(source, NOW + 61, &err));
  assert_non_null(strstr(err.text, "said: broken"));
  close_program(source);
}

/* Denied is not refused: they may be good for other things, or soon again. */
static void keys_that_aws_denies_something_go_on(void **state) {
  (void)state;
  struct source *source = open_program(IN_AN_HOUR);
  struct err err = {""};
  assert_string_equal(key_now(source, NOW), "AK1");
  source_doubt(source, NOW + 1);
  assert_string_equal(key_now(source, NOW + 1), "AK2");
  source_doubt(source, NOW + 30); /* once a minute, all together */
  source_forget(source, NOW + 31);
  assert_string_equal(key_now(source, NOW + 31), "AK2");
  put_program("fail");
  source_doubt(source, NOW + 61);
  assert_non_null(source_get(source, NOW + 61, &err));
  assert_non_null(strstr(err.text, "said: broken"));
  assert_string_equal(key_now(source, NOW + 62), "AK2");
  close_program(source);
}

/* They show a wrong clock, and nobody but AWS can tell whose. */
static void
those_that_ended_before_they_came_are_for_aws_to_judge(void **state) {
  (void)state;
  struct source *source = open_program(AN_HOUR_AGO);
  struct err err = {""};
  assert_non_null(source_get(source, NOW, &err));
  assert_non_null(strstr(err.text, "gives credentials that have ended"));
  close_program(source);
}

static void a_changed_file_ends_a_programs_keys(void **state) {
  (void)state;
  struct source *source = open_program(IN_AN_HOUR);
  assert_string_equal(key_now(source, NOW), "AK1");
  put_config("[default]\n" KEYS("conf"));
  assert_string_equal(key_now(source, NOW + 1), "AKconf");
  close_program(source);
}

static void a_stop_ends_the_program(void **state) {
  (void)state;
  put_config("[default]\ncredential_process = sleep 60\n");
  struct source *source = open_source(&no_options);
  struct err err = {""};
  atomic_store(&no_deadline_ms, 0);
  assert_null(source_get(source, NOW, &err));
  atomic_store(&no_deadline_ms, INT64_MAX);
  assert_string_equal(err.text, "profile default: credential_process sleep "
                                "was killed, as the daemon stops");
  close_source(source);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, fresh_folder, remove_folder)
      TEST(each_source_has_its_turn),
      TEST(the_environment_is_read_once),
      TEST(without_home_the_user_database_is_asked),
      TEST(a_rotated_file_is_read_again),
      TEST(keys_that_appear_later_are_found),
      TEST(a_broken_file_takes_nothing_away),
      TEST(credentials_are_forgotten_once_a_minute),
      TEST(options_are_wiped),
      TEST(they_are_renewed_15_minutes_before_their_end),
      TEST(those_of_a_short_life_at_half_of_it),
      TEST(those_of_a_cache_are_asked_for_once_a_minute),
      TEST(between_two_slow_tries_is_a_minute),
      TEST(those_without_an_end_are_not_renewed),
      TEST(a_refresh_that_fails_is_tried_once_a_minute),
      TEST(keys_that_aws_refused_are_fetched_anew),
      TEST(keys_that_aws_denies_something_go_on),
      TEST(those_that_ended_before_they_came_are_for_aws_to_judge),
      TEST(a_changed_file_ends_a_programs_keys),
      TEST(a_stop_ends_the_program),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
