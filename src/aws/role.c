#include "aws/role.h"

#include "aws/fault.h"
#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ARN_MIN 20
#define ARN_MAX 2048
#define EXTERNAL_ID_MAX 1224
#define SESSION_NAME_MAX 64
#define NAME_MIN 2

/* A value as a sentence may show it: one line, printable, not too long. */
struct shown {
  char text[100];
};

static struct shown show(struct str value) {
  struct shown shown = {""};
  struct buf line = BUF_OVER(shown.text);
  fault_put_line(value, false, &line);
  return shown;
}

/* Whether it reads "arn:PARTITION:iam::ACCOUNT:role/NAME". */
static bool names_a_role(struct str arn) {
  struct str field[5];
  if (!str_is_word(arn))
    return false;
  for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
    if (!str_split(&arn, ':', &field[i]))
      return false;
  return str_eq(field[0], STR("arn")) && field[1].len > 0 &&
         str_eq(field[2], STR("iam")) && field[4].len > 0 &&
         str_has_prefix(arn, STR("role/")) && arn.len > strlen("role/") &&
         arn.p[arn.len - 1] != '/';
}

static int check_arn(const char *text, struct err *err) {
  struct str arn = str_of(text);
  if (arn.len == 0)
    return err_set(err, "the role's ARN is missing");
  if (arn.len > ARN_MAX)
    return err_set(err, "role ARN \"%s...\": longer than %d characters",
                   show(arn).text, ARN_MAX);
  if (arn.len < ARN_MIN || !names_a_role(arn))
    return err_set(err,
                   "role ARN \"%s\": names no role; write "
                   "arn:aws:iam::ACCOUNT:role/NAME, as IAM shows it",
                   show(arn).text);
  return 0;
}

/* what  "external id"
 * marks what may stand there besides letters and digits */
static int check_name(const char *what, const char *text, const char *marks,
                      size_t max, struct err *err) {
  if (text == NULL)
    return 0;
  struct str s = str_of(text);
  if (s.len < NAME_MIN || s.len > max)
    return err_set(err, "%s \"%s%s\": %zu characters; STS takes %d to %zu",
                   what, show(s).text, s.len > max ? "..." : "", s.len,
                   NAME_MIN, max);
  for (size_t i = 0; i < s.len; i++)
    if (!str_is_alnum(s.p[i]) && strchr(marks, s.p[i]) == NULL)
      return err_set(err,
                     "%s \"%s\": STS takes letters, digits and %s alone, "
                     "without blanks",
                     what, show(s).text, marks);
  return 0;
}

static int check_duration(int64_t duration_s, struct err *err) {
  if (duration_s == 0 ||
      (duration_s >= ROLE_DURATION_MIN_S && duration_s <= ROLE_DURATION_MAX_S))
    return 0;
  return err_set(err, "role duration \"%lld\": STS takes %d to %d seconds",
                 (long long)duration_s, ROLE_DURATION_MIN_S,
                 ROLE_DURATION_MAX_S);
}

int role_check(const struct role *role, struct err *err) {
  if (check_arn(role->arn, err) != 0 ||
      check_name("external id", role->external_id, "_+=,.@:/-", EXTERNAL_ID_MAX,
                 err) != 0 ||
      check_name("role session name", role->session_name, "_+=,.@-",
                 SESSION_NAME_MAX, err) != 0)
    return -1;
  return check_duration(role->duration_s, err);
}
