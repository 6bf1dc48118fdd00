#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void fails_in_one_line(void **state) {
  (void)state;
  struct err err = {0};
  assert_int_equal(err_set(&err, "%s after %d s", "timed out", 10), -1);
  assert_string_equal(err.text, "timed out after 10 s");
}

static void nobody_needs_to_listen(void **state) {
  (void)state;
  assert_int_equal(err_set(NULL, "%d", 1), -1);
}

/* A sentence of padding bytes and then the character. */
static size_t length_kept(size_t padding, const char *character) {
  char text[1100];
  struct err err;
  memset(&err, '#', sizeof(err));
  memset(text, 'x', sizeof(text));
  memcpy(text + padding, character, strlen(character) + 1);
  assert_int_equal(err_set(&err, "%s", text), -1);
  assert_non_null(memchr(err.text, '\0', sizeof(err.text)));
  return strlen(err.text);
}

static void a_long_sentence_is_cut_between_characters(void **state) {
  (void)state;
  const char *characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac",
                              "\xf0\x9f\x98\x80"};
  size_t room = sizeof(((struct err *)NULL)->text) - 1;

  for (size_t bytes = 1; bytes <= 4; bytes++)
    for (size_t padding = room - 6; padding <= room; padding++) {
      size_t want = padding + bytes <= room ? padding + bytes : padding;
      if (length_kept(padding, characters[bytes - 1]) != want)
        fail_msg("%zu bytes after %zu", bytes, padding);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fails_in_one_line),
      cmocka_unit_test(nobody_needs_to_listen),
      cmocka_unit_test(a_long_sentence_is_cut_between_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
