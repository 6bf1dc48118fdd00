/* env: the variables of the environment that matter here, copied once.
 *
 * Other plugins may call setenv() at any time, which no lock of ours could
 * guard; so the environment is read at start and never again.  Blank variables
 * count as unset, as with the AWS SDKs. */
#ifndef RUN_ENV_H
#define RUN_ENV_H

enum env_name {
  ENV_ACCESS_KEY_ID,
  ENV_SECRET_ACCESS_KEY,
  ENV_SESSION_TOKEN,
  ENV_SECURITY_TOKEN, /* the older name of the session token */
  ENV_PROFILE,
  ENV_DEFAULT_PROFILE, /* the older name of AWS_PROFILE */
  ENV_CREDENTIALS_FILE,
  ENV_CONFIG_FILE,
  ENV_HOME,
  ENV_WEB_IDENTITY_TOKEN_FILE,
  ENV_ROLE_ARN,
  ENV_ROLE_SESSION_NAME,
  ENV_CONTAINER_RELATIVE_URI,
  ENV_CONTAINER_FULL_URI,
  ENV_CONTAINER_TOKEN,
  ENV_CONTAINER_TOKEN_FILE,
  ENV_METADATA_DISABLED,
  ENV_METADATA_ENDPOINT,
  ENV_METADATA_ENDPOINT_MODE,
  ENV_REGION,
  ENV_DEFAULT_REGION,
  ENV_ENDPOINT_URL_CLOUDWATCH,
  ENV_ENDPOINT_URL_STS,
  ENV_ENDPOINT_URL,
  ENV_IGNORE_ENDPOINT_URLS,
  ENV_USE_FIPS,
  ENV_USE_DUAL_STACK,
  ENV_STS_REGIONAL,
  ENV_COUNT
};

struct env {
  char *values[ENV_COUNT]; /* owned; NULL: unset or blank */
};

/* Copies the variables; *env must be empty or wiped.  0; or -1 for lack of
 * memory, *env is empty then. */
int env_init(struct env *env);
void env_wipe(struct env *env);

/* The value, borrowed; NULL when unset or blank. */
const char *env_get(const struct env *env, enum env_name name);

/* What the variable is called, for messages. */
const char *env_str(enum env_name name);

#endif
