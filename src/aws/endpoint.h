/* endpoint: region and partition to a host name, and endpoint URLs taken
 * apart.
 *
 * The partitions are those of the AWS endpoint rule sets; a region that fits
 * none of them is taken to be of the partition "aws". */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/* Whether the text may be a region: a host label of RFC 1123 (letters, digits
 * and inner hyphens, 1 to 63), so that it cannot smuggle in another host. */
bool endpoint_region_ok(struct str region);

/* Appends the host of a service in a region, for example
 * "monitoring.us-east-1.amazonaws.com".
 *
 * service  endpoint prefix, "monitoring"
 * region   as endpoint_region_ok() allows */
void endpoint_put_host(struct buf *out, const char *service, const char *region,
                       bool fips, bool dual_stack);

/* Whether STS of this region was reached by the global endpoint when
 * sts_regional_endpoints is "legacy": the 16 regions that the AWS SDKs list. */
bool endpoint_sts_is_legacy(const char *region);

/* A URL of scheme http or https, taken apart. */
struct endpoint {
  bool tls;
  char *url;       /* owned: scheme, host, port if given, path; no last "/"
                      unless the path is "/" alone */
  char *authority; /* owned: the Host header: lower-case host, and ":port"
                      unless it is the scheme's own */
  char *path;      /* owned: begins with "/"; percent-encoded as given */
  bool loopback;   /* host is 127.0.0.0/8, ::1 or "localhost" */
};

/* Whether a URL can be used.  0; or -1 with *err set: no scheme ("write http://
 * or https:// before it"), another scheme, user information, a query, a
 * fragment, a control character or blank, no host, a port not 1 to 65535. */
int endpoint_check(struct str url, struct err *err);

/* Takes url apart.  0; or -1 with *err set and *out empty: as endpoint_check()
 * says, or for lack of memory. */
int endpoint_parse(struct endpoint *out, struct str url, struct err *err);
void endpoint_clear(struct endpoint *endpoint);

#endif
