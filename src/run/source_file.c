/* What only needs reading: the plugin's options, the environment. */
#include "run/source_list.h"

#include "base/str.h"

enum source_found source_option(struct source *source, struct found *out,
                                struct err *err) {
  const struct source_options *options = source->options;
  if (options->access_key_id == NULL && options->secret_access_key == NULL)
    return SOURCE_ABSENT;
  buf_puts(&out->origin, "AccessKeyId in the configuration");
  if (cred_set(&out->cred, str_of(options->access_key_id),
               str_of(options->secret_access_key),
               str_of(options->session_token), CRED_NEVER,
               buf_str(&out->origin), err) != 0)
    return SOURCE_FAILED;
  return SOURCE_FOUND;
}

enum source_found source_environment(struct source *source, struct found *out,
                                     struct err *err) {
  const struct env *env = &source->session->env;
  const char *id = env_get(env, ENV_ACCESS_KEY_ID);
  const char *secret = env_get(env, ENV_SECRET_ACCESS_KEY);
  const char *token = env_get(env, ENV_SESSION_TOKEN);
  if (token == NULL)
    token = env_get(env, ENV_SECURITY_TOKEN);

  if (id == NULL && secret == NULL)
    return SOURCE_ABSENT;
  if (id == NULL || secret == NULL) {
    bool has_id = id != NULL;
    err_set(err, "the environment holds %s, but no %s; set both or neither",
            env_str(has_id ? ENV_ACCESS_KEY_ID : ENV_SECRET_ACCESS_KEY),
            env_str(has_id ? ENV_SECRET_ACCESS_KEY : ENV_ACCESS_KEY_ID));
    return SOURCE_FAILED;
  }
  buf_puts(&out->origin, "environment");
  if (cred_set(&out->cred, str_of(id), str_of(secret), str_of(token),
               CRED_NEVER, buf_str(&out->origin), err) != 0)
    return SOURCE_FAILED;
  return SOURCE_FOUND;
}
