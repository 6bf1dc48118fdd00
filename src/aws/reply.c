/* Where the code of an error stands, in the order of asking:
 *
 *   x-amzn-query-error: CODE;Sender       because we send x-amzn-query-mode
 *   x-amzn-errortype: PREFIX#CODE:URL     JSON protocols
 *   {"__type": "PREFIX#CODE", "message": ...}    or "code", "Message"
 *   <ErrorResponse><Error><Code>CODE</Code><Message>...   Query
 *
 * A code names a fault differently in the Query and in the JSON family, and
 * not by a rule, so the table below has a row for each name.  Its source are
 * the CloudWatch API reference ("Common errors", PutMetricData) and the retry
 * lists of the AWS SDKs. */
#include "aws/reply.h"

#include "aws/fault.h"

#include <string.h>

/* ---- the table ----------------------------------------------------------- */

#define HINT_PROTOCOL                                                          \
  "the endpoint may not know the JSON protocol: try Protocol \"query\""
#define HINT_GZIP "the endpoint may not know compression: try Compression false"
#define HINT_CLOCK "check the clock of this host"
#define HINT_KEY                                                               \
  "check the access key id, and that the Region is enabled for the account"
#define HINT_SECRET                                                            \
  "check Region, the secret access key and the clock, and that no proxy "      \
  "changes headers"
#define HINT_ACCOUNT                                                           \
  "check that the account is active and signed up for CloudWatch"
#define HINT_POLICY "allow cloudwatch:PutMetricData to this identity"
#define HINT_PROXY "check that no proxy on the way changes headers"

static const struct row {
  const char *code;
  enum outcome outcome;
  enum reply_class class;
  const char *hint;
} rows[] = {
    /* the data */
    {"InvalidParameterValue", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"InvalidParameterValueException", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"InvalidParameterCombination", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"InvalidParameterCombinationException", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"MissingParameter", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"MissingRequiredParameter", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"MissingRequiredParameterException", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"ValidationError", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"ValidationException", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"SerializationException", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"InvalidQueryParameter", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"MalformedQueryString", OUTCOME_MEND, REPLY_PLAIN, ""},
    {"RequestEntityTooLarge", OUTCOME_MEND, REPLY_TOO_LARGE, ""},
    {"RequestEntityTooLargeException", OUTCOME_MEND, REPLY_TOO_LARGE, ""},

    /* the endpoint */
    {"InvalidAction", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_PROTOCOL},
    {"MissingAction", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_PROTOCOL},
    {"UnknownOperationException", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_PROTOCOL},
    {"MalformedHttpRequestException", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_GZIP},

    /* too many requests */
    {"Throttling", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"ThrottlingException", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"ThrottledException", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"RequestThrottled", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"RequestThrottledException", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"TooManyRequestsException", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"ProvisionedThroughputExceededException", OUTCOME_RETRY, REPLY_THROTTLED,
     ""},
    {"TransactionInProgressException", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"RequestLimitExceeded", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"BandwidthLimitExceeded", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"LimitExceeded", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"LimitExceededException", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"SlowDown", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"PriorRequestNotComplete", OUTCOME_RETRY, REPLY_THROTTLED, ""},
    {"EC2ThrottledException", OUTCOME_RETRY, REPLY_THROTTLED, ""},

    /* the service */
    {"InternalServiceError", OUTCOME_RETRY, REPLY_PLAIN, ""},
    {"InternalServiceFault", OUTCOME_RETRY, REPLY_PLAIN, ""},
    {"InternalFailure", OUTCOME_RETRY, REPLY_PLAIN, ""},
    {"ServiceUnavailable", OUTCOME_RETRY, REPLY_PLAIN, ""},
    {"RequestTimeout", OUTCOME_RETRY, REPLY_PLAIN, ""},
    {"RequestTimeoutException", OUTCOME_RETRY, REPLY_PLAIN, ""},
    {"RequestAbortedException", OUTCOME_RETRY, REPLY_PLAIN, ""},

    /* the credentials */
    {"ExpiredToken", OUTCOME_REFRESH, REPLY_PLAIN, ""},
    {"ExpiredTokenException", OUTCOME_REFRESH, REPLY_PLAIN, ""},
    {"InvalidClientTokenId", OUTCOME_REFRESH, REPLY_PLAIN, HINT_KEY},
    {"UnrecognizedClientException", OUTCOME_REFRESH, REPLY_PLAIN, HINT_KEY},
    {"MissingAuthenticationToken", OUTCOME_REFRESH, REPLY_PLAIN, HINT_PROXY},
    {"MissingAuthenticationTokenException", OUTCOME_REFRESH, REPLY_PLAIN,
     HINT_PROXY},
    {"SignatureDoesNotMatch", OUTCOME_REFRESH, REPLY_UNPROVEN, HINT_SECRET},
    {"InvalidSignatureException", OUTCOME_REFRESH, REPLY_UNPROVEN, HINT_SECRET},
    {"AuthFailure", OUTCOME_REFRESH, REPLY_UNPROVEN, HINT_SECRET},

    /* the clock */
    {"RequestExpired", OUTCOME_RETRY, REPLY_SKEWED, HINT_CLOCK},
    {"RequestTimeTooSkewed", OUTCOME_RETRY, REPLY_SKEWED, HINT_CLOCK},
    {"RequestInTheFuture", OUTCOME_RETRY, REPLY_SKEWED, HINT_CLOCK},

    /* what only an administrator can change */
    {"AccessDenied", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_POLICY},
    {"AccessDeniedException", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_POLICY},
    {"NotAuthorized", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_POLICY},
    {"OptInRequired", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_ACCOUNT},
    {"AccountProblem", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_ACCOUNT},
    {"IncompleteSignature", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_PROXY},
    {"IncompleteSignatureException", OUTCOME_RETRY, REPLY_FORBIDDEN,
     HINT_PROXY},
};

static const struct row unknown = {"", OUTCOME_RETRY, REPLY_PLAIN, ""};

static const struct row *find_row(const char *code) {
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (strcmp(rows[i].code, code) == 0)
      return &rows[i];
  return &unknown;
}

const char *reply_hint(const char *code) { return find_row(code)->hint; }

/* ---- codes --------------------------------------------------------------- */

/* Copies a code to out; false when it cannot be one.  Codes are names: a
 * sentence or a number in their place was not written by AWS. */
static bool set_code(struct reply *out, struct str code) {
  code = str_trim(code);
  if (code.len == 0 || code.len >= REPLY_CODE_MAX || str_is_digit(code.p[0]))
    return false;
  for (size_t i = 0; i < code.len; i++) {
    char c = code.p[i];
    if (!str_is_alnum(c) && c != '.' && c != '_' && c != '-')
      return false;
  }

  struct buf copy = BUF_OVER(out->code);
  buf_put(&copy, code.p, code.len);
  return true;
}

/* ---- data that were refused ---------------------------------------------- */

/* Data that a message names, one by one: "The parameter
 * MetricData.member.3.Value ..." is the third, index 2. */
static void find_refused(struct reply *out, struct str message, size_t n_data) {
  bool refused[REPLY_INDEX_MAX] = {false};
  struct str mark = STR("MetricData.member.");
  if (n_data > REPLY_INDEX_MAX)
    n_data = REPLY_INDEX_MAX;

  for (;;) {
    size_t at = str_find(message, mark);
    if (at == message.len)
      break;
    message = str_from(message, at + mark.len);
    size_t number = 0, i = 0;
    for (; i < message.len && str_is_digit(message.p[i]); i++)
      if (number <= n_data)
        number = number * 10 + (size_t)(message.p[i] - '0');
    message = str_from(message, i);
    if (number >= 1 && number <= n_data)
      refused[number - 1] = true;
  }
  for (size_t i = 0; i < n_data; i++)
    if (refused[i])
      out->refused[out->n_refused++] = (uint16_t)i;
}

/* ---- judging ------------------------------------------------------------- */

static void decide(struct reply *out, enum outcome outcome,
                   enum reply_class class) {
  out->outcome = outcome;
  out->class = class;
}

/* CloudWatch says of a wrong clock that the signature does not match, and only
 * the sentence tells the two apart. */
static bool tells_of_clock(struct str message) {
  return str_find(message, STR("Signature expired")) < message.len ||
         str_find(message, STR("Signature not yet current")) < message.len;
}

static void judge_code(struct reply *out, struct str message) {
  const struct row *row = find_row(out->code);
  decide(out, row->outcome, row->class);
  if (row->outcome == OUTCOME_REFRESH && tells_of_clock(message))
    decide(out, OUTCOME_RETRY, REPLY_SKEWED);
}

void reply_judge(const struct reply_input *input, size_t n_data,
                 struct reply *out) {
  struct fault fault;
  struct buf message = BUF_OVER(out->message);
  struct str query_error = input->query_error, query_code = {0};
  *out = (struct reply){.outcome = OUTCOME_RETRY, .class = REPLY_NO_CODE};
  if (input->status == 0)
    return;

  fault_read(&fault, input->body);
  if (input->status >= 200 && input->status <= 299 && fault.is_accepting) {
    decide(out, OUTCOME_SENT, REPLY_PLAIN);
    goto out;
  }

  fault_put_message(&fault, &message);
  str_split(&query_error, ';', &query_code);
  if (set_code(out, query_code) ||
      set_code(out, fault_bare_type(input->error_type)) ||
      set_code(out, fault.code))
    judge_code(out, fault.message);
  if (input->status == 413)
    decide(out, OUTCOME_MEND, REPLY_TOO_LARGE);
  if (input->status == 429)
    decide(out, OUTCOME_RETRY, REPLY_THROTTLED);
  if (out->outcome == OUTCOME_MEND && out->class != REPLY_TOO_LARGE)
    find_refused(out, fault.message, n_data);
out:
  fault_clear(&fault);
}
