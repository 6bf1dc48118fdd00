/* Roles: what AWS STS gives for other credentials, or for a web identity
 * token. */
#include "run/source_list.h"

#include "aws/remedy.h"
#include "aws/sts.h"
#include "base/str.h"
#include "run/clock.h"
#include "run/file.h"
#include "run/sign.h"

#include <string.h>
#include <unistd.h>

#define SERVICE "sts"

/* Session names, as STS takes them. */
#define SESSION_MARKS "_+=,.@-"
#define SESSION_PREFIX "write_cloudwatch-"
struct session_name {
  char text[64 + 1];
};

static const struct sigv4_header headers[] = {
    {"accept", {"application/json", sizeof("application/json") - 1}},
    {"content-type", {STS_CONTENT_TYPE, sizeof(STS_CONTENT_TYPE) - 1}}};
#define N_HEADERS (sizeof(headers) / sizeof(headers[0]))

/* Says in CloudTrail which host it was. */
static struct session_name make_name(void) {
  struct session_name name = {SESSION_PREFIX};
  char host[256] = "";
  size_t len = strlen(name.text);

  if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
    (void)memcpy(host, "host", sizeof("host"));
  for (const char *p = host; *p != '\0' && len < sizeof(name.text) - 1; p++)
    name.text[len++] =
        str_is_alnum(*p) || strchr(SESSION_MARKS, *p) != NULL ? *p : '-';
  return name;
}

/* ---- what STS answers --------------------------------------------------- */

/* What is asked for, and how a sentence about it begins. */
struct exchange {
  enum sts_action action;
  const char *role;
  struct err what;
};

static int say_refusal(const struct source *source,
                       const struct http_answer *answer,
                       const struct exchange *exchange, struct err *err) {
  const char *host = source->place->sts.authority;
  char array[REMEDY_MAX] = "";
  struct buf hint = BUF_OVER(array);
  struct sts_fault fault;

  sts_read_fault(str_of_buf(&answer->body), &fault);
  if (fault.code[0] == '\0')
    return err_set(err,
                   "%s: %s answered with status %d, but not in the way AWS "
                   "does (a proxy or a login page in between?)",
                   exchange->what.text, host, answer->status);
  sts_put_hint(&hint, &fault, exchange->action, exchange->role);
  return err_set(err, "%s: %s answered %s [request %s]%s%s%s%s",
                 exchange->what.text, host, fault.code,
                 answer->request_id.len > 0 ? buf_str(&answer->request_id)
                                            : "without id",
                 hint.len > 0 ? "; " : "", buf_str(&hint),
                 fault.message[0] != '\0' ? "; it says: " : "", fault.message);
}

/* Reads the credentials out of an answer. */
static int read_answer(struct source *source, const struct http_answer *answer,
                       const struct exchange *exchange, struct cred *out,
                       struct err *err) {
  const char *what = exchange->what.text;
  struct err why = {""};

  if (answer->status == 0)
    return err_set(err, "%s: %s", what, answer->error.text);
  if (answer->status != 200)
    return say_refusal(source, answer, exchange, err);
  if (answer->is_cut)
    return err_set(err, "%s: the answer of %s is longer than %d bytes", what,
                   source->place->sts.authority, HTTP_ANSWER_MAX);
  if (sts_read(str_of_buf(&answer->body), out, &why) != 0)
    return err_set(err, "%s: the answer of %s %s", what,
                   source->place->sts.authority, why.text);
  (void)source_learn_clock(source, SKEW_SUSPECTED, answer);
  return 0;
}

/* Whether the request was refused for our clock, and the answer has told the
 * right time. */
static bool is_corrected(struct source *source,
                         const struct http_answer *answer) {
  struct sts_fault fault;

  if (answer->status < 400 || answer->status >= 500)
    return false;
  sts_read_fault(str_of_buf(&answer->body), &fault);
  if (sts_is_skewed(fault.code))
    return source_learn_clock(source, SKEW_REFUSED, answer);
  /* STS speaks of an expired signature by the code of a wrong one, too. */
  return str_has_prefix(str_of(fault.code), STR("SignatureDoesNotMatch")) &&
         source_learn_clock(source, SKEW_SUSPECTED, answer);
}

static bool has_endpoint(const struct source *source, const char *what,
                         struct err *err) {
  if (source->place->sts.url != NULL)
    return true;
  err_set(err, "%s: %s", what, source->place->sts_error.text);
  return false;
}

/* ---- a role for credentials --------------------------------------------- */

static int ask_signed(struct source *source, const struct cred *cred,
                      const struct buf *body, struct http_answer *answer,
                      struct err *err) {
  struct http *http = source->session->aws;
  struct sign_request request = {.endpoint = &source->place->sts,
                                 .headers = headers,
                                 .n_headers = N_HEADERS,
                                 .body = str_of_buf(body),
                                 .cred = cred,
                                 .region = source->place->sts_region,
                                 .service = SERVICE,
                                 .now_s = source->now_s};

  if (sign_post(http, &request, answer, err) != 0)
    return -1;
  if (!is_corrected(source, answer))
    return 0;
  request.now_s = source->now_s;
  return sign_post(http, &request, answer, err);
}

/* What *io holds makes room for the role's. */
static void replace(struct found *io, struct cred *cred,
                    const struct role *role) {
  struct buf origin = BUF_INIT(SOURCE_ORIGIN_MAX);

  buf_printf(&origin, "role %s, assumed with %s", role->arn,
             buf_str(&io->origin));
  buf_move(&io->origin, &origin);
  cred_move(&io->cred, cred);
  io->is_stable = false;
}

int source_assume(struct source *source, const struct role *role,
                  struct found *io, struct err *err) {
  struct http_answer answer = HTTP_ANSWER_INIT;
  struct session_name name = make_name();
  struct buf body = BUF_INIT(STS_BODY_MAX);
  struct exchange exchange = {STS_ASSUME_ROLE, role->arn, {""}};
  const char *what = exchange.what.text;
  struct cred cred = {0};
  struct err why = {""};
  int rc = -1;

  (void)err_set(&exchange.what, "cannot assume role %.200s with %.200s",
                role->arn, buf_str(&io->origin));
  if (role_check(role, &why) != 0) {
    err_set(err, "%s", why.text);
    goto out;
  }
  if (!has_endpoint(source, what, err))
    goto out;
  sts_put_assume_role(&body, role, name.text);
  if (!buf_ok(&body))
    (void)err_set(&why, "no memory");
  else
    (void)ask_signed(source, &io->cred, &body, &answer, &why);
  if (why.text[0] != '\0') {
    err_set(err, "%s: %s", what, why.text);
    goto out;
  }
  if (read_answer(source, &answer, &exchange, &cred, err) != 0)
    goto out;
  replace(io, &cred, role);
  rc = 0;
out:
  if (rc != 0)
    found_wipe(io);
  cred_wipe(&cred);
  http_answer_clear(&answer);
  buf_clear(&body);
  return rc;
}

/* ---- a role for a web identity ------------------------------------------ */

/* Reads the token, which is replaced in its file from time to time.  The AWS
 * SDKs send a line break at its end, too, and STS refuses it; no token has
 * one. */
static int read_token(const char *path, struct buf *text, struct str *token,
                      struct err *err) {
  switch (file_read(path, text, err)) {
  case FILE_ABSENT:
    return err_set(err, "there is no file %s, which is to hold the token",
                   path);
  case FILE_FAILED:
    return -1;
  case FILE_FOUND:
    break;
  }
  *token = str_trim(str_of_buf(text));
  if (token->len == 0)
    return err_set(err, "%s is empty; it is to hold the token", path);
  if (!str_is_word(*token))
    return err_set(err,
                   "%s holds a line break, a blank or a control character "
                   "inside the token; write the token alone, on one line",
                   path);
  return 0;
}

static void ask_unsigned(const struct source *source, const struct buf *body,
                         struct http_answer *answer) {
  struct http_header list[N_HEADERS];
  const struct http_request request = {.method = "POST",
                                       .url = source->place->sts.url,
                                       .headers = list,
                                       .n_headers = N_HEADERS,
                                       .body = str_of_buf(body)};

  for (size_t i = 0; i < N_HEADERS; i++)
    list[i] = (struct http_header){headers[i].name, headers[i].value};
  http_send(source->session->aws, &request, answer);
}

enum source_found source_exchange(struct source *source,
                                  const struct role *role,
                                  const char *token_file, struct found *out,
                                  struct err *err) {
  struct http_answer answer = HTTP_ANSWER_INIT;
  struct session_name name = make_name();
  struct buf text = BUF_INIT(STS_TOKEN_MAX), body = BUF_INIT(STS_BODY_MAX);
  struct str token = {0};
  struct exchange exchange = {STS_WEB_IDENTITY, role->arn, {""}};
  const char *what = exchange.what.text;
  struct err why = {""};
  enum source_found found = SOURCE_FAILED;

  (void)err_set(&exchange.what,
                "cannot assume role %.200s with the token in %.200s", role->arn,
                token_file);
  if (role_check(role, &why) != 0 ||
      read_token(token_file, &text, &token, &why) != 0) {
    err_set(err, "web identity: %s", why.text);
    goto out;
  }
  if (!has_endpoint(source, what, err))
    goto out;
  sts_put_web_identity(&body, role, name.text, token);
  if (!buf_ok(&body)) {
    err_set(err, "%s: no memory", what);
    goto out;
  }
  ask_unsigned(source, &body, &answer);
  if (read_answer(source, &answer, &exchange, &out->cred, err) != 0)
    goto out;
  buf_printf(&out->origin, "role %s, assumed with the token in %s", role->arn,
             token_file);
  found = SOURCE_FOUND;
out:
  if (found != SOURCE_FOUND)
    found_wipe(out);
  http_answer_clear(&answer);
  buf_wipe(&body);
  buf_wipe(&text);
  return found;
}

enum source_found source_web_identity(struct source *source, struct found *out,
                                      struct err *err) {
  const struct env *env = &source->session->env;
  const char *token_file = env_get(env, ENV_WEB_IDENTITY_TOKEN_FILE);
  const struct role role = {.arn = env_get(env, ENV_ROLE_ARN),
                            .session_name =
                                env_get(env, ENV_ROLE_SESSION_NAME)};

  if (token_file == NULL)
    return SOURCE_ABSENT;
  if (role.arn == NULL) {
    err_set(err, "the environment holds %s, but no %s; set both or neither",
            env_str(ENV_WEB_IDENTITY_TOKEN_FILE), env_str(ENV_ROLE_ARN));
    return SOURCE_FAILED;
  }
  return source_exchange(source, &role, token_file, out, err);
}
