/* Any answer is judged, and what comes out is clean.  The input is the status
 * as two bytes, whose first bit says that the body was longer, the two headers,
 * each ended by a NUL, and the body. */
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

static void check_sentence(const struct reply *reply, size_t index) {
  const char *sentence = reply_sentence(reply, index);
  if (sentence < reply->message ||
      sentence > reply->message + strlen(reply->message))
    abort();
}

static void check_success(const struct reply *reply,
                          const struct reply_input *input) {
  bool is_success = input->status >= 200 && input->status <= 299;
  if (reply->outcome == OUTCOME_SENT &&
      (!is_success || input->is_cut || reply->is_torn ||
       reply->code[0] != '\0'))
    abort();
  if (reply->is_torn && (!is_success || reply->class != REPLY_NO_CODE))
    abort();
}

static void check(const struct reply *reply, size_t n_data) {
  check_line(reply->code, REPLY_CODE_MAX);
  check_line(reply->message, REPLY_MESSAGE_MAX);
  check_line(reply_hint(reply), REMEDY_MAX);
  for (size_t i = 0; i < reply->n_refused; i++) {
    if (reply->refused[i].index >= n_data)
      abort();
    if (i > 0 && reply->refused[i].index <= reply->refused[i - 1].index)
      abort();
    check_sentence(reply, reply->refused[i].index);
  }
  if (reply->n_refused > 0 && reply->outcome != OUTCOME_MEND)
    abort();
  bool has_code = reply->code[0] != '\0';
  if (reply->class == REPLY_NO_CODE &&
      (has_code || reply->outcome != OUTCOME_RETRY))
    abort();
  if ((reply->outcome == OUTCOME_REFRESH) && !has_code)
    abort();
  bool has_hint = reply_hint(reply)[0] != '\0';
  if (has_hint != (reply->status != 0 && reply->outcome != OUTCOME_SENT))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  struct reply_input input = {.status = ((data[0] & 0x7f) << 8 | data[1]) % 600,
                              .is_cut = (data[0] & 0x80) != 0};
  struct str rest = {(const char *)data + 2, size - 2};
  str_split(&rest, '\0', &input.query_error);
  str_split(&rest, '\0', &input.error_type);
  input.body = rest;

  struct reply reply;
  reply_judge(&input, 20, &reply);
  check(&reply, 20);
  check_success(&reply, &input);
  return 0;
}
