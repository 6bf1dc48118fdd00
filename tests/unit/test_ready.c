#include "run/clock.h"
#include "run/delivery.h"
#include "run/source_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ahead.h"
#include "answers.h"
#include "folder.h"
#include "heard.h"

#define KEYS "aws_access_key_id = AK\naws_secret_access_key = hush\n"

static struct answers server;
static char server_url[64];

static const struct sender_options options = {.node = T("")};
static struct session *session;
static struct delivery *delivery;

static void begin(const char *config) {
  static const struct answer nothing[] = {{.request = NULL}};
  (void)setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server_url, 1);
  put_environment("AWS_EC2_METADATA_DISABLED=false");
  put_config(config);
  session = open_session(NULL);
  delivery = delivery_new(&options, session);
  assert_non_null(delivery);
  said[0] = '\0';
  answers_use(&server, nothing);
}

static void end(void) {
  delivery_free(delivery);
  session_free(session);
}

static void expect_region(const char *region) {
  assert_non_null(delivery_ready(delivery));
  assert_string_equal(delivery->place.region, region);
}

/* Not every request may wait for a metadata service, which may hang. */
static void a_region_that_is_taken_away_is_sought_once_a_minute(void **state) {
  (void)state;
  begin("[default]\nregion = eu-west-1\n" KEYS);
  expect_region("eu-west-1");
  assert_string_equal(answers_asked(&server), "");

  put_config("[default]\n" KEYS);
  expect_region("eu-west-1");
  assert_string_equal(answers_asked(&server), "PUT /latest/api/token ");
  assert_non_null(strstr(said, "cannot be followed: no region found"));
  assert_non_null(strstr(said, "go on to monitoring.eu-west-1.amazonaws.com"));
  said[0] = '\0';
  for (int i = 0; i < 5; i++)
    expect_region("eu-west-1");
  assert_string_equal(answers_asked(&server), "");
  ahead_ms += 60000;
  expect_region("eu-west-1");
  assert_string_equal(answers_asked(&server), "PUT /latest/api/token ");
  assert_string_equal(said, "");

  put_config("[default]\nregion = eu-west-3\n" KEYS);
  expect_region("eu-west-3"); /* at once */
  assert_non_null(strstr(said, "are followed again"));
  end();
}

/* Keys that end before they come are tried, and said to be so once. */
static void ended_keys_are_said(void **state) {
  (void)state;
  begin("[default]\nregion = eu-west-1\ncredential_process = printf "
        "'{\"Version\":1,\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"hush\","
        "\"Expiration\":\"2001-01-01T00:00:00Z\"}'\n");
  assert_non_null(delivery_ready(delivery));
  assert_non_null(strstr(said, "gives credentials that have ended"));
  said[0] = '\0';
  delivery->source->retry_s = 0; /* a minute later, with nothing to send */
  ahead_ms += 60000;
  delivery_tend(delivery);
  assert_string_equal(said, "");
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          a_region_that_is_taken_away_is_sought_once_a_minute, fresh_folder,
          remove_folder),
      cmocka_unit_test_setup_teardown(ended_keys_are_said, fresh_folder,
                                      remove_folder),
  };
  if (http_global_init() != 0)
    return 1;
  log_set_sink(hear);
  answers_start(&server, false, server_url);
  int n = cmocka_run_group_tests(tests, NULL, NULL);
  answers_stop(&server);
  return n;
}
