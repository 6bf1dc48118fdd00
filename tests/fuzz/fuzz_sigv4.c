/* Any request is signed, in one line of each header, or refused with a
 * sentence; a line break is always refused.  The input is cut at NULs: method,
 * path, query, token, region, then a name and a value for each header, and the
 * body after the last. */
#include "aws/sigv4.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS_MAX 5
#define HEADERS_MAX 4

static bool has_break(const char *text) {
  return strpbrk(text, "\r\n") != NULL;
}

/* Copies the next part; empty when there is no more. */
static char *take(struct str *rest) {
  struct str part = {"", 0};
  str_split(rest, '\0', &part);
  char *text = str_dup(part);
  if (text == NULL)
    abort();
  return text;
}

static void check(const struct sigv4_request *req, const char *token,
                  const char *region) {
  struct sigv4_headers out = SIGV4_HEADERS_INIT;
  struct sigv4_trace trace = {0};
  struct cred cred = {0};
  struct err err = {""};
  char id[] = "AKID", secret[] = "secret";
  char *copy = str_dup(str_of(token));
  if (copy == NULL)
    abort();
  cred = (struct cred){id, secret, copy, CRED_NEVER};

  bool broken = has_break(req->method) || has_break(req->path) ||
                has_break(req->query) || has_break(token) || has_break(region);
  for (size_t i = 0; i < req->n_headers; i++)
    broken = broken || has_break(req->headers[i].name) ||
             has_break(req->headers[i].value.p);

  if (sigv4_sign(req, &cred, region, "monitoring", 1440938160, &out, &trace,
                 &err) == 0) {
    if (broken || has_break(buf_str(&out.authorization)) ||
        has_break(buf_str(&out.token)) || out.date.len != 16)
      abort();
    if (strlen(buf_str(&trace.canonical)) != trace.canonical.len)
      abort();
  } else if (err.text[0] == '\0' || out.authorization.len != 0) {
    abort();
  }
  sigv4_clear(&out);
  sigv4_trace_clear(&trace);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str rest = {(const char *)data, size};
  char *parts[PARTS_MAX], *names[HEADERS_MAX], *values[HEADERS_MAX];
  struct sigv4_header headers[HEADERS_MAX + 1] = {{"host", STR("h.example")}};
  for (size_t i = 0; i < PARTS_MAX; i++)
    parts[i] = take(&rest);
  for (size_t i = 0; i < HEADERS_MAX; i++) {
    names[i] = take(&rest);
    values[i] = take(&rest);
    headers[i + 1] = (struct sigv4_header){names[i], str_of(values[i])};
  }

  /* As many headers as have a name, so that few parts suffice. */
  struct sigv4_request req = {parts[0], parts[1], parts[2], headers, 1, rest};
  while (req.n_headers <= HEADERS_MAX && *headers[req.n_headers].name != '\0')
    req.n_headers++;
  check(&req, parts[3], parts[4]);

  for (size_t i = 0; i < PARTS_MAX; i++)
    free(parts[i]);
  for (size_t i = 0; i < HEADERS_MAX; i++) {
    free(names[i]);
    free(values[i]);
  }
  return 0;
}
