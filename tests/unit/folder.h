/* folder: a temporary folder with shared AWS files, and an environment without
 * AWS variables, for the tests of source and place. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include "run/session.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A text as the options own them: not const. */
#define T(text) ((char[]){text})

static char folder[] = "/tmp/test_aws.XXXXXX";

static const char *path_of(const char *name) {
  static char path[2][128];
  static size_t n;
  char *out = path[n++ % 2];
  (void)snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
  return out;
}

/* Writes beside the file and renames, as tools that rotate keys do; NULL
 * removes it. */
static void put_file(const char *name, const char *text) {
  (void)unlink(path_of(name));
  (void)rmdir(path_of(name));
  if (text == NULL)
    return;
  FILE *file = fopen(path_of("new"), "w");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 ||
      rename(path_of("new"), path_of(name)) != 0)
    abort();
}

static void put_config(const char *text) { put_file(".aws/config", text); }

static inline void put_credentials(const char *text) {
  put_file(".aws/credentials", text);
}

static void clear_environment(void) {
  static const char *const names[] = {
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "AWS_SECURITY_TOKEN",
      "AWS_PROFILE",
      "AWS_DEFAULT_PROFILE",
      "AWS_SHARED_CREDENTIALS_FILE",
      "AWS_CONFIG_FILE",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      "AWS_ROLE_ARN",
      "AWS_ROLE_SESSION_NAME",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
      "AWS_EC2_METADATA_DISABLED",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
      "AWS_REGION",
      "AWS_DEFAULT_REGION",
      "AWS_ENDPOINT_URL_CLOUDWATCH",
      "AWS_ENDPOINT_URL_STS",
      "AWS_ENDPOINT_URL",
      "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
      "AWS_USE_FIPS_ENDPOINT",
      "AWS_USE_DUALSTACK_ENDPOINT",
      "AWS_STS_REGIONAL_ENDPOINTS",
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    (void)unsetenv(names[i]);
  (void)setenv("HOME", folder, 1);
  /* This host's own metadata service has no part in a test. */
  (void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

/* "NAME=value NAME=value", values without blanks; "_" stands for a blank. */
static inline void put_environment(const char *words) {
  char text[1024];
  (void)snprintf(text, sizeof(text), "%s", words);
  char *rest = NULL;
  for (char *word = strtok_r(text, " ", &rest); word != NULL;
       word = strtok_r(NULL, " ", &rest)) {
    char *value = strchr(word, '=');
    if (value == NULL)
      abort();
    *value++ = '\0';
    (void)setenv(word, strcmp(value, "_") == 0 ? " " : value, 1);
  }
}

static int fresh_folder(void **state) {
  (void)state;
  memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
  if (mkdtemp(folder) == NULL || mkdir(path_of(".aws"), 0700) != 0)
    return -1;
  clear_environment();
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  put_config(NULL);
  put_credentials(NULL);
  put_file("other", NULL);
  (void)rmdir(path_of(".aws"));
  return rmdir(folder);
}

/* What a node would know here; nothing is asked. */
static _Atomic int64_t no_deadline_ms = INT64_MAX;
static struct http_options no_http_options = HTTP_OPTIONS_INIT;

static inline struct session *
open_session(const struct profile_options *profile) {
  static const struct profile_options none = {0};
  struct session *session = session_new(profile != NULL ? profile : &none,
                                        &no_http_options, &no_deadline_ms);
  if (session == NULL)
    abort();
  return session;
}

#endif
