/* reply: an answer of the service to an outcome.
 *
 * The codes and what follows from each stand in one table.  An answer without
 * an AWS error code (a proxy's page, a captive portal, nothing at all) is never
 * taken for a decision of the service: it is a RETRY. */
#ifndef AWS_REPLY_H
#define AWS_REPLY_H

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
  enum outcome outcome;
  enum reply_class class;
  char code[REPLY_CODE_MAX];         /* cleaned; "" when the answer has none */
  char message[REPLY_MESSAGE_MAX];   /* one line of printable ASCII */
  uint16_t refused[REPLY_INDEX_MAX]; /* indices from 0, ascending, each once */
  size_t n_refused; /* data that the message names; only for OUTCOME_MEND */
};

/* What came back. */
struct reply_input {
  int status;             /* HTTP status; 0: no answer */
  struct str query_error; /* header x-amzn-query-error */
  struct str error_type;  /* header x-amzn-errortype */
  struct str body;        /* as far as it was read */
};

/* Judges an answer to PutMetricData, JSON or Query.  Never fails: what it
 * cannot read is REPLY_NO_CODE.  n_data: data in the request; indices beyond
 * it are ignored. */
void reply_judge(const struct reply_input *input, size_t n_data,
                 struct reply *out);

/* A remedy in one clause for a code, "" when there is none to give. */
const char *reply_hint(const char *code);

#endif
