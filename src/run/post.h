/* post: one signed request with a body of PutMetricData.
 *
 * Compresses, signs for the second of now, sends, and judges the answer. */
#ifndef RUN_POST_H
#define RUN_POST_H

#include "aws/cred.h"
#include "aws/reply.h"
#include "base/buf.h"
#include "base/err.h"
#include "metric/batch.h"
#include "run/http.h"
#include "run/place.h"

#include <stdbool.h>
#include <stdint.h>

struct post {
  struct http *http;         /* borrowed */
  const struct place *place; /* borrowed */
  const struct cred *cred;   /* borrowed */
  bool compression;
  int64_t now_s; /* to sign with: wall time and what is known of its error */
};

#define POST_COMPRESS_MIN 10240 /* bytes from which the AWS SDKs compress */

/* Sends the batch, which is complete.
 *
 * answer  what came back, as it was
 * reply   what it means
 * 0; or -1 with *err set when nothing could be sent: the request cannot be
 * signed, or no memory. */
int post_batch(const struct post *post, const struct batch *batch,
               struct http_answer *answer, struct reply *reply,
               struct err *err);

#endif
