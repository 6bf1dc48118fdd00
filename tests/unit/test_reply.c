/* A vector is a folder with answer (status, n_data, is_cut and headers, a line
 * each; an empty line; the body to its last byte) and expected. */
#include "aws/reply.h"

#include "base/buf.h"

#include "vectors.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char *const outcomes[] = {[OUTCOME_SENT] = "SENT",
                                       [OUTCOME_RETRY] = "RETRY",
                                       [OUTCOME_REFRESH] = "REFRESH",
                                       [OUTCOME_MEND] = "MEND"};
static const char *const classes[] = {
    [REPLY_PLAIN] = "PLAIN",         [REPLY_THROTTLED] = "THROTTLED",
    [REPLY_SKEWED] = "SKEWED",       [REPLY_UNPROVEN] = "UNPROVEN",
    [REPLY_FORBIDDEN] = "FORBIDDEN", [REPLY_PROTOCOL] = "PROTOCOL",
    [REPLY_TOO_LARGE] = "TOO_LARGE", [REPLY_NO_CODE] = "NO_CODE",
};

/* ---- vectors ------------------------------------------------------------- */

static uint64_t number_of(struct str block, const char *name) {
  uint64_t number = 0;
  assert_int_equal(str_to_u64(vector_field(block, name), &number), 0);
  return number;
}

static void expect(const char *folder, struct str expected, const char *name,
                   const char *got) {
  struct str want = vector_field(expected, name);
  if (!str_eq(str_of(got), want))
    fail_msg("%s: %s is \"%s\", not \"%.*s\"", folder, name, got, (int)want.len,
             want.p);
}

static void run_vector(const char *folder) {
  struct str answer = vector_read(folder, "answer");
  struct str expected = vector_read(folder, "expected");
  struct str body = answer, head = vector_block(&body);
  struct reply_input input = {(int)number_of(head, "status"),
                              vector_field(head, "query_error"),
                              vector_field(head, "error_type"), body,
                              vector_field(head, "is_cut").len > 0};
  struct reply reply;
  struct buf refused = BUF_INIT(8000);

  memset(&reply, 0x5a, sizeof(reply));
  reply_judge(&input, (size_t)number_of(head, "n_data"), &reply);
  for (size_t i = 0; i < reply.n_refused; i++)
    buf_printf(&refused, "%s%u%s", i > 0 ? " " : "", reply.refused[i].index,
               reply.refused[i].is_series ? "/series" : "");
  expect(folder, expected, "outcome", outcomes[reply.outcome]);
  expect(folder, expected, "class", classes[reply.class]);
  expect(folder, expected, "code", reply.code);
  expect(folder, expected, "message", reply.message);
  expect(folder, expected, "refused", buf_str(&refused));
  expect(folder, expected, "torn", reply.is_torn ? "yes" : "");

  buf_clear(&refused);
  vector_free(answer);
  vector_free(expected);
}

static void judges_every_vector(void **state) {
  (void)state;
  vector_each("reply", run_vector);
}

/* ---- codes --------------------------------------------------------------- */

static const struct {
  const char *code;
  int status;
  enum outcome outcome;
  enum reply_class class;
} codes[] = {
    {"InvalidParameterValue", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"InvalidParameterValueException", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"InvalidParameterCombination", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"InvalidParameterCombinationException", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"MissingParameter", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"MissingRequiredParameter", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"MissingRequiredParameterException", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"ValidationError", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"ValidationException", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"SerializationException", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"InvalidQueryParameter", 400, OUTCOME_MEND, REPLY_PLAIN},
    {"MalformedQueryString", 404, OUTCOME_MEND, REPLY_PLAIN},
    {"RequestEntityTooLarge", 413, OUTCOME_MEND, REPLY_TOO_LARGE},
    {"RequestEntityTooLargeException", 413, OUTCOME_MEND, REPLY_TOO_LARGE},
    {"MalformedHttpRequestException", 400, OUTCOME_RETRY, REPLY_PROTOCOL},
    {"InvalidAction", 400, OUTCOME_RETRY, REPLY_PROTOCOL},
    {"MissingAction", 400, OUTCOME_RETRY, REPLY_PROTOCOL},
    {"UnknownOperationException", 404, OUTCOME_RETRY, REPLY_PROTOCOL},
    {"Throttling", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"ThrottlingException", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"ThrottledException", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"RequestThrottled", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"RequestThrottledException", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"TooManyRequestsException", 429, OUTCOME_RETRY, REPLY_THROTTLED},
    {"ProvisionedThroughputExceededException", 400, OUTCOME_RETRY,
     REPLY_THROTTLED},
    {"TransactionInProgressException", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"RequestLimitExceeded", 503, OUTCOME_RETRY, REPLY_THROTTLED},
    {"BandwidthLimitExceeded", 509, OUTCOME_RETRY, REPLY_THROTTLED},
    {"LimitExceeded", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"LimitExceededException", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"LimitExceededFault", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"SlowDown", 503, OUTCOME_RETRY, REPLY_THROTTLED},
    {"PriorRequestNotComplete", 400, OUTCOME_RETRY, REPLY_THROTTLED},
    {"EC2ThrottledException", 503, OUTCOME_RETRY, REPLY_THROTTLED},
    {"InternalServiceError", 500, OUTCOME_RETRY, REPLY_PLAIN},
    {"InternalServiceFault", 500, OUTCOME_RETRY, REPLY_PLAIN},
    {"InternalFailure", 500, OUTCOME_RETRY, REPLY_PLAIN},
    {"ServiceUnavailable", 503, OUTCOME_RETRY, REPLY_PLAIN},
    {"ServiceUnavailableException", 503, OUTCOME_RETRY, REPLY_PLAIN},
    {"RequestTimeout", 408, OUTCOME_RETRY, REPLY_PLAIN},
    {"RequestTimeoutException", 400, OUTCOME_RETRY, REPLY_PLAIN},
    {"RequestAbortedException", 400, OUTCOME_RETRY, REPLY_PLAIN},
    {"ExpiredToken", 403, OUTCOME_REFRESH, REPLY_PLAIN},
    {"ExpiredTokenException", 400, OUTCOME_REFRESH, REPLY_PLAIN},
    {"InvalidClientTokenId", 403, OUTCOME_REFRESH, REPLY_PLAIN},
    {"UnrecognizedClientException", 403, OUTCOME_REFRESH, REPLY_PLAIN},
    {"MissingAuthenticationToken", 403, OUTCOME_REFRESH, REPLY_PLAIN},
    {"MissingAuthenticationTokenException", 400, OUTCOME_REFRESH, REPLY_PLAIN},
    {"SignatureDoesNotMatch", 403, OUTCOME_REFRESH, REPLY_UNPROVEN},
    {"InvalidSignatureException", 400, OUTCOME_REFRESH, REPLY_UNPROVEN},
    {"AuthFailure", 401, OUTCOME_REFRESH, REPLY_UNPROVEN},
    {"RequestExpired", 400, OUTCOME_RETRY, REPLY_SKEWED},
    {"RequestTimeTooSkewed", 403, OUTCOME_RETRY, REPLY_SKEWED},
    {"RequestInTheFuture", 403, OUTCOME_RETRY, REPLY_SKEWED},
    {"AccessDenied", 403, OUTCOME_RETRY, REPLY_FORBIDDEN},
    {"AccessDeniedException", 403, OUTCOME_RETRY, REPLY_FORBIDDEN},
    {"NotAuthorized", 400, OUTCOME_RETRY, REPLY_FORBIDDEN},
    {"UnauthorizedOperation", 403, OUTCOME_RETRY, REPLY_FORBIDDEN},
    {"OptInRequired", 403, OUTCOME_RETRY, REPLY_FORBIDDEN},
    {"AccountProblem", 403, OUTCOME_RETRY, REPLY_FORBIDDEN},
    {"IncompleteSignature", 400, OUTCOME_RETRY, REPLY_FORBIDDEN},
    {"IncompleteSignatureException", 403, OUTCOME_RETRY, REPLY_FORBIDDEN},
    /* not in the table, and no ending is guessed at */
    {"ThrottlingExceptionException", 400, OUTCOME_RETRY, REPLY_PLAIN},
    {"invalidparametervalue", 400, OUTCOME_RETRY, REPLY_PLAIN},
    {"SomethingNew", 400, OUTCOME_RETRY, REPLY_PLAIN},
    {"SomethingNew", 500, OUTCOME_RETRY, REPLY_PLAIN},
};

/* The code comes by each of the four ways. */
static void judge_by(int way, size_t i, struct reply *reply) {
  struct buf text = BUF_INIT(1024);
  static const char *const forms[] = {
      "%s;Sender", "com.amazon.coral.service#%s:http://example.com/",
      "{\"__type\":\"com.amazonaws.x#%s\"}",
      "<ErrorResponse><Error><Code>%s</Code></Error></ErrorResponse>"};
  const char *mark = strchr(forms[way], '%');
  buf_put(&text, forms[way], (size_t)(mark - forms[way]));
  buf_puts(&text, codes[i].code);
  buf_puts(&text, mark + 2);

  struct str whole = {buf_str(&text), text.len};
  struct reply_input input = {.status = codes[i].status};
  if (way == 0)
    input.query_error = whole;
  else if (way == 1)
    input.error_type = whole;
  else
    input.body = whole;
  reply_judge(&input, 1, reply);
  buf_clear(&text);
}

static void knows_every_code_by_every_way(void **state) {
  (void)state;
  for (size_t i = 0; i < N(codes); i++)
    for (int way = 0; way < 4; way++) {
      struct reply reply;
      judge_by(way, i, &reply);
      if (strcmp(reply.code, codes[i].code) != 0)
        fail_msg("%s, way %d: code \"%s\"", codes[i].code, way, reply.code);
      if (reply.outcome != codes[i].outcome || reply.class != codes[i].class)
        fail_msg("%s, way %d: %s, %s", codes[i].code, way,
                 outcomes[reply.outcome], classes[reply.class]);
    }
}

static bool is_listed(const char *code) {
  for (size_t i = 0; i < N(codes); i++)
    if (strcmp(codes[i].code, code) == 0)
      return true;
  return false;
}

static void the_list_above_has_every_row(void **state) {
  (void)state;
  size_t i = 0;
  for (; reply_code_at(i) != NULL; i++)
    if (!is_listed(reply_code_at(i)))
      fail_msg("%s is not among the codes", reply_code_at(i));
  assert_true(i > 50);
}

/* ---- remedies ------------------------------------------------------------ */

/* A clause goes on after a colon and before a semicolon. */
static void check_clause(const char *name, const char *hint) {
  size_t len = strlen(hint);
  if (len < 20 || len > 280 || hint[len - 1] == '.' || hint[0] == ' ')
    fail_msg("%s: \"%s\" is no clause", name, hint);
}

static void no_row_is_without_a_remedy(void **state) {
  (void)state;
  for (size_t i = 0; i < N(codes); i++)
    for (int way = 0; way < 4; way++) {
      struct reply reply;
      judge_by(way, i, &reply);
      check_clause(codes[i].code, reply_hint(&reply));
    }
}

static void no_answer_without_a_code_is_without_a_remedy(void **state) {
  (void)state;
  for (int status = 200; status < 600; status++) {
    struct reply_input input = {.status = status, .body = STR("<html>")};
    struct reply reply;
    char name[16];
    reply_judge(&input, 1, &reply);
    (void)snprintf(name, sizeof(name), "%d", status);
    check_clause(name, reply_hint(&reply));
  }
}

static const struct {
  const char *label;
  int status;
  const char *code;
  const char *body;
  const char *word; /* of the hint; "" is no hint */
} hints[] = {
    {"throttled", 400, "Throttling", "", "raise FlushInterval"},
    {"throttled", 400, "Throttling", "", "quota of PutMetricData"},
    {"the service", 500, "InternalServiceError", "", "AWS Health"},
    {"ended", 403, "ExpiredToken", "", "new credentials are fetched"},
    {"no permission", 403, "AccessDenied", "", "cloudwatch:PutMetricData"},
    {"no permission", 403, "AccessDenied", "", "cloudwatch:namespace"},
    {"action and resource", 403, "AccessDeniedException",
     "{\"message\":\"User: x is not authorized to perform: a:B on resource: c "
     "with an explicit deny in a service control policy\"}",
     "have a:B on resource c excepted from the Deny in the organization's"},
    {"no permission, as EC2 says it", 403, "UnauthorizedOperation", "",
     "allow cloudwatch:PutMetricData on resource * in a policy"},
    {"json", 404, "UnknownOperationException", "", "Protocol \"query\""},
    {"gzip", 400, "MalformedHttpRequestException", "", "Compression false"},
    {"clock", 403, "RequestTimeTooSkewed", "", "clock"},
    {"clock, by the sentence", 403, "SignatureDoesNotMatch",
     "{\"message\":\"Signature expired: now\"}", "set the clock of this host"},
    {"key, region", 403, "InvalidClientTokenId", "",
     "the account has enabled the Region (opt-in)"},
    {"key, region", 403, "UnrecognizedClientException", "", "(opt-in)"},
    {"key, partition", 403, "InvalidClientTokenId", "", "aws-cn, aws-us-gov"},
    {"key without token", 403, "InvalidClientTokenId", "",
     "ASIA... has its session token"},
    {"token of the global endpoint", 403, "InvalidClientTokenId", "",
     "global STS endpoint"},
    {"the endpoint's region", 403, "SignatureDoesNotMatch",
     "{\"message\":\"Credential should be scoped to a valid region.\"}",
     "correct Region"},
    {"the endpoint's service", 403, "InvalidSignatureException",
     "{\"message\":\"Credential should be scoped to correct service.\"}",
     "another service's"},
    {"gzip, not understood", 400, "SerializationException", "",
     "Compression false"},
    {"secret", 403, "SignatureDoesNotMatch", "", "secret access key"},
    {"account", 403, "OptInRequired", "", "account"},
    {"headers", 403, "IncompleteSignature", "", "proxy"},
    {"data", 400, "InvalidParameterValue", "", "<Metric> block"},
    {"size", 413, "RequestEntityTooLarge", "", "shorter dimensions"},
    {"unknown", 400, "SomethingNew", "", "look up the code"},
    {"a proxy's login", 407, "", "", "NoProxy"},
    {"a proxy's no", 403, "", "<html>", "NoProxy"},
    {"another host", 404, "", "<html>", "Endpoint"},
    {"another protocol", 404, "", "<html>", "Protocol \"query\""},
    {"no gzip", 415, "", "", "Compression false"},
    {"a login page", 511, "", "<html>", "login page"},
    {"a proxy's limit", 413, "", "", "1 MB"},
    {"a redirect", 302, "", "", "redirects are not followed"},
    {"a balancer", 503, "", "", "AWS Health"},
    {"a gateway", 502, "", "<html>", "NoProxy"},
    {"an error of the service", 500, "", "", "AWS Health"},
    {"a portal", 200, "", "<html>", "login page"},
    {"a portal", 200, "", "<html>", "Endpoint"},
    {"accepted", 200, "", "", ""},
    {"no answer, of which others speak", 0, "", "", ""},
};

static void gives_the_remedy(void **state) {
  (void)state;
  for (size_t i = 0; i < N(hints); i++) {
    struct reply_input input = {.status = hints[i].status,
                                .query_error = str_of(hints[i].code),
                                .body = str_of(hints[i].body)};
    struct reply reply;
    reply_judge(&input, 1, &reply);
    const char *hint = reply_hint(&reply);
    bool silent = hints[i].word[0] == '\0';
    if (silent ? hint[0] != '\0' : strstr(hint, hints[i].word) == NULL)
      fail_msg("%s: \"%s\"", hints[i].label, hint);
  }
}

/* ---- sentences ----------------------------------------------------------- */

static const struct {
  const char *label;
  const char *message;
  size_t index;
  const char *want; /* how the sentence begins */
} sentences[] = {
    {"the only one", "The parameter MetricData.member.1.Unit is bad.", 0,
     "The parameter MetricData.member.1"},
    {"the second",
     "The parameter MetricData.member.1.Unit is bad. The value 2.5 for "
     "parameter MetricData.member.2.Value is invalid.",
     1, "The value 2.5 for parameter MetricData.member.2"},
    {"without a full stop between",
     "The parameter MetricData.member.1.Unit is bad The value for parameter "
     "MetricData.member.2.Value is invalid",
     1, "The value for parameter MetricData.member.2"},
    {"other words", "Refused: no. Bad is MetricData.member.2, too.", 1,
     "Bad is MetricData.member.2"},
    {"not one of a longer number",
     "The value of MetricData.member.12.Value is bad. The value of "
     "MetricData.member.1.Value is bad.",
     0, "The value of MetricData.member.1."},
    {"not named", "The parameter MetricData.member.12.Value is bad.", 0,
     "The parameter MetricData.member.12"},
    {"at the very beginning", "MetricData.member.1 is bad.", 0,
     "MetricData.member.1 is"},
    {"no message", "", 0, ""},
};

static void finds_the_sentence_of_a_datum(void **state) {
  (void)state;
  for (size_t i = 0; i < N(sentences); i++) {
    struct reply reply = {0};
    (void)snprintf(reply.message, sizeof(reply.message), "%s",
                   sentences[i].message);
    const char *got = reply_sentence(&reply, sentences[i].index);
    if (!str_has_prefix(str_of(got), str_of(sentences[i].want)))
      fail_msg("%s: \"%s\"", sentences[i].label, got);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(judges_every_vector),
      cmocka_unit_test(knows_every_code_by_every_way),
      cmocka_unit_test(the_list_above_has_every_row),
      cmocka_unit_test(no_row_is_without_a_remedy),
      cmocka_unit_test(no_answer_without_a_code_is_without_a_remedy),
      cmocka_unit_test(gives_the_remedy),
      cmocka_unit_test(finds_the_sentence_of_a_datum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
