/* An answer, as XML, and as JSON with the same names:
 *
 *   <AssumeRoleResponse xmlns=...>
 *     <AssumeRoleResult>
 *       <Credentials>
 *         <AccessKeyId> <SecretAccessKey> <SessionToken>  <Expiration>
 *
 * An error, as XML and JSON:
 *
 *   <ErrorResponse><Error><Type> <Code> <Message>
 *   {"Error": {"Code": ..., "Message": ..., "Type": ...}}
 *   {"__type": "PREFIX#CODE", "message": ...} */
#include "aws/sts.h"

#include "aws/fault.h"
#include "aws/remedy.h"
#include "aws/xml.h"
#include "base/date.h"
#include "base/json.h"

#include <stddef.h>
#include <string.h>

/* ---- requests ------------------------------------------------------------ */

static void put_field(struct buf *out, const char *name, struct str value) {
  buf_printf(out, "&%s=", name);
  str_put_percent(out, value);
}

static void put_role(struct buf *out, const struct role *role,
                     const char *session_name) {
  if (role->session_name != NULL)
    session_name = role->session_name;
  put_field(out, "RoleArn", str_of(role->arn));
  put_field(out, "RoleSessionName", str_of(session_name));
  if (role->duration_s != 0)
    buf_printf(out, "&DurationSeconds=%lld", (long long)role->duration_s);
}

void sts_put_assume_role(struct buf *out, const struct role *role,
                         const char *session_name) {
  buf_puts(out, "Action=AssumeRole&Version=2011-06-15");
  put_role(out, role, session_name);
  if (role->external_id != NULL)
    put_field(out, "ExternalId", str_of(role->external_id));
}

void sts_put_web_identity(struct buf *out, const struct role *role,
                          const char *session_name, struct str token) {
  buf_reserve(out, STS_BODY_MAX);
  buf_puts(out, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
  put_role(out, role, session_name);
  put_field(out, "WebIdentityToken", token);
}

/* ---- answers ------------------------------------------------------------- */

#define ORIGIN "holds no credentials that can be used"

static const struct nesting {
  const char *response, *result;
} nestings[] = {
    {"AssumeRoleResponse", "AssumeRoleResult"},
    {"AssumeRoleWithWebIdentityResponse", "AssumeRoleWithWebIdentityResult"},
};
#define N_NESTINGS (sizeof(nestings) / sizeof(nestings[0]))

static int read_json(struct str body, struct cred *out, struct err *err) {
  struct err why = {""};
  struct json *document = json_parse(body, &why);
  const struct json *found = NULL;
  int rc = -1;

  if (document == NULL) {
    err_set(err, "is %s", why.text);
    goto out;
  }
  for (size_t i = 0; i < N_NESTINGS && found == NULL; i++)
    found = json_get(
        json_get(json_get(document, nestings[i].response), nestings[i].result),
        "Credentials");
  if (json_kind(found) != JSON_OBJECT) {
    err_set(err, "is no answer of STS: its JSON has no "
                 "AssumeRoleResult with Credentials");
    goto out;
  }
  rc = cred_from_object(found, CRED_OF_STS, ORIGIN, out, err);
out:
  json_free(document);
  return rc;
}

/* A value of XML, without what stands around it for the eye. */
static void take_text(struct buf *out, struct str parent, const char *name) {
  struct str text = str_trim(xml_element(parent, name));
  *out = (struct buf)BUF_INIT(text.len);
  buf_reserve(out, text.len);
  xml_put(out, text);
}

static int set_from_xml(struct str parent, int64_t expires_s, struct cred *out,
                        struct err *err) {
  struct buf id, secret, token;
  int rc = -1;

  take_text(&id, parent, "AccessKeyId");
  take_text(&secret, parent, "SecretAccessKey");
  take_text(&token, parent, "SessionToken");
  if (!buf_ok(&id) || !buf_ok(&secret) || !buf_ok(&token))
    err_set(err, ORIGIN ": a value holds a character beyond ASCII, or memory "
                        "ran out");
  else if (token.len == 0)
    err_set(err, ORIGIN ": the session token is missing");
  else
    rc = cred_set(out, str_of_buf(&id), str_of_buf(&secret), str_of_buf(&token),
                  expires_s, ORIGIN, err);
  buf_wipe(&id);
  buf_wipe(&secret);
  buf_wipe(&token);
  return rc;
}

static int read_xml(struct str body, struct cred *out, struct err *err) {
  struct str root = xml_root(body), found = STR("");
  int64_t expires_s = 0;

  for (size_t i = 0; i < N_NESTINGS; i++)
    if (str_eq(root, str_of(nestings[i].response)))
      found = xml_element(xml_element(body, nestings[i].result), "Credentials");
  if (found.len == 0)
    return err_set(err, "is no answer of STS: it is HTML, or XML that has no "
                        "AssumeRoleResult with Credentials");
  struct str end = str_trim(xml_element(found, "Expiration"));
  if (end.len == 0)
    return err_set(err, ORIGIN ": Expiration is missing");
  if (date_parse_iso(end, &expires_s) != 0)
    return err_set(err, ORIGIN ": Expiration is no time from 1970 to 9999");
  return set_from_xml(found, expires_s, out, err);
}

int sts_read(struct str body, struct cred *out, struct err *err) {
  *out = (struct cred){0};
  body = str_trim(body);
  if (body.len == 0)
    return err_set(err, "is no answer of STS: it is empty");
  if (body.p[0] == '{')
    return read_json(body, out, err);
  if (body.p[0] == '<')
    return read_xml(body, out, err);
  return err_set(err, "is no answer of STS: it is neither JSON nor XML");
}

/* ---- errors -------------------------------------------------------------- */

void sts_read_fault(struct str body, struct sts_fault *out) {
  struct fault fault;
  struct buf code = BUF_OVER(out->code), message = BUF_OVER(out->message);

  *out = (struct sts_fault){"", ""};
  fault_read(&fault, body);
  const struct json *nested = json_get(fault.document, "Error");
  if (json_kind(nested) == JSON_OBJECT) {
    fault.code = fault_bare_type(json_string(nested, "Code", NULL));
    fault.message = json_string(nested, "Message", NULL);
  }
  fault_put_line(fault.code, fault.is_xml, &code);
  fault_put_message(&fault, &message);
  fault_clear(&fault);
}

/* Without "Exception" at the end, which one family of names has. */
static const struct row {
  const char *code;
  const char *hint; /* NULL: it is made of the message */
} rows[] = {
    {"AccessDenied", NULL},
    {"ExpiredToken",
     "what the role is asked with has ended: check that it is renewed"},
    {"InvalidIdentityToken",
     "check that the token's issuer is an identity provider of the account "
     "and that its audience is known there"},
    {"IDPCommunicationError",
     "AWS could not reach the identity provider; it is asked again"},
    {"IDPRejectedClaim",
     "the identity provider does not accept the token: check that it is "
     "renewed"},
    {"RegionDisabled",
     "activate STS for this Region in the account settings of IAM, or choose "
     "another Region"},
    {"MalformedPolicyDocument",
     "check the policies of the role and of its sessions"},
    {"PackedPolicyTooLarge",
     "the session tags that come with the identity are too large"},
    {"ValidationError",
     "check the role's ARN, session name, external id and duration; a role "
     "assumed by way of another lasts 3600 seconds at most"},
    {"InvalidClientTokenId", REMEDY_KEY},
    {"UnrecognizedClient", REMEDY_KEY},
    {"MissingAuthenticationToken",
     "check that no proxy on the way changes headers"},
    {"SignatureDoesNotMatch", REMEDY_SECRET},
    {"InvalidSignature", REMEDY_SECRET},
    {"OptInRequired", REMEDY_ACCOUNT},
    {"Throttling", "it is asked again, later"},
    {"InternalFailure", "it is asked again; if it lasts, see AWS Health"},
    {"ServiceUnavailable", "it is asked again; if it lasts, see AWS Health"},
};

static struct str without_exception(struct str code) {
  struct str end = STR("Exception");
  if (str_has_suffix(code, end))
    code.len -= end.len;
  return code;
}

/* NULL: there is none. */
static const struct row *find_row(const char *code) {
  struct str bare = without_exception(str_of(code));
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (str_eq(bare, str_of(rows[i].code)))
      return &rows[i];
  return NULL;
}

static void put_denied(struct buf *out, struct str message,
                       enum sts_action action, const char *role) {
  static const struct remedy_asked asked[] = {
      [STS_ASSUME_ROLE] = {"sts:AssumeRole", NULL,
                           "a policy of the identity that asks, and to that "
                           "identity and its external id in the trust policy "
                           "of the role",
                           ""},
      [STS_WEB_IDENTITY] = {"sts:AssumeRoleWithWebIdentity", NULL,
                            "the trust policy of the role",
                            ", to the issuer, audience and subject of the "
                            "token"},
  };
  struct remedy_asked of_role = asked[action];

  of_role.resource = role;
  remedy_put_denied(out, message, &of_role);
}

void sts_put_hint(struct buf *out, const struct sts_fault *fault,
                  enum sts_action action, const char *role) {
  struct str message = str_of(fault->message);
  const struct row *row = find_row(fault->code);
  const char *told = remedy_of_message(message);

  if (sts_is_skewed(fault->code))
    buf_puts(out, REMEDY_CLOCK);
  else if (row != NULL && row->hint == NULL)
    put_denied(out, message, action, role);
  else if (told != NULL || row != NULL)
    buf_puts(out, told != NULL ? told : row->hint);
}

bool sts_is_skewed(const char *code) {
  static const char *const skewed[] = {"RequestExpired", "RequestTimeTooSkewed",
                                       "RequestInTheFuture"};
  struct str bare = without_exception(str_of(code));
  for (size_t i = 0; i < sizeof(skewed) / sizeof(skewed[0]); i++)
    if (str_eq(bare, str_of(skewed[i])))
      return true;
  return false;
}
