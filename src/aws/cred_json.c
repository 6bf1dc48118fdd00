#include "aws/cred.h"

#include "aws/fault.h"
#include "base/buf.h"
#include "base/date.h"

#define SHOWN_MAX 240 /* characters of a foreign message in a sentence */

/* A member that is text or not there, which gives "". */
static int read_text(const struct json *object, const char *key,
                     const char *origin, struct str *out, struct err *err) {
  const struct json *value = json_get(object, key);
  enum json_kind kind = json_kind(value);
  *out = STR("");
  if (kind == JSON_NOTHING || kind == JSON_NULL)
    return 0;
  if (kind != JSON_STRING)
    return err_set(err, "%s: %s is not text", origin, key);
  *out = json_text(value);
  return 0;
}

/* ---- when they end ------------------------------------------------------- */

static int seconds_of_number(struct str digits, int64_t *out) {
  double seconds;
  if (str_to_double(digits, &seconds) != 0 || seconds < 0 ||
      seconds > (double)DATE_MAX)
    return -1;
  *out = (int64_t)seconds;
  return 0;
}

static int read_expiration(const struct json *object, enum cred_shape shape,
                           const char *origin, int64_t *out, struct err *err) {
  const struct json *value = json_get(object, "Expiration");
  enum json_kind kind = json_kind(value);
  *out = CRED_NEVER;
  if (kind == JSON_NOTHING || kind == JSON_NULL) {
    if (shape == CRED_OF_STS)
      return err_set(err, "%s: Expiration is missing", origin);
    return 0;
  }
  if (kind == JSON_STRING && date_parse_iso(json_text(value), out) == 0)
    return 0;
  if (kind == JSON_NUMBER && shape == CRED_OF_STS &&
      seconds_of_number(json_text(value), out) == 0)
    return 0;
  return err_set(err,
                 "%s: Expiration is no time from 1970 to 9999, such as "
                 "2030-12-31T23:59:59Z",
                 origin);
}

/* ---- what is no credentials ---------------------------------------------- */

static int check_version(const struct json *object, const char *origin,
                         struct err *err) {
  const struct json *value = json_get(object, "Version");
  double version;
  if (value == NULL)
    return err_set(err, "%s: Version is missing; it must be the number 1",
                   origin);
  if (json_kind(value) != JSON_NUMBER ||
      str_to_double(json_text(value), &version) != 0 || version < 1 ||
      version > 1)
    return err_set(err, "%s: Version is not the number 1, the only one known",
                   origin);
  return 0;
}

/* A metadata service says under status 200, too, that it has none. */
static int check_refusal(const struct json *object, const char *origin,
                         struct err *err) {
  struct str code = json_string(object, "Code", "code");
  struct str message = json_string(object, "Message", "message");
  bool has_code = code.len > 0 && !str_eq_nocase(code, STR("Success"));
  if (!has_code &&
      (message.len == 0 || json_get(object, "AccessKeyId") != NULL))
    return 0;

  char shown_code[64], shown[SHOWN_MAX + 1];
  struct buf code_line = BUF_OVER(shown_code), line = BUF_OVER(shown);
  fault_put_line(has_code ? code : STR("an error"), false, &code_line);
  fault_put_line(message, false, &line);
  return err_set(err, "%s: no credentials, but %s%s%s", origin,
                 buf_str(&code_line), line.len > 0 ? ": " : "", buf_str(&line));
}

static int check_shape(const struct json *object, enum cred_shape shape,
                       const char *origin, struct err *err) {
  if (json_kind(object) != JSON_OBJECT)
    return err_set(err, "%s: the document is no JSON object", origin);
  switch (shape) {
  case CRED_OF_PROCESS:
    return check_version(object, origin, err);
  case CRED_OF_CONTAINER:
  case CRED_OF_INSTANCE:
    return check_refusal(object, origin, err);
  case CRED_OF_STS:
    return 0;
  }
  return 0;
}

/* ---- all of it ----------------------------------------------------------- */

int cred_from_object(const struct json *object, enum cred_shape shape,
                     const char *origin, struct cred *out, struct err *err) {
  bool of_service = shape == CRED_OF_CONTAINER || shape == CRED_OF_INSTANCE;
  const char *token_key = of_service ? "Token" : "SessionToken";
  struct str id, secret, token;
  int64_t expires_s;

  *out = (struct cred){0};
  if (check_shape(object, shape, origin, err) != 0 ||
      read_text(object, "AccessKeyId", origin, &id, err) != 0 ||
      read_text(object, "SecretAccessKey", origin, &secret, err) != 0 ||
      read_text(object, token_key, origin, &token, err) != 0 ||
      read_expiration(object, shape, origin, &expires_s, err) != 0)
    return -1;
  if (shape == CRED_OF_STS && token.len == 0)
    return err_set(err, "%s: the session token is missing", origin);
  return cred_set(out, id, secret, token, expires_s, origin, err);
}

int cred_from_json(struct str text, enum cred_shape shape, const char *origin,
                   struct cred *out, struct err *err) {
  struct err why = {""};
  struct str trimmed = str_trim(text);

  *out = (struct cred){0};
  if (trimmed.len == 0)
    return err_set(err, "%s: the document is empty, not JSON", origin);
  if (trimmed.p[0] == '<')
    return err_set(err, "%s: the document is HTML or XML, not JSON", origin);
  struct json *document = json_parse(text, &why);
  if (document == NULL)
    return err_set(err, "%s: %s", origin, why.text);
  int rc = cred_from_object(document, shape, origin, out, err);
  json_free(document);
  return rc;
}
