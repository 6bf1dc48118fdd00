#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Takes away the rest of a character of UTF-8 that was cut in its middle: the
 * sentence may be passed on where only whole ones are accepted.  len is where
 * the NUL stands. */
static void trim_cut_character(char *text, size_t len) {
  size_t start = len;
  while (start > 0 && len - start < 4) {
    unsigned char c = (unsigned char)text[--start];
    if (c < 0x80)
      return;
    if (c < 0xc0)
      continue;
    size_t whole = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (len - start < whole)
      text[start] = '\0';
    return;
  }
}

int err_set(struct err *err, const char *format, ...) {
  if (err == NULL)
    return -1;

  va_list args;
  va_start(args, format);
  int n = vsnprintf(err->text, sizeof(err->text), format, args);
  va_end(args);
  if (n < 0)
    err->text[0] = '\0';
  else if ((size_t)n >= sizeof(err->text))
    trim_cut_character(err->text, sizeof(err->text) - 1);
  return -1;
}
