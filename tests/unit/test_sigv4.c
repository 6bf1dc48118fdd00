#include "aws/sigv4.h"

#include "vectors.h"

#include <time.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* ---- vectors ------------------------------------------------------------- */

/* A request as a vector or a test describes it, and room for what it needs. */
struct described {
  struct cred cred;
  char *region, *service, *method, *path, *query;
  int64_t now_s;
  char *names[SIGV4_HEADERS_MAX];
  struct sigv4_header headers[SIGV4_HEADERS_MAX];
  struct sigv4_request req;
};

static void read_head(struct described *d, struct str head) {
  struct str line, target, part;
  assert_true(str_split(&head, '\n', &target));
  assert_true(str_split(&target, ' ', &part));
  d->method = str_dup(part);
  str_split(&target, '?', &part);
  d->path = str_dup(part);
  d->query = str_dup(target);

  size_t n = 0;
  while (str_split(&head, '\n', &line)) {
    assert_true(n < SIGV4_HEADERS_MAX);
    str_split(&line, ':', &part);
    d->names[n] = str_dup(part);
    d->headers[n] = (struct sigv4_header){d->names[n], line};
    n++;
  }
  d->req = (struct sigv4_request){d->method,  d->path, d->query,
                                  d->headers, n,       {NULL, 0}};
}

static void describe(struct described *d, struct str text) {
  struct str settings = vector_block(&text), head = vector_block(&text);
  struct err err = {""};
  uint64_t now_s = 0;
  *d = (struct described){0};
  if (cred_set(&d->cred, vector_field(settings, "key_id"),
               vector_field(settings, "secret"),
               vector_field(settings, "token"), CRED_NEVER, "vector",
               &err) != 0)
    fail_msg("%s", err.text);
  assert_int_equal(str_to_u64(vector_field(settings, "time"), &now_s), 0);
  d->now_s = (int64_t)now_s;
  d->region = str_dup(vector_field(settings, "region"));
  d->service = str_dup(vector_field(settings, "service"));
  read_head(d, head);
  d->req.body = text;
}

static void forget(struct described *d) {
  for (size_t i = 0; i < d->req.n_headers; i++)
    free(d->names[i]);
  free(d->region);
  free(d->service);
  free(d->method);
  free(d->path);
  free(d->query);
  cred_wipe(&d->cred);
}

static void expect_text(const char *folder, const char *name,
                        const struct buf *ours) {
  struct str want = vector_read(folder, name);
  if (!str_eq((struct str){buf_str(ours), ours->len}, want))
    fail_msg("%s: %s is\n%s\nand should be\n%s", folder, name, buf_str(ours),
             want.p);
  vector_free(want);
}

static void run_vector(const char *folder) {
  struct str text = vector_read(folder, "request");
  struct described d;
  struct sigv4_headers out = SIGV4_HEADERS_INIT;
  struct sigv4_trace trace = {0};
  struct err err = {""};

  describe(&d, text);
  if (sigv4_sign(&d.req, &d.cred, d.region, d.service, d.now_s, &out, &trace,
                 &err) != 0)
    fail_msg("%s: %s", folder, err.text);
  expect_text(folder, "canonical", &trace.canonical);
  expect_text(folder, "to-sign", &trace.to_sign);
  expect_text(folder, "authorization", &out.authorization);
  const char *token = d.cred.session_token;
  assert_string_equal(buf_str(&out.token), token != NULL ? token : "");

  sigv4_clear(&out);
  sigv4_trace_clear(&trace);
  forget(&d);
  vector_free(text);
}

static void equals_every_vector(void **state) {
  (void)state;
  vector_each("sigv4", run_vector);
}

/* ---- what is refused ----------------------------------------------------- */

static const struct sigv4_header plain_headers[] = {
    {"host", {"h.example", 9}},
    {"content-type", {"text/plain", 10}},
};

static const struct sigv4_request plain = {"POST",        "/", "",
                                           plain_headers, 2,   {"body", 4}};

static char plain_id[] = "AKID", plain_secret[] = "secret";
static const struct cred plain_cred = {plain_id, plain_secret, NULL,
                                       CRED_NEVER};

static const struct {
  const char *label;
  struct sigv4_header headers[3];
} bad_headers[] = {
    {"line feed", {{"host", {"h", 1}}, {"x-a", {"b\nx-evil: 1", 11}}}},
    {"carriage return", {{"host", {"h", 1}}, {"x-a", {"b\rc", 3}}}},
    {"NUL", {{"host", {"h", 1}}, {"x-a", {"b\0c", 3}}}},
    {"DEL", {{"host", {"h", 1}}, {"x-a", {"b\x7f", 2}}}},
    {"capital in a name", {{"host", {"h", 1}}, {"X-a", {"b", 1}}}},
    {"blank in a name", {{"host", {"h", 1}}, {"x a", {"b", 1}}}},
    {"colon in a name", {{"host", {"h", 1}}, {"x:a", {"b", 1}}}},
    {"line break in a name", {{"host", {"h", 1}}, {"x\na", {"b", 1}}}},
    {"empty name", {{"host", {"h", 1}}, {"", {"b", 1}}}},
    {"twice", {{"host", {"h", 1}}, {"x-a", {"b", 1}}, {"x-a", {"c", 1}}}},
    {"no host", {{"x-a", {"b", 1}}}},
    {"our date", {{"host", {"h", 1}}, {"x-amz-date", {"b", 1}}}},
    {"our token", {{"host", {"h", 1}}, {"x-amz-security-token", {"b", 1}}}},
    {"our signature", {{"host", {"h", 1}}, {"authorization", {"b", 1}}}},
};

/* Signs with everything but one thing as it should be. */
static void expect_refused(const char *label, const struct sigv4_request *req,
                           const struct cred *cred, const char *region,
                           int64_t now_s) {
  struct sigv4_headers out = SIGV4_HEADERS_INIT;
  struct sigv4_trace trace = {0};
  struct err err = {""};
  buf_puts(&out.date, "old");
  if (sigv4_sign(req, cred, region, "monitoring", now_s, &out, &trace, &err) !=
      -1)
    fail_msg("%s: was signed", label);
  if (err.text[0] == '\0')
    fail_msg("%s: no sentence", label);
  if (out.date.len + out.token.len + out.authorization.len +
          trace.canonical.len + trace.to_sign.len !=
      0)
    fail_msg("%s: left something behind", label);
}

static void refuses_bad_headers(void **state) {
  (void)state;
  for (size_t i = 0; i < N(bad_headers); i++) {
    struct sigv4_request req = plain;
    req.headers = bad_headers[i].headers;
    for (req.n_headers = 0; req.n_headers < 3; req.n_headers++)
      if (req.headers[req.n_headers].name == NULL)
        break;
    expect_refused(bad_headers[i].label, &req, &plain_cred, "eu-west-1", 0);
  }
}

static void refuses_the_rest(void **state) {
  (void)state;
  struct sigv4_request req = plain;
  expect_refused("before 1970", &req, &plain_cred, "r", -1);
  expect_refused("after 9999", &req, &plain_cred, "r", INT64_C(253402300800));
  expect_refused("line break in the region", &req, &plain_cred, "r\nx", 0);

  struct cred none = {0}, token = plain_cred, id = plain_cred;
  char broken[] = "a\r\nb";
  expect_refused("no credentials", &req, &none, "r", 0);
  token.session_token = broken;
  expect_refused("line break in the token", &req, &token, "r", 0);
  id.access_key_id = broken;
  expect_refused("line break in the key id", &req, &id, "r", 0);

  req.path = "/a b";
  expect_refused("blank in the path", &req, &plain_cred, "r", 0);
  req.path = "a";
  expect_refused("path without a slash", &req, &plain_cred, "r", 0);
  req = plain;
  req.query = "a=b\n";
  expect_refused("line break in the query", &req, &plain_cred, "r", 0);
  req = plain;
  req.method = "POST /";
  expect_refused("blank in the method", &req, &plain_cred, "r", 0);

  struct sigv4_header many[SIGV4_HEADERS_MAX + 1];
  for (size_t i = 0; i < N(many); i++)
    many[i] = plain_headers[0];
  req = plain;
  req.headers = many;
  req.n_headers = N(many);
  expect_refused("too many headers", &req, &plain_cred, "r", 0);
  req.n_headers = 0;
  expect_refused("no headers", &req, &plain_cred, "r", 0);
}

static void takes_as_many_headers_as_it_says(void **state) {
  (void)state;
  static const char *names[SIGV4_HEADERS_MAX] = {
      "host", "b", "c", "d", "e", "f", "g", "i",
      "j",    "k", "l", "m", "n", "o", "p", "q"};
  struct sigv4_header many[SIGV4_HEADERS_MAX];
  for (size_t i = 0; i < N(many); i++)
    many[i] = (struct sigv4_header){names[i], STR("v")};
  struct sigv4_request req = plain;
  req.headers = many;
  req.n_headers = N(many);
  struct cred cred = plain_cred;
  char token[] = "t";
  cred.session_token = token;

  struct sigv4_headers out = SIGV4_HEADERS_INIT;
  assert_int_equal(sigv4_sign(&req, &cred, "r", "s", 0, &out, NULL, NULL), 0);
  assert_string_equal(buf_str(&out.date), "19700101T000000Z");
  sigv4_clear(&out);
}

/* ---- one changed byte, another signature --------------------------------- */

struct mutable {
  char method[8], path[16], query[16], name[8], value[16], body[16];
  char region[16], service[16], id[16], secret[16], token[16];
};

static const struct mutable unchanged = {
    "POST",  "/path/a", "k=v&l=w", "x-name", "a value", "some body",
    "reg-1", "service", "AKID",    "secret", "token"};

static void sign_mutable(const struct mutable *m, int64_t now_s,
                         struct sigv4_headers *out) {
  struct sigv4_header headers[] = {{"host", STR("h.example")},
                                   {m->name, str_of(m->value)}};
  struct sigv4_request req = {m->method, m->path, m->query,
                              headers,   2,       str_of(m->body)};
  struct mutable copy = *m;
  struct cred cred = {copy.id, copy.secret, copy.token, CRED_NEVER};
  struct err err = {""};
  if (sigv4_sign(&req, &cred, m->region, m->service, now_s, out, NULL, &err) !=
      0)
    fail_msg("%s", err.text);
}

static const char *signature_of(const struct sigv4_headers *out) {
  const char *at = strstr(buf_str(&out->authorization), "Signature=");
  assert_non_null(at);
  return at;
}

static const struct {
  const char *label;
  size_t at;
  const char * not ; /* bytes that would mean the same or be refused */
} fields[] = {
    {"method", offsetof(struct mutable, method), ""},
    {"path", offsetof(struct mutable, path), "/."},
    {"query", offsetof(struct mutable, query), "&="},
    {"header name", offsetof(struct mutable, name), ""},
    {"header value", offsetof(struct mutable, value), " "},
    {"body", offsetof(struct mutable, body), ""},
    {"region", offsetof(struct mutable, region), ""},
    {"service", offsetof(struct mutable, service), ""},
    {"secret", offsetof(struct mutable, secret), ""},
    {"token", offsetof(struct mutable, token), ""},
};

static void one_byte_changes_the_signature(void **state) {
  (void)state;
  struct sigv4_headers before = SIGV4_HEADERS_INIT, after = SIGV4_HEADERS_INIT;
  size_t n = 0;
  sign_mutable(&unchanged, 1000, &before);
  sign_mutable(&unchanged, 1001, &after);
  assert_string_not_equal(signature_of(&before), signature_of(&after));

  for (size_t i = 0; i < N(fields); i++) {
    for (size_t at = 0;; at++) {
      struct mutable m = unchanged;
      char *c = (char *)&m + fields[i].at + at;
      if (*c == '\0')
        break;
      if (strchr(fields[i].not, *c) != NULL)
        continue;
      *c = *c == 'z' ? 'y' : 'z';
      sign_mutable(&m, 1000, &after);
      if (strcmp(signature_of(&before), signature_of(&after)) == 0)
        fail_msg("%s, byte %zu: the same signature", fields[i].label, at);
      n++;
    }
  }
  assert_true(n > 50);
  sigv4_clear(&before);
  sigv4_clear(&after);
}

/* ---- random bodies, one flipped bit -------------------------------------- */

static uint64_t next_random(uint64_t *x) {
  *x ^= *x << 13;
  *x ^= *x >> 7;
  *x ^= *x << 17;
  return *x;
}

static void one_bit_of_a_body_changes_the_signature(void **state) {
  (void)state;
  uint64_t seed = (uint64_t)time(NULL) | 1, x = seed;
  struct sigv4_headers before = SIGV4_HEADERS_INIT, after = SIGV4_HEADERS_INIT;
  unsigned char body[300];
  print_message("seed %llu\n", (unsigned long long)seed);
  for (int round = 0; round < 100; round++) {
    size_t len = 1 + next_random(&x) % sizeof(body);
    for (size_t i = 0; i < len; i++)
      body[i] = (unsigned char)next_random(&x);
    struct sigv4_request req = plain;
    req.body = (struct str){(char *)body, len};
    sigv4_sign(&req, &plain_cred, "r", "s", 0, &before, NULL, NULL);
    size_t bit = next_random(&x) % (8 * len);
    body[bit / 8] = (unsigned char)(body[bit / 8] ^ (1u << bit % 8));
    sigv4_sign(&req, &plain_cred, "r", "s", 0, &after, NULL, NULL);
    if (strcmp(signature_of(&before), signature_of(&after)) == 0)
      fail_msg("round %d, bit %zu: the same signature", round, bit);
  }
  sigv4_clear(&before);
  sigv4_clear(&after);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equals_every_vector),
      cmocka_unit_test(refuses_bad_headers),
      cmocka_unit_test(refuses_the_rest),
      cmocka_unit_test(takes_as_many_headers_as_it_says),
      cmocka_unit_test(one_byte_changes_the_signature),
      cmocka_unit_test(one_bit_of_a_body_changes_the_signature),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
