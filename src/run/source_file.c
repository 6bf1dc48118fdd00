/* Sources that only read: the plugin's options, the environment, the shared
 * files.  What is configured but needs more than reading (a role, a token to
 * be exchanged, a program, a sign-in) is an error here, never skipped: going
 * on would send with an identity that nobody asked for. */
#include "run/source_list.h"

#include "base/str.h"

#define INSTEAD                                                                \
  "this version cannot use that; give keys instead (AccessKeyId and "          \
  "SecretAccessKey, or a Profile that has them)"

enum source_found source_option(struct source *source, struct cred *out,
                                struct buf *origin, struct err *err) {
  const struct source_options *options = source->options;
  if (options->access_key_id == NULL && options->secret_access_key == NULL)
    return SOURCE_ABSENT;
  buf_puts(origin, "AccessKeyId in the configuration");
  if (cred_set(out, str_of(options->access_key_id),
               str_of(options->secret_access_key),
               str_of(options->session_token), CRED_NEVER, buf_str(origin),
               err) != 0)
    return SOURCE_FAILED;
  return SOURCE_FOUND;
}

enum source_found source_environment(struct source *source, struct cred *out,
                                     struct buf *origin, struct err *err) {
  const struct env *env = &source->env;
  const char *id = env_get(env, ENV_ACCESS_KEY_ID);
  const char *secret = env_get(env, ENV_SECRET_ACCESS_KEY);
  const char *token = env_get(env, ENV_SESSION_TOKEN);
  if (token == NULL)
    token = env_get(env, ENV_SECURITY_TOKEN);

  if (source_is_by_file(source) || (id == NULL && secret == NULL))
    return SOURCE_ABSENT;
  if (id == NULL || secret == NULL) {
    bool has_id = id != NULL;
    err_set(err, "the environment holds %s, but no %s; set both or neither",
            env_str(has_id ? ENV_ACCESS_KEY_ID : ENV_SECRET_ACCESS_KEY),
            env_str(has_id ? ENV_SECRET_ACCESS_KEY : ENV_ACCESS_KEY_ID));
    return SOURCE_FAILED;
  }
  buf_puts(origin, "environment");
  if (cred_set(out, str_of(id), str_of(secret), str_of(token), CRED_NEVER,
               buf_str(origin), err) != 0)
    return SOURCE_FAILED;
  return SOURCE_FOUND;
}

/* For a source that is known but not built: fails if a variable asks for it. */
static enum source_found refuse(const struct source *source, enum env_name name,
                                struct err *err) {
  if (source_is_by_file(source) || env_get(&source->env, name) == NULL)
    return SOURCE_ABSENT;
  err_set(err, "the environment holds %s; " INSTEAD, env_str(name));
  return SOURCE_FAILED;
}

enum source_found source_web_identity(struct source *source, struct cred *out,
                                      struct buf *origin, struct err *err) {
  (void)out;
  (void)origin;
  return refuse(source, ENV_WEB_IDENTITY_TOKEN_FILE, err);
}

enum source_found source_container(struct source *source, struct cred *out,
                                   struct buf *origin, struct err *err) {
  (void)out;
  (void)origin;
  enum source_found found = refuse(source, ENV_CONTAINER_RELATIVE_URI, err);
  if (found != SOURCE_ABSENT)
    return found;
  return refuse(source, ENV_CONTAINER_FULL_URI, err);
}

/* Keys of a profile that ask for more than reading.  Those that come before
 * static keys do so in the AWS SDKs: with a role_arn, static keys beside it
 * are what the role is assumed with. */
static const struct {
  const char *key;
  bool before_keys;
} unusable[] = {
    {"role_arn", true},           {"web_identity_token_file", true},
    {"sso_session", true},        {"sso_start_url", true},
    {"sso_account_id", true},     {"sso_role_name", true},
    {"credential_source", false}, {"credential_process", false},
    {"mfa_serial", false},        {"login_session", false},
};

static bool is_usable(const struct profile *profile, bool before_keys,
                      struct err *err) {
  for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++)
    if (unusable[i].before_keys == before_keys &&
        profile_get(profile, unusable[i].key) != NULL) {
      err_set(err, "profile %s has %s; " INSTEAD, profile->name,
              unusable[i].key);
      return false;
    }
  return true;
}

static void put_files(struct buf *out, const struct profile *profile) {
  bool config = profile->config.found, credentials = profile->credentials.found;
  if (credentials)
    buf_puts(out, profile->credentials.path);
  if (credentials && config)
    buf_puts(out, " and ");
  if (config)
    buf_puts(out, profile->config.path);
}

/* There are no keys.  An error if somebody asked for this very profile. */
static enum source_found say_absent(const struct source *source,
                                    struct err *err) {
  const struct profile *profile = &source->profile;
  bool exists = ini_has_profile(profile->ini, profile->name);
  if (!source_is_by_file(source) && (exists || !profile->is_named))
    return SOURCE_ABSENT;

  struct buf files = BUF_INIT(16384);
  put_files(&files, profile);
  if (exists)
    err_set(err, "profile %s has no aws_access_key_id in %s", profile->name,
            buf_str(&files));
  else if (files.len > 0)
    err_set(err, "there is no profile %s in %s", profile->name,
            buf_str(&files));
  else
    err_set(
        err, "there is no profile %s: neither %s nor %s exists", profile->name,
        profile->credentials.path != NULL ? profile->credentials.path
                                          : "~/.aws/credentials",
        profile->config.path != NULL ? profile->config.path : "~/.aws/config");
  buf_clear(&files);
  return SOURCE_FAILED;
}

enum source_found source_profile(struct source *source, struct cred *out,
                                 struct buf *origin, struct err *err) {
  struct profile *profile = &source->profile;
  if (profile_refresh(profile, err) != 0)
    return SOURCE_FAILED;
  if (!is_usable(profile, true, err))
    return SOURCE_FAILED;

  struct err why = {0};
  switch (cred_from_profile(profile->ini, profile->name, out, &why)) {
  case CRED_FAILED:
    buf_printf(origin, "%s in ", why.text);
    put_files(origin, profile);
    err_set(err, "%s", buf_str(origin));
    return SOURCE_FAILED;
  case CRED_ABSENT:
    if (!is_usable(profile, false, err))
      return SOURCE_FAILED;
    return say_absent(source, err);
  case CRED_FOUND:
    break;
  }
  buf_printf(origin, "profile %s in ", profile->name);
  put_files(origin, profile);
  return SOURCE_FOUND;
}
