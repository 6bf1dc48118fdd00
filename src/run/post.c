#include "run/post.h"

#include "aws/sigv4.h"
#include "base/gzip.h"
#include "metric/encode_json.h"
#include "metric/encode_query.h"

#include <string.h>

#define SERVICE "monitoring"

/* A list of headers with room for what this file sends. */
struct headers {
  struct sigv4_header item[SIGV4_HEADERS_MAX];
  size_t n;
};

static void add(struct headers *headers, const char *name, struct str value) {
  headers->item[headers->n++] = (struct sigv4_header){name, value};
}

/* The headers that are signed, but for those that signing adds. */
static void describe(struct headers *headers, const struct post *post,
                     enum protocol protocol, bool is_gzip) {
  if (is_gzip)
    add(headers, "content-encoding", STR("gzip"));
  add(headers, "host", str_of(post->place->endpoint.authority));
  switch (protocol) {
  case PROTOCOL_JSON:
    add(headers, "content-type", STR(ENCODE_JSON_CONTENT_TYPE));
    add(headers, "x-amz-target", STR(ENCODE_JSON_TARGET));
    add(headers, "x-amzn-query-mode", STR(ENCODE_JSON_QUERY_MODE));
    return;
  case PROTOCOL_QUERY:
    add(headers, "content-type", STR(ENCODE_QUERY_CONTENT_TYPE));
    return;
  }
}

/* Sends body with the signed headers and those of the signature. */
static void send_signed(const struct post *post, const struct headers *headers,
                        const struct sigv4_headers *signature, struct str body,
                        struct http_answer *answer) {
  struct http_header list[SIGV4_HEADERS_MAX + 3];
  size_t n = 0;

  for (size_t i = 0; i < headers->n; i++)
    list[n++] =
        (struct http_header){headers->item[i].name, headers->item[i].value};
  list[n++] =
      (struct http_header){"x-amz-date", str_of(buf_str(&signature->date))};
  if (signature->token.len > 0)
    list[n++] = (struct http_header){"x-amz-security-token",
                                     str_of(buf_str(&signature->token))};
  list[n++] = (struct http_header){"authorization",
                                   str_of(buf_str(&signature->authorization))};

  struct http_request request = {.method = "POST",
                                 .url = post->place->endpoint.url,
                                 .headers = list,
                                 .n_headers = n,
                                 .body = body};
  http_send(post->http, &request, answer);
}

static struct str text_of(const struct buf *b) {
  return (struct str){buf_str(b), b->len};
}

int post_batch(const struct post *post, const struct batch *batch,
               struct http_answer *answer, struct reply *reply,
               struct err *err) {
  struct buf packed = BUF_INIT(CW_BODY_MAX);
  struct sigv4_headers signature = SIGV4_HEADERS_INIT;
  struct headers headers = {.n = 0};
  struct str body = text_of(&batch->body);
  int rc = -1;

  /* A body that does not get smaller goes as it is. */
  if (post->compression && body.len >= POST_COMPRESS_MIN &&
      gzip_put(&packed, body.p, body.len) == 0 && packed.len < body.len)
    body = text_of(&packed);
  describe(&headers, post, batch->protocol, body.p != buf_str(&batch->body));

  struct sigv4_request request = {.method = "POST",
                                  .path = post->place->endpoint.path,
                                  .query = "",
                                  .headers = headers.item,
                                  .n_headers = headers.n,
                                  .body = body};
  if (sigv4_sign(&request, post->cred, post->place->region, SERVICE,
                 post->now_s, &signature, NULL, err) != 0)
    goto out;

  send_signed(post, &headers, &signature, body, answer);
  struct reply_input input = {.status = answer->status,
                              .query_error = text_of(&answer->query_error),
                              .error_type = text_of(&answer->error_type),
                              .body = text_of(&answer->body)};
  reply_judge(&input, batch->n_data, reply);
  rc = 0;
out:
  sigv4_clear(&signature);
  buf_clear(&packed);
  return rc;
}
