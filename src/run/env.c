#include "run/env.h"

#include "base/digest.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[ENV_COUNT] = {
    [ENV_ACCESS_KEY_ID] = "AWS_ACCESS_KEY_ID",
    [ENV_SECRET_ACCESS_KEY] = "AWS_SECRET_ACCESS_KEY",
    [ENV_SESSION_TOKEN] = "AWS_SESSION_TOKEN",
    [ENV_SECURITY_TOKEN] = "AWS_SECURITY_TOKEN",
    [ENV_PROFILE] = "AWS_PROFILE",
    [ENV_DEFAULT_PROFILE] = "AWS_DEFAULT_PROFILE",
    [ENV_CREDENTIALS_FILE] = "AWS_SHARED_CREDENTIALS_FILE",
    [ENV_CONFIG_FILE] = "AWS_CONFIG_FILE",
    [ENV_HOME] = "HOME",
    [ENV_WEB_IDENTITY_TOKEN_FILE] = "AWS_WEB_IDENTITY_TOKEN_FILE",
    [ENV_ROLE_ARN] = "AWS_ROLE_ARN",
    [ENV_ROLE_SESSION_NAME] = "AWS_ROLE_SESSION_NAME",
    [ENV_CONTAINER_RELATIVE_URI] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    [ENV_CONTAINER_FULL_URI] = "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    [ENV_CONTAINER_TOKEN] = "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    [ENV_CONTAINER_TOKEN_FILE] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    [ENV_METADATA_DISABLED] = "AWS_EC2_METADATA_DISABLED",
    [ENV_METADATA_ENDPOINT] = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    [ENV_METADATA_ENDPOINT_MODE] = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    [ENV_REGION] = "AWS_REGION",
    [ENV_DEFAULT_REGION] = "AWS_DEFAULT_REGION",
    [ENV_ENDPOINT_URL_CLOUDWATCH] = "AWS_ENDPOINT_URL_CLOUDWATCH",
    [ENV_ENDPOINT_URL_STS] = "AWS_ENDPOINT_URL_STS",
    [ENV_ENDPOINT_URL] = "AWS_ENDPOINT_URL",
    [ENV_IGNORE_ENDPOINT_URLS] = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    [ENV_USE_FIPS] = "AWS_USE_FIPS_ENDPOINT",
    [ENV_USE_DUAL_STACK] = "AWS_USE_DUALSTACK_ENDPOINT",
    [ENV_STS_REGIONAL] = "AWS_STS_REGIONAL_ENDPOINTS",
};

int env_init(struct env *env) {
  for (size_t i = 0; i < ENV_COUNT; i++) {
    struct str value = str_of(getenv(names[i]));
    if (str_trim(value).len == 0)
      continue;
    env->values[i] = str_dup(value);
    if (env->values[i] == NULL) {
      env_wipe(env);
      return -1;
    }
  }
  return 0;
}

void env_wipe(struct env *env) {
  for (size_t i = 0; i < ENV_COUNT; i++) {
    if (env->values[i] != NULL)
      digest_wipe(env->values[i], strlen(env->values[i]));
    free(env->values[i]);
    env->values[i] = NULL;
  }
}

const char *env_get(const struct env *env, enum env_name name) {
  return env->values[name];
}

const char *env_str(enum env_name name) { return names[name]; }
