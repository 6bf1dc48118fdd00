#include "run/post.h"

#include "base/gzip.h"
#include "metric/encode_json.h"
#include "metric/encode_query.h"
#include "run/sign.h"

#define SERVICE "monitoring"

/* A list of headers with room for what this file sends. */
struct headers {
  struct sigv4_header item[SIGN_HEADERS_MAX];
  size_t n;
};

static void add(struct headers *headers, const char *name, struct str value) {
  headers->item[headers->n++] = (struct sigv4_header){name, value};
}

static void describe(struct headers *headers, enum protocol protocol,
                     bool is_gzip) {
  if (is_gzip)
    add(headers, "content-encoding", STR("gzip"));
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

int post_batch(const struct post *post, const struct batch *batch,
               struct http_answer *answer, struct reply *reply,
               struct err *err) {
  struct buf packed = BUF_INIT(CW_BODY_MAX);
  struct headers headers = {.n = 0};
  struct str body = str_of_buf(&batch->body);
  int rc = -1;

  /* A body that does not get smaller goes as it is. */
  if (post->compression && body.len >= POST_COMPRESS_MIN &&
      gzip_put(&packed, body.p, body.len) == 0 && packed.len < body.len)
    body = str_of_buf(&packed);
  describe(&headers, batch->protocol, body.p != buf_str(&batch->body));

  const struct sign_request request = {.endpoint = &post->place->endpoint,
                                       .headers = headers.item,
                                       .n_headers = headers.n,
                                       .body = body,
                                       .cred = post->cred,
                                       .region = post->place->region,
                                       .service = SERVICE,
                                       .now_s = post->now_s};
  if (sign_post(post->http, &request, answer, err) != 0)
    goto out;

  struct reply_input input = {.status = answer->status,
                              .query_error = str_of_buf(&answer->query_error),
                              .error_type = str_of_buf(&answer->error_type),
                              .body = str_of_buf(&answer->body),
                              .is_cut = answer->is_cut};
  reply_judge(&input, batch->n_data, reply);
  rc = 0;
out:
  buf_clear(&packed);
  return rc;
}
