/* Any answer is judged, and what comes out is clean.  The input is the status
 * as two bytes, the two headers, each ended by a NUL, and the body. */
#include "aws/reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text, size_t max) {
  size_t len = 0;
  for (; text[len] != '\0'; len++)
    if (len + 1 >= max || text[len] < ' ' || text[len] > '~')
      abort();
}

static void check(const struct reply *reply, size_t n_data) {
  check_line(reply->code, REPLY_CODE_MAX);
  check_line(reply->message, REPLY_MESSAGE_MAX);
  for (size_t i = 0; i < reply->n_refused; i++) {
    if (reply->refused[i] >= n_data)
      abort();
    if (i > 0 && reply->refused[i] <= reply->refused[i - 1])
      abort();
  }
  if (reply->n_refused > 0 && reply->outcome != OUTCOME_MEND)
    abort();
  bool has_code = reply->code[0] != '\0';
  if (reply->class == REPLY_NO_CODE &&
      (has_code || reply->outcome != OUTCOME_RETRY))
    abort();
  if ((reply->outcome == OUTCOME_REFRESH) && !has_code)
    abort();
  if (reply_hint(reply->code) == NULL)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  struct reply_input input = {.status = (data[0] << 8 | data[1]) % 600};
  struct str rest = {(const char *)data + 2, size - 2};
  str_split(&rest, '\0', &input.query_error);
  str_split(&rest, '\0', &input.error_type);
  input.body = rest;

  struct reply reply;
  reply_judge(&input, 20, &reply);
  check(&reply, 20);
  if (reply.outcome == OUTCOME_SENT &&
      (input.status < 200 || input.status > 299))
    abort();
  return 0;
}
