/* imds: the EC2 instance metadata service, version 2 only.
 *
 * A session token is had by PUT and kept for six hours; a 401 makes a new one,
 * once.  Never through a proxy, no redirects, no version 1.  Where the service
 * is: AWS_EC2_METADATA_SERVICE_ENDPOINT, else by
 * AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE (IPv4, IPv6), or the profile's keys of
 * these names in small letters.  AWS_EC2_METADATA_DISABLED true: it is not
 * asked at all (AWS SDKs and Tools Reference Guide, "IMDS credential
 * provider"). */
#ifndef RUN_IMDS_H
#define RUN_IMDS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

/* The token; empty at first. */
struct imds {
  char *token;      /* owned; NULL: none */
  int64_t until_ms; /* steady time at which it is not used any more */
};
void imds_wipe(struct imds *imds);

#define IMDS_ANSWER_MAX 65536 /* bytes */

enum imds_found {
  IMDS_FOUND,
  IMDS_ABSENT, /* 404: a definite answer */
  IMDS_OFF,    /* AWS_EC2_METADATA_DISABLED */
  IMDS_FAILED, /* no answer, or none that can be used: ask again later */
};

/* Gets one item.
 *
 * path  from "/latest/" on, for example "/latest/meta-data/placement/region"
 * out   the body, emptied first; a secret perhaps, so it gets its whole size at
 *       once, and is to be wiped
 * IMDS_FAILED and IMDS_OFF: *err says why, naming the endpoint. */
enum imds_found imds_get(struct session *session, const char *path,
                         struct buf *out, struct err *err);

#endif
