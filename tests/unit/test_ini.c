/* Each case is a folder with config, credentials and expected; a line of the
 * last is one of
 *
 *   has PROFILE, lacks PROFILE
 *   get PROFILE KEY VALUE          a line break in VALUE is written \n
 *   none PROFILE KEY
 *   service SERVICES SERVICE KEY VALUE
 *   noservice SERVICES SERVICE KEY
 *   error SENTENCE                 how the sentence begins */
#include "aws/ini.h"

#include "vectors.h"

#define WORDS_MAX 3
#define VALUE_MAX 256

static void take_word(struct str *line, char *out) {
  struct str word = {"", 0};
  str_split(line, ' ', &word);
  assert_true(word.len < VALUE_MAX);
  memcpy(out, word.p, word.len);
  out[word.len] = '\0';
}

static void take_value(struct str line, char *out) {
  size_t n = 0;
  assert_true(line.len < VALUE_MAX);
  for (size_t i = 0; i < line.len; i++) {
    bool escape = line.p[i] == '\\' && i + 1 < line.len && line.p[i + 1] == 'n';
    out[n++] = escape ? '\n' : line.p[i];
    i += escape;
  }
  out[n] = '\0';
}

static void expect(const char *folder, const char *question, const char *got,
                   const char *want) {
  if (got == NULL && want == NULL)
    return;
  if (got == NULL || want == NULL || strcmp(got, want) != 0)
    fail_msg("%s: %s: got \"%s\"", folder, question,
             got == NULL ? "(none)" : got);
}

static void ask(const char *folder, const struct ini *ini, struct str line) {
  char question[VALUE_MAX], verb[VALUE_MAX], w[WORDS_MAX][VALUE_MAX] = {""};
  char value[VALUE_MAX];
  struct str rest = line;
  snprintf(question, sizeof(question), "%.*s", (int)line.len, line.p);
  take_word(&rest, verb);
  bool is_service = strcmp(verb, "service") == 0;
  bool is_noservice = strcmp(verb, "noservice") == 0;
  for (int i = 0; i < (is_service || is_noservice ? 3 : 2); i++)
    take_word(&rest, w[i]);
  take_value(rest, value);

  if (strcmp(verb, "get") == 0)
    expect(folder, question, ini_get(ini, w[0], w[1]), value);
  else if (strcmp(verb, "none") == 0)
    expect(folder, question, ini_get(ini, w[0], w[1]), NULL);
  else if (is_service)
    expect(folder, question, ini_service(ini, w[0], w[1], w[2]), value);
  else if (is_noservice)
    expect(folder, question, ini_service(ini, w[0], w[1], w[2]), NULL);
  else if (strcmp(verb, "has") == 0 || strcmp(verb, "lacks") == 0)
    expect(folder, question, ini_has_profile(ini, w[0]) ? "has" : "lacks",
           verb);
  else
    fail_msg("%s: %s: unknown question", folder, question);
}

static void expect_error(const char *folder, const struct ini *ini,
                         const struct err *err, struct str want) {
  if (ini != NULL)
    fail_msg("%s: was taken", folder);
  if (!str_has_prefix(str_of(err->text), want))
    fail_msg("%s: %s", folder, err->text);
  if (strstr(err->text, "SECRET") != NULL)
    fail_msg("%s: told what stood there", folder);
}

static void run_vector(const char *folder) {
  struct str config = vector_read(folder, "config");
  struct str credentials = vector_read(folder, "credentials");
  struct str expected = vector_read(folder, "expected");
  struct str rest = expected, line, error = STR("error ");
  struct err err = {""};
  size_t n = 0;

  struct ini *ini = ini_parse(config, credentials, &err);
  for (; str_split(&rest, '\n', &line); n++) {
    if (str_has_prefix(line, error)) {
      struct str want = {line.p + error.len, line.len - error.len};
      expect_error(folder, ini, &err, want);
    } else if (ini == NULL) {
      fail_msg("%s: %s", folder, err.text);
    } else {
      ask(folder, ini, line);
    }
  }
  if (n == 0)
    fail_msg("%s: nothing is expected", folder);

  ini_wipe(ini);
  vector_free(config);
  vector_free(credentials);
  vector_free(expected);
}

static void reads_every_vector(void **state) {
  (void)state;
  vector_each("ini", run_vector);
  ini_wipe(NULL);
}

/* The copies of values have their whole room from the start; here the texts
 * leave not a byte to spare. */
static void has_room_for_the_tightest_text(void **state) {
  (void)state;
  static const char *const texts[] = {
      "[a]\nb=c", "[a]\nb=c\n d", "[a]\nb=\n c=d", "[a]\nb=", "[a]\nb=\n c="};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    struct err err = {""};
    struct ini *ini = ini_parse(STR("[default]\nb=c"), str_of(texts[i]), &err);
    if (ini == NULL)
      fail_msg("%s: %s", texts[i], err.text);
    assert_true(ini_has_profile(ini, "a"));
    assert_string_equal(ini_get(ini, "default", "b"), "c");
    ini_wipe(ini);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_every_vector),
      cmocka_unit_test(has_room_for_the_tightest_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
