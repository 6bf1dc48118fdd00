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

#define HINT_DATA                                                              \
  "correct it in the <Metric> block, or where the value comes from"
#define HINT_PLUGIN                                                            \
  "Endpoint is not CloudWatch's, or this is an error of the plugin: report it"
#define HINT_BODY                                                              \
  "Endpoint is not CloudWatch's, or cannot read gzip: try Compression false; " \
  "else this is an error of the plugin: report it"
#define HINT_SIZE "use fewer or shorter dimensions"
#define HINT_PROTOCOL                                                          \
  "the endpoint may not know the JSON protocol: try Protocol \"query\""
#define HINT_GZIP "the endpoint may not know compression: try Compression false"
#define HINT_RATE                                                              \
  "raise FlushInterval, or ask AWS for a higher quota of PutMetricData"
#define HINT_SERVICE "nothing is to be done here; if it lasts, see AWS Health"
#define HINT_SLOW                                                              \
  "if it lasts, see what slows or breaks requests: the network, Proxy"
#define HINT_EXPIRED                                                           \
  "new credentials are fetched; a SessionToken of the configuration must be "  \
  "replaced by hand"
#define HINT_PROXY "check that no proxy on the way changes headers"

/* Instead of a hint: it is made of the message (denied[] of struct reply). */
#define HINT_DENIED NULL

static const struct remedy_asked asked = {
    "cloudwatch:PutMetricData", "*", "a policy of this identity",
    " (a condition on cloudwatch:namespace must fit Namespace)"};

static const struct row {
  const char *code;
  enum outcome outcome;
  enum reply_class class;
  const char *hint; /* or HINT_DENIED */
} rows[] = {
    /* the data */
    {"InvalidParameterValue", OUTCOME_MEND, REPLY_PLAIN, HINT_DATA},
    {"InvalidParameterValueException", OUTCOME_MEND, REPLY_PLAIN, HINT_DATA},
    {"InvalidParameterCombination", OUTCOME_MEND, REPLY_PLAIN, HINT_PLUGIN},
    {"InvalidParameterCombinationException", OUTCOME_MEND, REPLY_PLAIN,
     HINT_PLUGIN},
    {"MissingParameter", OUTCOME_MEND, REPLY_PLAIN, HINT_PLUGIN},
    {"MissingRequiredParameter", OUTCOME_MEND, REPLY_PLAIN, HINT_PLUGIN},
    {"MissingRequiredParameterException", OUTCOME_MEND, REPLY_PLAIN,
     HINT_PLUGIN},
    {"ValidationError", OUTCOME_MEND, REPLY_PLAIN, HINT_DATA},
    {"ValidationException", OUTCOME_MEND, REPLY_PLAIN, HINT_DATA},
    {"SerializationException", OUTCOME_MEND, REPLY_PLAIN, HINT_BODY},
    {"InvalidQueryParameter", OUTCOME_MEND, REPLY_PLAIN, HINT_PLUGIN},
    {"MalformedQueryString", OUTCOME_MEND, REPLY_PLAIN, HINT_PLUGIN},
    {"RequestEntityTooLarge", OUTCOME_MEND, REPLY_TOO_LARGE, HINT_SIZE},
    {"RequestEntityTooLargeException", OUTCOME_MEND, REPLY_TOO_LARGE,
     HINT_SIZE},

    /* the endpoint */
    {"InvalidAction", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_PROTOCOL},
    {"MissingAction", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_PROTOCOL},
    {"UnknownOperationException", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_PROTOCOL},
    {"MalformedHttpRequestException", OUTCOME_RETRY, REPLY_PROTOCOL, HINT_GZIP},

    /* too many requests */
    {"Throttling", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"ThrottlingException", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"ThrottledException", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"RequestThrottled", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"RequestThrottledException", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"TooManyRequestsException", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"ProvisionedThroughputExceededException", OUTCOME_RETRY, REPLY_THROTTLED,
     HINT_RATE},
    {"TransactionInProgressException", OUTCOME_RETRY, REPLY_THROTTLED,
     HINT_RATE},
    {"RequestLimitExceeded", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"BandwidthLimitExceeded", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"LimitExceeded", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"LimitExceededException", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"LimitExceededFault", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"SlowDown", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"PriorRequestNotComplete", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},
    {"EC2ThrottledException", OUTCOME_RETRY, REPLY_THROTTLED, HINT_RATE},

    /* the service */
    {"InternalServiceError", OUTCOME_RETRY, REPLY_PLAIN, HINT_SERVICE},
    {"InternalServiceFault", OUTCOME_RETRY, REPLY_PLAIN, HINT_SERVICE},
    {"InternalFailure", OUTCOME_RETRY, REPLY_PLAIN, HINT_SERVICE},
    {"ServiceUnavailable", OUTCOME_RETRY, REPLY_PLAIN, HINT_SERVICE},
    {"ServiceUnavailableException", OUTCOME_RETRY, REPLY_PLAIN, HINT_SERVICE},
    {"RequestTimeout", OUTCOME_RETRY, REPLY_PLAIN, HINT_SLOW},
    {"RequestTimeoutException", OUTCOME_RETRY, REPLY_PLAIN, HINT_SLOW},
    {"RequestAbortedException", OUTCOME_RETRY, REPLY_PLAIN, HINT_SLOW},

    /* the credentials */
    {"ExpiredToken", OUTCOME_REFRESH, REPLY_PLAIN, HINT_EXPIRED},
    {"ExpiredTokenException", OUTCOME_REFRESH, REPLY_PLAIN, HINT_EXPIRED},
    {"InvalidClientTokenId", OUTCOME_REFRESH, REPLY_PLAIN, REMEDY_KEY},
    {"UnrecognizedClientException", OUTCOME_REFRESH, REPLY_PLAIN, REMEDY_KEY},
    {"MissingAuthenticationToken", OUTCOME_REFRESH, REPLY_PLAIN, HINT_PROXY},
    {"MissingAuthenticationTokenException", OUTCOME_REFRESH, REPLY_PLAIN,
     HINT_PROXY},
    {"SignatureDoesNotMatch", OUTCOME_REFRESH, REPLY_UNPROVEN, REMEDY_SECRET},
    {"InvalidSignatureException", OUTCOME_REFRESH, REPLY_UNPROVEN,
     REMEDY_SECRET},
    {"AuthFailure", OUTCOME_REFRESH, REPLY_UNPROVEN, REMEDY_SECRET},

    /* the clock */
    {"RequestExpired", OUTCOME_RETRY, REPLY_SKEWED, REMEDY_CLOCK},
    {"RequestTimeTooSkewed", OUTCOME_RETRY, REPLY_SKEWED, REMEDY_CLOCK},
    {"RequestInTheFuture", OUTCOME_RETRY, REPLY_SKEWED, REMEDY_CLOCK},

    /* what only an administrator can change */
    {"AccessDenied", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_DENIED},
    {"AccessDeniedException", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_DENIED},
    {"NotAuthorized", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_DENIED},
    {"UnauthorizedOperation", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_DENIED},
    {"OptInRequired", OUTCOME_RETRY, REPLY_FORBIDDEN, REMEDY_ACCOUNT},
    {"AccountProblem", OUTCOME_RETRY, REPLY_FORBIDDEN, REMEDY_ACCOUNT},
    {"IncompleteSignature", OUTCOME_RETRY, REPLY_FORBIDDEN, HINT_PROXY},
    {"IncompleteSignatureException", OUTCOME_RETRY, REPLY_FORBIDDEN,
     HINT_PROXY},
};

static const struct row *find_row(const char *code) {
  static const struct row unknown = {
      "", OUTCOME_RETRY, REPLY_PLAIN,
      "look up the code among the common errors of the CloudWatch API "
      "reference"};

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (strcmp(rows[i].code, code) == 0)
      return &rows[i];
  return &unknown;
}

const char *reply_code_at(size_t i) {
  return i < sizeof(rows) / sizeof(rows[0]) ? rows[i].code : NULL;
}

/* What to do about answers that have no code, by their status.  The first row
 * that fits counts. */
static const struct bare {
  int first, last;
  const char *hint;
} bare[] = {
    {200, 299,
     "sign in at the network's login page, or see what Endpoint, "
     "Proxy and NoProxy lead to"},
    {300, 399, "redirects are not followed: see what Endpoint and Proxy name"},
    {401, 401, "see what Endpoint, Proxy and NoProxy lead to"},
    {403, 403,
     "have the proxy or firewall on the way let requests to this "
     "host through, or name it in NoProxy"},
    {404, 405,
     "see whether Endpoint is CloudWatch's; if it knows no JSON, "
     "write Protocol \"query\""},
    {407, 407,
     "write the login of the proxy into Proxy, or the host into "
     "NoProxy"},
    {408, 408,
     "see what on the way slows or shortens requests: the network, "
     "Proxy"},
    {413, 413, "let the proxy on the way pass requests of 1 MB"},
    {415, 415,
     "the endpoint may not know gzip or JSON: try Compression "
     "false, then Protocol \"query\""},
    {429, 429, HINT_RATE},
    {502, 504,
     "the proxy, or what stands before AWS, cannot reach it: see "
     "Proxy and NoProxy, and if it lasts, AWS Health"},
    {511, 511, "sign in at the network's login page, or name a Proxy"},
    {500, 599, "if it lasts, see AWS Health, and Endpoint and Proxy"},
    {1, 999, "see what Endpoint, Proxy and NoProxy lead to"},
};

static const char *find_bare(int status) {
  for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
    if (status >= bare[i].first && status <= bare[i].last)
      return bare[i].hint;
  return "";
}

const char *reply_hint(const struct reply *reply) {
  if (reply->outcome == OUTCOME_SENT)
    return "";
  if (reply->class == REPLY_SKEWED) /* found by the message, too */
    return REMEDY_CLOCK;
  if (reply->code[0] == '\0')
    return find_bare(reply->status);
  if (reply->denied[0] != '\0')
    return reply->denied;
  const char *told = remedy_of_message(str_of(reply->message));
  return told != NULL ? told : find_row(reply->code)->hint;
}

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

#define MEMBER "MetricData.member."

/* Whether "MetricData.member.3.Dimensions.member.2.Value", of which path is the
 * text from behind the first number on, is about what all data of the series
 * share. */
static bool names_series(struct str path) {
  static const char *const shared[] = {".MetricName", ".Dimensions", ".Unit"};

  for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
    struct str name = str_of(shared[i]);
    if (str_has_prefix(path, name) &&
        (path.len == name.len || !str_is_alnum(path.p[name.len])))
      return true;
  }
  return false;
}

/* Data that a message names, one by one: "The parameter
 * MetricData.member.3.Value ..." is the third, index 2.
 *
 * is_cut  the message may end within a number, which is then not known */
static void find_refused(struct reply *out, struct str message, bool is_cut,
                         size_t n_data) {
  enum { NOT_NAMED, DATUM_NAMED, SERIES_NAMED };
  unsigned char named[REPLY_INDEX_MAX] = {NOT_NAMED};
  if (n_data > REPLY_INDEX_MAX)
    n_data = REPLY_INDEX_MAX;

  for (;;) {
    size_t at = str_find(message, STR(MEMBER));
    if (at == message.len)
      break;
    message = str_from(message, at + sizeof(MEMBER) - 1);
    size_t number = 0, i = 0;
    for (; i < message.len && str_is_digit(message.p[i]); i++)
      if (number <= n_data)
        number = number * 10 + (size_t)(message.p[i] - '0');
    message = str_from(message, i);
    if (number < 1 || number > n_data || (is_cut && message.len == 0))
      continue;
    if (names_series(message))
      named[number - 1] = SERIES_NAMED;
    else if (named[number - 1] == NOT_NAMED)
      named[number - 1] = DATUM_NAMED;
  }
  for (size_t i = 0; i < n_data; i++)
    if (named[i] != NOT_NAMED)
      out->refused[out->n_refused++] =
          (struct reply_refused){(uint16_t)i, named[i] == SERIES_NAMED};
}

/* Where the sentence begins in which the text has byte at. */
static size_t sentence_start(const char *text, size_t at) {
  while (at > 0 && strncmp(text + at, "The ", 4) != 0 &&
         !(at > 1 && strncmp(text + at - 2, ". ", 2) == 0))
    at--;
  return at;
}

const char *reply_sentence(const struct reply *reply, size_t index) {
  char array[32];
  struct buf name = BUF_OVER(array);
  const char *found = reply->message;

  buf_printf(&name, MEMBER "%zu", index + 1);
  while ((found = strstr(found, buf_str(&name))) != NULL &&
         str_is_digit(found[name.len]))
    found += name.len;
  if (found == NULL)
    return reply->message;
  return reply->message +
         sentence_start(reply->message, (size_t)(found - reply->message));
}

/* ---- judging ------------------------------------------------------------- */

static void decide(struct reply *out, enum outcome outcome,
                   enum reply_class class) {
  out->outcome = outcome;
  out->class = class;
}

static void judge_code(struct reply *out, struct str message) {
  const struct row *row = find_row(out->code);
  struct buf denied = BUF_OVER(out->denied);
  decide(out, row->outcome, row->class);
  /* CloudWatch says of a wrong clock that the signature does not match, and
   * only the sentence tells the two apart. */
  if (row->outcome == OUTCOME_REFRESH && remedy_is_clock(message))
    decide(out, OUTCOME_RETRY, REPLY_SKEWED);
  if (row->hint == HINT_DENIED)
    remedy_put_denied(&denied, str_of(out->message), &asked);
}

/* Whether the code of an error stands in one of the places for it. */
static bool find_code(struct reply *out, const struct reply_input *input,
                      const struct fault *fault) {
  struct str query_error = input->query_error, query_code = {0};

  str_split(&query_error, ';', &query_code);
  return set_code(out, query_code) ||
         set_code(out, fault_bare_type(input->error_type)) ||
         set_code(out, fault->code);
}

static bool is_success(int status) { return status >= 200 && status <= 299; }

void reply_judge(const struct reply_input *input, size_t n_data,
                 struct reply *out) {
  struct fault fault;
  struct buf line = BUF_OVER(out->message);
  *out = (struct reply){.status = input->status,
                        .outcome = OUTCOME_RETRY,
                        .class = REPLY_NO_CODE};
  if (input->status == 0)
    return;

  fault_read(&fault, input->body);
  struct str message = fault.message;
  bool has_code = find_code(out, input, &fault);
  if (has_code && message.len == 0 && input->is_cut)
    message = input->body; /* which ends in the midst of its message */
  fault_put_line(message, fault.is_xml, &line);
  if (has_code) {
    judge_code(out, message);
  } else if (is_success(input->status)) {
    out->is_torn = fault.is_torn || (fault.is_accepting && input->is_cut);
    if (fault.is_accepting && !input->is_cut)
      decide(out, OUTCOME_SENT, REPLY_PLAIN);
  }
  if (input->status == 413)
    decide(out, OUTCOME_MEND, REPLY_TOO_LARGE);
  if (input->status == 429)
    decide(out, OUTCOME_RETRY, REPLY_THROTTLED);
  if (out->outcome == OUTCOME_MEND && out->class != REPLY_TOO_LARGE)
    find_refused(out, message, input->is_cut, n_data);
  fault_clear(&fault);
}
