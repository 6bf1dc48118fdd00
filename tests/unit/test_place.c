#include "run/place.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "folder.h"

struct expected {
  const char *label;
  const char *environment;
  const char *config; /* file; NULL: absent */
  struct place_options options;
  const char *region; /* NULL: an error */
  const char *url;    /* or what the error says */
};

#define REGION "AWS_REGION=eu-west-1 "
#define EU "https://monitoring.eu-west-1.amazonaws.com/"
#define SERVICES                                                               \
  "[default]\nservices = here\nendpoint_url = http://profile:1\n"              \
  "[services here]\ncloudwatch =\n  endpoint_url = http://services:1\n"

static const struct expected cases[] = {
    /* region */
    {"option first",
     "AWS_REGION=eu-west-2 AWS_DEFAULT_REGION=eu-west-3",
     "[default]\nregion = us-east-2\n",
     {.region = T("eu-west-1")},
     "eu-west-1",
     EU},
    {"AWS_REGION second",
     "AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-3",
     "[default]\nregion = us-east-2\n",
     {0},
     "eu-west-1",
     EU},
    {"AWS_DEFAULT_REGION third",
     "AWS_REGION=_ AWS_DEFAULT_REGION=eu-west-1",
     "[default]\nregion = us-east-2\n",
     {0},
     "eu-west-1",
     EU},
    {"profile last",
     "",
     "[default]\nregion = eu-west-1\n",
     {0},
     "eu-west-1",
     EU},
    {"the profile in use",
     "AWS_PROFILE=two",
     "[default]\nregion = us-east-2\n[profile two]\nregion = eu-west-1\n",
     {0},
     "eu-west-1",
     EU},
    {"none", "", NULL, {0}, NULL, "no region found"},
    {"none, though there is an endpoint",
     "",
     NULL,
     {.endpoint = T("http://127.0.0.1:1")},
     NULL,
     "no region found"},
    {"a region that smuggles in a host",
     "AWS_REGION=x.evil.example/",
     NULL,
     {0},
     NULL,
     "AWS_REGION: \"x.evil.example/\" is not a region"},
    {"another, by option",
     "",
     NULL,
     {.region = T("eu west")},
     NULL,
     "Region: \"eu west\" is not a region"},
    {"files that do not parse", "", "[default\n", {0}, NULL, "/.aws/config"},
    {"files that do not parse, but nothing is asked of them",
     REGION,
     "[default\n",
     {.endpoint = T("http://127.0.0.1:1")},
     "eu-west-1",
     "http://127.0.0.1:1/"},

    /* endpoint */
    {"FIPS",
     "",
     NULL,
     {.region = T("us-east-1"), .use_fips = PLACE_YES},
     "us-east-1",
     "https://monitoring-fips.us-east-1.amazonaws.com/"},
    {"dual stack",
     REGION,
     NULL,
     {.use_dual_stack = PLACE_YES},
     "eu-west-1",
     "https://monitoring.eu-west-1.api.aws/"},
    {"China",
     "AWS_REGION=cn-north-1",
     NULL,
     {0},
     "cn-north-1",
     "https://monitoring.cn-north-1.amazonaws.com.cn/"},
    {"endpoint by option first",
     REGION "AWS_ENDPOINT_URL_CLOUDWATCH=http://service:1",
     SERVICES,
     {.endpoint = T("http://127.0.0.1:4566/path")},
     "eu-west-1",
     "http://127.0.0.1:4566/path"},
    {"the service's variable second",
     REGION "AWS_ENDPOINT_URL_CLOUDWATCH=http://service:1 "
            "AWS_ENDPOINT_URL=http://all:1",
     SERVICES,
     {0},
     "eu-west-1",
     "http://service:1/"},
    {"the variable of all services third",
     REGION "AWS_ENDPOINT_URL=http://all:1",
     SERVICES,
     {0},
     "eu-west-1",
     "http://all:1/"},
    {"the services section fourth",
     REGION,
     SERVICES,
     {0},
     "eu-west-1",
     "http://services:1/"},
    {"the profile last",
     REGION,
     "[default]\nendpoint_url = http://profile:1\n",
     {0},
     "eu-west-1",
     "http://profile:1/"},
    {"a services section without us",
     REGION,
     "[default]\nservices = here\n[services here]\ns3 =\n  endpoint_url = "
     "http://s3:1\n",
     {0},
     "eu-west-1",
     EU},
    {"ignored by variable",
     REGION "AWS_ENDPOINT_URL=http://all:1 "
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=True",
     SERVICES,
     {0},
     "eu-west-1",
     EU},
    {"ignored by profile",
     REGION "AWS_ENDPOINT_URL=http://all:1",
     "[default]\nignore_configured_endpoint_urls = true\n",
     {0},
     "eu-west-1",
     EU},
    {"the variable decides before the profile",
     REGION "AWS_ENDPOINT_URL=http://all:1 "
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false",
     "[default]\nignore_configured_endpoint_urls = true\n",
     {0},
     "eu-west-1",
     "http://all:1/"},
    {"ignoring does not ignore the option",
     REGION "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
     NULL,
     {.endpoint = T("http://127.0.0.1:1")},
     "eu-west-1",
     "http://127.0.0.1:1/"},
    {"no scheme",
     REGION "AWS_ENDPOINT_URL=localhost:4566",
     NULL,
     {0},
     NULL,
     "AWS_ENDPOINT_URL: "},
    {"an endpoint and FIPS",
     REGION "AWS_ENDPOINT_URL=http://all:1",
     NULL,
     {.use_fips = PLACE_YES},
     NULL,
     "UseFIPS cannot be used with an endpoint given by AWS_ENDPOINT_URL"},
    {"an endpoint and dual stack",
     REGION,
     NULL,
     {.use_dual_stack = PLACE_YES, .endpoint = T("http://127.0.0.1:1")},
     NULL,
     "UseDualStack cannot be used with an endpoint given by Endpoint"},
};

static void check(struct session *session, const struct expected *c) {
  struct place place = {0};
  struct err err = {0};
  if (place_find(session, &c->options, &place, &err) != 0) {
    if (c->region != NULL || strstr(err.text, c->url) == NULL)
      fail_msg("%s: %s", c->label, err.text);
    if (place.region != NULL || place.endpoint.url != NULL)
      fail_msg("%s: left something behind", c->label);
    return;
  }
  if (c->region == NULL)
    fail_msg("%s: found %s", c->label, place.endpoint.url);
  if (strcmp(place.region, c->region) != 0 ||
      strcmp(place.endpoint.url, c->url) != 0)
    fail_msg("%s: %s in %s", c->label, place.endpoint.url, place.region);
  place_clear(&place);
}

static void each_setting_has_its_turn(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    clear_environment();
    put_environment(cases[i].environment);
    put_config(cases[i].config);
    struct session *session = open_session(NULL);
    check(session, &cases[i]);
    session_free(session);
  }
}

static void files_may_change(void **state) {
  (void)state;
  const struct place_options options = {0};
  struct place place = {0};
  struct err err = {0};
  struct session *session = open_session(NULL);
  assert_int_equal(place_find(session, &options, &place, &err), -1);

  put_config("[default]\nregion = eu-west-1\n");
  assert_int_equal(place_find(session, &options, &place, &err), 0);
  assert_string_equal(place.region, "eu-west-1");

  put_config("[default\n"); /* what was last understood goes on */
  assert_int_equal(place_find(session, &options, &place, &err), 0);
  assert_string_equal(place.region, "eu-west-1");

  put_config("[default]\nregion = eu-west-2\n");
  assert_int_equal(place_find(session, &options, &place, &err), 0);
  assert_string_equal(place.region, "eu-west-2");
  assert_string_equal(place.endpoint.url,
                      "https://monitoring.eu-west-2.amazonaws.com/");
  place_clear(&place);
  place_clear(&place);
  session_free(session);
}

static void options_are_cleared(void **state) {
  (void)state;
  struct place_options options = {.region = str_dup(STR("r")),
                                  .endpoint = str_dup(STR("e")),
                                  .use_fips = PLACE_YES};
  place_options_clear(&options);
  place_options_clear(&options);
  assert_null(options.region);
  assert_int_equal(options.use_fips, PLACE_UNSAID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(each_setting_has_its_turn, fresh_folder,
                                      remove_folder),
      cmocka_unit_test_setup_teardown(files_may_change, fresh_folder,
                                      remove_folder),
      cmocka_unit_test(options_are_cleared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
