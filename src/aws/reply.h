/* reply: an answer of the service to an outcome.
 *
 * The codes and what follows from each stand in one table.  An answer without
 * an AWS error code (a proxy's page, a captive portal, nothing at all) is never
 * taken for a decision of the service: it is a RETRY.  So is a success that is
 * not whole, or that AWS could not have written. */
#ifndef AWS_REPLY_H
#define AWS_REPLY_H

#include "aws/remedy.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
  OUTCOME_SENT,    /* accepted */
  OUTCOME_RETRY,   /* the same again, later */
  OUTCOME_REFRESH, /* fetch new credentials, then the same again */
  OUTCOME_MEND,    /* the data were refused: take out what is named */
};

/* How a RETRY is to be paced, and what a person has to be told. */
enum reply_class {
  REPLY_PLAIN,     /* an error of the service or the way to it */
  REPLY_THROTTLED, /* too many requests */
  REPLY_SKEWED,    /* the clock differs from the service's */
  REPLY_UNPROVEN,  /* the signature is wrong: the secret, or the clock */
  REPLY_FORBIDDEN, /* permission or account: an administrator must act */
  REPLY_PROTOCOL,  /* the endpoint does not understand Protocol/Compression */
  REPLY_TOO_LARGE, /* 413: halve it */
  REPLY_NO_CODE,   /* an answer that AWS did not write, or none */
};

#define REPLY_CODE_MAX 128
#define REPLY_MESSAGE_MAX 1024
#define REPLY_INDEX_MAX 1000 /* data in one request, at most */

struct reply {
  int status; /* of HTTP; 0: no answer */
  enum outcome outcome;
  enum reply_class class;
  bool is_torn; /* a success that is not whole: the data may be there */
  char code[REPLY_CODE_MAX];       /* cleaned; "" when the answer has none */
  char message[REPLY_MESSAGE_MAX]; /* one line of printable ASCII */
  char denied[REMEDY_MAX];         /* what must be allowed, and where; "" when
                                      that is not what lacks */
  struct reply_refused {
    uint16_t index; /* from 0 */
    bool is_series; /* its name, dimensions or unit: no datum of that series
                       will ever be accepted.  Else its value, its time, or
                       what we do not know: this one alone is refused */
  } refused[REPLY_INDEX_MAX]; /* ascending, each index once */
  size_t n_refused; /* data that the message names; only for OUTCOME_MEND */
};

/* What came back. */
struct reply_input {
  int status;             /* HTTP status; 0: no answer */
  struct str query_error; /* header x-amzn-query-error */
  struct str error_type;  /* header x-amzn-errortype */
  struct str body;        /* as far as it was read */
  bool is_cut;            /* the body was longer than that */
};

/* Judges an answer to PutMetricData, JSON or Query.  Never fails: what it
 * cannot read is REPLY_NO_CODE.  n_data: data in the request; indices beyond
 * it are ignored. */
void reply_judge(const struct reply_input *input, size_t n_data,
                 struct reply *out);

/* A remedy, or what follows, in one clause: for every code, and for answers
 * without one; "" only for an answer that was accepted, or that did not come.
 */
const char *reply_hint(const struct reply *reply);

/* The message from the sentence on that names the datum, which may be one of
 * many; all of it when none does.  index: from 0. */
const char *reply_sentence(const struct reply *reply, size_t index);

/* The code of row i of the table, NULL beyond the last: for the tests, so that
 * none is without them. */
const char *reply_code_at(size_t i);

#endif
