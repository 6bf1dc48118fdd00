/* service: AWS in the place of http_send(), for programs that are linked with
 * $(refuse_memory) and -Wl,--wrap=http_send.
 *
 * Data are numbers: the value of each is its number; values of dimensions do
 * not begin with a digit. What was accepted is remembered by number.  A request
 * is answered as the script says; behind its end, and where it says WELL, by
 * what the data are. The bytes of an answer go through the callbacks that curl
 * would call, so that memory for them may lack; what the service does itself
 * always has some. */
#ifndef TESTS_SERVICE_H
#define TESTS_SERVICE_H

#include "run/clock.h"
#include "run/http_answer.h"
#include "run/http_transfer.h"

#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define NUMBERS_MAX 512 /* of data */
#define BODY_MAX (1 << 20)
#define SCRIPT_MAX 4

enum act {
  WELL,
  WELL_XML,   /* accepted, said as Query does */
  WELL_JSON,  /* accepted, with a document */
  BROKEN,     /* 500 */
  THROTTLED,  /* with a time to wait */
  EXPIRED,    /* the token */
  SKEWED,     /* the clock, with the time */
  FORBIDDEN,  /* AccessDenied */
  PORTAL,     /* 200 with HTML */
  NO_ANSWER,  /* nobody is there */
  ANSWER_LOST /* accepted, but nobody hears of it */
};

static struct {
  enum act script[SCRIPT_MAX];
  bool is_down;    /* NO_ANSWER, whatever the script says */
  unsigned bad;    /* number of the datum that is refused; 0: none */
  bool is_named;   /* the refusal says which */
  size_t most;     /* data in a request, or it is too large; 0: any */
  size_t n_posts;  /* requests with data */
  size_t n_packed; /* of these, those with a compressed body */
  size_t n_too_large;
  size_t accepted[NUMBERS_MAX]; /* how often, by number */
} service;

/* ---- answers ------------------------------------------------------------- */

struct response {
  const char *status, *headers, *body;
};

#define CREDENTIALS                                                            \
  "\"AccessKeyId\": \"AK\", \"SecretAccessKey\": \"hush\", "                   \
  "\"Expiration\": \"2100-01-01T00:00:00Z\"}"
#define ERROR(code) "{\"__type\":\"" code "\",\"message\":\"no\"}"

/* Twenty minutes behind this host's clock: filled in when it is said. */
static char skewed_date[64];

static void write_skewed_date(void) {
  time_t then = (time_t)(clock_wall_ms() / 1000 - 1200);
  struct tm civil;
  (void)strftime(skewed_date, sizeof(skewed_date),
                 "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
                 gmtime_r(&then, &civil));
}

static const struct response answers[] = {
    [WELL] = {"200 OK", "x-amzn-RequestId: 1\r\n", ""},
    [WELL_XML] = {"200 OK", "",
                  "<PutMetricDataResponse></PutMetricDataResponse>"},
    [WELL_JSON] = {"200 OK", "", "{}"},
    [BROKEN] = {"500 Internal Server Error",
                "x-amzn-query-error: InternalServiceError;Receiver\r\n",
                ERROR("InternalServiceFault")},
    [THROTTLED] = {"400 Bad Request", "Retry-After: 3\r\n",
                   ERROR("ThrottlingException")},
    [EXPIRED] = {"403 Forbidden", "x-amzn-query-error: ExpiredToken;Sender\r\n",
                 ERROR("ExpiredTokenException")},
    [SKEWED] = {"403 Forbidden", skewed_date, ERROR("RequestExpired")},
    [FORBIDDEN] = {"403 Forbidden", "", ERROR("AccessDeniedException")},
    [PORTAL] = {"200 OK", "", "<html><body>Please sign in</body></html>"},
};

/* Those who are asked for anything else, by a part of the URL. */
static const struct {
  const char *url;
  struct response response;
} others[] = {
    {"/latest/api/token", {"200 OK", "", "token"}},
    {"/iam/security-credentials/role",
     {"200 OK", "", "{\"Code\": \"Success\", \"Token\": \"t\", " CREDENTIALS}},
    {"/iam/security-credentials/", {"200 OK", "", "role"}},
    {"/placement/region", {"200 OK", "", "eu-west-1"}},
    {"/instance-identity/document", {"200 OK", "", "{\"instanceId\":\"i-1\"}"}},
    {"/tags/instance/Group", {"200 OK", "", "web"}},
    {"/container", {"200 OK", "", "{\"Token\": \"t\", " CREDENTIALS}},
    {"sts.",
     {"200 OK", "",
      "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
      "<AccessKeyId>AK</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>"
      "<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z"
      "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"}},
};

/* As curl hands it over; false when the body was not taken, and the answer so
 * broke off. */
static bool respond(struct http_transfer *transfer,
                    const struct response *response) {
  char line[256];
  write_skewed_date();
  const char *rest = response->headers;
  size_t len = strlen(response->body);
  int n = snprintf(line, sizeof(line), "HTTP/1.1 %s\r\n", response->status);

  (void)http_transfer_take_header(line, 1, (size_t)n, transfer);
  while (*rest != '\0') {
    size_t end = (size_t)(strstr(rest, "\r\n") - rest) + 2;
    memcpy(line, rest, end);
    (void)http_transfer_take_header(line, 1, end, transfer);
    rest += end;
  }
  char *body = __real_malloc(len + 1);
  memcpy(body, response->body, len + 1);
  bool is_taken = len == 0 || http_transfer_take(body, 1, len, transfer) == len;
  free(body);
  if (is_taken)
    transfer->answer->status = atoi(response->status);
  return is_taken;
}

/* ---- data ---------------------------------------------------------------- */

/* The body as text, until the next call. */
static const char *unpack(struct str body) {
  static char text[BODY_MAX];
  z_stream zip = {.next_in = (Bytef *)(uintptr_t)body.p,
                  .avail_in = (uInt)body.len,
                  .next_out = (Bytef *)text,
                  .avail_out = BODY_MAX - 1};

  if (body.len > 2 && memcmp(body.p, "\x1f\x8b", 2) == 0) {
    if (inflateInit2(&zip, 15 + 16) != Z_OK ||
        inflate(&zip, Z_FINISH) != Z_STREAM_END)
      abort();
    (void)inflateEnd(&zip);
    service.n_packed++;
    text[zip.total_out] = '\0';
  } else {
    (void)snprintf(text, BODY_MAX, "%.*s", (int)body.len, body.p);
  }
  return text;
}

/* The numbers of the data in a body, in its order; how many. */
static size_t read_numbers(struct str body, size_t numbers[NUMBERS_MAX]) {
  const char *text = unpack(body);
  size_t n = 0;

  for (const char *at = text; (at = strstr(at, "Value")) != NULL; at += 5) {
    const char *number = at + (at[5] == '=' ? 6 : 7); /* Value=7, "Value":7 */
    if (*number < '0' || *number > '9')
      continue; /* of a dimension */
    numbers[n] = strtoul(number, NULL, 10);
    if (numbers[n] == 0 || numbers[n] >= NUMBERS_MAX)
      abort();
    n++;
  }
  return n;
}

static void accept(const size_t *numbers, size_t n) {
  for (size_t i = 0; i < n; i++)
    service.accepted[numbers[i]]++;
}

/* Accepts the data, if they are as they should be. */
static bool judge(struct http_transfer *transfer, const size_t *numbers,
                  size_t n, const struct response *accepted) {
  char body[256];
  size_t bad = 0;

  if (service.most > 0 && n > service.most) {
    service.n_too_large++;
    return respond(transfer, &(struct response){"413 Too Large", "", ""});
  }
  while (bad < n && (service.bad == 0 || numbers[bad] != service.bad))
    bad++;
  if (bad == n) {
    accept(numbers, n);
    return respond(transfer, accepted);
  }
  (void)snprintf(body, sizeof(body),
                 "{\"__type\":\"InvalidParameterValueException\",\"message\":"
                 "\"The value %u for parameter MetricData.member.%zu.Value is "
                 "invalid.\"}",
                 service.bad, bad + 1);
  if (!service.is_named)
    (void)snprintf(body, sizeof(body),
                   "{\"__type\":\"InvalidParameterValueException\","
                   "\"message\":\"Something is invalid.\"}");
  return respond(transfer, &(struct response){"400 Bad Request", "", body});
}

/* Answers a request with data; false when no answer arrived. */
static bool take_data(struct http_transfer *transfer) {
  size_t numbers[NUMBERS_MAX],
      n = read_numbers(transfer->request->body, numbers);
  size_t i = service.n_posts++;
  enum act act = i < SCRIPT_MAX ? service.script[i] : WELL;

  if (service.is_down)
    act = NO_ANSWER;
  if (act != NO_ANSWER)
    transfer->n_sent = transfer->request->body.len;
  switch (act) {
  case WELL:
  case WELL_XML:
  case WELL_JSON:
    return judge(transfer, numbers, n, &answers[act]);
  case ANSWER_LOST:
    accept(numbers, n);
    return false;
  case NO_ANSWER:
    return false;
  case BROKEN:
  case THROTTLED:
  case EXPIRED:
  case SKEWED:
  case FORBIDDEN:
  case PORTAL:
    return respond(transfer, &answers[act]);
  }
  return false;
}

/* ---- http_send() --------------------------------------------------------- */

static bool serve(struct http_transfer *transfer) {
  const char *url = transfer->request->url;

  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    if (strstr(url, others[i].url) != NULL)
      return respond(transfer, &others[i].response);
  if (strstr(url, "monitoring.") == NULL)
    return respond(transfer, &(struct response){"404 Not Found", "", ""});
  return take_data(transfer);
}

void __wrap_http_send(struct http *http, const struct http_request *request,
                      struct http_answer *answer);
void __wrap_http_send(struct http *http, const struct http_request *request,
                      struct http_answer *answer) {
  struct http_transfer transfer = {.request = request, .answer = answer};
  (void)http;

  if (http_answer_begin(answer) != 0 || serve(&transfer))
    return;
  /* As http.c does where an answer is not whole. */
  http_answer_forget(answer);
  answer->ambiguous =
      request->body.len > 0 && transfer.n_sent == request->body.len;
  http_transfer_explain(&transfer, &(struct http_failure){.why = "broken"});
}

#endif
