#include "aws/remedy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* ---- denials ------------------------------------------------------------- */

#define USER "User: arn:aws:sts::111122223333:assumed-role/web/i-0123 is not "
#define PUT "cloudwatch:PutMetricData"
#define ROLE "arn:aws:iam::111122223333:role/r"
#define IMPLICIT(kind)                                                         \
  USER "authorized to perform: " PUT " because no " kind " allows the " PUT    \
       " action"
#define EXPLICIT(kind)                                                         \
  USER "authorized to perform: " PUT " with an explicit deny in " kind
#define LACKS "allow " PUT " on resource * in "
#define DENIED "have " PUT " on resource * excepted from the Deny in "
#define BESIDES " (besides)"

static const struct remedy_asked asked = {PUT, "*", "a policy", BESIDES};

/* The forms are those of the IAM user guide, "Troubleshoot access denied error
 * messages", and of issues in which people quote CloudWatch. */
static const struct {
  const char *message, *want;
} denials[] = {
    {"", LACKS "a policy" BESIDES},
    {"Access Denied", LACKS "a policy" BESIDES},
    {USER "authorized to perform: " PUT, LACKS "a policy" BESIDES},
    {IMPLICIT("identity-based policy"),
     LACKS "a policy of this identity" BESIDES},
    {IMPLICIT("permissions boundary"),
     LACKS "the permissions boundary of this identity" BESIDES},
    {IMPLICIT("session policy"),
     LACKS "the session policy that the role was assumed with" BESIDES},
    {IMPLICIT("service control policy"),
     LACKS "the organization's service control policies" BESIDES},
    {IMPLICIT("resource control policy"),
     LACKS "the organization's resource control policies" BESIDES},
    {IMPLICIT("VPC endpoint policy"),
     LACKS "the policy of the VPC endpoint" BESIDES},
    {IMPLICIT("role trust policy"),
     LACKS "the trust policy of the role" BESIDES},
    {IMPLICIT("resource-based policy"),
     LACKS "the policy of the resource (of a role, its trust policy)" BESIDES},
    {USER "authorized to perform: " PUT " with an explicit deny",
     DENIED "a policy of this identity, its permissions boundary, the "
            "organization or a VPC endpoint"},
    {EXPLICIT("a service control policy: arn:aws:organizations::1:policy/p"),
     DENIED "the organization's service control policies"},
    {USER "authorized to perform: " PUT " due to an explicit deny in a Service "
          "Control Policy.",
     DENIED "the organization's service control policies"},
    {EXPLICIT("an identity-based policy"), DENIED "a policy of this identity"},
    {EXPLICIT("a permissions boundary"),
     DENIED "the permissions boundary of this identity"},
    {EXPLICIT("a VPC endpoint policy"),
     DENIED "the policy of the VPC endpoint"},
    /* action and resource are what AWS says they are */
    {USER "authorized to perform: sts:AssumeRole on resource: " ROLE,
     "allow sts:AssumeRole on resource " ROLE " in a policy" BESIDES},
    {USER "authorized to perform: x:Y on resource: " ROLE ".",
     "allow x:Y on resource " ROLE " in a policy" BESIDES},
    {"Not authorized to perform sts:AssumeRoleWithWebIdentity",
     "allow sts:AssumeRoleWithWebIdentity on resource * in a policy" BESIDES},
    {"You are not authorized to perform this operation.",
     LACKS "a policy" BESIDES},
    /* messages that end too early */
    {"authorized to perform", LACKS "a policy" BESIDES},
    {"authorized to perform: ", LACKS "a policy" BESIDES},
    {"authorized to perform: x:Y on resource",
     "allow x:Y on resource * in a policy" BESIDES},
};

static void says_what_has_to_be_allowed_and_where(void **state) {
  (void)state;
  for (size_t i = 0; i < N(denials); i++) {
    char array[REMEDY_MAX] = "";
    struct buf out = BUF_OVER(array);
    remedy_put_denied(&out, str_of(denials[i].message), &asked);
    if (strcmp(buf_str(&out), denials[i].want) != 0)
      fail_msg("%s:\n\"%s\", not\n\"%s\"", denials[i].message, buf_str(&out),
               denials[i].want);
  }
}

/* Words that are too long to be an action or a resource are not taken, and what
 * was asked for is cut: the longest remedy fits. */
static void fits_whatever_is_said(void **state) {
  (void)state;
  static const size_t lens[] = {126, 127, 128, 129, 255, 256, 257, 900};
  static char name[901], longest[2049];
  const struct remedy_asked long_asked = {
      PUT, longest,
      "a policy of the identity that asks, and to that identity and its "
      "external id in the trust policy of the role",
      " (a condition on cloudwatch:namespace must fit Namespace)"};
  memset(longest, 'r', sizeof(longest) - 1);

  for (size_t i = 0; i < N(lens); i++) {
    char array[REMEDY_MAX] = "";
    struct buf out = BUF_OVER(array), message = BUF_INIT(4096);
    memset(name, 'a', lens[i]);
    name[lens[i]] = '\0';
    buf_printf(&message, "authorized to perform: s:%s on resource: %s", name,
               i % 2 == 0 ? name : "");
    remedy_put_denied(&out, str_of_buf(&message), &long_asked);
    assert_true(buf_ok(&out));
    assert_int_equal(strstr(buf_str(&out), PUT) == NULL, lens[i] + 2 <= 128);
    buf_clear(&message);
  }
}

/* ---- other sentences ----------------------------------------------------- */

static const struct {
  const char *message, *word; /* NULL: nothing more */
} told[] = {
    {"", NULL},
    {"The request signature we calculated does not match.", NULL},
    {"Signature expired: 20260101T000000Z is now earlier than ...", "clock"},
    {"Signature not yet current: 20260101T000000Z is still later than ...",
     "clock"},
    {"Credential should be scoped to a valid region, not 'us-west-2'. ",
     "Region"},
    {"Credential should be scoped to a valid region. ", "Region"},
    {"Credential should be scoped to correct service: 'logs'. ", "endpoint"},
};

static void knows_more_than_the_code(void **state) {
  (void)state;
  for (size_t i = 0; i < N(told); i++) {
    const char *remedy = remedy_of_message(str_of(told[i].message));
    if (told[i].word == NULL)
      assert_null(remedy);
    else if (remedy == NULL || strstr(remedy, told[i].word) == NULL)
      fail_msg("%s: %s", told[i].message, remedy == NULL ? "none" : remedy);
    assert_int_equal(remedy_is_clock(str_of(told[i].message)),
                     remedy != NULL && strcmp(remedy, REMEDY_CLOCK) == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_what_has_to_be_allowed_and_where),
      cmocka_unit_test(fits_whatever_is_said),
      cmocka_unit_test(knows_more_than_the_code),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
