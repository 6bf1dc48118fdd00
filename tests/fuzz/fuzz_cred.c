/* Any document is credentials of a source or refused with a sentence.  The
 * first byte chooses the source. */
#include "aws/cred.h"

#include "base/date.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct cred *cred, enum cred_shape shape) {
  if (cred->access_key_id == NULL || cred->secret_access_key == NULL ||
      str_has_control(str_of(cred->access_key_id)) ||
      str_has_control(str_of(cred->secret_access_key)) ||
      str_has_control(str_of(cred->session_token)))
    abort();
  if (cred->expires_s != CRED_NEVER &&
      (cred->expires_s < 0 || cred->expires_s > DATE_MAX))
    abort();
  if (shape == CRED_OF_STS &&
      (cred->session_token == NULL || cred->expires_s == CRED_NEVER))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct cred empty = {0};
  static const enum cred_shape shapes[] = {CRED_OF_PROCESS, CRED_OF_CONTAINER,
                                           CRED_OF_INSTANCE, CRED_OF_STS};
  if (size == 0)
    return 0;
  enum cred_shape shape = shapes[data[0] % 4];
  struct str text = {(const char *)data + 1, size - 1};
  struct err err = {""};
  struct cred cred;

  if (cred_from_json(text, shape, "the source", &cred, &err) == 0) {
    check(&cred, shape);
    cred_wipe(&cred);
  } else if (memcmp(&cred, &empty, sizeof(cred)) != 0 ||
             strncmp(err.text, "the source: ", 12) != 0 ||
             err.text[12] == '\0' || str_has_control(str_of(err.text))) {
    abort();
  }
  return 0;
}
