#include "run/http_answer.h"

#include "aws/retry.h"
#include "base/date.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

void http_options_clear(struct http_options *options) {
  free(options->ca_path);
  free(options->ca_cert);
  free(options->no_proxy);
  if (options->proxy != NULL) /* may hold a password */
    digest_wipe(options->proxy, strlen(options->proxy));
  free(options->proxy);
  *options = (struct http_options)HTTP_OPTIONS_INIT;
}

bool http_options_have_proxy(const struct http_options *options) {
  static const char *const names[] = {"http_proxy", "https_proxy",
                                      "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

  if (options->proxy != NULL) /* "" is none */
    return options->proxy[0] != '\0';
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (getenv(names[i]) != NULL)
      return true;
  return false;
}

void http_answer_clear(struct http_answer *answer) {
  buf_wipe(&answer->body); /* may have brought credentials */
  buf_clear(&answer->query_error);
  buf_clear(&answer->error_type);
  buf_clear(&answer->request_id);
  buf_clear(&answer->date);
  *answer = (struct http_answer)HTTP_ANSWER_INIT;
}

int http_answer_begin(struct http_answer *answer) {
  http_answer_clear(answer);
  buf_reserve(&answer->body, HTTP_ANSWER_MAX);
  return buf_ok(&answer->body)
             ? 0
             : err_set(&answer->error, "no memory for the answer");
}

int64_t http_answer_date_s(const struct http_answer *answer) {
  int64_t date_s = 0;
  return date_parse_http(str_of(buf_str(&answer->date)), &date_s) == 0 ? date_s
                                                                       : 0;
}

void http_answer_forget(struct http_answer *answer) {
  buf_reset(&answer->query_error);
  buf_reset(&answer->error_type);
  buf_reset(&answer->request_id);
  buf_reset(&answer->date);
  buf_reset(&answer->body);
  answer->is_cut = false;
  answer->retry_after_ms = answer->retry_date_s = 0;
}

/* ---- how long to wait --------------------------------------------------- */

static void wait_at_least(struct http_answer *answer, int64_t wait_ms) {
  if (wait_ms > RETRY_CAP_MS)
    wait_ms = RETRY_CAP_MS;
  if (wait_ms > answer->retry_after_ms)
    answer->retry_after_ms = wait_ms;
}

static void take_wait(struct http_answer *answer, struct str value,
                      int64_t unit_ms) {
  uint64_t n = 0;

  if (str_to_u64(value, &n) == 0)
    wait_at_least(answer,
                  n < RETRY_CAP_MS ? (int64_t)n * unit_ms : RETRY_CAP_MS);
}

/* At the end of the head: a date is meant by the clock of who wrote it, which
 * need not be ours. */
static void settle_wait(struct http_answer *answer) {
  int64_t now_s = http_answer_date_s(answer);

  if (answer->retry_date_s == 0)
    return;
  if (now_s == 0)
    now_s = answer->received.wall_ms / 1000;
  if (answer->retry_date_s > now_s)
    wait_at_least(answer, (answer->retry_date_s - now_s) * 1000);
}

/* ---- line by line ------------------------------------------------------- */

void http_answer_take_header(struct http_answer *answer, struct str line) {
  if (str_has_prefix(line, STR("HTTP/"))) {
    http_answer_forget(answer);
    answer->received = clock_both();
    return;
  }
  if (str_trim(line).len == 0) {
    settle_wait(answer);
    return;
  }
  struct str name = {0};
  (void)str_split(&line, ':', &name);
  struct str value = str_trim(line);

  const struct {
    struct str name;
    struct buf *to;
  } kept[] = {
      {STR("x-amzn-query-error"), &answer->query_error},
      {STR("x-amzn-errortype"), &answer->error_type},
      {STR("x-amzn-requestid"), &answer->request_id},
      {STR("date"), &answer->date},
  };
  for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
    if (str_eq_nocase(name, kept[i].name)) {
      buf_reset(kept[i].to);
      buf_put(kept[i].to, value.p, value.len);
    }

  if (str_eq_nocase(name, STR("x-amz-retry-after")))
    take_wait(answer, value, 1);
  else if (str_eq_nocase(name, STR("retry-after")) &&
           date_parse_http(value, &answer->retry_date_s) != 0)
    take_wait(answer, value, 1000);
}

struct str http_host_of(const char *url) {
  const char *start = strstr(url, "://");
  start = start != NULL ? start + 3 : url;
  return (struct str){start, strcspn(start, "/?#")};
}
