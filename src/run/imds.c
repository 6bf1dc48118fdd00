#include "run/imds.h"

#include "aws/endpoint.h"
#include "base/digest.h"
#include "base/str.h"
#include "run/clock.h"
#include "run/session.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN_PATH "/latest/api/token"
#define TOKEN_LIFE_S 21600 /* the longest that there is */
#define TOKEN_LIFE_TEXT "21600"
#define TOKEN_EARLY_S 120 /* renewed so long before its end */

#define THE_SERVICE "the instance metadata service"

/* Where the service is, by AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE; the first is
 * the default. */
static const struct {
  const char *mode, *url;
} modes[] = {
    {"IPv4", "http://169.254.169.254"},
    {"IPv6", "http://[fd00:ec2::254]"},
};

/* What an answer that cannot be used means. */
static const struct {
  int from, to; /* status */
  const char *why;
} meanings[] = {
    {300, 399, "a redirect, which is never followed"},
    {401, 401, "the token that it had just given was refused"},
    {403, 403,
     "metadata is switched off for this instance, or something in between "
     "forbids it; set HttpEndpoint=enabled with aws ec2 "
     "modify-instance-metadata-options"},
    {404, 405, "it knows no IMDSv2, and version 1 is never used"},
    {429, 429, "too many requests; it is asked again later"},
    {500, 599, "it is in trouble; it is asked again later"},
};

/* One item being asked for. */
struct talk {
  struct session *session;
  struct endpoint endpoint;
  struct http_answer answer;
};

void imds_wipe(struct imds *imds) {
  if (imds->token != NULL)
    digest_wipe(imds->token, strlen(imds->token));
  free(imds->token);
  *imds = (struct imds){0};
}

/* ---- where it is -------------------------------------------------------- */

/* A setting, and who gave it in *by. */
static const char *find_setting(struct session *session, enum env_name variable,
                                const char *key, const char **by) {
  const char *value = env_get(&session->env, variable);
  *by = value != NULL ? env_str(variable) : key;
  return value != NULL ? value : session_setting(session, variable, key);
}

static const char *find_url(struct session *session, const char **by,
                            struct err *err) {
  const char *url = find_setting(session, ENV_METADATA_ENDPOINT,
                                 "ec2_metadata_service_endpoint", by);
  if (url != NULL)
    return url;
  const char *mode = find_setting(session, ENV_METADATA_ENDPOINT_MODE,
                                  "ec2_metadata_service_endpoint_mode", by);
  if (mode == NULL)
    return modes[0].url;
  for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
    if (str_eq_nocase(str_trim(str_of(mode)), str_of(modes[i].mode)))
      return modes[i].url;
  err_set(err, "%s: \"%s\" is neither IPv4 nor IPv6", *by, mode);
  return NULL;
}

static int find_endpoint(struct session *session, struct endpoint *out,
                         struct err *err) {
  struct err why = {""};
  const char *by = NULL;
  const char *url = find_url(session, &by, err);
  if (url == NULL)
    return -1;
  if (endpoint_parse(out, str_of(url), &why) != 0)
    return err_set(err, "%s: %s", by, why.text);
  return 0;
}

/* ---- one request -------------------------------------------------------- */

/* 0 with an answer, whatever its status; or -1. */
static int ask(struct talk *talk, const char *method, const char *path,
               struct http_header header, struct err *err) {
  struct buf url = BUF_INIT(8192);
  struct http_request request = {
      .method = method, .headers = &header, .n_headers = 1};
  int rc = -1;

  buf_puts(&url, talk->endpoint.url);
  if (str_has_suffix(str_of(buf_str(&url)), STR("/")))
    buf_cut(&url, url.len - 1);
  buf_puts(&url, path);
  if (!buf_ok(&url)) {
    err_set(err, THE_SERVICE "'s URL is too long, or there is no memory");
    goto out;
  }
  request.url = buf_str(&url);
  http_send(talk->session->nearby, &request, &talk->answer);
  if (talk->answer.status == 0)
    err_set(err, THE_SERVICE " does not answer: %s", talk->answer.error.text);
  else if (talk->answer.is_cut)
    err_set(err, THE_SERVICE " at %s answered %s %s with more than %d bytes",
            talk->endpoint.authority, method, path, IMDS_ANSWER_MAX);
  else
    rc = 0;
out:
  buf_clear(&url);
  return rc;
}

static int say_status(const struct talk *talk, const char *method,
                      const char *path, struct err *err) {
  int status = talk->answer.status;
  const char *why = "which is not what it should say";

  for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
    if (status >= meanings[i].from && status <= meanings[i].to)
      why = meanings[i].why;
  return err_set(err, THE_SERVICE " at %s answered %s %s with status %d: %s",
                 talk->endpoint.authority, method, path, status, why);
}

/* ---- the token ---------------------------------------------------------- */

static bool has_token(const struct imds *imds) {
  return imds->token != NULL && clock_steady_ms() < imds->until_ms;
}

static int fetch_token(struct talk *talk, struct err *err) {
  static const struct http_header life = {
      "x-aws-ec2-metadata-token-ttl-seconds", {TOKEN_LIFE_TEXT, 5}};
  struct imds *imds = &talk->session->imds;
  int64_t asked_ms = clock_steady_ms();
  struct err why = {""};

  imds_wipe(imds);
  if (ask(talk, "PUT", TOKEN_PATH, life, &why) != 0) {
    /* The packets of this one answer, and of no other, may go no further than
     * the instance's hop limit says. */
    return err_set(err, "%s%s", why.text,
                   talk->answer.is_silent
                       ? "; in a container that is mostly the instance's hop "
                         "limit of 1: set HttpPutResponseHopLimit to 2"
                       : "");
  }
  if (talk->answer.status != 200)
    return say_status(talk, "PUT", TOKEN_PATH, err);

  struct str token = str_of_buf(&talk->answer.body);
  if (token.len == 0 || !str_is_word(token))
    return err_set(err,
                   THE_SERVICE " at %s gave a token that cannot be one: %s",
                   talk->endpoint.authority,
                   token.len == 0 ? "an empty one"
                                  : "it holds a line break, a blank or a "
                                    "control character");
  imds->token = str_dup(token);
  imds->until_ms =
      asked_ms + (int64_t)(TOKEN_LIFE_S - TOKEN_EARLY_S) * INT64_C(1000);
  return imds->token != NULL ? 0 : err_set(err, "no memory");
}

/* ---- the item ----------------------------------------------------------- */

static enum imds_found get(struct talk *talk, const char *path,
                           struct err *err) {
  struct imds *imds = &talk->session->imds;

  /* A token may have ended before its time: the instance was stopped, or the
   * service restarted. */
  for (int i = 0; i < 2; i++) {
    if (!has_token(imds) && fetch_token(talk, err) != 0)
      return IMDS_FAILED;
    struct http_header header = {"x-aws-ec2-metadata-token",
                                 str_of(imds->token)};
    if (ask(talk, "GET", path, header, err) != 0)
      return IMDS_FAILED;
    if (talk->answer.status != 401)
      break;
    imds_wipe(imds);
  }
  if (talk->answer.status == 200)
    return IMDS_FOUND;
  if (talk->answer.status == 404)
    return IMDS_ABSENT;
  (void)say_status(talk, "GET", path, err);
  return IMDS_FAILED;
}

static bool is_off(const struct session *session) {
  struct str value = str_of(env_get(&session->env, ENV_METADATA_DISABLED));
  return str_eq_nocase(str_trim(value), STR("true"));
}

enum imds_found imds_get(struct session *session, const char *path,
                         struct buf *out, struct err *err) {
  struct talk talk = {.session = session, .answer = HTTP_ANSWER_INIT};
  enum imds_found found = IMDS_FAILED;

  buf_wipe(out);
  if (is_off(session)) {
    err_set(err, THE_SERVICE " is switched off (%s)",
            env_str(ENV_METADATA_DISABLED));
    return IMDS_OFF;
  }
  if (find_endpoint(session, &talk.endpoint, err) != 0)
    goto out;
  found = get(&talk, path, err);
  if (found == IMDS_FOUND)
    buf_move(out, &talk.answer.body); /* with its memory: no copy is left */
out:
  http_answer_clear(&talk.answer);
  endpoint_clear(&talk.endpoint);
  return found;
}
