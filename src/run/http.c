/* The transfer runs in a curl_multi handle, driven in short steps, because
 * only so can another thread end it also while a name is looked up or a
 * connection is being made.  The handle is kept between requests: it holds
 * the TLS session and the parsed CA certificates, which cost 20 ms to parse.
 * After an error of transport it is thrown away with all it holds. */
#include "run/http.h"

#ifdef HAVE_CONFIG_H
#include "build.h"
#endif

#include "base/digest.h"
#include "run/clock.h"
#include "run/http_answer.h"
#include "run/http_head.h"
#include "run/http_transfer.h"

#include <curl/curl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifndef WRITE_CLOUDWATCH_VERSION
#define WRITE_CLOUDWATCH_VERSION "0"
#endif

#define STEP_MS 200
#define IDLE_MS 10000

struct http {
  const struct http_options *options; /* borrowed */
  const _Atomic int64_t *deadline_ms; /* borrowed */
  char *ca_bundle;                    /* owned; AWS_CA_BUNDLE, or NULL */
  bool has_proxy;                     /* an option or the environment has one */
  CURLM *multi;                       /* owned; NULL: to be made */
  CURL *easy;                         /* likewise */
  curl_socket_t socket;               /* of the idle connection, curl's */
  int64_t used_ms;                    /* steady time of the last use */
  http_slow_fn on_slow;               /* NULL: nobody wants to know */
  void *slow_context;
  const struct meanwhile *meanwhile; /* borrowed; NULL: nothing to do */
  char curl_says[CURL_ERROR_SIZE];
};

int http_global_init(void) {
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

struct http *http_new(const struct http_options *options,
                      const _Atomic int64_t *deadline_ms) {
  struct http *http = calloc(1, sizeof(*http));
  if (http == NULL)
    return NULL;
  http->options = options;
  http->deadline_ms = deadline_ms;
  http->socket = CURL_SOCKET_BAD;
  http->has_proxy = http_options_have_proxy(options);

  struct str bundle = str_trim(str_of(getenv("AWS_CA_BUNDLE")));
  if (bundle.len > 0) {
    http->ca_bundle = str_dup(bundle);
    if (http->ca_bundle == NULL) {
      free(http);
      return NULL;
    }
  }
  return http;
}

static void drop(struct http *http) {
  curl_easy_cleanup(http->easy);
  if (http->multi != NULL)
    (void)curl_multi_cleanup(http->multi);
  http->easy = NULL;
  http->multi = NULL;
  http->socket = CURL_SOCKET_BAD;
}

void http_free(struct http *http) {
  if (http == NULL)
    return;
  drop(http);
  free(http->ca_bundle);
  free(http);
}

void http_on_slow(struct http *http, http_slow_fn told, void *context) {
  http->on_slow = told;
  http->slow_context = context;
}

void http_on_wait(struct http *http, const struct meanwhile *meanwhile) {
  http->meanwhile = meanwhile;
}

static bool has_idled(const struct http *http) {
  return clock_steady_ms() - http->used_ms >= IDLE_MS;
}

/* libcurl has no call that closes one connection, and throwing the handle away
 * would cost the parsed certificates.  A socket that was shut down is found
 * dead, and closed, when curl next looks for a connection. */
void http_rest(struct http *http) {
  if (http->socket == CURL_SOCKET_BAD || !has_idled(http))
    return;
  (void)shutdown(http->socket, SHUT_RDWR);
  http->socket = CURL_SOCKET_BAD;
}

/* ---- what curl calls ---------------------------------------------------- */

/* curl asks to begin the body again when a kept connection closed before any
 * answer.  The service may have counted the request, so only our caller may
 * decide to repeat it. */
static int refuse_again(void *arg, curl_off_t offset, int origin) {
  (void)arg;
  (void)offset;
  (void)origin;
  return CURL_SEEKFUNC_FAIL;
}

/* ---- the request -------------------------------------------------------- */

static int add_line(struct curl_slist **list, const char *line) {
  struct curl_slist *longer = curl_slist_append(*list, line);
  if (longer == NULL)
    return -1;
  *list = longer;
  return 0;
}

static int make_headers(const struct http_request *request,
                        struct curl_slist **list, struct err *err) {
  struct buf line = BUF_INIT(HTTP_HEAD_LINE_MAX);
  int rc = 1;
  for (size_t i = 0; rc > 0; i++) {
    rc = http_head_line(request, i, &line, err);
    if (rc > 0 && add_line(list, buf_str(&line)) != 0)
      rc = err_set(err, "no memory for the headers");
    buf_wipe(&line);
  }
  return rc;
}

static void wipe_headers(struct curl_slist *list) {
  for (struct curl_slist *item = list; item != NULL; item = item->next)
    digest_wipe(item->data, strlen(item->data)); /* signature, token */
  curl_slist_free_all(list);
}

#define SET(option, value)                                                     \
  do {                                                                         \
    if (curl_easy_setopt(http->easy, option, value) != CURLE_OK)               \
      return -1;                                                               \
  } while (0)

static int set_trust(struct http *http) {
  const struct http_options *options = http->options;
  const char *file = options->ca_cert, *folder = options->ca_path;
  if (file == NULL && folder == NULL)
    file = http->ca_bundle;
  /* Who names certificates trusts these, not the system's beside them. */
  if (file != NULL || folder != NULL) {
    SET(CURLOPT_CAINFO, file);
    SET(CURLOPT_CAPATH, folder);
  }
  SET(CURLOPT_SSL_VERIFYPEER, options->verify_peer ? 1L : 0L);
  SET(CURLOPT_SSL_VERIFYHOST, options->verify_peer ? 2L : 0L);
  return 0;
}

/* What holds for all requests. */
static int set_up(struct http *http) {
  const struct http_options *options = http->options;
  http->multi = curl_multi_init();
  http->easy = curl_easy_init();
  if (http->multi == NULL || http->easy == NULL)
    return -1;

  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L); /* a new connection, a new look-up */
#if LIBCURL_VERSION_NUM >= 0x074100
  SET(CURLOPT_MAXAGE_CONN, (long)(IDLE_MS / 1000));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name server that hangs */
#endif
  SET(CURLOPT_PATH_AS_IS, 1L); /* it is signed as given */
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_USERAGENT, "write_cloudwatch/" WRITE_CLOUDWATCH_VERSION);
  SET(CURLOPT_ERRORBUFFER, http->curl_says);
  SET(CURLOPT_READFUNCTION, http_transfer_give);
  SET(CURLOPT_SEEKFUNCTION, refuse_again);
  SET(CURLOPT_WRITEFUNCTION, http_transfer_take);
  SET(CURLOPT_HEADERFUNCTION, http_transfer_take_header);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
  SET(CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
  if (options->proxy != NULL) /* "" is none, whatever the environment says */
    SET(CURLOPT_PROXY, options->proxy);
  if (options->no_proxy != NULL)
    SET(CURLOPT_NOPROXY, options->no_proxy);
  return set_trust(http);
}

static int describe(struct http *http, struct http_transfer *transfer,
                    struct curl_slist *headers) {
  const struct http_request *request = transfer->request;
  bool is_get = strcmp(request->method, "GET") == 0;
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_HTTPHEADER, headers);
  SET(CURLOPT_CUSTOMREQUEST, NULL);
  if (is_get) {
    SET(CURLOPT_HTTPGET, 1L);
  } else {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
  }
  SET(CURLOPT_READDATA, transfer);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_FRESH_CONNECT, has_idled(http) ? 1L : 0L);
  return 0;
}

/* ---- what went wrong ---------------------------------------------------- */

/* Why there is no answer. */
static void put_reason(struct buf *out, const struct http *http,
                       const struct http_transfer *transfer, CURLcode rc) {
  static const struct {
    CURLcode rc;
    const char *why;
  } reasons[] = {
      {CURLE_COULDNT_RESOLVE_HOST, "its name could not be resolved"},
      {CURLE_COULDNT_RESOLVE_PROXY, "the proxy's name could not be resolved"},
      {CURLE_GOT_NOTHING, "the connection was closed"},
      {CURLE_SEND_FAIL_REWIND, "the connection was closed"},
      {CURLE_RECV_ERROR, "the connection broke"},
      {CURLE_SEND_ERROR, "the connection broke"},
      {CURLE_PARTIAL_FILE, "the answer broke off"},
      {CURLE_OUT_OF_MEMORY, "the head of its answer is too long, or there is "
                            "no memory"},
      {CURLE_URL_MALFORMAT, "its URL cannot be used"},
      {CURLE_UNSUPPORTED_PROTOCOL, "what it answered is not HTTP"},
      {CURLE_WEIRD_SERVER_REPLY, "what it answered is not HTTP"},
  };
  long number = 0;
  char text[128];

  if (rc == CURLE_OPERATION_TIMEDOUT) {
    buf_puts(out, "timed out after ");
    http_put_seconds(out, clock_steady_ms() - transfer->start_ms);
    return;
  }
  if (rc == CURLE_COULDNT_CONNECT &&
      curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &number) == CURLE_OK &&
      number != 0 && strerror_r((int)number, text, sizeof(text)) == 0) {
    buf_puts(out, text);
    if (http->has_proxy)
      buf_puts(out, "; a proxy is configured, and may be what is meant");
    return;
  }
  /* Certificates fail in many ways, and curl's own words tell which. */
  if ((rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CONNECT_ERROR ||
       rc == CURLE_SSL_CACERT_BADFILE) &&
      http->curl_says[0] != '\0') {
    buf_puts(out, http->curl_says);
    return;
  }
  for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
    if (reasons[i].rc == rc) {
      buf_puts(out, reasons[i].why);
      return;
    }
  buf_puts(out, curl_easy_strerror(rc));
}

static void explain(const struct http *http,
                    const struct http_transfer *transfer, CURLcode rc) {
  struct buf why = BUF_INIT(1024);
  curl_off_t started_us = 0;
  long connect_status = 0;
  (void)curl_easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME_T, &started_us);
  (void)curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE,
                          &connect_status);
  put_reason(&why, http, transfer, rc);

  struct http_failure failure = {.has_started = started_us > 0,
                                 .timed_out = rc == CURLE_OPERATION_TIMEDOUT,
                                 .is_nearby = http->options->is_nearby,
                                 .connect_status = connect_status,
                                 .why = buf_str(&why)};
  http_transfer_explain(transfer, &failure);
  buf_clear(&why);
}

/* ---- sending ------------------------------------------------------------ */

static void wait_step(struct http *http, int64_t left_ms) {
  int ms = left_ms < STEP_MS ? (int)left_ms : STEP_MS;
#if LIBCURL_VERSION_NUM >= 0x074200
  (void)curl_multi_poll(http->multi, NULL, 0, ms, NULL);
#else
  /* It returns at once while there is nothing to wait for, as in the look-up
   * of a name. */
  int n = 0;
  (void)curl_multi_wait(http->multi, NULL, 0, ms, &n);
  if (n == 0) {
    struct timespec pause = {.tv_nsec = 5000000};
    (void)nanosleep(&pause, NULL);
  }
#endif
}

/* Runs the transfer to its end.  True with *rc; false when the deadline
 * came first. */
static bool run(struct http *http, struct http_transfer *transfer,
                CURLcode *rc) {
  *rc = CURLE_FAILED_INIT;
  for (;;) {
    int n_running = 0, n_left = 0;
    int64_t left_ms = atomic_load(http->deadline_ms) - clock_steady_ms();
    if (left_ms <= 0)
      return false;
    if (curl_multi_perform(http->multi, &n_running) != CURLM_OK)
      return true;
    for (;;) {
      CURLMsg *message = curl_multi_info_read(http->multi, &n_left);
      if (message == NULL)
        break;
      if (message->msg == CURLMSG_DONE) {
        *rc = message->data.result;
        return true;
      }
    }
    if (n_running == 0)
      return true;
    http_transfer_watch(transfer, http->on_slow, http->slow_context);
    meanwhile_act(http->meanwhile);
    wait_step(http, left_ms);
  }
}

/* Reads the status, or says why there is none. */
static bool settle(struct http *http, struct http_transfer *transfer,
                   bool ended, CURLcode rc) {
  struct http_answer *answer = transfer->answer;
  long status = 0;
  (void)curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
  if (ended && rc == CURLE_OK && status > 0) {
    answer->status = (int)status;
    return true;
  }

  /* What came of an answer that is not whole decides nothing. */
  http_answer_forget(answer);
  answer->ambiguous = transfer->request->body.len > 0 &&
                      transfer->n_sent == transfer->request->body.len;
  if (ended)
    explain(http, transfer, rc);
  else
    http_transfer_give_up(transfer);
  return false;
}

static bool transfer_all(struct http *http, struct http_transfer *transfer,
                         struct curl_slist *headers) {
  CURLcode rc = CURLE_FAILED_INIT;
  if ((http->easy == NULL && set_up(http) != 0) ||
      describe(http, transfer, headers) != 0 ||
      curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
    (void)err_set(&transfer->answer->error,
                  "libcurl refuses the request (no memory, or an option it "
                  "does not know)");
    return false;
  }
  bool ended = run(http, transfer, &rc);
  bool answered = settle(http, transfer, ended, rc);
  if (curl_easy_getinfo(http->easy, CURLINFO_ACTIVESOCKET, &http->socket) !=
      CURLE_OK)
    http->socket = CURL_SOCKET_BAD;
  (void)curl_multi_remove_handle(http->multi, http->easy);
  (void)curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
  return answered;
}

void http_send(struct http *http, const struct http_request *request,
               struct http_answer *answer) {
  struct http_transfer transfer = {.request = request, .answer = answer};
  struct curl_slist *headers = NULL;

  http->curl_says[0] = '\0';
  transfer.start_ms = clock_steady_ms();
  if (http_answer_begin(answer) == 0 &&
      make_headers(request, &headers, &answer->error) == 0 &&
      !transfer_all(http, &transfer, headers))
    drop(http);
  wipe_headers(headers);
  http->used_ms = clock_steady_ms();
}
