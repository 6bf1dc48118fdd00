#include "aws/sts.h"

#include "aws/remedy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define ARN "arn:aws:iam::123456789012:role/demo"
#define ARN_SENT "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdemo"

/* ---- requests ------------------------------------------------------------ */

static const struct {
  const char *label;
  struct role role;
  const char *want; /* after action and version */
} requests[] = {
    {"a role alone",
     {.arn = ARN},
     "&RoleArn=" ARN_SENT "&RoleSessionName=collectd"},
    {"a session name of its own",
     {.arn = ARN, .session_name = "me@a=b,c+d"},
     "&RoleArn=" ARN_SENT "&RoleSessionName=me%40a%3Db%2Cc%2Bd"},
    {"a duration",
     {.arn = ARN, .duration_s = 43200},
     "&RoleArn=" ARN_SENT "&RoleSessionName=collectd&DurationSeconds=43200"},
};

static void asks_for_a_role(void **state) {
  (void)state;
  for (size_t i = 0; i < N(requests); i++) {
    struct buf body = BUF_INIT(10000);
    struct buf want = BUF_INIT(10000);
    sts_put_assume_role(&body, &requests[i].role, "collectd");
    buf_printf(&want, "Action=AssumeRole&Version=2011-06-15%s",
               requests[i].want);
    if (strcmp(buf_str(&body), buf_str(&want)) != 0)
      fail_msg("%s: %s", requests[i].label, buf_str(&body));
    buf_clear(&body);
    buf_clear(&want);
  }
}

static void sends_the_external_id(void **state) {
  (void)state;
  struct role role = {.arn = ARN, .external_id = "a+b/c&d"};
  struct buf body = BUF_INIT(1000);
  sts_put_assume_role(&body, &role, "s");
  assert_string_equal(buf_str(&body),
                      "Action=AssumeRole&Version=2011-06-15&RoleArn=" ARN_SENT
                      "&RoleSessionName=s&ExternalId=a%2Bb%2Fc%26d");
  buf_clear(&body);
}

static void asks_with_a_token(void **state) {
  (void)state;
  struct role role = {.arn = ARN, .external_id = "not", .duration_s = 900};
  struct buf body = BUF_INIT(STS_BODY_MAX);
  sts_put_web_identity(&body, &role, "s", STR("ey.J+/=_-\n"));
  assert_string_equal(
      buf_str(&body),
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" ARN_SENT
      "&RoleSessionName=s&DurationSeconds=900"
      "&WebIdentityToken=ey.J%2B%2F%3D_-%0A");
  /* All its room from the start: growing would leave copies of the token. */
  assert_int_equal(body.cap, STS_BODY_MAX + 1);
  buf_clear(&body);
}

static void holds_the_longest_token(void **state) {
  (void)state;
  char *arn = malloc(2049), *token = malloc(STS_TOKEN_MAX);
  assert_non_null(arn);
  assert_non_null(token);
  memset(arn, '/', 2048);
  arn[2048] = '\0';
  memset(token, '=', STS_TOKEN_MAX);

  struct role role = {
      .arn = arn,
      .session_name =
          "================================================================"};
  struct buf body = BUF_INIT(STS_BODY_MAX);
  sts_put_web_identity(&body, &role, "s", (struct str){token, STS_TOKEN_MAX});
  assert_true(buf_ok(&body));
  assert_true(body.len > (size_t)3 * (STS_TOKEN_MAX + 2048));
  buf_wipe(&body);
  free(arn);
  free(token);
}

/* ---- answers ------------------------------------------------------------- */

#define XML_KEYS                                                               \
  "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s/+</SecretAccessKey>"
#define XML_END "<Expiration>2030-03-17T17:46:40Z</Expiration>"
#define XML(inside)                                                            \
  "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"   \
  "<AssumeRoleResult><AssumedRoleUser><Arn>a</Arn></AssumedRoleUser>"          \
  "<Credentials>" inside "</Credentials></AssumeRoleResult>"                   \
  "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"              \
  "</AssumeRoleResponse>"
#define JSON_KEYS "\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"s/+\","
#define JSON(inside)                                                           \
  "{\"AssumeRoleResponse\":{\"AssumeRoleResult\":{\"AssumedRoleUser\":{},"     \
  "\"Credentials\":{" inside "}},\"ResponseMetadata\":{\"RequestId\":\"r\"}}}"

static const struct {
  const char *label;
  const char *body;
  const char *token;
} answers[] = {
    {"XML", XML(XML_KEYS "<SessionToken>t==</SessionToken>" XML_END), "t=="},
    {"XML for the eye",
     "<?xml version=\"1.0\"?>\n" XML(
         "\n  <SessionToken>\n  t==\n </SessionToken>" XML_KEYS
         "<Expiration> 2030-03-17T17:46:40.123Z </Expiration>\n"),
     "t=="},
    {"XML with entities",
     XML(XML_KEYS "<SessionToken>a&amp;b&#43;c&#x3d;</SessionToken>" XML_END),
     "a&b+c="},
    {"XML of a web identity",
     "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>"
     "<Audience>a</Audience><Credentials>" XML_KEYS
     "<SessionToken>t</SessionToken>" XML_END
     "</Credentials></AssumeRoleWithWebIdentityResult>"
     "</AssumeRoleWithWebIdentityResponse>",
     "t"},
    {"JSON, seconds with an exponent",
     JSON(JSON_KEYS "\"SessionToken\":\"t\",\"Expiration\":1.9E9"), "t"},
    {"JSON, seconds",
     " \n" JSON(JSON_KEYS "\"SessionToken\":\"t\",\"Expiration\":1900000000"),
     "t"},
    {"JSON, ISO 8601",
     JSON(JSON_KEYS "\"SessionToken\":\"t\",\"Expiration\":"
                    "\"2030-03-17T17:46:40Z\""),
     "t"},
    {"JSON of a web identity",
     "{\"AssumeRoleWithWebIdentityResponse\":{"
     "\"AssumeRoleWithWebIdentityResult\":{\"Credentials\":{" JSON_KEYS
     "\"SessionToken\":\"t\",\"Expiration\":1900000000}}}}",
     "t"},
};

static void reads_answers(void **state) {
  (void)state;
  for (size_t i = 0; i < N(answers); i++) {
    struct cred cred;
    struct err err = {""};
    if (sts_read(str_of(answers[i].body), &cred, &err) != 0)
      fail_msg("%s: %s", answers[i].label, err.text);
    assert_string_equal(cred.access_key_id, "ASIA");
    assert_string_equal(cred.secret_access_key, "s/+");
    if (strcmp(cred.session_token, answers[i].token) != 0)
      fail_msg("%s: %s", answers[i].label, cred.session_token);
    if (cred.expires_s != INT64_C(1900000000))
      fail_msg("%s: %lld", answers[i].label, (long long)cred.expires_s);
    cred_wipe(&cred);
  }
}

#define XML_TOKEN "<SessionToken>PRIVATE</SessionToken>"

static const struct {
  const char *label;
  struct str body;
  const char *words;
} no_answers[] = {
    {"nothing", STR(""), "is no answer of STS: it is empty"},
    {"blanks", STR(" \n"), "it is empty"},
    {"text", STR("PRIVATE"), "neither JSON nor XML"},
    {"HTML", STR("<!DOCTYPE html><html><body>PRIVATE</body></html>"),
     "it is HTML, or XML"},
    {"an error under 200", STR("<ErrorResponse><Error/></ErrorResponse>"),
     "it is HTML, or XML"},
    {"another action's XML",
     STR("<GetSessionTokenResponse><GetSessionTokenResult><"
         "Credentials>" XML_KEYS XML_TOKEN XML_END
         "</Credentials></GetSessionTokenResult>"
         "</GetSessionTokenResponse>"),
     "has no AssumeRoleResult"},
    {"XML without credentials",
     STR("<AssumeRoleResponse><AssumeRoleResult></AssumeRoleResult>"
         "</AssumeRoleResponse>"),
     "with Credentials"},
    {"XML cut off",
     STR("<AssumeRoleResponse><AssumeRoleResult><Credentials>" XML_KEYS
             XML_TOKEN XML_END),
     "with Credentials"},
    {"XML without a key id",
     STR(XML("<SecretAccessKey>s</SecretAccessKey>" XML_TOKEN XML_END)),
     "access key id is missing"},
    {"XML without a secret",
     STR(XML("<AccessKeyId>A</AccessKeyId>" XML_TOKEN XML_END)),
     "secret access key is missing"},
    {"XML without a token", STR(XML(XML_KEYS XML_END)),
     "session token is missing"},
    {"XML without an end", STR(XML(XML_KEYS XML_TOKEN)),
     "Expiration is missing"},
    {"XML with a bad end",
     STR(XML(XML_KEYS XML_TOKEN "<Expiration>1900000000</Expiration>")),
     "Expiration is no time"},
    {"a line break in the token",
     STR(XML(XML_KEYS "<SessionToken>PRIVATE\nx</SessionToken>" XML_END)),
     "session token holds a line break"},
    {"a line break as an entity",
     STR(XML(XML_KEYS "<SessionToken>PRIVATE&#10;x</SessionToken>" XML_END)),
     "session token holds a line break"},
    {"a letter as an entity",
     STR(XML(XML_KEYS "<SessionToken>PRIVATE&#233;</SessionToken>" XML_END)),
     "beyond ASCII"},
    {"JSON cut off", STR("{\"AssumeRoleResponse\":{\"PRIVATE"),
     "is not readable as JSON"},
    {"JSON of something else", STR("{\"PRIVATE\":1}"),
     "has no AssumeRoleResult"},
    {"JSON with a list",
     STR("{\"AssumeRoleResponse\":{\"AssumeRoleResult\":{\"Credentials\":[]}}"
         "}"),
     "with Credentials"},
    {"JSON without a token", STR(JSON(JSON_KEYS "\"Expiration\":1")),
     "session token is missing"},
    {"JSON without an end", STR(JSON(JSON_KEYS "\"SessionToken\":\"PRIVATE\"")),
     "Expiration is missing"},
    {"JSON with a huge end",
     STR(JSON(JSON_KEYS "\"SessionToken\":\"PRIVATE\",\"Expiration\":1e99")),
     "Expiration is no time"},
    {"JSON with a number for a token",
     STR(JSON(JSON_KEYS "\"SessionToken\":1,\"Expiration\":1")),
     "SessionToken is not text"},
};

static void says_why_it_is_no_answer(void **state) {
  (void)state;
  static const struct cred empty = {0};
  for (size_t i = 0; i < N(no_answers); i++) {
    struct cred cred;
    struct err err = {""};
    if (sts_read(no_answers[i].body, &cred, &err) != -1)
      fail_msg("%s: was taken", no_answers[i].label);
    if (memcmp(&cred, &empty, sizeof(cred)) != 0)
      fail_msg("%s: not empty", no_answers[i].label);
    if (strstr(err.text, no_answers[i].words) == NULL ||
        (strncmp(err.text, "is ", 3) != 0 &&
         strncmp(err.text, "holds ", 6) != 0))
      fail_msg("%s: %s", no_answers[i].label, err.text);
    if (strstr(err.text, "PRIV") != NULL || strstr(err.text, "ASIA") != NULL)
      fail_msg("%s: told: %s", no_answers[i].label, err.text);
  }
}

/* Each beginning of an answer is refused: none is half an answer. */
static void refuses_each_beginning(void **state) {
  (void)state;
  static const char *const whole[] = {
      XML(XML_KEYS XML_TOKEN XML_END),
      JSON(JSON_KEYS "\"SessionToken\":\"PRIVATE\",\"Expiration\":1.9E9")};
  for (size_t i = 0; i < N(whole); i++) {
    /* Of XML, what follows the result says nothing. */
    const char *last = strstr(whole[i], "</AssumeRoleResult>");
    size_t len = last != NULL
                     ? (size_t)(last - whole[i]) + strlen("</AssumeRoleResult")
                     : strlen(whole[i]) - 1;
    for (; len > 0; len--) {
      struct cred cred;
      struct err err = {""};
      if (sts_read((struct str){whole[i], len}, &cred, &err) != -1)
        fail_msg("%zu bytes of %zu", len, i);
      assert_null(strstr(err.text, "PRIV"));
    }
  }
}

/* ---- errors -------------------------------------------------------------- */

#define TEXT_40 "0123456789 123456789 123456789 123456789"
#define TEXT_160 TEXT_40 TEXT_40 TEXT_40 TEXT_40

static const struct {
  const char *label;
  const char *body;
  const char *code, *message;
} faults[] = {
    {"XML",
     "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
     "  <Error>\n    <Type>Sender</Type>\n    <Code>AccessDenied</Code>\n"
     "    <Message>User: a is not\n authorized &amp; so on</Message>\n"
     "  </Error>\n  <RequestId>r</RequestId>\n</ErrorResponse>\n",
     "AccessDenied", "User: a is not authorized & so on"},
    {"JSON as STS nests it",
     "{\"Error\":{\"Code\":\"ExpiredTokenException\",\"Message\":\"gone\","
     "\"Type\":\"Sender\"},\"RequestId\":\"r\"}",
     "ExpiredTokenException", "gone"},
    {"JSON as other services have it",
     "{\"__type\":\"com.amazonaws#ThrottlingException:u\","
     "\"message\":\"Rate exceeded\"}",
     "ThrottlingException", "Rate exceeded"},
    {"a capital message", "{\"__type\":\"X\",\"Message\":\"m\"}", "X", "m"},
    {"no message", "{\"Error\":{\"Code\":\"X\"}}", "X", ""},
    {"no code", "{\"Error\":{\"Message\":\"m\"}}", "", "m"},
    {"a code that is none", "{\"Error\":{\"Code\":5,\"Message\":[]}}", "", ""},
    {"an error in words", "{\"Error\":\"x\",\"code\":\"Y\"}", "Y", ""},
    {"HTML", "<html><Code>x</Code></html>", "", ""},
    {"text", "Forbidden", "", ""},
    {"nothing", "", "", ""},
    {"JSON cut off", "{\"Error\":{\"Code\":\"X\"", "", ""},
    {"letters that no log takes",
     "{\"Error\":{\"Code\":\"X\\u0007\",\"Message\":\"\\u001b[1m\\u00e9\"}}",
     "X?", "?[1m??"},
    {"a long code", "{\"Error\":{\"Code\":\"" TEXT_160 "\",\"Message\":\"m\"}}",
     TEXT_40 TEXT_40 TEXT_40 "0123456", "m"},
};

static void reads_faults(void **state) {
  (void)state;
  for (size_t i = 0; i < N(faults); i++) {
    struct sts_fault fault;
    sts_read_fault(str_of(faults[i].body), &fault);
    if (strcmp(fault.code, faults[i].code) != 0 ||
        strcmp(fault.message, faults[i].message) != 0)
      fail_msg("%s: %s, %s", faults[i].label, fault.code, fault.message);
  }
}

static void cuts_a_long_message(void **state) {
  (void)state;
  struct sts_fault fault;
  sts_read_fault(
      STR("<ErrorResponse><Message>x" TEXT_160 TEXT_160 TEXT_160 TEXT_160
          "</Message></ErrorResponse>"),
      &fault);
  assert_int_equal(strlen(fault.message), sizeof(fault.message) - 1);
}

static const struct {
  const char *code;
  bool skewed;
  const char *words; /* of the hint */
} codes[] = {
    {"AccessDenied", false, "trust policy"},
    {"AccessDeniedException", false, "sts:AssumeRole"},
    {"ExpiredToken", false, "renewed"},
    {"ExpiredTokenException", false, "renewed"},
    {"InvalidIdentityToken", false, "issuer"},
    {"IDPCommunicationError", false, "asked again"},
    {"IDPRejectedClaim", false, "does not accept"},
    {"RegionDisabledException", false, "account settings"},
    {"MalformedPolicyDocument", false, "policies"},
    {"PackedPolicyTooLarge", false, "session tags"},
    {"ValidationError", false, "3600 seconds"},
    {"InvalidClientTokenId", false, "opt-in"},
    {"UnrecognizedClientException", false, "opt-in"},
    {"MissingAuthenticationToken", false, "proxy"},
    {"SignatureDoesNotMatch", false, "secret access key"},
    {"InvalidSignatureException", false, "secret access key"},
    {"OptInRequired", false, "account is active"},
    {"Throttling", false, "asked again"},
    {"InternalFailure", false, "AWS Health"},
    {"ServiceUnavailable", false, "AWS Health"},
    {"RequestExpired", true, "clock"},
    {"RequestTimeTooSkewed", true, "clock"},
    {"RequestTimeTooSkewedException", true, "clock"},
    {"RequestInTheFuture", true, "clock"},
};

#define ROLE "arn:aws:iam::111122223333:role/r"

/* The hint in an array of the caller's. */
static const char *hint_of(const struct sts_fault *fault,
                           enum sts_action action, char array[REMEDY_MAX]) {
  struct buf out = {.data = array,
                    .cap = REMEDY_MAX,
                    .limit = REMEDY_MAX - 1,
                    .borrowed = true};
  array[0] = '\0';
  sts_put_hint(&out, fault, action, ROLE);
  return array;
}

static void says_what_to_do(void **state) {
  (void)state;
  static const char *const unknown[] = {"", "Exception", "AccessDenie",
                                        "accessdenied", "Unknown"};
  char array[REMEDY_MAX];

  for (size_t i = 0; i < N(codes); i++) {
    struct sts_fault fault = {"", ""};
    (void)snprintf(fault.code, sizeof(fault.code), "%s", codes[i].code);
    const char *hint = hint_of(&fault, STS_ASSUME_ROLE, array);
    if (strstr(hint, codes[i].words) == NULL || hint[strlen(hint) - 1] == '.')
      fail_msg("%s: %s", codes[i].code, hint);
    if (sts_is_skewed(codes[i].code) != codes[i].skewed)
      fail_msg("%s: skewed", codes[i].code);
  }
  for (size_t i = 0; i < N(unknown); i++) {
    struct sts_fault fault = {"", ""};
    (void)snprintf(fault.code, sizeof(fault.code), "%s", unknown[i]);
    assert_string_equal(hint_of(&fault, STS_ASSUME_ROLE, array), "");
    assert_false(sts_is_skewed(unknown[i]));
  }
}

static const struct {
  struct sts_fault fault;
  enum sts_action action;
  const char *words;
} told[] = {
    {{"AccessDenied", ""},
     STS_ASSUME_ROLE,
     "allow sts:AssumeRole on resource " ROLE " in a policy of the identity "
     "that asks, and to that identity and its external id in the trust policy"},
    {{"AccessDenied", "User: x is not authorized to perform: sts:AssumeRole on "
                      "resource: arn:other because no identity-based policy "
                      "allows the sts:AssumeRole action"},
     STS_ASSUME_ROLE,
     "allow sts:AssumeRole on resource arn:other in a policy of this identity"},
    {{"AccessDenied", "Not authorized to perform "
                      "sts:AssumeRoleWithWebIdentity"},
     STS_WEB_IDENTITY,
     "allow sts:AssumeRoleWithWebIdentity on resource " ROLE " in the trust "
     "policy of the role, to the issuer, audience and subject of the token"},
    {{"AccessDenied", ""}, STS_WEB_IDENTITY, "sts:AssumeRoleWithWebIdentity"},
    {{"SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2"},
     STS_ASSUME_ROLE,
     "set the clock"},
    {{"SignatureDoesNotMatch", "Credential should be scoped to a valid region"},
     STS_ASSUME_ROLE,
     "correct Region"},
};

static void says_it_by_the_message(void **state) {
  (void)state;
  char array[REMEDY_MAX];

  for (size_t i = 0; i < N(told); i++) {
    const char *hint = hint_of(&told[i].fault, told[i].action, array);
    if (strstr(hint, told[i].words) == NULL)
      fail_msg("%s: %s", told[i].fault.message, hint);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(asks_for_a_role),
      cmocka_unit_test(sends_the_external_id),
      cmocka_unit_test(asks_with_a_token),
      cmocka_unit_test(holds_the_longest_token),
      cmocka_unit_test(reads_answers),
      cmocka_unit_test(says_why_it_is_no_answer),
      cmocka_unit_test(refuses_each_beginning),
      cmocka_unit_test(reads_faults),
      cmocka_unit_test(cuts_a_long_message),
      cmocka_unit_test(says_what_to_do),
      cmocka_unit_test(says_it_by_the_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
