/* container: where a container's credentials endpoint is.
 *
 * Rules: AWS SDKs and Tools Reference Guide, "Container credential provider".
 * Pure. */
#ifndef AWS_CONTAINER_H
#define AWS_CONTAINER_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the URL to ask.
 *
 * relative  value of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, NULL: not set; it
 *           wins, and is a path and query on http://169.254.170.2
 * full      value of AWS_CONTAINER_CREDENTIALS_FULL_URI, NULL: not set
 * Empty is not set, too.
 *
 * 0; or -1 with *err set, naming the variable and a remedy: not a URL, user
 * information, a blank or control character, or http: to a host that is not
 * loopback (127.0.0.0/8, ::1, localhost), 169.254.170.2 (ECS), 169.254.170.23
 * or fd00:ec2::23 (EKS).  https: may go anywhere. */
int container_url(struct buf *out, const char *relative, const char *full,
                  struct err *err);

#endif
