#include "run/http_transfer.h"

#include "base/err.h"
#include "base/str.h"
#include "run/clock.h"
#include "run/http_answer.h"

#include <string.h>

/* An answer that is longer is not worth the time to read it to its end. */
#define ANSWER_READ_MAX (1024 * 1024)

size_t http_transfer_give(char *to, size_t size, size_t n, void *arg) {
  struct http_transfer *transfer = arg;
  struct str body = transfer->request->body;
  size_t left = body.len - transfer->n_sent;
  size_t len = size * n < left ? size * n : left;
  if (len > 0)
    memcpy(to, body.p + transfer->n_sent, len);
  transfer->n_sent += len;
  return len;
}

size_t http_transfer_take(char *data, size_t size, size_t n, void *arg) {
  struct http_transfer *transfer = arg;
  struct buf *body = &transfer->answer->body;
  size_t len = size * n;
  if (len > ANSWER_READ_MAX - transfer->n_received) {
    transfer->too_long = true;
    return 0;
  }
  transfer->n_received += len;

  size_t room = body->limit - body->len;
  if (len > room)
    transfer->answer->is_cut = true;
  buf_put(body, data, len < room ? len : room);
  return buf_ok(body) ? len : 0;
}

size_t http_transfer_take_header(char *data, size_t size, size_t n, void *arg) {
  struct http_transfer *transfer = arg;
  http_answer_take_header(transfer->answer, (struct str){data, size * n});
  return size * n;
}

void http_transfer_watch(struct http_transfer *transfer, http_slow_fn told,
                         void *context) {
  if (transfer->is_slow || told == NULL ||
      clock_steady_ms() - transfer->start_ms < HTTP_SLOW_MS)
    return;
  transfer->is_slow = true;
  told(context);
}

/* ---- what went wrong ---------------------------------------------------- */

/* What TLS says, in the words of OpenSSL and of libcurl's part for it, and what
 * to do.  Certificates fail in many ways. */
static const struct remedy {
  const char *said, *remedy;
} tls_remedies[] = {
    {"wrong version number", "; does that port speak http?"},
    {"certificate has expired", "; have it renewed, or set this host's clock"},
    {"certificate is not yet valid", "; set this host's clock"},
    {"issuer certificate",
     "; name who issued it with CACert, or see that no proxy looks into TLS"},
    {"self-signed certificate", "; if it is meant to be, name it with CACert"},
    {"self signed certificate", "; if it is meant to be, name it with CACert"},
    {"subject name", "; see that Endpoint, DNS and proxy lead to the right "
                     "host"},
    {"setting certificate", "; correct CACert, CAPath or AWS_CA_BUNDLE, or "
                            "install the system's ca-certificates"},
    {"trust anchors", "; correct CACert, CAPath or AWS_CA_BUNDLE, or install "
                      "the system's ca-certificates"},
};

/* The same of what the system and http.c say. */
static const struct remedy way_remedies[] = {
    {"proxy's name", "; correct Proxy, or this host's DNS"},
    {"name could not be resolved",
     "; see Region, Endpoint and this host's DNS, or name a Proxy"},
    {"Connection refused", "; see Endpoint and Proxy, nothing listens there"},
    {"unreachable", "; give this host a route there, or name a Proxy"},
    {"No route to host", "; give this host a route there, or name a Proxy"},
    {"ermission denied", "; see this host's firewall and SELinux"},
    {"not permitted", "; see this host's firewall and SELinux"},
    {"onnection was closed", "; if it lasts, see Proxy and firewalls"},
    {"onnection broke", "; if it lasts, see Proxy and firewalls"},
    {"answer broke off", "; if it lasts, see Proxy and firewalls"},
    {"SSL_connect", "; see Proxy and firewalls, something ends TLS"},
    {"SSL_ERROR", "; see Proxy and firewalls, something ends TLS"},
    {"not HTTP", "; see Endpoint and Proxy"},
    {"URL cannot be used", "; correct Endpoint"},
    {"head of its answer", "; see Endpoint and Proxy"},
};

/* "" where nothing is known. */
static const char *find_remedy(const struct remedy *remedies, size_t n,
                               const char *said) {
  for (size_t i = 0; i < n; i++)
    if (strstr(said, remedies[i].said) != NULL)
      return remedies[i].remedy;
  return "";
}
#define FIND_REMEDY(remedies, said)                                            \
  find_remedy(remedies, sizeof(remedies) / sizeof((remedies)[0]), said)

static const char *remedy_for(const struct http_failure *failure) {
  const char *remedy = FIND_REMEDY(tls_remedies, failure->why);

  if (remedy[0] != '\0' || failure->is_nearby)
    return remedy;
  if (failure->timed_out)
    return failure->has_started
               ? "; see what slows requests, or raise Timeout"
               : "; see firewalls, routes and Proxy, or raise ConnectTimeout";
  return FIND_REMEDY(way_remedies, failure->why);
}

static const char *remedy_of_proxy(long status) {
  if (status == 407)
    return "; write its login into Proxy, or the host into NoProxy";
  return status >= 500 ? "; it cannot reach the host, see Endpoint, or write "
                         "the host into NoProxy"
                       : "; it has to let this host through, or write the host "
                         "into NoProxy";
}

static int shown(struct str host) {
  return host.len < 256 ? (int)host.len : 256;
}

void http_transfer_explain(const struct http_transfer *transfer,
                           const struct http_failure *failure) {
  struct err *err = &transfer->answer->error;
  struct str host = http_host_of(transfer->request->url);

  transfer->answer->is_silent = failure->has_started && failure->timed_out;
  if (transfer->too_long)
    (void)err_set(err, "the answer of %.*s is longer than %d bytes",
                  shown(host), host.p, ANSWER_READ_MAX);
  else if (!failure->has_started && failure->connect_status >= 300)
    (void)err_set(err, "cannot reach %.*s (the proxy answered %ld%s)",
                  shown(host), host.p, failure->connect_status,
                  remedy_of_proxy(failure->connect_status));
  else
    (void)err_set(err,
                  failure->has_started ? "no answer from %.*s (%s%s)"
                                       : "cannot reach %.*s (%s%s)",
                  shown(host), host.p, failure->why, remedy_for(failure));
}

void http_transfer_give_up(const struct http_transfer *transfer) {
  struct str host = http_host_of(transfer->request->url);
  (void)err_set(&transfer->answer->error,
                "gave up the request to %.*s (stopping)", shown(host), host.p);
}

void http_put_seconds(struct buf *out, int64_t ms) {
  int64_t tenths = (ms + 50) / 100;
  buf_printf(out, "%lld", (long long)(tenths / 10));
  if (tenths < 100 && tenths % 10 != 0)
    buf_printf(out, ".%lld", (long long)(tenths % 10));
  buf_puts(out, " s");
}
