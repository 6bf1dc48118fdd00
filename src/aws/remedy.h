/* remedy: what a person can do about an error of AWS, in one clause, which
 * goes on after a colon and before a semicolon: what CloudWatch and STS share.
 *
 * Sources: the CloudWatch API reference ("Common errors"); the IAM user guide,
 * "Troubleshoot access denied error messages" and, of tokens of the global
 * endpoint, "Manage AWS STS in an AWS Region".  Pure. */
#ifndef AWS_REMEDY_H
#define AWS_REMEDY_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

#define REMEDY_KEY                                                             \
  "check that the access key exists, in this partition (aws, aws-cn, "         \
  "aws-us-gov), that one of ASIA... has its session token, and that the "      \
  "account has enabled the Region (opt-in), where tokens of the global STS "   \
  "endpoint may not count"
#define REMEDY_SECRET                                                          \
  "check Region, the secret access key and the clock of this host, and that "  \
  "no proxy changes headers"
#define REMEDY_CLOCK                                                           \
  "set the clock of this host: chronyc makestep, or timedatectl set-ntp true"
#define REMEDY_ACCOUNT                                                         \
  "check that the account is active and signed up for the service"

/* Whether the message says that our clock is wrong, which the code of a wrong
 * signature does not tell. */
bool remedy_is_clock(struct str message);

/* What the message tells beyond its code; NULL: nothing more. */
const char *remedy_of_message(struct str message);

#define REMEDY_MAX 768 /* bytes of the longest one, with its NUL */

/* What was asked for: said as far as the message does not say it. */
struct remedy_asked {
  const char *action;   /* of IAM */
  const char *resource; /* cut after 256 bytes */
  const char *where;    /* which policies have to allow it */
  const char *besides;  /* what an Allow must fit, too; "" */
};

/* Appends what has to be allowed, and where, when AWS denied it:
 *
 *   User: ARN is not authorized to perform: ACTION on resource: RESOURCE
 *   because no KIND policy allows the ACTION action
 *   with an explicit deny in a KIND policy
 *
 * each part of which may be missing.  message: one line, cleaned. */
void remedy_put_denied(struct buf *out, struct str message,
                       const struct remedy_asked *asked);

#endif
