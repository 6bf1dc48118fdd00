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
#define REFUSED(key)                                                           \
  {                                                                            \
    "a profile with " key, "", "[default]\n" key " = x\n", NULL, {0}, NULL,    \
        NULL, "profile default has " key "; this version cannot use that"      \
  }

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
     "missing in /tmp/test_aws."},
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
     "profile two has no aws_access_key_id in "},
    {"a file named by an option that is not there",
     ENV_KEYS,
     NULL,
     FILE_KEYS,
     {.credentials_file = T("/nowhere/keys")},
     NULL,
     NULL,
     "there is no file /nowhere/keys, which CredentialsFile names"},
    {"a web identity",
     "AWS_WEB_IDENTITY_TOKEN_FILE=/t AWS_ROLE_ARN=arn:aws:iam::1:role/r",
     NULL,
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     "AWS_WEB_IDENTITY_TOKEN_FILE; this version cannot use that"},
    {"a container, relative",
     "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x",
     NULL,
     NULL,
     {0},
     NULL,
     NULL,
     "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; this version cannot"},
    {"a container, full",
     "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/",
     NULL,
     NULL,
     {0},
     NULL,
     NULL,
     "AWS_CONTAINER_CREDENTIALS_FULL_URI; this version cannot"},
    {"a role beside static keys",
     "",
     "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n",
     FILE_KEYS,
     {0},
     NULL,
     NULL,
     "profile default has role_arn"},
    REFUSED("role_arn"),
    REFUSED("web_identity_token_file"),
    REFUSED("sso_session"),
    REFUSED("sso_start_url"),
    REFUSED("credential_source"),
    REFUSED("credential_process"),
    REFUSED("mfa_serial"),
    REFUSED("login_session"),
};

static struct session *session;
static struct place place = {.region = T("eu-west-1")};

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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
