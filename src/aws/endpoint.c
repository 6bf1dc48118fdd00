#include "aws/endpoint.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- regions -------------------------------------------------------------

   The patterns and suffixes of the SDKs' partitions.json.  A region belongs to
   the first row of which it has the prefix, followed by one word, a hyphen and
   a number: longer prefixes stand first, because "us-gov-" also begins like
   "us-". */

static const struct partition {
  const char *prefix;
  const char *suffix;
  const char *dual_suffix;
  bool plain_is_fips; /* the ordinary hosts are the FIPS ones */
} partitions[] = {
    {"us-gov-", "amazonaws.com", "api.aws", true},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false},
    {"eusc-de-", "amazonaws.eu", "api.amazonwebservices.eu", false},
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
};

static const struct partition aws = {"", "amazonaws.com", "api.aws", false};

#define HOST_LABEL_MAX 63

bool endpoint_region_ok(struct str region) {
  if (region.len == 0 || region.len > HOST_LABEL_MAX)
    return false;
  for (size_t i = 0; i < region.len; i++)
    if (!str_is_alnum(region.p[i]) && region.p[i] != '-')
      return false;
  return str_is_alnum(region.p[0]) && str_is_alnum(region.p[region.len - 1]);
}

static bool is_word_and_number(struct str s) {
  struct str word;
  if (!str_split(&s, '-', &word) || word.len == 0 || s.len == 0)
    return false;
  for (size_t i = 0; i < s.len; i++)
    if (!str_is_digit(s.p[i]))
      return false;
  return true;
}

static const struct partition *find_partition(struct str region) {
  for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++) {
    struct str prefix = str_of(partitions[i].prefix);
    if (!str_has_prefix(region, prefix))
      continue;
    if (is_word_and_number(str_from(region, prefix.len)))
      return &partitions[i];
  }
  return &aws;
}

/* In us-gov the plain hosts serve FIPS, and there are no "-fips" ones; but for
 * the dual-stack host of STS, which goes by the general rule. */
static bool wants_fips_name(const struct partition *p, const char *service,
                            bool dual_stack) {
  if (!p->plain_is_fips)
    return true;
  return dual_stack && strcmp(service, "sts") == 0;
}

void endpoint_put_host(struct buf *out, const char *service, const char *region,
                       bool fips, bool dual_stack) {
  const struct partition *p = find_partition(str_of(region));
  bool marked = fips && wants_fips_name(p, service, dual_stack);
  buf_printf(out, "%s%s.%s.%s", service, marked ? "-fips" : "", region,
             dual_stack ? p->dual_suffix : p->suffix);
}

bool endpoint_sts_is_legacy(const char *region) {
  /* The regions that were there before regional STS was the rule, and the
   * name of the global endpoint itself. */
  static const char *const legacy[] = {
      "ap-northeast-1", "ap-south-1",   "ap-southeast-1", "ap-southeast-2",
      "aws-global",     "ca-central-1", "eu-central-1",   "eu-north-1",
      "eu-west-1",      "eu-west-2",    "eu-west-3",      "sa-east-1",
      "us-east-1",      "us-east-2",    "us-west-1",      "us-west-2"};
  for (size_t i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++)
    if (strcmp(legacy[i], region) == 0)
      return true;
  return false;
}

/* ---- URLs ---------------------------------------------------------------- */

struct parts {
  bool tls;
  bool bracketed;
  struct str host; /* without brackets */
  uint64_t port;   /* 0: none given */
  struct str path; /* without "/" at the end; may be empty */
};

#define URL_MAX 4096

static bool holds(struct str s, char c) {
  return s.len > 0 && memchr(s.p, c, s.len) != NULL;
}

static bool has_prefix_nocase(struct str s, struct str prefix) {
  return s.len >= prefix.len &&
         str_eq_nocase((struct str){s.p, prefix.len}, prefix);
}

/* The sentences do not repeat the URL: it may hold a password. */
static int check_characters(struct str url, struct err *err) {
  if (url.len > URL_MAX)
    return err_set(err, "the URL is longer than %d bytes", URL_MAX);
  if (!str_is_word(url))
    return err_set(err, "the URL holds a blank or a control character");
  return 0;
}

static int split_scheme(struct str *rest, bool *tls, struct err *err) {
  struct str http = STR("http://"), https = STR("https://");
  *tls = has_prefix_nocase(*rest, https);
  if (*tls) {
    *rest = str_from(*rest, https.len);
    return 0;
  }
  if (has_prefix_nocase(*rest, http)) {
    *rest = str_from(*rest, http.len);
    return 0;
  }
  if (str_find(*rest, STR("://")) < rest->len)
    return err_set(err, "the URL's scheme must be http or https");
  return err_set(err, "the URL has no scheme: write http:// or https:// "
                      "before it");
}

static bool is_host_name(struct str host) {
  for (size_t i = 0; i < host.len; i++)
    if (!str_is_alnum(host.p[i]) && strchr("-._", host.p[i]) == NULL)
      return false;
  return host.len > 0;
}

/* The characters of an IPv6 address; whether it is one, the resolver says. */
static bool is_ipv6_like(struct str host) {
  size_t colons = 0;
  for (size_t i = 0; i < host.len; i++) {
    char c = host.p[i];
    if (c == ':')
      colons++;
    else if (!str_is_digit(c) && strchr("abcdefABCDEF.", c) == NULL)
      return false;
  }
  return colons >= 2;
}

static int split_host(struct str *rest, struct parts *out, struct err *err) {
  if (rest->len > 0 && rest->p[0] == '[') {
    const char *end = memchr(rest->p, ']', rest->len);
    if (end == NULL)
      return err_set(err, "the URL has a \"[\" without a \"]\"");
    out->bracketed = true;
    out->host = (struct str){rest->p + 1, (size_t)(end - rest->p) - 1};
    *rest = str_from(*rest, out->host.len + 2);
    if (!is_ipv6_like(out->host))
      return err_set(err, "the URL's brackets hold no IPv6 address");
    return 0;
  }
  const char *colon = rest->len > 0 ? memchr(rest->p, ':', rest->len) : NULL;
  size_t len = colon != NULL ? (size_t)(colon - rest->p) : rest->len;
  out->host = (struct str){rest->p, len};
  *rest = str_from(*rest, len);
  if (len == 0)
    return err_set(err, "the URL has no host");
  if (!is_host_name(out->host))
    return err_set(err, "the URL's host may hold letters, digits, hyphens "
                        "and dots only");
  return 0;
}

static int split_authority(struct str authority, struct parts *out,
                           struct err *err) {
  if (holds(authority, '@'))
    return err_set(err, "the URL must not hold a user or a password");
  if (split_host(&authority, out, err) != 0)
    return -1;
  if (authority.len == 0)
    return 0;
  if (authority.p[0] != ':' ||
      str_to_u64(str_from(authority, 1), &out->port) != 0 || out->port < 1 ||
      out->port > 65535)
    return err_set(err, "the URL's port must be a number from 1 to 65535");
  return 0;
}

static int split(struct str url, struct parts *out, struct err *err) {
  if (check_characters(url, err) != 0)
    return -1;
  struct str rest = url;
  if (split_scheme(&rest, &out->tls, err) != 0)
    return -1;
  if (holds(rest, '?'))
    return err_set(err, "the URL must not hold a query (\"?\")");
  if (holds(rest, '#'))
    return err_set(err, "the URL must not hold a fragment (\"#\")");

  const char *slash = rest.len > 0 ? memchr(rest.p, '/', rest.len) : NULL;
  size_t len = slash != NULL ? (size_t)(slash - rest.p) : rest.len;
  out->path = str_from(rest, len);
  while (out->path.len > 0 && out->path.p[out->path.len - 1] == '/')
    out->path.len--;
  return split_authority((struct str){rest.p, len}, out, err);
}

static void put_host(struct buf *out, const struct parts *parts,
                     bool with_port) {
  if (parts->bracketed)
    buf_putc(out, '[');
  str_put_lower(out, parts->host);
  if (parts->bracketed)
    buf_putc(out, ']');
  if (with_port)
    buf_printf(out, ":%u", (unsigned)parts->port);
}

/* Four numbers of up to three digits, the first 127: "127.evil.example" must
 * not pass for this host. */
static bool is_127(struct str host) {
  bool ends_in_dot = str_has_suffix(host, STR("."));
  struct str part;
  size_t n = 0;
  while (str_split(&host, '.', &part)) {
    uint64_t number = 0;
    if (part.len > 3 || str_to_u64(part, &number) != 0 || number > 255)
      return false;
    if (n++ == 0 && number != 127)
      return false;
  }
  return n == 4 && !ends_in_dot;
}

static bool is_loopback(const struct parts *parts) {
  if (parts->bracketed)
    return str_eq(parts->host, STR("::1")) ||
           str_eq(parts->host, STR("0:0:0:0:0:0:0:1"));
  return str_eq_nocase(parts->host, STR("localhost")) || is_127(parts->host);
}

/* Copies a finished buffer's text; NULL is lack of memory. */
static char *dup_text(const struct buf *b) {
  if (!buf_ok(b))
    return NULL;
  return str_dup(str_of_buf(b));
}

int endpoint_check(struct str url, struct err *err) {
  struct parts parts = {0};
  return split(url, &parts, err);
}

int endpoint_parse(struct endpoint *out, struct str url, struct err *err) {
  struct parts parts = {0};
  struct buf text = BUF_INIT(URL_MAX + 16);
  int rc = -1;
  *out = (struct endpoint){0};

  if (split(url, &parts, err) != 0)
    goto out;
  struct str path = parts.path.len > 0 ? parts.path : STR("/");
  uint64_t usual = parts.tls ? 443 : 80;

  out->tls = parts.tls;
  out->loopback = is_loopback(&parts);
  out->path = str_dup(path);
  put_host(&text, &parts, parts.port != 0 && parts.port != usual);
  out->authority = dup_text(&text);
  buf_reset(&text);
  buf_puts(&text, parts.tls ? "https://" : "http://");
  put_host(&text, &parts, parts.port != 0);
  buf_put(&text, path.p, path.len);
  out->url = dup_text(&text);

  if (out->path == NULL || out->authority == NULL || out->url == NULL) {
    err_set(err, "out of memory");
    goto out;
  }
  rc = 0;
out:
  if (rc != 0)
    endpoint_clear(out);
  buf_clear(&text);
  return rc;
}

void endpoint_clear(struct endpoint *endpoint) {
  free(endpoint->url);
  free(endpoint->authority);
  free(endpoint->path);
  *endpoint = (struct endpoint){0};
}
