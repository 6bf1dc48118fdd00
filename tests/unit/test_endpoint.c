#include "aws/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
  const char *service;
  const char *region;
  bool fips;
  bool dual_stack;
  const char *want;
} hosts[] = {
    {"monitoring", "us-east-1", false, false,
     "monitoring.us-east-1.amazonaws.com"},
    {"monitoring", "us-east-1", true, false,
     "monitoring-fips.us-east-1.amazonaws.com"},
    {"monitoring", "us-east-1", false, true, "monitoring.us-east-1.api.aws"},
    {"monitoring", "us-east-1", true, true,
     "monitoring-fips.us-east-1.api.aws"},
    {"monitoring", "cn-north-1", false, false,
     "monitoring.cn-north-1.amazonaws.com.cn"},
    {"monitoring", "cn-north-1", true, true,
     "monitoring-fips.cn-north-1.api.amazonwebservices.com.cn"},
    {"monitoring", "us-gov-west-1", false, false,
     "monitoring.us-gov-west-1.amazonaws.com"},
    {"monitoring", "us-gov-west-1", true, false,
     "monitoring.us-gov-west-1.amazonaws.com"},
    {"monitoring", "us-gov-west-1", true, true,
     "monitoring.us-gov-west-1.api.aws"},
    {"sts", "us-gov-west-1", true, false, "sts.us-gov-west-1.amazonaws.com"},
    {"sts", "us-gov-west-1", true, true, "sts-fips.us-gov-west-1.api.aws"},
    {"sts", "eu-west-1", true, false, "sts-fips.eu-west-1.amazonaws.com"},
    {"monitoring", "eusc-de-east-1", false, false,
     "monitoring.eusc-de-east-1.amazonaws.eu"},
    {"monitoring", "eusc-de-east-1", false, true,
     "monitoring.eusc-de-east-1.api.amazonwebservices.eu"},
    {"monitoring", "us-iso-east-1", false, false,
     "monitoring.us-iso-east-1.c2s.ic.gov"},
    {"monitoring", "us-iso-east-1", false, true,
     "monitoring.us-iso-east-1.api.aws.ic.gov"},
    {"monitoring", "us-isob-east-1", false, false,
     "monitoring.us-isob-east-1.sc2s.sgov.gov"},
    {"monitoring", "us-isob-east-1", false, true,
     "monitoring.us-isob-east-1.api.aws.scloud"},
    {"monitoring", "eu-isoe-west-1", false, false,
     "monitoring.eu-isoe-west-1.cloud.adc-e.uk"},
    {"monitoring", "eu-isoe-west-1", false, true,
     "monitoring.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
    {"monitoring", "us-isof-south-1", true, false,
     "monitoring-fips.us-isof-south-1.csp.hci.ic.gov"},
    {"monitoring", "us-isof-south-1", false, true,
     "monitoring.us-isof-south-1.api.aws.hci.ic.gov"},
    {"monitoring", "mx-central-1", false, false,
     "monitoring.mx-central-1.amazonaws.com"},
    {"monitoring", "not-yet-built-9", false, false,
     "monitoring.not-yet-built-9.amazonaws.com"},
    {"monitoring", "cn-north-x", false, false,
     "monitoring.cn-north-x.amazonaws.com"},
    {"monitoring", "us-gov-1", true, false,
     "monitoring-fips.us-gov-1.amazonaws.com"},
    {"monitoring", "local", false, false, "monitoring.local.amazonaws.com"},
};

static void names_the_host(void **state) {
  (void)state;
  for (size_t i = 0; i < N(hosts); i++) {
    struct buf host = BUF_INIT(256);
    endpoint_put_host(&host, hosts[i].service, hosts[i].region, hosts[i].fips,
                      hosts[i].dual_stack);
    if (strcmp(buf_str(&host), hosts[i].want) != 0)
      fail_msg("%s: not %s", buf_str(&host), hosts[i].want);
    buf_clear(&host);
  }
}

/* botocore's list, LEGACY_GLOBAL_STS_REGIONS, in whole. */
static void knows_the_old_regions_of_sts(void **state) {
  (void)state;
  static const char *const old[] = {
      "ap-northeast-1", "ap-south-1",   "ap-southeast-1", "ap-southeast-2",
      "aws-global",     "ca-central-1", "eu-central-1",   "eu-north-1",
      "eu-west-1",      "eu-west-2",    "eu-west-3",      "sa-east-1",
      "us-east-1",      "us-east-2",    "us-west-1",      "us-west-2"};
  static const char *const other[] = {"af-south-1",     "ap-east-1",
                                      "ap-northeast-2", "ap-northeast-3",
                                      "cn-north-1",     "eu-south-1",
                                      "me-south-1",     "us-gov-west-1",
                                      "us-east-3",      "us-iso-east-1",
                                      "US-EAST-1",      "us-east-1x",
                                      "us-east-",       ""};
  for (size_t i = 0; i < N(old); i++)
    if (!endpoint_sts_is_legacy(old[i]))
      fail_msg("%s", old[i]);
  for (size_t i = 0; i < N(other); i++)
    if (endpoint_sts_is_legacy(other[i]))
      fail_msg("%s", other[i]);
}

#define LABEL_63                                                               \
  "a23456789-123456789-123456789-123456789-123456789-123456789-123"

static const struct {
  struct str region;
  bool want;
} regions[] = {
    {STR("us-east-1"), true}, {STR("X"), true},
    {STR(LABEL_63), true},    {STR(LABEL_63 "4"), false},
    {STR(""), false},         {STR("-us"), false},
    {STR("us-"), false},      {STR("us.evil.example"), false},
    {STR("us/x"), false},     {STR("us east"), false},
    {STR("us\n"), false},     {STR("us\0x"), false},
    {STR("us_east"), false},  {STR("s\xc3\xbc"), false},
};

static void knows_a_region_from_a_trick(void **state) {
  (void)state;
  for (size_t i = 0; i < N(regions); i++)
    if (endpoint_region_ok(regions[i].region) != regions[i].want)
      fail_msg("\"%s\"", regions[i].region.p);
}

static const struct {
  const char *given;
  const char *url;
  const char *authority;
  const char *path;
  bool tls;
  bool loopback;
} urls[] = {
    {"https://example.com", "https://example.com/", "example.com", "/", true,
     false},
    {"https://example.com/", "https://example.com/", "example.com", "/", true,
     false},
    {"HTTPS://Example.COM:443", "https://example.com:443/", "example.com", "/",
     true, false},
    {"http://example.com:80/", "http://example.com:80/", "example.com", "/",
     false, false},
    {"https://example.com:80", "https://example.com:80/", "example.com:80", "/",
     true, false},
    {"http://127.0.0.1:4566", "http://127.0.0.1:4566/", "127.0.0.1:4566", "/",
     false, true},
    {"http://127.8.9.10", "http://127.8.9.10/", "127.8.9.10", "/", false, true},
    {"http://localhost:1/a/b%20c/", "http://localhost:1/a/b%20c", "localhost:1",
     "/a/b%20c", false, true},
    {"http://LocalHost", "http://localhost/", "localhost", "/", false, true},
    {"http://[::1]:8080/Path", "http://[::1]:8080/Path", "[::1]:8080", "/Path",
     false, true},
    {"http://[FD00:EC2::254]", "http://[fd00:ec2::254]/", "[fd00:ec2::254]",
     "/", false, false},
    {"http://[::ffff:10.0.0.1]", "http://[::ffff:10.0.0.1]/",
     "[::ffff:10.0.0.1]", "/", false, false},
    {"http://h//", "http://h/", "h", "/", false, false},
    {"http://h:00080", "http://h:80/", "h", "/", false, false},
    {"http://h:65535/@x:y", "http://h:65535/@x:y", "h:65535", "/@x:y", false,
     false},
    {"http://127.evil.example", "http://127.evil.example/", "127.evil.example",
     "/", false, false},
    {"http://127.0.0.1.evil.example", "http://127.0.0.1.evil.example/",
     "127.0.0.1.evil.example", "/", false, false},
    {"http://127.0.0.1.", "http://127.0.0.1./", "127.0.0.1.", "/", false,
     false},
    {"http://127.0.0.256", "http://127.0.0.256/", "127.0.0.256", "/", false,
     false},
    {"http://10.0.0.1", "http://10.0.0.1/", "10.0.0.1", "/", false, false},
    {"http://127.1", "http://127.1/", "127.1", "/", false, false},
    {"http://localhost.evil.example", "http://localhost.evil.example/",
     "localhost.evil.example", "/", false, false},
    {"http://my_host-1.local", "http://my_host-1.local/", "my_host-1.local",
     "/", false, false},
};

static void takes_urls_apart(void **state) {
  (void)state;
  for (size_t i = 0; i < N(urls); i++) {
    struct endpoint e;
    struct err err = {""};
    if (endpoint_parse(&e, str_of(urls[i].given), &err) != 0)
      fail_msg("%s: %s", urls[i].given, err.text);
    if (strcmp(e.url, urls[i].url) != 0 ||
        strcmp(e.authority, urls[i].authority) != 0 ||
        strcmp(e.path, urls[i].path) != 0)
      fail_msg("%s: %s, %s, %s", urls[i].given, e.url, e.authority, e.path);
    if (e.tls != urls[i].tls || e.loopback != urls[i].loopback)
      fail_msg("%s: tls %d, loopback %d", urls[i].given, e.tls, e.loopback);
    endpoint_clear(&e);
    endpoint_clear(&e);
  }
}

static const struct {
  struct str url;
  const char *word; /* of the sentence */
} bad_urls[] = {
    {STR(""), "write http:// or https://"},
    {STR("example.com"), "write http:// or https://"},
    {STR("localhost:4566"), "write http:// or https://"},
    {STR("ftp://example.com"), "scheme"},
    {STR("http:/example.com"), "write http:// or https://"},
    {STR("http://user@h"), "user"},
    {STR("http://user:SECRET@h"), "user"},
    {STR("http://h?a"), "query"},
    {STR("http://h/?a"), "query"},
    {STR("http://h/#a"), "fragment"},
    {STR("http://h#a"), "fragment"},
    {STR("http://h /"), "blank"},
    {STR(" http://h"), "blank"},
    {STR("http://h/a\nb"), "control"},
    {STR("http://h/\0b"), "control"},
    {STR("http://h/\x7f"), "control"},
    {STR("http://"), "no host"},
    {STR("http:///a"), "no host"},
    {STR("http://:80"), "no host"},
    {STR("http://h:"), "port"},
    {STR("http://h:0"), "port"},
    {STR("http://h:65536"), "port"},
    {STR("http://h:99999999999999999999"), "port"},
    {STR("http://h:8x"), "port"},
    {STR("http://h:-1"), "port"},
    {STR("http://::1"), "no host"},
    {STR("http://[::1"), "]"},
    {STR("http://[::1]x"), "port"},
    {STR("http://[]"), "IPv6"},
    {STR("http://[1]"), "IPv6"},
    {STR("http://[fe80::1%25eth0]"), "IPv6"},
    {STR("http://h\\a"), "host"},
    {STR("http://h%41"), "host"},
};

static void refuses_what_is_no_endpoint(void **state) {
  (void)state;
  for (size_t i = 0; i < N(bad_urls); i++) {
    struct endpoint e;
    struct err err = {""};
    if (endpoint_parse(&e, bad_urls[i].url, &err) != -1)
      fail_msg("%s: was taken", bad_urls[i].url.p);
    if (strstr(err.text, bad_urls[i].word) == NULL)
      fail_msg("%s: %s", bad_urls[i].url.p, err.text);
    if (strstr(err.text, "SECRET") != NULL)
      fail_msg("%s: told the password", bad_urls[i].url.p);
    if (e.url != NULL || e.authority != NULL || e.path != NULL)
      fail_msg("%s: left something behind", bad_urls[i].url.p);
  }
}

static void refuses_an_endless_url(void **state) {
  (void)state;
  static char url[8192];
  memset(url, 'a', sizeof(url));
  memcpy(url, "http://h/", 9);
  struct endpoint e;
  struct err err = {""};
  assert_int_equal(endpoint_parse(&e, (struct str){url, sizeof(url)}, &err),
                   -1);
  assert_non_null(strstr(err.text, "longer"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_the_host),
      cmocka_unit_test(knows_the_old_regions_of_sts),
      cmocka_unit_test(knows_a_region_from_a_trick),
      cmocka_unit_test(takes_urls_apart),
      cmocka_unit_test(refuses_what_is_no_endpoint),
      cmocka_unit_test(refuses_an_endless_url),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
