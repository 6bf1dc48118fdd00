/* Any bytes as a datum's text: encoded to whole parameters of that datum, or
 * refused with a sentence and nothing written. */
#include "metric/encode_query.h"

#include "metric/metric.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "&MetricData.member.7."

static void check(bool holds) {
  if (!holds)
    abort();
}

/* Every "&" begins a parameter of our datum, which has one "=". */
static void check_parameters(const char *text) {
  while (*text != '\0') {
    check(strncmp(text, PREFIX, strlen(PREFIX)) == 0);
    size_t len = 1 + strcspn(text + 1, "&");
    const char *equals = memchr(text, '=', len);
    check(equals != NULL);
    check(memchr(equals + 1, '=', len - (size_t)(equals + 1 - text)) == NULL);
    text += len;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~%&=";
  struct buf to = BUF_INIT(16 * CW_BODY_MAX);
  struct err err = {""};

  int rc =
      encode_query_datum(&to, 7, (struct str){(const char *)data, size}, &err);
  check((rc == 0) == (err.text[0] == '\0'));
  check((rc == 0) == (to.len > 0));
  check(strspn(buf_str(&to), allowed) == to.len);
  check_parameters(buf_str(&to));
  buf_clear(&to);
  return 0;
}
