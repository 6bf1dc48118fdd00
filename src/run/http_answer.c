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
  answer->retry_after_ms = 0;
}

static int64_t read_wait_ms(struct str value, uint64_t unit_ms) {
  uint64_t n = 0; /* stays 0 for a date, which no AWS service sends */
  (void)str_to_u64(value, &n);
  if (n > RETRY_CAP_MS / unit_ms)
    return RETRY_CAP_MS;
  return (int64_t)(n * unit_ms);
}

void http_answer_take_header(struct http_answer *answer, struct str line) {
  if (str_has_prefix(line, STR("HTTP/"))) {
    http_answer_forget(answer);
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

  int64_t wait_ms = 0;
  if (str_eq_nocase(name, STR("x-amz-retry-after")))
    wait_ms = read_wait_ms(value, 1);
  else if (str_eq_nocase(name, STR("retry-after")))
    wait_ms = read_wait_ms(value, 1000);
  if (wait_ms > answer->retry_after_ms) /* of both, the longer */
    answer->retry_after_ms = wait_ms;
}

struct str http_host_of(const char *url) {
  const char *start = strstr(url, "://");
  start = start != NULL ? start + 3 : url;
  return (struct str){start, strcspn(start, "/?#")};
}
