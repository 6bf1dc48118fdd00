/* Any answer of STS is credentials, or an error in one line of printable
 * text, or neither; and any token can be sent. */
#include "aws/sts.h"

#include "aws/remedy.h"
#include "base/date.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(struct str body) {
  static const struct cred empty = {0};
  struct err err = {""};
  struct cred cred;
  if (sts_read(body, &cred, &err) != 0) {
    if (memcmp(&cred, &empty, sizeof(cred)) != 0 || err.text[0] == '\0' ||
        str_has_control(str_of(err.text)))
      abort();
    return;
  }
  if (cred.access_key_id == NULL || cred.secret_access_key == NULL ||
      cred.session_token == NULL || cred.expires_s < 0 ||
      cred.expires_s > DATE_MAX || str_has_control(str_of(cred.session_token)))
    abort();
  cred_wipe(&cred);
}

static void check_printable(const char *text, size_t size) {
  size_t len = strlen(text);
  if (len >= size)
    abort();
  for (size_t i = 0; i < len; i++)
    if (text[i] < 0x20 || text[i] > 0x7e)
      abort();
}

static void check_fault(struct str body) {
  struct sts_fault fault;
  sts_read_fault(body, &fault);
  check_printable(fault.code, sizeof(fault.code));
  check_printable(fault.message, sizeof(fault.message));
  char array[REMEDY_MAX] = "";
  struct buf hint = BUF_OVER(array);
  sts_put_hint(&hint, &fault, STS_ASSUME_ROLE, "arn:aws:iam::1:role/r");
  check_printable(buf_str(&hint), sizeof(array));
  if (!buf_ok(&hint) || (sts_is_skewed(fault.code) && hint.len == 0))
    abort();
}

static void check_request(struct str token) {
  struct role role = {.arn = "arn:aws:iam::123456789012:role/r"};
  struct buf body = BUF_INIT(STS_BODY_MAX);
  sts_put_web_identity(&body, &role, "s", token);
  if (!buf_ok(&body) ? token.len <= STS_TOKEN_MAX
                     : !str_is_word(str_of(buf_str(&body))))
    abort();
  buf_wipe(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str text = {(const char *)data, size};
  check_answer(text);
  check_fault(text);
  check_request(text);
  return 0;
}
