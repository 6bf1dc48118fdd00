#include "run/place.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "folder.h"

/* What the instance would say: the linker puts this in imds_get()'s place. */
static struct {
  enum imds_found found;
  const char *text; /* answer or reason */
  unsigned n_asked;
} instance;

enum imds_found __wrap_imds_get(struct session *session, const char *path,
                                struct buf *out, struct err *err);
enum imds_found __wrap_imds_get(struct session *session, const char *path,
                                struct buf *out, struct err *err) {
  assert_non_null(session);
  assert_string_equal(path, "/latest/meta-data/placement/region");
  instance.n_asked++;
  buf_reset(out);
  if (instance.found == IMDS_FOUND)
    buf_puts(out, instance.text);
  else if (instance.found != IMDS_ABSENT)
    err_set(err, "%s", instance.text);
  return instance.found;
}

struct expected {
  const char *label;
  const char *environment;
  const char *config; /* file; NULL: absent */
  struct place_options options;
  const char *region; /* NULL: an error */
  const char *where;  /* endpoint, then perhaps that of STS, then perhaps its
                         region if it is another; or what the error says */
};

#define REGION "AWS_REGION=eu-west-1 "
#define EU "https://monitoring.eu-west-1.amazonaws.com/"
#define EU_FIPS "https://monitoring-fips.eu-west-1.amazonaws.com/"
#define EU_DUAL "https://monitoring.eu-west-1.api.aws/"
#define EU_STS "https://sts.eu-west-1.amazonaws.com/"
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
    {"a profile's region that is none",
     "",
     "[default]\nregion = eu west\n",
     {0},
     NULL,
     "region of the profile: \"eu west\" is not a region"},
    {"files that do not parse", "", "[default\n", {0}, NULL, "/.aws/config"},
    {"files that do not parse, whose FIPS and STS settings nobody knows",
     REGION,
     "[default\n",
     {.endpoint = T("http://127.0.0.1:1")},
     NULL,
     "/.aws/config"},

    /* FIPS and dual stack */
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
    {"FIPS by environment",
     REGION "AWS_USE_FIPS_ENDPOINT=True",
     NULL,
     {0},
     "eu-west-1",
     EU_FIPS " "
             "https://sts-fips.eu-west-1.amazonaws.com/"},
    {"FIPS by profile",
     REGION,
     "[default]\nuse_fips_endpoint = true\n",
     {0},
     "eu-west-1",
     EU_FIPS},
    {"the variable decides before the profile on FIPS",
     REGION "AWS_USE_FIPS_ENDPOINT=false",
     "[default]\nuse_fips_endpoint = true\n",
     {0},
     "eu-west-1",
     EU},
    {"the option decides before both on FIPS",
     REGION "AWS_USE_FIPS_ENDPOINT=true",
     "[default]\nuse_fips_endpoint = true\n",
     {.use_fips = PLACE_NO},
     "eu-west-1",
     EU " "
        "https://sts.eu-west-1.amazonaws.com/"},
    {"dual stack by environment",
     REGION "AWS_USE_DUALSTACK_ENDPOINT=true",
     NULL,
     {0},
     "eu-west-1",
     EU_DUAL " "
             "https://sts.eu-west-1.api.aws/"},
    {"dual stack by profile",
     REGION,
     "[default]\nuse_dualstack_endpoint = TRUE\n",
     {0},
     "eu-west-1",
     EU_DUAL},
    {"the option decides before both on dual stack",
     REGION "AWS_USE_DUALSTACK_ENDPOINT=true",
     "[default]\nuse_dualstack_endpoint = true\n",
     {.use_dual_stack = PLACE_NO},
     "eu-west-1",
     EU},
    {"both at once, in two ways",
     REGION "AWS_USE_DUALSTACK_ENDPOINT=true",
     NULL,
     {.use_fips = PLACE_YES},
     "eu-west-1",
     "https://monitoring-fips.eu-west-1.api.aws/"
     " "
     "https://sts-fips.eu-west-1.api.aws/"},
    {"a word that is neither true nor false",
     REGION "AWS_USE_FIPS_ENDPOINT=yes",
     NULL,
     {0},
     NULL,
     "AWS_USE_FIPS_ENDPOINT is \"yes\"; write true or false"},
    {"such a word in the profile",
     REGION,
     "[default]\nuse_dualstack_endpoint = 1\n",
     {0},
     NULL,
     "use_dualstack_endpoint of the profile is \"1\"; write true or false"},

    /* endpoint */
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
     "http://127.0.0.1:4566/path"
     " "
     "http://profile:1/"},
    {"the service's variable second",
     REGION "AWS_ENDPOINT_URL_CLOUDWATCH=http://service:1 "
            "AWS_ENDPOINT_URL=http://all:1",
     SERVICES,
     {0},
     "eu-west-1",
     "http://service:1/"
     " "
     "http://all:1/"},
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
     EU " " EU_STS},
    {"a services section that is not there",
     REGION,
     "[default]\nservices = gone\nendpoint_url = http://profile:1\n",
     {0},
     "eu-west-1",
     "http://profile:1/"},
    {"ignored by variable",
     REGION "AWS_ENDPOINT_URL=http://all:1 "
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=True "
            "AWS_ENDPOINT_URL_STS=http://sts:1",
     SERVICES,
     {0},
     "eu-west-1",
     EU " " EU_STS},
    {"ignored by profile",
     REGION "AWS_ENDPOINT_URL=http://all:1",
     "[default]\nignore_configured_endpoint_urls = true\n",
     {0},
     "eu-west-1",
     EU " " EU_STS},
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
    {"an endpoint of the profile and FIPS of the environment",
     REGION "AWS_USE_FIPS_ENDPOINT=true",
     "[default]\nendpoint_url = http://profile:1\n",
     {0},
     NULL,
     "AWS_USE_FIPS_ENDPOINT cannot be used with an endpoint given by "
     "endpoint_url of the profile; remove one of them"},
    {"an endpoint of a services section and dual stack of the profile",
     REGION,
     SERVICES "[default]\nuse_dualstack_endpoint = true\n",
     {0},
     NULL,
     "use_dualstack_endpoint of the profile cannot be used with an endpoint "
     "given by endpoint_url of the profile's services section"},
    {"an endpoint that is ignored, and FIPS",
     REGION "AWS_ENDPOINT_URL=http://all:1 "
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
     NULL,
     {.use_fips = PLACE_YES},
     "eu-west-1",
     EU_FIPS},

    /* STS */
    {"STS of the region", REGION, NULL, {0}, "eu-west-1", EU " " EU_STS},
    {"STS in China",
     "AWS_REGION=cn-north-1",
     NULL,
     {0},
     "cn-north-1",
     "https://monitoring.cn-north-1.amazonaws.com.cn/"
     " "
     "https://sts.cn-north-1.amazonaws.com.cn/"},
    {"the option Endpoint is not of STS",
     REGION,
     NULL,
     {.endpoint = T("http://127.0.0.1:1")},
     "eu-west-1",
     "http://127.0.0.1:1/"
     " " EU_STS},
    {"STS by its own variable",
     REGION "AWS_ENDPOINT_URL_STS=http://sts:1/x AWS_ENDPOINT_URL=http://all:1",
     SERVICES,
     {0},
     "eu-west-1",
     "http://all:1/"
     " "
     "http://sts:1/x"},
    {"the variable of CloudWatch is not of STS",
     REGION "AWS_ENDPOINT_URL_CLOUDWATCH=http://service:1",
     NULL,
     {0},
     "eu-west-1",
     "http://service:1/"
     " " EU_STS},
    {"STS by the services section",
     REGION,
     "[default]\nservices = here\nendpoint_url = http://profile:1\n"
     "[services here]\nsts =\n  endpoint_url = http://sts:1\n",
     {0},
     "eu-west-1",
     "http://profile:1/"
     " "
     "http://sts:1/"},
    {"STS by URL and FIPS, which only STS cannot do",
     REGION "AWS_ENDPOINT_URL_STS=http://sts:1",
     NULL,
     {.use_fips = PLACE_YES},
     "eu-west-1",
     EU_FIPS},
    {"STS by something that is no URL",
     REGION "AWS_ENDPOINT_URL_STS=sts:1",
     NULL,
     {0},
     "eu-west-1",
     EU},
    {"STS of before, by environment",
     REGION "AWS_STS_REGIONAL_ENDPOINTS=legacy",
     NULL,
     {0},
     "eu-west-1",
     EU " "
        "https://sts.amazonaws.com/"
        " "
        "us-east-1"},
    {"STS of before, by profile",
     REGION,
     "[default]\nsts_regional_endpoints = Legacy\n",
     {0},
     "eu-west-1",
     EU " "
        "https://sts.amazonaws.com/"
        " "
        "us-east-1"},
    {"the variable decides before the profile on STS",
     REGION "AWS_STS_REGIONAL_ENDPOINTS=regional",
     "[default]\nsts_regional_endpoints = legacy\n",
     {0},
     "eu-west-1",
     EU " " EU_STS},
    {"STS of before, in a region that came later",
     "AWS_REGION=eu-south-1 AWS_STS_REGIONAL_ENDPOINTS=legacy",
     NULL,
     {0},
     "eu-south-1",
     "https://monitoring.eu-south-1.amazonaws.com/"
     " "
     "https://sts.eu-south-1.amazonaws.com/"},
    {"STS of before knows no FIPS",
     REGION "AWS_STS_REGIONAL_ENDPOINTS=legacy",
     NULL,
     {.use_fips = PLACE_YES},
     "eu-west-1",
     EU_FIPS " "
             "https://sts-fips.eu-west-1.amazonaws.com/"},
    {"STS of before knows no dual stack",
     REGION "AWS_STS_REGIONAL_ENDPOINTS=legacy",
     NULL,
     {.use_dual_stack = PLACE_YES},
     "eu-west-1",
     EU_DUAL " "
             "https://sts.eu-west-1.api.aws/"},
    {"STS of before, but given by URL",
     REGION "AWS_STS_REGIONAL_ENDPOINTS=legacy AWS_ENDPOINT_URL_STS=http://s:1",
     NULL,
     {0},
     "eu-west-1",
     EU " "
        "http://s:1/"},
};

static void check_found(const struct expected *c, const struct place *place) {
  const char *found[] = {place->endpoint.url, place->sts.url,
                         place->sts_region};
  struct str rest = str_of(c->where), want = STR("");
  size_t n = 0;
  for (; str_split(&rest, ' ', &want); n++)
    if (!str_eq(want, str_of(found[n])))
      fail_msg("%s: %s instead of %.*s", c->label, found[n], (int)want.len,
               want.p);
  if (strcmp(place->region, c->region) != 0 ||
      (n < 3 && strcmp(place->sts_region, c->region) != 0))
    fail_msg("%s: in %s, STS in %s", c->label, place->region,
             place->sts_region);
}

static void check(struct session *session, const struct expected *c) {
  struct place place = {0};
  struct err err = {0};
  if (place_find(session, &c->options, &place, &err) != 0) {
    if (c->region != NULL || strstr(err.text, c->where) == NULL)
      fail_msg("%s: %s", c->label, err.text);
    if (place.region != NULL || place.endpoint.url != NULL ||
        place.sts.url != NULL)
      fail_msg("%s: left something behind", c->label);
    return;
  }
  if (c->region == NULL)
    fail_msg("%s: found %s", c->label, place.endpoint.url);
  check_found(c, &place);
  place_clear(&place);
}

static void each_setting_has_its_turn(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    instance.found = IMDS_OFF;
    instance.text = "AWS_EC2_METADATA_DISABLED is true";
    instance.n_asked = 0;
    clear_environment();
    put_environment(cases[i].environment);
    put_config(cases[i].config);
    struct session *session = open_session(NULL);
    check(session, &cases[i]);
    if (cases[i].region != NULL && instance.n_asked > 0)
      fail_msg("%s: asked the instance", cases[i].label);
    session_free(session);
  }
}

static const struct {
  const char *label;
  enum imds_found found;
  const char *text;
  const char *region; /* NULL: an error */
  const char *says;
} instances[] = {
    {"a region", IMDS_FOUND, "eu-west-1", "eu-west-1", NULL},
    {"a region and a line's end", IMDS_FOUND, "eu-west-1\n", "eu-west-1", NULL},
    {"a page", IMDS_FOUND, "<html>", NULL,
     "(the instance metadata service answered what cannot be a region)"},
    {"nothing", IMDS_FOUND, "", NULL, "answered what cannot be a region)"},
    {"another host", IMDS_FOUND, "x.evil.example/", NULL,
     "answered what cannot be a region)"},
    {"that it does not know", IMDS_ABSENT, NULL, NULL,
     "none from the instance; write Region \"us-east-1\", for example (the "
     "instance metadata service knows none)"},
    {"no word", IMDS_FAILED, "cannot reach 169.254.169.254", NULL,
     "no region found: no Region in the configuration, no AWS_REGION or "
     "AWS_DEFAULT_REGION in the environment, no region in profile default, "
     "none from the instance; write Region \"us-east-1\", for example (cannot "
     "reach 169.254.169.254)"},
    {"nothing, as it may not be asked", IMDS_OFF,
     "AWS_EC2_METADATA_DISABLED is true", NULL,
     "(AWS_EC2_METADATA_DISABLED is true)"},
};

static void the_instance_is_asked_last(void **state) {
  (void)state;
  const struct place_options options = {0};
  for (size_t i = 0; i < sizeof(instances) / sizeof(instances[0]); i++) {
    struct place place = {0};
    struct err err = {0};
    struct session *session = open_session(NULL);
    instance.found = instances[i].found;
    instance.text = instances[i].text;
    int rc = place_find(session, &options, &place, &err);
    if (instances[i].region == NULL &&
        (rc == 0 || strstr(err.text, instances[i].says) == NULL))
      fail_msg("%s: %d, %s", instances[i].label, rc, err.text);
    if (strstr(err.text, "<html>") != NULL || strstr(err.text, "evil") != NULL)
      fail_msg("%s: repeats a stranger: %s", instances[i].label, err.text);
    if (instances[i].region != NULL &&
        (rc != 0 || strcmp(place.region, instances[i].region) != 0 ||
         strcmp(place.endpoint.url, EU) != 0 ||
         strcmp(place.sts.url, EU_STS) != 0))
      fail_msg("%s: %d, %s", instances[i].label, rc, err.text);
    place_clear(&place);
    session_free(session);
  }
}

/* An instance that does not answer at boot is asked again. */
static void the_instance_may_come_late(void **state) {
  (void)state;
  const struct place_options options = {0};
  struct place place = {0};
  struct err err = {0};
  struct session *session = open_session(NULL);
  instance.found = IMDS_FAILED;
  instance.text = "refused";
  assert_int_equal(place_find(session, &options, &place, &err), -1);
  instance.found = IMDS_FOUND;
  instance.text = "eu-west-1";
  assert_int_equal(place_find(session, &options, &place, &err), 0);
  assert_string_equal(place.region, "eu-west-1");
  place_clear(&place);
  session_free(session);
}

static void files_may_change(void **state) {
  (void)state;
  const struct place_options options = {0};
  struct place place = {0};
  struct err err = {0};
  struct session *session = open_session(NULL);
  instance.found = IMDS_ABSENT;
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

/* An endpoint of STS that cannot be used stops nobody who does not ask STS. */
static void a_fault_of_STS_is_told_to_who_asks_it(void **state) {
  (void)state;
  static const struct {
    const char *environment;
    enum place_choice use_fips;
    const char *says;
  } faults[] = {
      {REGION "AWS_ENDPOINT_URL_STS=http://sts:1", PLACE_YES,
       "UseFIPS cannot be used with an endpoint given by AWS_ENDPOINT_URL_STS"},
      {REGION "AWS_ENDPOINT_URL_STS=sts:1", PLACE_UNSAID,
       "AWS_ENDPOINT_URL_STS: "},
      {REGION, PLACE_YES, NULL},
  };
  for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    const struct place_options options = {.use_fips = faults[i].use_fips};
    struct place place = {0};
    struct err err = {0};
    clear_environment();
    put_environment(faults[i].environment);
    struct session *session = open_session(NULL);
    assert_int_equal(place_find(session, &options, &place, &err), 0);
    assert_string_equal(err.text, "");
    if (faults[i].says == NULL) {
      assert_non_null(place.sts.url);
      assert_string_equal(place.sts_error.text, "");
    } else {
      assert_null(place.sts.url);
      assert_non_null(strstr(place.sts_error.text, faults[i].says));
    }
    place_clear(&place);
    session_free(session);
  }
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
      cmocka_unit_test_setup_teardown(the_instance_is_asked_last, fresh_folder,
                                      remove_folder),
      cmocka_unit_test_setup_teardown(the_instance_may_come_late, fresh_folder,
                                      remove_folder),
      cmocka_unit_test_setup_teardown(files_may_change, fresh_folder,
                                      remove_folder),
      cmocka_unit_test_setup_teardown(a_fault_of_STS_is_told_to_who_asks_it,
                                      fresh_folder, remove_folder),
      cmocka_unit_test(options_are_cleared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
