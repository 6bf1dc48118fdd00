#include "aws/container.h"

#include "aws/endpoint.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define ECS_HOST "169.254.170.2"
#define EKS_HOST "169.254.170.23"
#define EKS_HOST_6 "[fd00:ec2::23]"

/* Blanks would end the request line, "#" would end the URL.  What stands there
 * is not repeated: it may hold a token. */
static int check_rest(struct str rest, const char *variable, struct err *err) {
  if (!str_is_word(rest))
    return err_set(err, "%s holds a blank or a control character: take it out",
                   variable);
  if (str_find(rest, STR("#")) < rest.len)
    return err_set(err, "%s holds a fragment (\"#\"): take it out", variable);
  return 0;
}

static int put_relative(struct buf *out, struct str path, struct err *err) {
  /* Else it would go on with the host: 169.254.170.2.example.com. */
  if (path.p[0] != '/')
    return err_set(err, RELATIVE " is no path: it must begin with \"/\"");
  if (check_rest(path, RELATIVE, err) != 0)
    return -1;
  buf_puts(out, "http://" ECS_HOST);
  buf_put(out, path.p, path.len);
  return 0;
}

/* The bytes of the URL up to the end of the authority. */
static size_t base_length(struct str url) {
  size_t at = str_find(url, STR("://"));
  if (at == url.len)
    return url.len;
  for (at += 3; at < url.len; at++)
    if (url.p[at] == '/' || url.p[at] == '?' || url.p[at] == '#')
      break;
  return at;
}

/* authority without a port */
static struct str host_of(const char *authority) {
  struct str host = str_of(authority);
  struct str end = host.p[0] == '[' ? STR("]") : STR(":");
  size_t at = str_find(host, end);
  if (at < host.len)
    host.len = host.p[0] == '[' ? at + 1 : at;
  return host;
}

/* Whether an answer in plain text, with credentials in it, may come from
 * there: it does not leave the host. */
static bool is_near(const struct endpoint *endpoint) {
  struct str host = host_of(endpoint->authority);
  return endpoint->loopback || str_eq(host, STR(ECS_HOST)) ||
         str_eq(host, STR(EKS_HOST)) || str_eq(host, STR(EKS_HOST_6));
}

static int put_full(struct buf *out, struct str url, struct err *err) {
  struct endpoint endpoint = {0};
  struct err why = {""};
  int rc = -1;

  size_t len = base_length(url);
  struct str rest = str_from(url, len);
  if (check_rest(rest, FULL, err) != 0)
    return -1;
  if (endpoint_parse(&endpoint, (struct str){url.p, len}, &why) != 0) {
    err_set(err, FULL " cannot be used: %s", why.text);
    goto out;
  }
  if (!endpoint.tls && !is_near(&endpoint)) {
    err_set(err,
            FULL " cannot be used: http:// may lead to this host (127.0.0.1, "
                 "[::1], localhost) and to " ECS_HOST ", " EKS_HOST
                 " and " EKS_HOST_6 " only, not to \"%.100s\"; write https://",
            endpoint.authority);
    goto out;
  }
  struct str base = str_of(endpoint.url);
  buf_put(out, base.p, base.len - 1); /* without its "/" */
  if (rest.len == 0 || rest.p[0] != '/')
    buf_putc(out, '/');
  buf_put(out, rest.p, rest.len);
  rc = 0;
out:
  endpoint_clear(&endpoint);
  return rc;
}

int container_url(struct buf *out, const char *relative, const char *full,
                  struct err *err) {
  struct str path = str_of(relative), url = str_of(full);
  if (path.len > 0)
    return put_relative(out, path, err);
  if (url.len > 0)
    return put_full(out, url, err);
  return err_set(err, "neither " RELATIVE " nor " FULL " is set");
}
