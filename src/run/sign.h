/* sign: one POST to an AWS service, signed for the second in which it is sent.
 */
#ifndef RUN_SIGN_H
#define RUN_SIGN_H

#include "aws/cred.h"
#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "base/err.h"
#include "base/str.h"
#include "run/http.h"

#include <stddef.h>
#include <stdint.h>

#define SIGN_HEADERS_MAX (SIGV4_HEADERS_MAX - 1)

struct sign_request { /* all borrowed */
  const struct endpoint *endpoint;
  const struct sigv4_header *headers; /* names in lower case, without host */
  size_t n_headers;                   /* up to SIGN_HEADERS_MAX */
  struct str body;
  const struct cred *cred;
  const char *region, *service;
  int64_t now_s; /* by the service's clock, as far as it is known */
};

/* Signs and sends.  0 with what came back in *answer, which may be that nothing
 * did; or -1 with *err set when it cannot be signed. */
int sign_post(struct http *http, const struct sign_request *request,
              struct http_answer *answer, struct err *err);

#endif
