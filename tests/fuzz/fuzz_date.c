/* A date that is read is written and read back as the same second. */
#include "base/date.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int parse_fn(struct str text, int64_t *seconds);
typedef void put_fn(struct buf *out, int64_t seconds);

static void check(struct str text, parse_fn *parse, put_fn *put) {
  char array[64];
  struct buf out = BUF_OVER(array);
  int64_t seconds, back;

  if (parse(text, &seconds) != 0)
    return;
  put(&out, seconds);
  if (seconds < 0 || seconds > DATE_MAX || !buf_ok(&out) ||
      date_parse_iso(str_of(buf_str(&out)), &back) != 0 || back != seconds)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str text = {(const char *)data, size};
  check(text, date_parse_iso, date_put_iso);
  check(text, date_parse_iso, date_put_basic);
  check(text, date_parse_http, date_put_iso);
  return 0;
}
