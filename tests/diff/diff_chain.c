/* diff_chain: what our own code finds in the cases of chain_cases.py.
 *
 *   diff_chain <cases >answers
 *
 * A case is a line of JSON: the environment and the options of one start.  The
 * answer is one, too: region and endpoint, access key, secret and session
 * token, or the error.  This program has one thread, so that it may change its
 * environment. */
#include "base/json.h"
#include "run/clock.h"
#include "run/http.h"
#include "run/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (1u << 20)

static char *take(const struct json *options, const char *key) {
  struct str text = json_text(json_get(options, key));
  return text.p == NULL ? NULL : str_dup(text);
}

static enum place_choice take_choice(const struct json *options,
                                     const char *key) {
  const struct json *value = json_get(options, key);
  if (json_kind(value) == JSON_NOTHING)
    return PLACE_UNSAID;
  return str_eq(json_text(value), STR("1")) ? PLACE_YES : PLACE_NO;
}

extern char **environ;

/* The environment of the case, with the PATH that there was. */
static int enter(const struct json *env) {
  static char *nothing[] = {NULL};
  char *path = str_dup(str_of(getenv("PATH")));
  int rc = path == NULL ? -1 : 0;

  environ = nothing;
  for (size_t i = 0; i < json_count(env) && rc == 0; i++) {
    char *name = str_dup(json_key_at(env, i));
    char *value = str_dup(json_text(json_at(env, i)));
    rc = name == NULL || value == NULL ? -1 : setenv(name, value, 1);
    free(name);
    free(value);
  }
  if (rc == 0)
    rc = setenv("PATH", path, 1);
  free(path);
  return rc;
}

static void put_text(struct json_out *json, const char *key,
                     const char *value) {
  json_put_str(json, str_of(key));
  json_put_str(json, str_of(value));
}

static void put_place(struct json_out *json, const struct place *place,
                      const struct err *err) {
  json_put_str(json, STR("place"));
  json_open_object(json);
  if (place->region == NULL) {
    put_text(json, "error", err->text);
  } else {
    put_text(json, "region", place->region);
    put_text(json, "endpoint", place->endpoint.url);
  }
  json_close_object(json);
}

static void put_credentials(struct json_out *json, const struct cred *cred,
                            const char *origin, const struct err *err) {
  json_put_str(json, STR("credentials"));
  json_open_object(json);
  if (cred == NULL) {
    put_text(json, "error", err->text);
  } else {
    put_text(json, "key", cred->access_key_id);
    put_text(json, "secret", cred->secret_access_key);
    put_text(json, "token", cred->session_token);
    put_text(json, "origin", origin);
  }
  json_close_object(json);
}

/* Credentials are asked for when the place is known, as the sender does. */
static int answer(struct json_out *json, const struct source_options *options,
                  const struct place_options *where) {
  static const _Atomic int64_t deadline_ms = INT64_MAX;
  struct http_options http = HTTP_OPTIONS_INIT;
  struct profile_options profile = {options->profile, options->config_file,
                                    options->credentials_file};
  struct place place = {0};
  struct err err = {""};
  struct source *source = NULL;
  int rc = -1;

  http.timeout_ms = 3000;
  struct session *session = session_new(&profile, &http, &deadline_ms);
  if (session == NULL)
    goto out;
  source = source_new(options, session, &place);
  if (source == NULL)
    goto out;
  bool has_place = place_find(session, where, &place, &err) == 0;
  put_place(json, &place, &err);
  if (has_place) {
    err = (struct err){""};
    const struct cred *cred = source_get(source, clock_wall_ms() / 1000, &err);
    put_credentials(json, cred, source_origin(source), &err);
  }
  rc = 0;
out:
  source_free(source);
  place_clear(&place);
  session_free(session);
  return rc;
}

static int answer_case(struct json_out *json, const struct json *test) {
  const struct json *said = json_get(test, "options");
  struct source_options options = {
      .access_key_id = take(said, "access_key_id"),
      .secret_access_key = take(said, "secret_access_key"),
      .session_token = take(said, "session_token"),
      .profile = take(said, "profile"),
      .credentials_file = take(said, "credentials_file"),
      .config_file = take(said, "config_file"),
      .role_arn = take(said, "role_arn"),
      .external_id = take(said, "external_id"),
      .role_session_name = take(said, "role_session_name"),
  };
  struct place_options where = {
      .region = take(said, "region"),
      .endpoint = take(said, "endpoint"),
      .use_fips = take_choice(said, "use_fips"),
      .use_dual_stack = take_choice(said, "use_dual_stack"),
  };
  struct str duration = json_text(json_get(said, "role_duration_s"));
  uint64_t duration_s = 0;
  int rc = -1;

  if (duration.p != NULL && str_to_u64(duration, &duration_s) != 0)
    goto out;
  options.role_duration_s = (int64_t)duration_s;
  if (enter(json_get(test, "env")) == 0)
    rc = answer(json, &options, &where);
out:
  source_options_wipe(&options);
  place_options_clear(&where);
  return rc;
}

static int answer_line(struct json_out *json, struct str line) {
  struct err err = {""};
  struct buf text = BUF_INIT(LINE_MAX_BYTES);
  struct json *test = json_parse(line, &err);
  int rc = -1;

  if (test == NULL)
    goto out;
  json_begin(json, &text);
  json_open_object(json);
  rc = answer_case(json, test);
  json_close_object(json);
  if (json_end(json) != 0 || rc != 0 || puts(buf_str(&text)) < 0 ||
      fflush(stdout) != 0)
    rc = -1;
out:
  if (rc != 0)
    fprintf(stderr, "diff_chain: a case cannot be answered: %s\n", err.text);
  json_free(test);
  buf_clear(&text);
  return rc;
}

int main(void) {
  struct json_out *json = json_out_new();
  char *line = malloc(LINE_MAX_BYTES);
  int rc = json == NULL || line == NULL || http_global_init() != 0 ? -1 : 0;

  while (rc == 0 && fgets(line, LINE_MAX_BYTES, stdin) != NULL)
    rc = answer_line(json, str_of(line));
  free(line);
  json_out_free(json);
  return rc == 0 ? 0 : 1;
}
