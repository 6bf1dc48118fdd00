/* Lack of memory at the start, and in a real request, by the linker (oom.h):
 * what is made is whole or not there, with a sentence, and leaves nothing
 * behind. */
#include "run/sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "answers.h"
#include "folder.h"
#include "oom.h"
#include "rule_text.h"

/* Tells whether it succeeded; *says becomes its sentence if not. */
typedef bool (*attempt_fn)(struct err *says);

/* Refuses the first, the second, the third ... allocation, until the attempt
 * needs no more; then it must succeed. */
static void try_all(const char *label, attempt_fn attempt) {
  size_t n_failed = 0;

  fault.stays = false;
  for (fault.at = 1;; fault.at++) {
    struct err says = {""};
    fault.n = 0;
    bool is_made = attempt(&says);
    if (fault.n < fault.at) {
      assert_true(is_made);
      break;
    }
    n_failed += !is_made;
    if (is_made == (says.text[0] != '\0'))
      fail_msg("%s, allocation %zu: made: %d, and says \"%s\"", label, fault.at,
               is_made, says.text);
  }
  print_message("%s: %zu allocations, of which %zu were needed\n", label,
                fault.at - 1, n_failed);
  assert_true(n_failed > 0);
}

static void arm(void) { fault.is_armed = true; }
static void disarm(void) { fault.is_armed = false; }

/* ---- rules and senders --------------------------------------------------- */

#define BLOCKS                                                                 \
  "Dimension 'Host' '%{host|here}'\nDimension 'Group' '%{ec2:tag:Group}'\n"    \
  "DimensionSet 'Host' 'Group'\nDimensionSet ''\n"                             \
  "Metric '%{plugin}.%{meta:key}%{.type_instance}'\nPlugin '/^(a|b)$/'\n"      \
  "Plugin '!c'\nUnit 'Bytes'\n"                                                \
  "Metric 'sum'\nNamespace 'other'\nType 'memory'\nCombine 'sum'\n"            \
  "Dimension 'More' 'x'"

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

static struct rules_spec spec;

static struct rules *compile(struct err *says) {
  struct buf warnings = BUF_INIT(4096);
  struct rules *rules =
      rules_compile(&spec, "collectd", no_environment, &warnings, says);
  buf_clear(&warnings);
  return rules;
}

static bool try_rules(struct err *says) {
  arm();
  struct rules *rules = compile(says);
  disarm();
  rules_free(rules);
  return rules != NULL;
}

static void rules_are_compiled_or_not(void **state) {
  (void)state;
  spec = rule_text_read(BLOCKS);
  try_all("rules", try_rules);
  rules_spec_clear(&spec);
}

/* As the options own them: not const. */
static char node[] = "prod", region[] = "eu-west-1", spool[] = "/nowhere",
            arn[] = "arn:aws:iam::123456789012:role/r", status[] = "/nowhere";
static struct sender_options options = {
    .node = node,
    .who = {.role_arn = arn},
    .place = {.region = region},
    .http = HTTP_OPTIONS_INIT,
    .flush_interval_s = 60,
    .flush_jitter_s = -1,
    .max_metrics = 1000,
    .buffer_limit_bytes = 1 << 20,
    .spool_directory = spool,
    .spool_limit_bytes = 1 << 20,
    .buffer_age_s = 86400,
    .dry_run = true,
    .status_file = status,
};
static struct rules *rules;

static bool try_sender(struct err *says) {
  arm();
  struct sender *sender = sender_new(&options, rules, "testhost", says);
  disarm();
  bool is_made = sender != NULL;
  sender_free(sender);
  return is_made;
}

static void a_sender_is_made_or_not(void **state) {
  (void)state;
  struct err err = {""};
  spec = rule_text_read(BLOCKS);
  rules = compile(&err);
  assert_non_null(rules);
  put_environment("AWS_PROFILE=p AWS_ACCESS_KEY_ID=AK AWS_REGION=eu-west-1");
  try_all("sender", try_sender);
  rules_free(rules);
  rules_spec_clear(&spec);
}

/* ---- a real request ------------------------------------------------------ */

static struct answers server;
static char url[64];
static struct http *http;

static bool try_request(struct err *says) {
  static const struct http_header headers[] = {{"x-first", STR("1")},
                                               {"x-second", STR("2")}};
  struct http_request request = {.method = "POST",
                                 .url = url,
                                 .headers = headers,
                                 .n_headers = 2,
                                 .body = STR("{}")};
  struct http_answer answer = HTTP_ANSWER_INIT;

  arm();
  http_send(http, &request, &answer);
  disarm();
  *says = answer.error;
  bool is_made = answer.status == 200;
  if (answer.status != 0 && !is_made)
    fail_msg("allocation %zu: status %d", fault.at, answer.status);
  /* Only what never left may be sent again without being counted. */
  bool has_left = strcmp(answers_asked(&server), "") != 0;
  if (has_left != (is_made || answer.ambiguous))
    fail_msg("allocation %zu: made: %d, has left: %d, ambiguous: %d", fault.at,
             is_made, has_left, answer.ambiguous);
  http_answer_clear(&answer);
  return is_made;
}

static void a_request_is_made_or_not(void **state) {
  (void)state;
  static const struct answer list[] = {
      {"POST /", NULL, "200 OK", "yes", 0, "x-amzn-requestid: 1\r\n"},
      {.request = NULL}};
  answers_start(&server, false, url);
  (void)strncat(url, "/", sizeof(url) - strlen(url) - 1);
  answers_use(&server, list);
  http = http_new(&no_http_options, &no_deadline_ms);
  assert_non_null(http);
  try_all("request", try_request);
  http_free(http);
  answers_stop(&server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rules_are_compiled_or_not),
      cmocka_unit_test_setup_teardown(a_sender_is_made_or_not, fresh_folder,
                                      remove_folder),
      cmocka_unit_test_setup_teardown(a_request_is_made_or_not, fresh_folder,
                                      remove_folder),
  };
  if (http_global_init() != 0)
    return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
