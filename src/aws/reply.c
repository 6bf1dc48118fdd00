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

#include "base/json.h"

#include <string.h>

/* ---- the table ----------------------------------------------------------- */

#define HINT_PROTOCOL                                                          \
  "the endpoint may not know the JSON protocol: try Protocol \"query\""
#define HINT_GZIP "the endpoint may not know compression: try Compression false"
#define HINT_CLOCK "check the clock of this host"
#define HINT_KEY                                                               \
  "check the access key id, and that the Region is enabled for the account"
#define HINT_SECRET                                                            \
  "check the secret access key and the clock, and that no proxy changes "      \
  "headers"
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
    {"SignatureDoesNotMatch", OUTCOME_REFRESH, REPLY_PLAIN, HINT_SECRET},
    {"InvalidSignatureException", OUTCOME_REFRESH, REPLY_PLAIN, HINT_SECRET},
    {"AuthFailure", OUTCOME_REFRESH, REPLY_PLAIN, HINT_SECRET},

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
  for (size_t i = 0; i < code.len; i++)
    if (!str_is_alnum(code.p[i]) && memchr("._-", code.p[i], 3) == NULL)
      return false;
  memcpy(out->code, code.p, code.len);
  out->code[code.len] = '\0';
  return true;
}

/* "prefix#Code:url" to "Code" (Smithy, "AWS JSON 1.0", operation errors). */
static struct str bare_type(struct str type) {
  struct str left;
  if (!str_split(&type, ':', &left))
    return type;
  for (size_t i = left.len; i-- > 0;)
    if (left.p[i] == '#')
      return str_from(left, i + 1);
  return left;
}

/* ---- messages ------------------------------------------------------------ */

/* Appends one character to a line that may be full; runs of blanks become one,
 * and what a terminal or log could stumble over becomes a question mark. */
static void put_clean(struct buf *line, unsigned long c) {
  bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
  if (line->len == line->limit)
    return;
  if (!blank) {
    buf_putc(line, c > 0x20 && c < 0x7f ? (char)c : '?');
    return;
  }
  if (line->len > 0 && line->data[line->len - 1] != ' ')
    buf_putc(line, ' ');
}

static unsigned long digit_value(char c) {
  if (str_is_digit(c))
    return (unsigned long)(c - '0');
  if (c >= 'a' && c <= 'f')
    return (unsigned long)(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return (unsigned long)(c - 'A') + 10;
  return 99;
}

/* The number of "#38" or "#x26"; 0 when it is none. */
static unsigned long numeric_entity(struct str name) {
  bool hex = name.len > 1 && name.p[1] == 'x';
  unsigned long base = hex ? 16 : 10, number = 0;
  for (size_t i = hex ? 2 : 1; i < name.len; i++) {
    unsigned long digit = digit_value(name.p[i]);
    if (digit >= base)
      return 0;
    number = number * base + digit;
  }
  return number;
}

#define ENTITY_MAX 9 /* "#x10FFFF;" */

/* Takes one character or entity from *rest, which must not be empty. */
static unsigned long take_character(struct str *rest) {
  static const struct {
    const char *name;
    char c;
  } named[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  unsigned char c = (unsigned char)rest->p[0];
  *rest = str_from(*rest, 1);
  if (c != '&')
    return c;

  struct str near = {rest->p, rest->len < ENTITY_MAX ? rest->len : ENTITY_MAX};
  size_t len = str_find(near, STR(";"));
  if (len == near.len || len == 0)
    return c;
  struct str name = {rest->p, len};
  unsigned long found = name.p[0] == '#' ? numeric_entity(name) : 0;
  for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
    if (str_eq(name, str_of(named[i].name)))
      found = (unsigned char)named[i].c;
  if (found == 0)
    return c;
  *rest = str_from(*rest, len + 1);
  return found;
}

static void set_message(struct reply *out, struct str text, bool is_xml) {
  struct buf line = BUF_OVER(out->message);
  while (text.len > 0 && line.len < line.limit) {
    unsigned long c = (unsigned char)text.p[0];
    if (is_xml)
      c = take_character(&text);
    else
      text = str_from(text, 1);
    put_clean(&line, c);
  }
  if (line.len > 0 && line.data[line.len - 1] == ' ')
    buf_cut(&line, line.len - 1);
}

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

/* ---- bodies -------------------------------------------------------------- */

/* What was found in a body; slices of it, or of the document. */
struct content {
  struct json *document; /* to be freed */
  bool is_accepting;     /* nothing, a JSON object, <...Response> */
  bool is_xml;
  struct str code;
  struct str message;
};

/* The first member that is a string. */
static struct str text_of_member(const struct json *object, const char *first,
                                 const char *second) {
  const struct json *value = json_get(object, first);
  if (json_kind(value) != JSON_STRING)
    value = json_get(object, second);
  return json_kind(value) == JSON_STRING ? json_text(value) : STR("");
}

static void read_json(struct str body, struct content *out) {
  out->document = json_parse(body, NULL);
  if (json_kind(out->document) != JSON_OBJECT)
    return;
  out->is_accepting = true;
  out->code = bare_type(text_of_member(out->document, "__type", "code"));
  out->message = text_of_member(out->document, "message", "Message");
}

/* The name of the root element; empty when there is none.  Steps over the XML
 * declaration, comments and the document type. */
static struct str root_name(struct str body) {
  while (body.len > 1 && body.p[0] == '<' &&
         (body.p[1] == '?' || body.p[1] == '!')) {
    struct str end = STR(">");
    if (str_has_prefix(body, STR("<!--")))
      end = STR("-->");
    size_t at = str_find(body, end);
    if (at == body.len)
      return STR("");
    body = str_trim(str_from(body, at + end.len));
  }
  if (body.len == 0 || body.p[0] != '<')
    return STR("");
  size_t len = 1;
  while (len < body.len && str_is_alnum(body.p[len]))
    len++;
  return (struct str){body.p + 1, len - 1};
}

/* The text between the first open and the first close after it. */
static struct str element(struct str body, struct str open, struct str close) {
  size_t begin = str_find(body, open);
  if (begin == body.len)
    return STR("");
  body = str_from(body, begin + open.len);
  size_t len = str_find(body, close);
  return len < body.len ? (struct str){body.p, len} : STR("");
}

static void read_xml(struct str body, struct content *out) {
  struct str root = root_name(body);
  out->is_xml = true;
  if (str_eq(root, STR("ErrorResponse"))) {
    out->code = element(body, STR("<Code>"), STR("</Code>"));
    out->message = element(body, STR("<Message>"), STR("</Message>"));
    return;
  }
  out->is_accepting = str_has_suffix(root, STR("Response"));
}

static void read_body(struct str body, struct content *out) {
  body = str_trim(body);
  if (body.len == 0)
    out->is_accepting = true;
  else if (body.p[0] == '<')
    read_xml(body, out);
  else if (body.p[0] == '{')
    read_json(body, out);
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
  struct content content = {.message = STR("")};
  struct str query_error = input->query_error, query_code = {0};
  *out = (struct reply){.outcome = OUTCOME_RETRY, .class = REPLY_NO_CODE};
  if (input->status == 0)
    return;

  read_body(input->body, &content);
  if (input->status >= 200 && input->status <= 299 && content.is_accepting) {
    decide(out, OUTCOME_SENT, REPLY_PLAIN);
    goto out;
  }

  set_message(out, content.message, content.is_xml);
  str_split(&query_error, ';', &query_code);
  if (set_code(out, query_code) ||
      set_code(out, bare_type(input->error_type)) ||
      set_code(out, content.code))
    judge_code(out, content.message);
  if (input->status == 413)
    decide(out, OUTCOME_MEND, REPLY_TOO_LARGE);
  if (out->outcome == OUTCOME_MEND && out->class != REPLY_TOO_LARGE)
    find_refused(out, content.message, n_data);
out:
  json_free(content.document);
}
