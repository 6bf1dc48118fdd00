/* sigv4: AWS Signature Version 4 of one request (IAM User Guide, "Create a
 * signed AWS API request").
 *
 * Pure: the time is an argument, the request is described, nothing is sent.
 * Every header that is given is signed. */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include "aws/cred.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct sigv4_header {
  const char *name; /* lower case */
  struct str value;
};

struct sigv4_request {
  const char *method;                 /* "POST" */
  const char *path;                   /* as sent, percent-encoded, from "/" */
  const char *query;                  /* as sent, without "?"; "" is none */
  const struct sigv4_header *headers; /* "host" must be among them; neither
                                         x-amz-date, x-amz-security-token nor
                                         authorization */
  size_t n_headers;                   /* 1 to SIGV4_HEADERS_MAX */
  struct str body;                    /* as sent, after compression */
};

#define SIGV4_HEADERS_MAX 16

/* What is to be added to the request: values of three headers. */
struct sigv4_headers {
  struct buf date;          /* x-amz-date */
  struct buf token;         /* x-amz-security-token; empty: do not send it */
  struct buf authorization; /* authorization */
};

#define SIGV4_HEADERS_INIT                                                     \
  {                                                                            \
    .date = BUF_INIT(16), .token = BUF_INIT(65536),                            \
    .authorization = BUF_INIT(8192)                                            \
  }

/* The texts between request and signature, for tests and for finding faults;
 * they hold the session token. */
struct sigv4_trace {
  struct buf canonical; /* canonical request */
  struct buf to_sign;   /* string to sign */
};

/* Signs req as it would be sent at the time now_s.
 *
 * region   for example "eu-west-1"; signed as given, not checked
 * service  for example "monitoring"
 * now_s    seconds since 1970-01-01 00:00:00 UTC
 * out      overwritten; to be given back with sigv4_clear()
 * trace    NULL; or zeroed or used before, filled with the intermediate texts
 *          and to be given back with sigv4_trace_clear()
 *
 * All inputs are borrowed for the call.  Returns 0; or -1 with *err set and
 * *out and *trace empty when a value holds a line break or another control
 * character but tab, a blank or a control character stands in the method,
 * path, query, region or service, the path does not begin with "/", a header's
 * name is not lower case, stands twice or is one of our own, "host" is missing,
 * *cred has no keys, now_s lies outside the years 1970 to 9999, or memory ran
 * out. */
int sigv4_sign(const struct sigv4_request *req, const struct cred *cred,
               const char *region, const char *service, int64_t now_s,
               struct sigv4_headers *out, struct sigv4_trace *trace,
               struct err *err);
void sigv4_clear(struct sigv4_headers *headers);
void sigv4_trace_clear(struct sigv4_trace *trace);

#endif
