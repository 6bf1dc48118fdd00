/* http: one blocking request with a bounded answer, which can be interrupted.
 *
 * http.c is the only file that knows curl.  libcurl never repeats a POST by
 * itself: the body goes through a read callback whose seek callback refuses.
 * Redirects are not followed.  A connection that was idle for more than 10 s is
 * not used again. */
#ifndef RUN_HTTP_H
#define RUN_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "run/clock.h"
#include "run/meanwhile.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once per process, before any thread of ours; 0 or -1. */
int http_global_init(void);

struct http_options {
  char *proxy;    /* owned; NULL: as the environment says */
  char *no_proxy; /* owned; NULL: as the environment says */
  char *ca_cert;  /* file; owned; it or ca_path replace the system's store; */
  char *ca_path;  /* folder; owned; both NULL: AWS_CA_BUNDLE, else system's */
  bool verify_peer;
  bool is_nearby; /* this host's own services are asked: what to do about
                     proxies and names is not said of them */
  int64_t connect_timeout_ms;
  int64_t timeout_ms; /* of a whole request */
};
#define HTTP_OPTIONS_INIT                                                      \
  { .verify_peer = true, .connect_timeout_ms = 5000, .timeout_ms = 20000 }
void http_options_clear(struct http_options *options);

/* Whether requests may go through a proxy: an option or the environment names
 * one. */
bool http_options_have_proxy(const struct http_options *options);

#define HTTP_ANSWER_MAX 65536 /* bytes of a body that are kept */

struct http_header {
  const char *name;
  struct str value;
};

struct http_request {
  const char *method; /* "POST", "GET", "PUT" */
  const char *url;
  const struct http_header *headers;
  size_t n_headers;
  struct str body;
};

struct http_answer {
  int status;             /* 0: no answer; then error says why */
  bool ambiguous;         /* no answer, but the whole body had been sent */
  bool is_silent;         /* no answer in time, though there was a connection */
  bool is_cut;            /* the body was longer than what is kept of it */
  struct buf body;        /* the first HTTP_ANSWER_MAX bytes */
  struct buf query_error; /* header x-amzn-query-error */
  struct buf error_type;  /* header x-amzn-errortype */
  struct buf request_id;  /* header x-amzn-requestid */
  struct buf date;        /* header date */
  struct clocks received; /* when its head began to come in */
  /* x-amz-retry-after (ms) or retry-after (RFC 9110 10.2.3: seconds, or a date,
   * taken against the answer's own), the longer of both, at most RETRY_CAP_MS
   * (aws/retry.h); else 0 */
  int64_t retry_after_ms;
  int64_t retry_date_s; /* the date, for http_answer.c; else 0 */
  struct err error;
};
#define HTTP_ANSWER_INIT                                                       \
  {                                                                            \
    .body = BUF_INIT(HTTP_ANSWER_MAX), .query_error = BUF_INIT(256),           \
    .error_type = BUF_INIT(256), .request_id = BUF_INIT(256),                  \
    .date = BUF_INIT(64)                                                       \
  }
void http_answer_clear(struct http_answer *answer);

/* The service's time, seconds since 1970 UTC; 0: it said none. */
int64_t http_answer_date_s(const struct http_answer *answer);

/* Host and port as the URL has them, for messages. */
struct str http_host_of(const char *url);

/* A client belongs to one thread. */
struct http;

/* options is borrowed for the life of the client.  deadline_ms: steady time
 * (run/clock.h) at which any request is abandoned, INT64_MAX for none; another
 * thread may change it at any time, and it is seen within about 200 ms.  NULL
 * for lack of memory. */
struct http *http_new(const struct http_options *options,
                      const _Atomic int64_t *deadline_ms);
void http_free(struct http *http);

#define HTTP_SLOW_MS 1000

/* Has told(context) called, once in each request that has taken HTTP_SLOW_MS
 * and has no whole answer yet, by the thread that waits for it. */
typedef void (*http_slow_fn)(void *context);
void http_on_slow(struct http *http, http_slow_fn told, void *context);

/* What is done while a request is under way; borrowed for the life of the
 * client.  It must not use the client. */
void http_on_wait(struct http *http, const struct meanwhile *meanwhile);

/* Sends one request and waits for the answer; what happened is in *answer,
 * which is emptied first. */
void http_send(struct http *http, const struct http_request *request,
               struct http_answer *answer);

/* Closes a connection that has been idle for 10 s; called when a client is not
 * going to send for a while. */
void http_rest(struct http *http);

#endif
