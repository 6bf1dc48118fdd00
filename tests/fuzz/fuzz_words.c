/* Any line is words or refused with a sentence; and words written between
 * single quotes are read back as they were. */
#include "aws/words.h"

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quote(struct buf *out, const char *word) {
  buf_puts(out, " '");
  for (; *word != '\0'; word++)
    if (*word == '\'')
      buf_puts(out, "'\\''");
    else
      buf_putc(out, *word);
  buf_putc(out, '\'');
}

static void check(char *const *words, size_t line_len) {
  struct buf line = BUF_INIT(SIZE_MAX);
  size_t n = 0, len = 0;
  for (; words[n] != NULL; n++) {
    len += strlen(words[n]) + 1;
    quote(&line, words[n]);
  }
  if (n == 0 || n > WORDS_MAX || len > line_len + 1 || !buf_ok(&line))
    abort();

  char **again = words_split(buf_str(&line), NULL);
  if (again == NULL)
    abort();
  for (size_t i = 0; i <= n; i++)
    if ((again[i] == NULL) != (i == n) ||
        (i < n && strcmp(again[i], words[i]) != 0))
      abort();
  free(again);
  buf_clear(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *line = str_dup((struct str){(const char *)data, size});
  struct err err = {""};
  if (line == NULL)
    return 0;
  char **words = words_split(line, &err);
  if (words != NULL)
    check(words, strlen(line));
  else if (strncmp(err.text, "the command line ", 17) != 0)
    abort();
  free(words);
  free(line);
  return 0;
}
