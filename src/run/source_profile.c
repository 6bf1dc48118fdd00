/* A profile of the shared files.  What is configured but cannot be used is an
 * error, never skipped: going on would send with an identity that nobody asked
 * for. */
#include "run/source_list.h"

#include "base/str.h"

#define INSTEAD                                                                \
  "this version cannot use that; give keys instead (AccessKeyId and "          \
  "SecretAccessKey, or a Profile that has them)"

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
  const struct profile *profile = &source->session->profile;
  bool exists = ini_has_profile(profile->ini, profile->name);
  if (source->options->profile == NULL &&
      source->options->credentials_file == NULL &&
      (exists || !profile->is_named))
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

enum source_found source_profile(struct source *source, struct found *out,
                                 struct err *err) {
  struct profile *profile = &source->session->profile;
  if (profile_refresh(profile, err) != 0)
    return SOURCE_FAILED;
  if (!is_usable(profile, true, err))
    return SOURCE_FAILED;

  struct err why = {0};
  switch (cred_from_profile(profile->ini, profile->name, &out->cred, &why)) {
  case CRED_FAILED:
    buf_printf(&out->origin, "%s in ", why.text);
    put_files(&out->origin, profile);
    err_set(err, "%s", buf_str(&out->origin));
    return SOURCE_FAILED;
  case CRED_ABSENT:
    if (!is_usable(profile, false, err))
      return SOURCE_FAILED;
    return say_absent(source, err);
  case CRED_FOUND:
    break;
  }
  buf_printf(&out->origin, "profile %s in ", profile->name);
  put_files(&out->origin, profile);
  out->of_files = true;
  return SOURCE_FOUND;
}

enum source_found source_web_identity(struct source *source, struct found *out,
                                      struct err *err) {
  (void)source, (void)out, (void)err;
  return SOURCE_ABSENT;
}
int source_assume(struct source *source, const struct role *role,
                  struct found *io, struct err *err) {
  (void)source, (void)role;
  found_wipe(io);
  return err_set(err, "this version cannot assume roles");
}
