#include "aws/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "freed.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* What is wanted is what Python's shlex.split() says, each word between
 * brackets. */
static const struct {
  const char *label;
  const char *line;
  const char *want; /* NULL: refused */
} lines[] = {
    {"one word", "/opt/helper", "[/opt/helper]"},
    {"arguments", "helper --user  bob\t-v", "[helper][--user][bob][-v]"},
    {"blanks around", " \t\r\n helper \r\n", "[helper]"},
    {"a line that goes on", "helper\n--user\nbob", "[helper][--user][bob]"},
    {"a path with a blank in double quotes", "\"/opt/my helper\" x",
     "[/opt/my helper][x]"},
    {"and in single quotes", "'/opt/my helper' x", "[/opt/my helper][x]"},
    {"quotes inside a word", "--a=\"b c\"d'e f'", "[--a=b cde f]"},
    {"one kind of quote inside the other", "\"it's\" 'say \"x\"'",
     "[it's][say \"x\"]"},
    {"a kept blank", "a\\ b", "[a b]"},
    {"a kept backslash", "a\\\\b", "[a\\b]"},
    {"a kept line end is no line end", "a\\\nb", "[a\nb]"},
    {"a kept quote", "\\\"a\\'", "[\"a']"},
    {"escapes in double quotes", "\"a\\\"b\\\\c\"", "[a\"b\\c]"},
    {"other backslashes in double quotes stay", "\"a\\b\\$\\ c\"",
     "[a\\b\\$\\ c]"},
    {"backslashes in single quotes stay", "'a\\'", "[a\\]"},
    {"a Windows path loses them", "C:\\bin\\x", "[C:binx]"},
    {"an empty word", "a \"\" '' b", "[a][][][b]"},
    {"an empty quote beside a letter", "a''", "[a]"},
    {"nothing is a comment", "a #b", "[a][#b]"},
    {"nothing is expanded", "~/x $HOME *.c `id` a;b|c>d",
     "[~/x][$HOME][*.c][`id`][a;b|c>d]"},
    {"bytes beyond ASCII", "\xc3\xa9 \xff\xc2\xa0x",
     "[\xc3\xa9][\xff\xc2\xa0x]"},
    {"a form feed is no blank", "a\fb\vc", "[a\fb\vc]"},
    {"nothing", "", NULL},
    {"blanks alone", " \t\r\n", NULL},
    {"a double quote without an end", "a \"b c", NULL},
    {"a single quote without an end", "a 'b c", NULL},
    {"its end is escaped", "\"a\\\"", NULL},
    {"a backslash at the end", "a\\", NULL},
    {"a backslash alone", "\\", NULL},
    {"a backslash at the end, in quotes", "\"a\\", NULL},
};

static void join(char *const *words, char *to, size_t size) {
  size_t len = 0;
  for (size_t i = 0; words[i] != NULL; i++) {
    size_t n = strlen(words[i]);
    assert_true(len + n + 3 < size);
    to[len++] = '[';
    memcpy(to + len, words[i], n);
    len += n;
    to[len++] = ']';
  }
  to[len] = '\0';
}

static void splits_as_shlex_does(void **state) {
  (void)state;
  for (size_t i = 0; i < N(lines); i++) {
    struct err err = {""};
    char **words = words_split(lines[i].line, &err);
    if ((words != NULL) != (lines[i].want != NULL))
      fail_msg("%s: %s", lines[i].label, err.text);
    if (words == NULL) {
      if (strstr(err.text, "the command line ") != err.text)
        fail_msg("%s: %s", lines[i].label, err.text);
      continue;
    }
    char joined[200];
    join(words, joined, sizeof(joined));
    if (strcmp(joined, lines[i].want) != 0)
      fail_msg("%s: %s", lines[i].label, joined);
    free(words);
  }
}

static void says_what_is_wrong(void **state) {
  (void)state;
  static const struct {
    const char *line, *word;
  } cases[] = {
      {"x '" SECRET, "single quote has no end"},
      {"x \"" SECRET, "double quote has no end"},
      {SECRET "\\", "last backslash"},
      {"", "empty"},
  };
  for (size_t i = 0; i < N(cases); i++) {
    struct err err = {""};
    n_secrets_freed = 0;
    assert_null(words_split(cases[i].line, &err));
    if (n_secrets_freed > 0)
      fail_msg("%s: left in memory", cases[i].line);
    if (strstr(err.text, cases[i].word) == NULL)
      fail_msg("%s: %s", cases[i].line, err.text);
    if (strstr(err.text, SECRET) != NULL)
      fail_msg("told: %s", err.text);
  }
}

static void takes_so_many_words(void **state) {
  (void)state;
  char line[2 * WORDS_MAX + 3];
  for (size_t i = 0; i < WORDS_MAX; i++)
    memcpy(line + 2 * i, "a ", 3);

  struct err err = {""};
  char **words = words_split(line, &err);
  assert_non_null(words);
  assert_string_equal(words[WORDS_MAX - 1], "a");
  assert_null(words[WORDS_MAX]);
  free(words);

  memcpy(line + (size_t)2 * WORDS_MAX, "b", 2);
  assert_null(words_split(line, &err));
  assert_non_null(strstr(err.text, "more than 256 words"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splits_as_shlex_does),
      cmocka_unit_test(says_what_is_wrong),
      cmocka_unit_test(takes_so_many_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
