/* The credentials endpoint of a container: ECS, EKS Pod Identity, Greengrass.
 */
#include "run/source_list.h"

#include "aws/container.h"
#include "aws/fault.h"
#include "base/str.h"
#include "run/file.h"

#define URL_MAX 8192
#define TOKEN_MAX 65536
#define SHOWN_MAX 240 /* characters of the endpoint's own words */

#define THE_ENDPOINT "the container's credentials endpoint"

/* The value of the Authorization header, if there is to be one: as it stands,
 * since nobody but the endpoint knows what belongs to it.
 *
 * held  what it may point into */
static int find_authorization(const struct env *env, struct buf *held,
                              struct str *out, struct err *err) {
  const char *path = env_get(env, ENV_CONTAINER_TOKEN_FILE);
  const char *by =
      env_str(path != NULL ? ENV_CONTAINER_TOKEN_FILE : ENV_CONTAINER_TOKEN);
  struct err why = {""};

  *out = str_of(env_get(env, ENV_CONTAINER_TOKEN));
  if (path != NULL) {
    switch (file_read(path, held, &why)) {
    case FILE_ABSENT:
      return err_set(err, "%s: there is no file %s", by, path);
    case FILE_FAILED:
      return err_set(err, "%s: %s", by, why.text);
    case FILE_FOUND:
      break;
    }
    *out = str_of_buf(held);
    if (out->len == 0)
      return err_set(err, "%s: %s is empty", by, path);
  }
  if (!str_is_field_value(*out))
    return err_set(err,
                   "%s%s%s: the token holds a line break or another control "
                   "character; write it without",
                   by, path != NULL ? ": " : "", path != NULL ? path : "");
  return 0;
}

/* An answer that brings no credentials. */
static int say_status(const struct http_answer *answer, struct str host,
                      struct err *err) {
  char shown_code[64], shown[SHOWN_MAX + 1];
  struct buf code = BUF_OVER(shown_code), line = BUF_OVER(shown);
  struct fault fault = {0};

  if (answer->status >= 300 && answer->status < 400)
    return err_set(err,
                   THE_ENDPOINT " at %.*s answered with a redirect (%d), which "
                                "is never followed",
                   (int)host.len, host.p, answer->status);
  fault_read(&fault, str_of_buf(&answer->body));
  fault_put_line(fault.code, false, &code);
  fault_put_message(&fault, &line);
  err_set(err, THE_ENDPOINT " at %.*s answered with status %d%s%s%s%s",
          (int)host.len, host.p, answer->status, code.len > 0 ? ", " : "",
          buf_str(&code), line.len > 0 ? ": " : "", buf_str(&line));
  fault_clear(&fault);
  return -1;
}

static int ask(struct source *source, const struct buf *url,
               struct str authorization, struct http_answer *answer,
               struct err *err) {
  const struct http_header headers[] = {{"Accept", STR("application/json")},
                                        {"Authorization", authorization}};
  const struct http_request request = {.method = "GET",
                                       .url = buf_str(url),
                                       .headers = headers,
                                       .n_headers =
                                           authorization.len > 0 ? 2 : 1};
  struct str host = http_host_of(request.url);

  http_send(source->session->nearby, &request, answer);
  if (answer->status == 0)
    return err_set(err, THE_ENDPOINT " does not answer: %s%s",
                   answer->error.text,
                   str_has_prefix(str_of(request.url), STR("https:"))
                       ? ""
                       : "; see that its agent runs, and that no network "
                         "policy forbids it");
  if (answer->status != 200)
    return say_status(answer, host, err);
  if (answer->is_cut)
    return err_set(err,
                   THE_ENDPOINT " at %.*s answered with more than %d bytes",
                   (int)host.len, host.p, HTTP_ANSWER_MAX);
  return 0;
}

enum source_found source_container(struct source *source, struct found *out,
                                   struct err *err) {
  const struct env *env = &source->session->env;
  const char *relative = env_get(env, ENV_CONTAINER_RELATIVE_URI);
  const char *full = env_get(env, ENV_CONTAINER_FULL_URI);
  struct buf url = BUF_INIT(URL_MAX), token = BUF_INIT(TOKEN_MAX);
  struct http_answer answer = HTTP_ANSWER_INIT;
  struct str authorization = {0};
  enum source_found found = SOURCE_FAILED;

  if (relative == NULL && full == NULL)
    return SOURCE_ABSENT;
  buf_reserve(&url, URL_MAX);
  if (container_url(&url, relative, full, err) != 0 ||
      find_authorization(env, &token, &authorization, err) != 0 ||
      ask(source, &url, authorization, &answer, err) != 0)
    goto out;

  struct str host = http_host_of(buf_str(&url));
  buf_printf(&out->origin, THE_ENDPOINT " at %.*s", (int)host.len, host.p);
  if (cred_from_json(str_of_buf(&answer.body), CRED_OF_CONTAINER,
                     buf_str(&out->origin), &out->cred, err) != 0)
    goto out;
  out->is_stable = true;
  found = SOURCE_FOUND;
out:
  if (found != SOURCE_FOUND)
    found_wipe(out);
  http_answer_clear(&answer);
  buf_wipe(&token);
  buf_wipe(&url); /* its query may hold a token */
  return found;
}
