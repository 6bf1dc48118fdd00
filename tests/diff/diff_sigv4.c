/* diff_sigv4: makes requests from a seed, signs them with our code, and writes
 * each with what came out as a line of JSON, for sigv4_oracle.py to judge.
 *
 *   diff_sigv4 [COUNT [SEED]]     2500 requests; the seed is the time
 *
 * The domain is what HTTP allows, less what the judge does not take as HTTP
 * means it.  botocore cuts header values at every Unicode blank, where HTTP
 * knows space and tab only: so no such blanks beyond ASCII.  It leaves out or
 * treats specially expect, user-agent, x-amzn-trace-id, date and
 * x-amz-content-sha256: so none of these names.  It writes the method in
 * capitals: so no small letters there.  Its texts are Unicode: so all but the
 * body is UTF-8. */
#include "aws/sigv4.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT_MAX 8192
#define BODY_MAX 3000

/* ---- dice ---------------------------------------------------------------- */

/* xorshift64*; state is never 0. */
static uint64_t roll(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *state, size_t n) {
  return (size_t)((roll(state) >> 16) % n);
}

static const char *pick(uint64_t *state, const char *const *list, size_t n) {
  return list[below(state, n)];
}

#define PICK(state, list) pick((state), (list), N(list))

/* ---- parts of a request -------------------------------------------------- */

static const char *const methods[] = {"GET",  "POST",   "PUT",
                                      "HEAD", "DELETE", "PATCH"};
static const char *const path_pieces[] = {
    "a", "Z9", "%20", "%2F", "%2f", "%25",  "%7E", "~",  "-",
    "_", ".",  "..",  "...", "+",   "=",    ":",   "@",  "&",
    "$", "!",  "*",   "'",   "(",   ")",    ",",   ";",  "é",
    "€", "𝄞",  "/",   "//",  "/./", "/../", "/.",  "/.."};
static const char *const query_pieces[] = {
    "a", "b", "A", "0", "-", ".",  "_",   "~",   "%20", "%26", "%3D", "%C3%A9",
    "+", "/", "?", ":", "@", "!",  "*",   ";",   ",",   "é",   "€",   "=",
    "=", "=", "&", "&", "&", "&&", "a=1", "a=2", "ab=", "a"};
static const char *const value_pieces[] = {
    "a",  "word", "0", " ", "  ",  "   ", "\t",   " \t ", ",",  ";", "=",
    "\"", "/",    "é", "€", "%20", ":",   "name", "(x)",  "\\", "~"};
static const char *const names[] = {"content-type",
                                    "content-encoding",
                                    "x-amz-target",
                                    "x-amzn-query-mode",
                                    "accept",
                                    "x-a",
                                    "x-a-b",
                                    "x-a_b",
                                    "x-ab",
                                    "x-a.b",
                                    "x-0",
                                    "cache-control",
                                    "z",
                                    "a",
                                    "!#$%&'*+^`|~",
                                    "content-length"};
static const char *const hosts[] = {
    "monitoring.us-east-1.amazonaws.com", "127.0.0.1:4566", "[::1]:8080",
    "sts.cn-north-1.amazonaws.com.cn", "localhost"};
static const char *const regions[] = {"us-east-1", "eu-west-3", "cn-north-1",
                                      "us-gov-west-1", "x"};
static const char *const services[] = {"monitoring", "sts", "logs", "x-y"};
static const char token_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                                "tuvwxyz0123456789+/=";

struct made {
  struct buf path, query, id, secret, token, body;
  struct buf values[SIGV4_HEADERS_MAX];
  struct sigv4_header headers[SIGV4_HEADERS_MAX];
  struct sigv4_request req;
  const char *region, *service;
  int64_t now_s;
};

static void put_pieces(struct buf *out, uint64_t *state,
                       const char *const *list, size_t n, size_t most) {
  for (size_t i = below(state, most + 1); i > 0; i--)
    buf_puts(out, pick(state, list, n));
}

static void put_token(struct buf *out, uint64_t *state, size_t len) {
  while (len-- > 0)
    buf_putc(out, token_set[below(state, sizeof(token_set) - 1)]);
}

static void make_headers(struct made *m, uint64_t *state) {
  size_t n = below(state, SIGV4_HEADERS_MAX);
  size_t first = below(state, N(names));
  size_t host_at = below(state, n + 1);
  for (size_t i = 0; i <= n; i++) {
    struct buf *value = &m->values[i];
    if (i == host_at) {
      buf_puts(value, PICK(state, hosts));
      m->headers[i].name = "host";
    } else {
      put_pieces(value, state, value_pieces, N(value_pieces), 9);
      /* 7 and the length of the list have no common divisor: each name comes
       * once. */
      m->headers[i].name = names[(first + 7 * i) % N(names)];
    }
    m->headers[i].value = (struct str){buf_str(value), value->len};
  }
  m->req.headers = m->headers;
  m->req.n_headers = n + 1;
}

static void make(struct made *m, uint64_t *state) {
  *m = (struct made){.path = BUF_INIT(TEXT_MAX),
                     .query = BUF_INIT(TEXT_MAX),
                     .id = BUF_INIT(TEXT_MAX),
                     .secret = BUF_INIT(TEXT_MAX),
                     .token = BUF_INIT(TEXT_MAX),
                     .body = BUF_INIT(BODY_MAX)};
  for (size_t i = 0; i < SIGV4_HEADERS_MAX; i++)
    m->values[i] = (struct buf)BUF_INIT(TEXT_MAX);

  buf_putc(&m->path, '/');
  put_pieces(&m->path, state, path_pieces, N(path_pieces), 12);
  put_pieces(&m->query, state, query_pieces, N(query_pieces),
             below(state, 2) * 24);
  put_token(&m->id, state, 16 + below(state, 9));
  put_token(&m->secret, state, 1 + below(state, 100));
  put_token(&m->token, state, below(state, 3) * below(state, 1500));
  for (size_t i = below(state, 4) * below(state, BODY_MAX / 3); i > 0; i--)
    buf_putc(&m->body, (char)(roll(state) >> 40 & 0xff));

  m->req.method = PICK(state, methods);
  m->req.path = buf_str(&m->path);
  m->req.query = buf_str(&m->query);
  m->req.body = (struct str){buf_str(&m->body), m->body.len};
  make_headers(m, state);
  m->region = PICK(state, regions);
  m->service = PICK(state, services);
  m->now_s = (int64_t)(roll(state) % (DATE_MAX + 1));
}

static void clear(struct made *m) {
  buf_clear(&m->path);
  buf_clear(&m->query);
  buf_clear(&m->id);
  buf_clear(&m->secret);
  buf_clear(&m->token);
  buf_clear(&m->body);
  for (size_t i = 0; i < SIGV4_HEADERS_MAX; i++)
    buf_clear(&m->values[i]);
}

/* ---- writing ------------------------------------------------------------- */

static void put_text(struct json_out *json, const char *key,
                     const char *value) {
  json_put_str(json, str_of(key));
  json_put_str(json, str_of(value));
}

static void put_headers(struct json_out *json, const struct made *m) {
  json_put_str(json, STR("headers"));
  json_open_array(json);
  for (size_t i = 0; i < m->req.n_headers; i++) {
    json_open_array(json);
    json_put_str(json, str_of(m->headers[i].name));
    json_put_str(json, m->headers[i].value);
    json_close_array(json);
  }
  json_close_array(json);
}

static void put_request(struct json_out *json, const struct made *m) {
  struct buf hex = BUF_INIT(2 * BODY_MAX);
  digest_put_hex(&hex, (const unsigned char *)m->req.body.p, m->req.body.len);
  put_text(json, "method", m->req.method);
  put_text(json, "path", m->req.path);
  put_text(json, "query", m->req.query);
  put_headers(json, m);
  put_text(json, "body_hex", buf_str(&hex));
  put_text(json, "key_id", buf_str(&m->id));
  put_text(json, "secret", buf_str(&m->secret));
  put_text(json, "token", buf_str(&m->token));
  put_text(json, "region", m->region);
  put_text(json, "service", m->service);
  json_put_str(json, STR("time"));
  json_put_int(json, m->now_s);
  buf_clear(&hex);
}

static int write_one(struct json_out *json, const struct made *m,
                     uint64_t seed) {
  struct sigv4_headers out = SIGV4_HEADERS_INIT;
  struct sigv4_trace trace = {0};
  struct cred cred = {0};
  struct err err = {""};
  struct buf line = BUF_INIT(1u << 20);
  int rc = -1;

  if (cred_set(&cred, str_of(buf_str(&m->id)), str_of(buf_str(&m->secret)),
               str_of(buf_str(&m->token)), CRED_NEVER, "diff", &err) != 0 ||
      sigv4_sign(&m->req, &cred, m->region, m->service, m->now_s, &out, &trace,
                 &err) != 0)
    goto out;

  json_begin(json, &line);
  json_open_object(json);
  json_put_str(json, STR("seed"));
  json_put_int(json, (long long)seed);
  put_request(json, m);
  put_text(json, "date", buf_str(&out.date));
  put_text(json, "token_sent", buf_str(&out.token));
  put_text(json, "canonical", buf_str(&trace.canonical));
  put_text(json, "to_sign", buf_str(&trace.to_sign));
  put_text(json, "authorization", buf_str(&out.authorization));
  json_close_object(json);
  if (json_end(json) != 0 || puts(buf_str(&line)) < 0)
    err_set(&err, "the request cannot be written");
  else
    rc = 0;
out:
  if (rc != 0)
    fprintf(stderr, "diff_sigv4: seed %llu: %s\n", (unsigned long long)seed,
            err.text);
  cred_wipe(&cred);
  sigv4_clear(&out);
  sigv4_trace_clear(&trace);
  buf_clear(&line);
  return rc;
}

int main(int argc, char **argv) {
  uint64_t count = 2500, seed = (uint64_t)time(NULL);
  if ((argc > 1 && str_to_u64(str_of(argv[1]), &count) != 0) ||
      (argc > 2 && str_to_u64(str_of(argv[2]), &seed) != 0)) {
    fprintf(stderr, "usage: diff_sigv4 [COUNT [SEED]]\n");
    return 2;
  }
  fprintf(stderr, "diff_sigv4: seed %llu\n", (unsigned long long)seed);

  struct json_out *json = json_out_new();
  uint64_t state = seed ^ UINT64_C(0x9e3779b97f4a7c15);
  int rc = json == NULL ? -1 : 0;
  if (state == 0)
    state = 1;
  for (uint64_t i = 0; i < count && rc == 0; i++) {
    struct made m;
    make(&m, &state);
    rc = write_one(json, &m, seed);
    clear(&m);
  }
  json_out_free(json);
  return rc == 0 ? 0 : 1;
}
