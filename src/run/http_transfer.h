/* http_transfer: one request under way: its body given, its answer taken, and
 * the sentence when there is none.  For http.c only, which calls curl; the
 * functions here have the form of curl's callbacks. */
#ifndef RUN_HTTP_TRANSFER_H
#define RUN_HTTP_TRANSFER_H

#include "base/buf.h"
#include "run/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_transfer {
  const struct http_request *request;
  struct http_answer *answer;
  size_t n_sent;     /* bytes of the body that curl has taken */
  size_t n_received; /* bytes of the answer's body */
  bool too_long;     /* the answer, so that it was not read to its end */
  bool is_slow;      /* it has taken HTTP_SLOW_MS, which was told */
  int64_t start_ms;
};

/* The next bytes of the request's body; transfer is a struct http_transfer. */
size_t http_transfer_give(char *to, size_t size, size_t n, void *transfer);

/* Bytes of the answer's body; 0 ends the transfer. */
size_t http_transfer_take(char *data, size_t size, size_t n, void *transfer);

/* A line of the answer's head. */
size_t http_transfer_take_header(char *data, size_t size, size_t n,
                                 void *transfer);

/* Tells who wants to know, once, when the transfer has taken HTTP_SLOW_MS.
 * told may be NULL. */
void http_transfer_watch(struct http_transfer *transfer, http_slow_fn told,
                         void *context);

/* How far a transfer without an answer got. */
struct http_failure {
  bool has_started; /* sending had begun */
  bool timed_out;
  bool is_nearby;      /* as in struct http_options */
  long connect_status; /* of the proxy; 0: none */
  const char *why;     /* in a few words */
};

/* Say why there is no answer, in the answer's error, and what to do. */
void http_transfer_explain(const struct http_transfer *transfer,
                           const struct http_failure *failure);
void http_transfer_give_up(const struct http_transfer *transfer);

/* Appends a time as a person would say it, "1.5 s". */
void http_put_seconds(struct buf *out, int64_t ms);

#endif
