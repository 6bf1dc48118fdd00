#include "aws/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
  const char *label;
  const char *relative, *full;
  const char *want;
} good[] = {
    {"ECS", "/v2/credentials/1-2", NULL,
     "http://169.254.170.2/v2/credentials/1-2"},
    {"with a query", "/get?id=1&x=/", NULL,
     "http://169.254.170.2/get?id=1&x=/"},
    {"ECS wins over a full one", "/a", "http://localhost/b",
     "http://169.254.170.2/a"},
    {"an empty relative one is not set", "", "http://localhost/b",
     "http://localhost/b"},
    {"EKS", NULL, "http://169.254.170.23/v1/credentials",
     "http://169.254.170.23/v1/credentials"},
    {"EKS, IPv6", NULL, "http://[fd00:ec2::23]/v1/credentials",
     "http://[fd00:ec2::23]/v1/credentials"},
    {"EKS, IPv6, capitals and a port", NULL, "HTTP://[FD00:EC2::23]:80/v1",
     "http://[fd00:ec2::23]:80/v1"},
    {"ECS by a full one", NULL, "http://169.254.170.2/x",
     "http://169.254.170.2/x"},
    {"loopback with a port", NULL, "http://127.0.0.1:51679/x?y=z",
     "http://127.0.0.1:51679/x?y=z"},
    {"another loopback", NULL, "http://127.200.3.4/", "http://127.200.3.4/"},
    {"loopback, IPv6", NULL, "http://[::1]:8080/x", "http://[::1]:8080/x"},
    {"localhost", NULL, "http://LocalHost:1/x", "http://localhost:1/x"},
    {"no path", NULL, "http://localhost", "http://localhost/"},
    {"no path but a query", NULL, "http://localhost?a=b",
     "http://localhost/?a=b"},
    {"a path keeps its end", NULL, "http://localhost/a//",
     "http://localhost/a//"},
    {"https goes anywhere", NULL, "https://creds.example.com:8443/a?b",
     "https://creds.example.com:8443/a?b"},
    {"https to an address", NULL, "https://10.1.2.3/a", "https://10.1.2.3/a"},
};

static void names_the_url(void **state) {
  (void)state;
  for (size_t i = 0; i < N(good); i++) {
    struct buf out = BUF_INIT(1000);
    struct err err = {""};
    if (container_url(&out, good[i].relative, good[i].full, &err) != 0)
      fail_msg("%s: %s", good[i].label, err.text);
    if (strcmp(buf_str(&out), good[i].want) != 0)
      fail_msg("%s: %s", good[i].label, buf_str(&out));
    buf_clear(&out);
  }
}

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI"

static const struct {
  const char *label;
  const char *relative, *full;
  const char *variable, *word; /* of the sentence */
} bad[] = {
    {"neither", NULL, NULL, RELATIVE, "nor " FULL},
    {"both empty", "", "", RELATIVE, "is set"},
    {"a path that would change the host", ".example.com/x", NULL, RELATIVE,
     "begin with \"/\""},
    {"a path that would name a user", "@example.com/x", NULL, RELATIVE,
     "begin with \"/\""},
    {"a port for a path", ":80/x", NULL, RELATIVE, "begin with \"/\""},
    {"a bad relative one is not passed over", "x", "http://localhost/",
     RELATIVE, "begin with"},
    {"a line end in the path", "/a\r\nX: y", NULL, RELATIVE, "control"},
    {"a blank in the path", "/a b", NULL, RELATIVE, "blank"},
    {"a fragment in the path", "/a#b", NULL, RELATIVE, "fragment"},
    {"a foreign host", NULL, "http://creds.example.com/x", FULL,
     "not to \"creds.example.com\"; write https://"},
    {"the instance metadata service", NULL, "http://169.254.169.254/x", FULL,
     "169.254.169.254"},
    {"a private address", NULL, "http://10.0.0.1:80/", FULL, "10.0.0.1"},
    {"begins like loopback", NULL, "http://127.0.0.1.example.com/", FULL,
     "127.0.0.1.example.com"},
    {"ends like localhost", NULL, "http://xlocalhost/", FULL, "xlocalhost"},
    {"begins like ECS", NULL, "http://169.254.170.2.example.com/", FULL,
     "not to"},
    {"near EKS", NULL, "http://169.254.170.234/", FULL, "not to"},
    {"near EKS, IPv6", NULL, "http://[fd00:ec2::233]/", FULL, "not to"},
    {"all addresses", NULL, "http://0.0.0.0/", FULL, "not to"},
    {"IPv4 in IPv6", NULL, "http://[::ffff:127.0.0.1]/", FULL, "not to"},
    {"a number for an address", NULL, "http://2130706433/", FULL, "not to"},
    {"a user before the host", NULL, "http://localhost@example.com/", FULL,
     "user"},
    {"a password", NULL, "http://u:SECRET@localhost/", FULL, "password"},
    {"a user by https", NULL, "https://u@example.com/", FULL, "user"},
    {"a backslash", NULL, "http://localhost\\@example.com/", FULL, "user"},
    {"no scheme", NULL, "localhost/x", FULL, "http:// or https://"},
    {"a path", NULL, "/v2/credentials", FULL, "http:// or https://"},
    {"another scheme", NULL, "file:///etc/passwd", FULL, "scheme"},
    {"a fragment", NULL, "https://example.com/#x", FULL, "fragment"},
    {"a fragment after the host", NULL, "http://localhost#x", FULL, "fragment"},
    {"a blank", NULL, "http://localhost/a b", FULL, "blank"},
    {"a blank in the host", NULL, "http://local host/", FULL, "blank"},
    {"a line end", NULL, "http://localhost/\n", FULL, "control"},
    {"a port too great", NULL, "http://localhost:65536/", FULL, "port"},
    {"no host", NULL, "http:///x", FULL, "no host"},
};

static void refuses_what_leads_away(void **state) {
  (void)state;
  for (size_t i = 0; i < N(bad); i++) {
    struct buf out = BUF_INIT(1000);
    struct err err = {""};
    if (container_url(&out, bad[i].relative, bad[i].full, &err) != -1)
      fail_msg("%s: %s", bad[i].label, buf_str(&out));
    if (strstr(err.text, bad[i].variable) == NULL ||
        strstr(err.text, bad[i].word) == NULL)
      fail_msg("%s: %s", bad[i].label, err.text);
    if (strstr(err.text, "SECRET") != NULL)
      fail_msg("%s: told the password", bad[i].label);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_the_url),
      cmocka_unit_test(refuses_what_leads_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
