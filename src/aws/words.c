#include "aws/words.h"

#include "base/digest.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What of a line has been read, and where the words go. */
struct reader {
  const char *at;
  char *to;
  const char *why; /* set when it cannot go on */
};

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What follows a backslash outside quotes. */
static bool take_kept(struct reader *r) {
  if (*r->at == '\0') {
    r->why = "nothing stands after its last backslash";
    return false;
  }
  *r->to++ = *r->at++;
  return true;
}

/* What stands between quotes; the opening one has been read. */
static bool take_quoted(struct reader *r, char quote) {
  while (*r->at != '\0' && *r->at != quote) {
    if (quote == '"' && r->at[0] == '\\' &&
        (r->at[1] == '"' || r->at[1] == '\\'))
      r->at++;
    *r->to++ = *r->at++;
  }
  if (*r->at == '\0') {
    r->why = quote == '"' ? "a double quote has no end"
                          : "a single quote has no end";
    return false;
  }
  r->at++;
  return true;
}

static bool take_word(struct reader *r) {
  while (*r->at != '\0' && !is_blank(*r->at)) {
    char c = *r->at++;
    bool ok = true;
    if (c == '\\')
      ok = take_kept(r);
    else if (c == '"' || c == '\'')
      ok = take_quoted(r, c);
    else
      *r->to++ = c;
    if (!ok)
      return false;
  }
  *r->to++ = '\0';
  return true;
}

/* Writes the words and their addresses; -1 when it cannot. */
static int split(struct reader *r, char **words, struct err *err) {
  size_t n = 0;
  for (;;) {
    while (is_blank(*r->at))
      r->at++;
    if (*r->at == '\0')
      break;
    if (n == WORDS_MAX)
      return err_set(err, "the command line has more than %d words", WORDS_MAX);
    words[n++] = r->to;
    if (!take_word(r))
      return err_set(err, "the command line cannot be split into words: %s",
                     r->why);
  }
  words[n] = NULL;
  return n > 0 ? 0 : err_set(err, "the command line is empty");
}

char **words_split(const char *line, struct err *err) {
  /* Each word but the last has a blank after it, so that the texts with their
   * NULs are no longer than the line with its own. */
  size_t list_bytes = (WORDS_MAX + 1) * sizeof(char *);
  size_t text_bytes = strlen(line) + 1;
  char **words = malloc(list_bytes + text_bytes);
  if (words == NULL) {
    err_set(err, "out of memory");
    return NULL;
  }
  struct reader r = {line, (char *)words + list_bytes, NULL};
  if (split(&r, words, err) == 0)
    return words;
  digest_wipe((char *)words + list_bytes, text_bytes);
  free(words);
  return NULL;
}
