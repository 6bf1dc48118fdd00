#include "run/sign.h"

/* What signing adds to the headers that are signed. */
#define ADDED 3

static size_t add(struct http_header *list, size_t n, const char *name,
                  const struct buf *value) {
  list[n] = (struct http_header){name, {buf_str(value), value->len}};
  return n + 1;
}

int sign_post(struct http *http, const struct sign_request *request,
              struct http_answer *answer, struct err *err) {
  struct sigv4_headers signature = SIGV4_HEADERS_INIT;
  struct sigv4_header headers[SIGV4_HEADERS_MAX];
  struct http_header list[SIGV4_HEADERS_MAX + ADDED];
  size_t n = 0;
  int rc = -1;

  headers[n++] =
      (struct sigv4_header){"host", str_of(request->endpoint->authority)};
  for (size_t i = 0; i < request->n_headers && n < SIGV4_HEADERS_MAX; i++)
    headers[n++] = request->headers[i];
  struct sigv4_request described = {.method = "POST",
                                    .path = request->endpoint->path,
                                    .query = "",
                                    .headers = headers,
                                    .n_headers = n,
                                    .body = request->body};
  if (sigv4_sign(&described, request->cred, request->region, request->service,
                 request->now_s, &signature, NULL, err) != 0)
    goto out;

  for (size_t i = 0; i < n; i++)
    list[i] = (struct http_header){headers[i].name, headers[i].value};
  n = add(list, n, "x-amz-date", &signature.date);
  if (signature.token.len > 0)
    n = add(list, n, "x-amz-security-token", &signature.token);
  n = add(list, n, "authorization", &signature.authorization);
  const struct http_request sent = {.method = "POST",
                                    .url = request->endpoint->url,
                                    .headers = list,
                                    .n_headers = n,
                                    .body = request->body};
  http_send(http, &sent, answer);
  rc = 0;
out:
  sigv4_clear(&signature);
  return rc;
}
