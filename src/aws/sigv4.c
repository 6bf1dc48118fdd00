/* The stages, each a text of its own (see struct sigv4_trace):
 *
 *   canonical request   method, path, query, headers, their names, body hash
 *   string to sign      algorithm, time, scope, hash of the canonical request
 *   signature           HMAC of that with a key made of secret and scope
 */
#include "aws/sigv4.h"

#include "aws/canonical.h"
#include "base/date.h"
#include "base/digest.h"

#include <stdbool.h>
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define CANONICAL_MAX (1u << 20)
#define SIGNED_MAX (SIGV4_HEADERS_MAX + 2) /* and date and token */
#define DAY_LEN 8                          /* "20150830" */
#define HEX_LEN (2 * DIGEST_BYTES)

/* One call's work. */
struct work {
  const struct sigv4_request *req;
  const struct cred *cred;
  const char *region;
  const char *service;
  struct sigv4_header headers[SIGNED_MAX]; /* sorted by name */
  size_t n_headers;
  struct buf names;     /* of the headers, joined by ";" */
  struct buf scope;     /* day/region/service/aws4_request */
  struct buf canonical; /* holds the session token */
  struct buf to_sign;
};

/* ---- what is refused ----------------------------------------------------- */

/* A token of RFC 9110, section 5.6.2, without capitals. */
static bool is_name(const char *name) {
  if (*name == '\0')
    return false;
  for (; *name != '\0'; name++) {
    bool letter = *name >= 'a' && *name <= 'z';
    if (!letter && !str_is_digit(*name) &&
        strchr("!#$%&'*+-.^_`|~", *name) == NULL)
      return false;
  }
  return true;
}

static bool is_ours(const char *name) {
  return strcmp(name, "x-amz-date") == 0 ||
         strcmp(name, "x-amz-security-token") == 0 ||
         strcmp(name, "authorization") == 0;
}

static int check_header(const struct sigv4_header *h, struct err *err) {
  if (!is_name(h->name))
    return err_set(err, "a header's name is empty, not lower case or holds "
                        "characters that no name may have");
  if (is_ours(h->name))
    return err_set(err, "header \"%s\" is the signature's own", h->name);
  if (!str_is_field_value(h->value))
    return err_set(err, "header \"%s\" holds a control character", h->name);
  return 0;
}

static int check(const struct work *w, int64_t now_s, struct err *err) {
  const struct sigv4_request *req = w->req;
  if (now_s < 0 || now_s > DATE_MAX)
    return err_set(err, "the time lies outside the years 1970 to 9999");
  if (w->cred->access_key_id == NULL || w->cred->secret_access_key == NULL)
    return err_set(err, "there are no credentials to sign with");
  if (!str_is_word(str_of(w->cred->access_key_id)) ||
      !str_is_field_value(str_of(w->cred->session_token)))
    return err_set(err, "the credentials hold a control character");
  if (!str_is_word(str_of(req->method)) || !str_is_word(str_of(req->path)) ||
      !str_is_word(str_of(req->query)) || !str_is_word(str_of(w->region)) ||
      !str_is_word(str_of(w->service)))
    return err_set(err, "the method, path, query, region or service holds a "
                        "blank or a control character");
  if (req->path[0] != '\0' && req->path[0] != '/')
    return err_set(err, "the path does not begin with \"/\"");
  if (req->n_headers > SIGV4_HEADERS_MAX)
    return err_set(err, "more than %d headers", SIGV4_HEADERS_MAX);

  for (size_t i = 0; i < req->n_headers; i++)
    if (check_header(&req->headers[i], err) != 0)
      return -1;
  return 0;
}

/* ---- headers ------------------------------------------------------------- */

/* Keeps the list sorted. */
static void insert(struct work *w, const char *name, struct str value) {
  size_t at = w->n_headers++;
  for (; at > 0 && strcmp(w->headers[at - 1].name, name) > 0; at--)
    w->headers[at] = w->headers[at - 1];
  w->headers[at] = (struct sigv4_header){name, value};
}

static int collect_headers(struct work *w, const struct buf *date,
                           struct err *err) {
  bool has_host = false;
  for (size_t i = 0; i < w->req->n_headers; i++) {
    const struct sigv4_header *h = &w->req->headers[i];
    has_host = has_host || strcmp(h->name, "host") == 0;
    insert(w, h->name, h->value);
  }
  if (!has_host)
    return err_set(err, "header \"host\" is missing");

  insert(w, "x-amz-date", str_of_buf(date));
  struct str token = str_of(w->cred->session_token);
  if (token.len > 0)
    insert(w, "x-amz-security-token", token);

  for (size_t i = 1; i < w->n_headers; i++)
    if (strcmp(w->headers[i - 1].name, w->headers[i].name) == 0)
      return err_set(err, "header \"%s\" stands twice", w->headers[i].name);
  return 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* The words of the value with one space between them. */
static void put_value(struct buf *out, struct str value) {
  size_t i = 0;
  bool first = true;
  while (i < value.len) {
    size_t begin = i;
    while (i < value.len && !is_blank(value.p[i]))
      i++;
    if (i > begin) {
      if (!first)
        buf_putc(out, ' ');
      buf_put(out, value.p + begin, i - begin);
      first = false;
    }
    while (i < value.len && is_blank(value.p[i]))
      i++;
  }
}

static void put_headers(struct work *w) {
  for (size_t i = 0; i < w->n_headers; i++) {
    if (i > 0)
      buf_putc(&w->names, ';');
    buf_puts(&w->names, w->headers[i].name);

    buf_puts(&w->canonical, w->headers[i].name);
    buf_putc(&w->canonical, ':');
    put_value(&w->canonical, w->headers[i].value);
    buf_putc(&w->canonical, '\n');
  }
}

/* ---- the stages ---------------------------------------------------------- */

/* The most that the canonical request can come to, so that the buffer gets it
 * at once: growing would leave copies of the session token behind. */
static size_t canonical_bound(const struct work *w) {
  size_t bound = strlen(w->req->method) + 3 * strlen(w->req->path) +
                 2 * strlen(w->req->query) + HEX_LEN + 16;
  for (size_t i = 0; i < w->n_headers; i++)
    bound += 2 * strlen(w->headers[i].name) + w->headers[i].value.len + 4;
  return bound;
}

static int put_canonical(struct work *w) {
  unsigned char hash[DIGEST_BYTES];
  struct buf *out = &w->canonical;

  buf_reserve(out, canonical_bound(w));
  buf_puts(out, w->req->method);
  buf_putc(out, '\n');
  canonical_put_path(out, w->req->path);
  buf_putc(out, '\n');
  if (canonical_put_query(out, w->req->query) != 0)
    return -1;
  buf_putc(out, '\n');
  put_headers(w);
  buf_putc(out, '\n');
  buf_put(out, buf_str(&w->names), w->names.len);
  buf_putc(out, '\n');
  if (digest_sha256(w->req->body.p, w->req->body.len, hash) != 0)
    return -1;
  digest_put_hex(out, hash, sizeof(hash));
  return buf_ok(out) && buf_ok(&w->names) ? 0 : -1;
}

static int put_to_sign(struct work *w, const struct buf *date) {
  unsigned char hash[DIGEST_BYTES];
  if (digest_sha256(w->canonical.data, w->canonical.len, hash) != 0)
    return -1;

  buf_put(&w->scope, buf_str(date), DAY_LEN);
  buf_printf(&w->scope, "/%s/%s/aws4_request", w->region, w->service);
  buf_printf(&w->to_sign, ALGORITHM "\n%s\n%s\n", buf_str(date),
             buf_str(&w->scope));
  digest_put_hex(&w->to_sign, hash, sizeof(hash));
  return buf_ok(&w->scope) && buf_ok(&w->to_sign) ? 0 : -1;
}

/* One link of the chain: key becomes the HMAC of text with key. */
static int turn(unsigned char key[DIGEST_BYTES], const char *text, size_t len) {
  return digest_hmac(key, DIGEST_BYTES, text, len, key);
}

static int make_signature(const struct work *w, const struct buf *date,
                          unsigned char signature[DIGEST_BYTES]) {
  static const char prefix[] = "AWS4", last[] = "aws4_request";
  const char *secret = w->cred->secret_access_key;
  size_t first_len = sizeof(prefix) - 1 + strlen(secret);
  struct buf first = BUF_INIT(first_len);
  unsigned char key[DIGEST_BYTES] = {0};
  int rc = -1;

  buf_reserve(&first, first_len);
  buf_puts(&first, prefix);
  buf_puts(&first, secret);
  if (!buf_ok(&first) ||
      digest_hmac(first.data, first.len, buf_str(date), DAY_LEN, key) != 0)
    goto out;
  if (turn(key, w->region, strlen(w->region)) != 0 ||
      turn(key, w->service, strlen(w->service)) != 0 ||
      turn(key, last, sizeof(last) - 1) != 0)
    goto out;
  rc =
      digest_hmac(key, sizeof(key), w->to_sign.data, w->to_sign.len, signature);
out:
  digest_wipe(key, sizeof(key));
  buf_wipe(&first);
  return rc;
}

static int put_results(struct work *w, struct sigv4_headers *out) {
  unsigned char signature[DIGEST_BYTES];
  if (put_canonical(w) != 0 || put_to_sign(w, &out->date) != 0 ||
      make_signature(w, &out->date, signature) != 0)
    return -1;

  struct str token = str_of(w->cred->session_token);
  buf_reserve(&out->token, token.len);
  buf_put(&out->token, token.p, token.len);
  buf_printf(&out->authorization,
             ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=",
             w->cred->access_key_id, buf_str(&w->scope), buf_str(&w->names));
  /* Growing within the signature would leave a part of it behind. */
  buf_reserve(&out->authorization, 2 * sizeof(signature));
  digest_put_hex(&out->authorization, signature, sizeof(signature));
  digest_wipe(signature, sizeof(signature));
  return buf_ok(&out->token) && buf_ok(&out->authorization) ? 0 : -1;
}

static void keep_trace(struct work *w, struct sigv4_trace *trace) {
  trace->canonical = w->canonical;
  trace->to_sign = w->to_sign;
  w->canonical = (struct buf)BUF_INIT(0);
  w->to_sign = (struct buf)BUF_INIT(0);
}

int sigv4_sign(const struct sigv4_request *req, const struct cred *cred,
               const char *region, const char *service, int64_t now_s,
               struct sigv4_headers *out, struct sigv4_trace *trace,
               struct err *err) {
  struct work w = {.req = req,
                   .cred = cred,
                   .region = region,
                   .service = service,
                   .names = BUF_INIT(CANONICAL_MAX),
                   .scope = BUF_INIT(CANONICAL_MAX),
                   .canonical = BUF_INIT(CANONICAL_MAX),
                   .to_sign = BUF_INIT(CANONICAL_MAX)};
  int rc = -1;

  sigv4_clear(out);
  if (trace != NULL)
    sigv4_trace_clear(trace);

  if (check(&w, now_s, err) != 0)
    goto out;
  date_put_basic(&out->date, now_s);
  if (!buf_ok(&out->date)) {
    err_set(err, "out of memory");
    goto out;
  }
  if (collect_headers(&w, &out->date, err) != 0)
    goto out;
  if (put_results(&w, out) != 0) {
    err_set(err, "out of memory, or the request's head is too large to sign");
    goto out;
  }
  if (trace != NULL)
    keep_trace(&w, trace);
  rc = 0;
out:
  if (rc != 0)
    sigv4_clear(out);
  buf_clear(&w.names);
  buf_clear(&w.scope);
  buf_wipe(&w.canonical);
  buf_clear(&w.to_sign);
  return rc;
}

void sigv4_clear(struct sigv4_headers *headers) {
  buf_clear(&headers->date);
  buf_wipe(&headers->token);
  buf_wipe(&headers->authorization);
}

void sigv4_trace_clear(struct sigv4_trace *trace) {
  buf_wipe(&trace->canonical);
  buf_clear(&trace->to_sign);
}
