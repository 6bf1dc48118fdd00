#include "aws/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define ARN "arn:aws:iam::123456789012:role/r"
#define FIFTY "a23456789-b23456789-c23456789-d23456789-e23456789-"

static const struct {
  const char *label;
  struct role role;
  const char *words; /* of the sentence; NULL: accepted */
} roles[] = {
    {"an ARN alone", {.arn = ARN}, NULL},
    {"with a path", {.arn = "arn:aws:iam::123456789012:role/a/b/r"}, NULL},
    {"in China", {.arn = "arn:aws-cn:iam::123456789012:role/r"}, NULL},
    {"all of it",
     {ARN, "x:/1-2_3=4,5.6@7+8", "me@host.x=1,2+3_4-5", 900},
     NULL},
    {"the shortest names", {ARN, "ab", "cd", 43200}, NULL},
    {"the longest session name", {ARN, NULL, FIFTY "12345678901234", 0}, NULL},

    {"no ARN", {.arn = NULL}, "the role's ARN is missing"},
    {"an empty ARN", {.arn = ""}, "the role's ARN is missing"},
    {"a role's name", {.arn = "ReadOnly"}, "role ARN \"ReadOnly\": names no"},
    {"too short", {.arn = "arn:aws:iam::1:role/"}, "names no role"},
    {"too short by one", {.arn = "arn:a:iam::1:role/r"}, "names no role"},
    {"a user", {.arn = "arn:aws:iam::123456789012:user/r"}, "names no role"},
    {"an instance profile",
     {.arn = "arn:aws:iam::123456789012:instance-profile/r"},
     "names no role"},
    {"an assumed role",
     {.arn = "arn:aws:sts::123456789012:assumed-role/r/s"},
     "arn:aws:iam::ACCOUNT:role/NAME"},
    {"no account", {.arn = "arn:aws:iam:::role/some-role"}, "names no role"},
    {"no partition", {.arn = "arn::iam::123456789012:role/r"}, "names no role"},
    {"not an ARN", {.arn = "URN:aws:iam::123456789012:role/r"}, "names no"},
    {"no name", {.arn = "arn:aws:iam::123456789012:role/"}, "names no role"},
    {"a path without a name",
     {.arn = "arn:aws:iam::123456789012:role/a/"},
     "names no role"},
    {"a blank", {.arn = ARN " x"}, "names no role"},
    {"two lines",
     {.arn = "arn:aws:iam::123456789012:role/r\nx"},
     "role/r x\": names no"},

    {"an external id of one character",
     {ARN, "x", NULL, 0},
     "external id \"x\": 1 characters; STS takes 2 to 1224"},
    {"an empty external id", {ARN, "", NULL, 0}, "external id \"\": 0 "},
    {"a blank in the external id",
     {ARN, "a b", NULL, 0},
     "external id \"a b\": STS takes letters, digits and _+=,.@:/- alone"},
    {"a letter beyond ASCII",
     {ARN, "\xc3\xa9x", NULL, 0},
     "external id \"??x\": STS takes"},
    {"a colon in the session name",
     {ARN, NULL, "a:b", 0},
     "role session name \"a:b\": STS takes letters, digits and _+=,.@- alone"},
    {"a slash in the session name", {ARN, NULL, "a/b", 0}, "session name"},
    {"a session name of one character", {ARN, NULL, "x", 0}, "takes 2 to 64"},
    {"a session name of 65",
     {ARN, NULL, FIFTY "123456789012345", 0},
     "...\": 65 characters; STS takes 2 to 64"},

    {"a short time", {ARN, NULL, NULL, 899}, "takes 900 to 43200 seconds"},
    {"a long time", {ARN, NULL, NULL, 43201}, "\"43201\""},
    {"no time", {ARN, NULL, NULL, -1}, "\"-1\""},
    {"all the time", {ARN, NULL, NULL, INT64_MAX}, "role duration"},
};

static void takes_what_sts_takes(void **state) {
  (void)state;
  for (size_t i = 0; i < N(roles); i++) {
    struct err err = {""};
    int rc = role_check(&roles[i].role, &err);
    if (rc != (roles[i].words == NULL ? 0 : -1))
      fail_msg("%s: %d, %s", roles[i].label, rc, err.text);
    if (rc != 0 && strstr(err.text, roles[i].words) == NULL)
      fail_msg("%s: %s", roles[i].label, err.text);
  }
}

/* A text of len times c after begin. */
static char *repeat(const char *begin, char c, size_t len) {
  size_t n = strlen(begin);
  char *text = malloc(n + len + 1);
  assert_non_null(text);
  memcpy(text, begin, n);
  memset(text + n, c, len);
  text[n + len] = '\0';
  return text;
}

static void knows_the_greatest_lengths(void **state) {
  (void)state;
  const char *prefix = "arn:aws:iam::123456789012:role/";
  size_t left = 2048 - strlen(prefix);
  for (size_t more = 0; more < 2; more++) {
    struct err err = {""};
    char *arn = repeat(prefix, 'r', left + more);
    char *id = repeat("", 'x', 1224 + more);
    struct role by_arn = {.arn = arn};
    struct role by_id = {.arn = ARN, .external_id = id};
    assert_int_equal(role_check(&by_arn, &err), more > 0 ? -1 : 0);
    if (more > 0)
      assert_non_null(strstr(err.text, "longer than 2048 characters"));
    assert_int_equal(role_check(&by_id, &err), more > 0 ? -1 : 0);
    if (more > 0)
      assert_non_null(strstr(err.text, "1225 characters"));
    assert_true(strlen(err.text) < 300);
    free(arn);
    free(id);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_what_sts_takes),
      cmocka_unit_test(knows_the_greatest_lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
