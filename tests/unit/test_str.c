#include "base/str.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define N_RANDOM 100000

/* ---- slices ------------------------------------------------------------- */

static const struct str none = {NULL, 0};

static void compares(void **state) {
  (void)state;
  assert_true(str_eq(STR("abc"), str_of("abc")));
  assert_false(str_eq(STR("abc"), STR("abd")));
  assert_false(str_eq(STR("abc"), STR("ab")));
  assert_true(str_eq(none, STR("")));
  assert_true(str_eq(str_of(NULL), none));
  assert_true(str_eq(STR("a\0b"), STR("a\0b")));
  assert_false(str_eq(STR("a\0b"), STR("a\0c")));
  assert_true(str_eq_nocase(STR("aBz-AZ"), STR("AbZ-az")));
  assert_false(str_eq_nocase(STR("a"), STR("b")));
  assert_false(str_eq_nocase(STR("a"), STR("aa")));
  assert_false(str_eq_nocase(STR("["), STR("{"))); /* beside Z and z */
  assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
}

static void knows_both_ends(void **state) {
  (void)state;
  assert_true(str_has_prefix(STR("abc"), STR("ab")));
  assert_true(str_has_prefix(STR("abc"), STR("abc")));
  assert_true(str_has_prefix(none, none));
  assert_false(str_has_prefix(STR("abc"), STR("bc")));
  assert_false(str_has_prefix(STR("ab"), STR("abc")));
  assert_true(str_has_suffix(STR("abc"), STR("bc")));
  assert_true(str_has_suffix(STR("abc"), STR("abc")));
  assert_true(str_has_suffix(none, none));
  assert_false(str_has_suffix(STR("abc"), STR("ab")));
  assert_false(str_has_suffix(STR("bc"), STR("abc")));
}

static void trims(void **state) {
  (void)state;
  assert_true(str_eq(str_trim(STR(" \t\r\na b\n ")), STR("a b")));
  assert_true(str_eq(str_trim(STR(" \r\n")), none));
  assert_true(str_eq(str_trim(none), none));
  assert_true(str_eq(str_trim(STR("\va\v")), STR("\va\v")));
}

static void splits(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *parts[4];
  } cases[] = {
      {"", {NULL}},        {"a", {"a"}},
      {"a,b", {"a", "b"}}, {",a,,b", {"", "a", "", "b"}},
      {"a,", {"a"}},       {",", {""}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct str rest = str_of(cases[i].text), part;
    size_t n = 0;
    for (; str_split(&rest, ',', &part); n++)
      if (n == 4 || !str_eq(part, str_of(cases[i].parts[n])))
        fail_msg("\"%s\", part %zu", cases[i].text, n);
    if (n < 4 && cases[i].parts[n] != NULL)
      fail_msg("\"%s\" has more than %zu parts", cases[i].text, n);
  }
  struct str rest = none, part;
  assert_false(str_split(&rest, ',', &part));
}

static void finds(void **state) {
  (void)state;
  assert_int_equal(str_find(STR("abcabc"), STR("bc")), 1);
  assert_int_equal(str_find(STR("abab"), STR("abab")), 0);
  assert_int_equal(str_find(STR("aab"), STR("ab")), 1);
  assert_int_equal(str_find(STR("abc"), STR("d")), 3);
  assert_int_equal(str_find(STR("abc"), STR("abcd")), 3);
  assert_int_equal(str_find((struct str){"abc", 2}, STR("bc")), 2);
  assert_int_equal(str_find(none, STR("a")), 0);
  assert_true(str_eq(str_from(STR("abc"), 1), STR("bc")));
  assert_true(str_eq(str_from(STR("abc"), 3), none));
}

static void knows_characters(void **state) {
  (void)state;
  static const char digits[] = "0123456789", letters[] = "abcdefghijklm"
                                                         "nopqrstuvwxyz"
                                                         "ABCDEFGHIJKLM"
                                                         "NOPQRSTUVWXYZ";
  for (int i = 0; i < 256; i++) {
    char c = (char)i;
    bool digit = memchr(digits, i, 10) != NULL;
    bool control = i < 32 || i == 127;
    struct str text = {(char[]){'a', c, 'b'}, 3};
    if (str_is_digit(c) != digit ||
        str_is_alnum(c) != (digit || memchr(letters, i, 52) != NULL) ||
        str_has_control(text) != control ||
        str_is_field_value(text) != (!control || c == '\t') ||
        str_is_word(text) != (!control && c != ' '))
      fail_msg("byte %d", i);
  }
  assert_false(str_has_control(none));
  assert_true(str_is_field_value(none));
  assert_true(str_is_word(none));
}

static void changes_characters(void **state) {
  (void)state;
  static const struct {
    struct str text;
    const char *lower, *percent;
  } cases[] = {
      {STR(""), "", ""},
      {STR("aZ09-._~"), "az09-._~", "aZ09-._~"},
      {STR("@AZ[`az{"), "@az[`az{", "%40AZ%5B%60az%7B"},
      {STR(" +/%\xc3\x84"), " +/%\xc3\x84", "%20%2B%2F%25%C3%84"},
      {STR("a b"), "a b", "a%20b"},
      {STR("\x7f\n"), "\x7f\n", "%7F%0A"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct buf lower = BUF_INIT(100), percent = BUF_INIT(100);
    str_put_lower(&lower, cases[i].text);
    assert_string_equal(buf_str(&lower), cases[i].lower);
    str_put_percent(&percent, cases[i].text);
    assert_string_equal(buf_str(&percent), cases[i].percent);
    buf_clear(&lower);
    buf_clear(&percent);
  }
}

static void duplicates(void **state) {
  (void)state;
  char *copy = str_dup((struct str){"abcd", 3});
  assert_string_equal(copy, "abc");
  free(copy);
  copy = str_dup(none);
  assert_string_equal(copy, "");
  free(copy);
}

static void knows_utf8(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool want;
  } cases[] = {
      {"", true},
      {"plain \x7f", true},
      {"\xc2\x80 \xdf\xbf", true},
      {"\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", true},
      {"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true},
      {"\x80", false},
      {"\xc3", false},
      {"\xc3(", false},
      {"\xc0\x80", false},
      {"\xc1\xbf", false},
      {"\xe0\x9f\xbf", false},
      {"\xed\xa0\x80", false},
      {"\xe2\x82", false},
      {"\xe2\x82(", false},
      {"\xf0\x8f\xbf\xbf", false},
      {"\xf4\x90\x80\x80", false},
      {"\xf5\x80\x80\x80", false},
      {"\xf0\x9f\x98", false},
      {"\xff", false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (str_is_utf8(str_of(cases[i].text)) != cases[i].want)
      fail_msg("case %zu", i);
  assert_true(str_is_utf8(STR("a\0b")));
  assert_true(str_is_utf8(none));
}

static void hashes(void **state) {
  (void)state;
  /* From the authors' list of test vectors for FNV-1a of 64 bits. */
  assert_true(str_hash(STR_HASH_SEED, NULL, 0) == UINT64_C(0xcbf29ce484222325));
  assert_true(str_hash(STR_HASH_SEED, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
  assert_true(str_hash(STR_HASH_SEED, "foobar", 6) ==
              UINT64_C(0x85944171f73967e8));
  assert_true(str_hash(str_hash(STR_HASH_SEED, "foo", 3), "bar", 3) ==
              UINT64_C(0x85944171f73967e8));
}

static void counts_edits(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    size_t want;
  } cases[] = {
      {"", "", 0},
      {"", "abc", 3},
      {"Region", "region", 0},
      {"regoin", "Region", 2},
      {"kitten", "sitting", 3},
      {"flaw", "lawn", 2},
      {"Namespace", "Namspace", 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (str_distance(str_of(cases[i].a), str_of(cases[i].b)) != cases[i].want ||
        str_distance(str_of(cases[i].b), str_of(cases[i].a)) != cases[i].want)
      fail_msg("%s, %s", cases[i].a, cases[i].b);

  char word[65];
  memset(word, 'x', sizeof(word));
  assert_int_equal(str_distance((struct str){word, 64}, none), 64);
  assert_true(str_distance((struct str){word, 65}, none) == SIZE_MAX);
  assert_true(str_distance(none, (struct str){word, 65}) == SIZE_MAX);
}

/* ---- numbers ------------------------------------------------------------ */

static void reads_whole_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int rc;
    uint64_t want;
  } cases[] = {
      {"0", 0, 0},
      {"007", 0, 7},
      {"18446744073709551615", 0, UINT64_MAX},
      {"18446744073709551616", -1, 1},
      {"18446744073709551620", -1, 1},
      {"99999999999999999999", -1, 1},
      {"", -1, 1},
      {"-1", -1, 1},
      {"+1", -1, 1},
      {" 1", -1, 1},
      {"1 ", -1, 1},
      {"1.0", -1, 1},
      {"0x1", -1, 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint64_t got = 1;
    if (str_to_u64(str_of(cases[i].text), &got) != cases[i].rc ||
        got != cases[i].want)
      fail_msg("%s", cases[i].text);
  }
}

static void reads_doubles(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double want;
  } cases[] = {
      {"0", 0},
      {"-1", -1},
      {"2.5", 2.5},
      {"1e-3", 0.001},
      {"1E+3", 1000},
      {"-0.25e2", -25},
      {"10.50", 10.5},
      {"0.000", 0},
      {"1.7976931348623157e308", DBL_MAX},
      {"5e-324", 4.9406564584124654e-324},
      {"1e-999999999999999999999", 0},
      {"0e999999999999999999999", 0},
      {"9007199254740993", 9007199254740992.0},
      {"0.1", 0.1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double got = -77;
    if (str_to_double(str_of(cases[i].text), &got) != 0 || got != cases[i].want)
      fail_msg("%s: %.17g", cases[i].text, got);
  }
}

static void refuses_what_json_does_not_call_a_number(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",      "-",    "+1",  ".5",  "5.",     "1.e3",  "01",
      "-01",   "00",   "1e",  "1e+", "1e5.5",  "0x10",  "inf",
      "nan",   "NaN",  " 1",  "1 ",  "1,5",    "1.5.5", "--1",
      "1e309", "1f",   "1_0", "1'0", "-1e400", "e5",    "1e99999999999",
      "-inf",  "1e-5x"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    double got = -77;
    if (str_to_double(str_of(texts[i]), &got) != -1 || got != -77)
      fail_msg("\"%s\"", texts[i]);
  }
}

static void reads_long_numbers_up_to_the_limit(void **state) {
  (void)state;
  char text[STR_NUMBER_MAX + 2];
  double got;
  memset(text, '0', sizeof(text));
  text[1] = '.';
  text[STR_NUMBER_MAX - 5] = '1';
  memcpy(text + STR_NUMBER_MAX - 4, "e506", 5);
  assert_int_equal(str_to_double(str_of(text), &got), 0);
  assert_true(got == 1);
  memcpy(text + STR_NUMBER_MAX - 4, "e0506", 6);
  assert_int_equal(str_to_double(str_of(text), &got), -1);
}

static void writes_doubles(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *want;
  } cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-1, "-1"},
      {0.1, "0.1"},
      {0.1 + 0.2, "0.30000000000000004"},
      {12.5, "12.5"},
      {-1e-7, "-1e-07"},
      {100000, "100000"},
      {999999999999999, "999999999999999"},
      {-999999999999999, "-999999999999999"},
      {1e15, "1e+15"},
      {1e15 + 1, "1000000000000001"},
      {9007199254740991, "9007199254740991"},
      {9007199254740992, "9007199254740992"},
      {1e22, "1e+22"},
      {DBL_MAX, "1.7976931348623157e+308"},
      {-DBL_MIN, "-2.2250738585072014e-308"},
      {4.9406564584124654e-324, "4.94065645841247e-324"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char array[32];
    struct buf got = BUF_OVER(array);
    str_put_double(&got, cases[i].value);
    if (strcmp(buf_str(&got), cases[i].want) != 0)
      fail_msg("%s: \"%s\"", cases[i].want, buf_str(&got));
  }
}

static void what_is_not_finite_fails_the_buffer(void **state) {
  (void)state;
  const double values[] = {NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < 3; i++) {
    double got;
    struct buf out = BUF_INIT(32);
    str_put_double(&out, values[i]);
    assert_false(buf_ok(&out));
    buf_clear(&out);
    assert_int_equal(str_to_double(STR("1e400"), &got), -1);
  }
}

/* xorshift64*: the same numbers from the same seed on each machine. */
static uint64_t next(uint64_t *seed) {
  *seed ^= *seed >> 12;
  *seed ^= *seed << 25;
  *seed ^= *seed >> 27;
  return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* Random bit patterns, short decimals and whole numbers in turn. */
static double random_double(uint64_t *seed, int i) {
  uint64_t bits = next(seed);
  double value;
  if (i % 3 == 0)
    memcpy(&value, &bits, sizeof(value));
  else if (i % 3 == 1)
    value =
        (double)(int64_t)(bits >> 40) / pow(10, (double)(bits % 7)) - 4000000;
  else
    value = (double)((int64_t)bits >> (bits % 64));
  return value;
}

static void check_random_doubles(const char *where, uint64_t seed) {
  uint64_t first_seed = seed;
  size_t checked = 0;
  for (int i = 0; i < N_RANDOM; i++) {
    char array[32];
    struct buf text = BUF_OVER(array);
    double value = random_double(&seed, i), back = 0;
    if (!isfinite(value))
      continue;
    checked++;
    str_put_double(&text, value);
    if (!buf_ok(&text) ||
        str_to_double((struct str){text.data, text.len}, &back) != 0 ||
        back != value || signbit(back) != signbit(value) ||
        strpbrk(buf_str(&text), ", ") != NULL)
      fail_msg("%s, seed %llu, number %d: %s", where,
               (unsigned long long)first_seed, i, buf_str(&text));
  }
  assert_true(checked > N_RANDOM * 9 / 10);
}

static uint64_t fresh_seed(void) {
  const char *given = getenv("SEED");
  uint64_t seed;
  if (given == NULL || str_to_u64(str_of(given), &seed) != 0 || seed == 0)
    seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
  print_message("SEED=%llu\n", (unsigned long long)seed);
  return seed;
}

static void random_doubles_come_back(void **state) {
  (void)state;
  check_random_doubles("C locale", fresh_seed());
}

/* The shortest of the three, as the plain C library finds it. */
static void writes_what_printf_would(void **state) {
  (void)state;
  uint64_t seed = fresh_seed();
  for (int i = 0; i < N_RANDOM; i++) {
    char want[32], array[32];
    struct buf got = BUF_OVER(array);
    double value = random_double(&seed, i);
    if (!isfinite(value))
      continue;
    for (int digits = 15; digits <= 17; digits++) {
      snprintf(want, sizeof(want), "%.*g", digits, value);
      if (strtod(want, NULL) == value)
        break;
    }
    str_put_double(&got, value);
    assert_string_equal(buf_str(&got), want);
  }
}

/* ---- other locales ------------------------------------------------------ */

extern char **environ;

static int run(const char *const argv[]) {
  pid_t child;
  int status;
  if (posix_spawnp(&child, argv[0], NULL, NULL, (char *const *)argv, environ) !=
          0 ||
      waitpid(child, &status, 0) != child || !WIFEXITED(status))
    return -1;
  return WEXITSTATUS(status);
}

/* Builds the locale in the folder; localedef is part of every C library, what
 * it reads is in the package "locales" of the distribution. */
static void build_locale(const char *folder, const char *name) {
  char path[128], source[64];
  snprintf(path, sizeof(path), "%s/%s.UTF-8", folder, name);
  snprintf(source, sizeof(source), "%s", name);
  const char *const argv[] = {"localedef", "--quiet", "--force", "-i", source,
                              "-f",        "UTF-8",   path,      NULL};
  int rc = run(argv);
  if (rc != 0 && rc != 1) /* 1: it warned, and wrote */
    fail_msg("localedef of %s ended with %d; is \"locales\" installed?", name,
             rc);
}

static void check_in_locale(const char *folder, const char *name,
                            const char *point) {
  char full[64], array[32];
  struct buf text = BUF_OVER(array);
  double got = 0;

  build_locale(folder, name);
  snprintf(full, sizeof(full), "%s.UTF-8", name);
  if (setlocale(LC_ALL, full) == NULL)
    fail_msg("locale %s cannot be set", full);
  assert_string_equal(localeconv()->decimal_point, point);

  str_put_double(&text, -1234567.25);
  assert_string_equal(buf_str(&text), "-1234567.25");
  buf_reset(&text);
  str_put_double(&text, 1.5e-10);
  assert_string_equal(buf_str(&text), "1.5e-10");
  assert_int_equal(str_to_double(STR("2.5e3"), &got), 0);
  assert_true(got == 2500);
  assert_int_equal(str_to_double(STR("2,5"), &got), -1);
  check_random_doubles(name, fresh_seed());
}

static int restore_locale(void **state) {
  (void)state;
  return setlocale(LC_ALL, "C") == NULL;
}

static void the_locale_has_no_say(void **state) {
  (void)state;
  char folder[] = "/tmp/test_str.XXXXXX";
  assert_non_null(mkdtemp(folder));
  setenv("LOCPATH", folder, 1);
  check_in_locale(folder, "de_DE", ",");
  check_in_locale(folder, "ps_AF", "\xd9\xab"); /* U+066B, of two bytes */
  setlocale(LC_ALL, "C");
  const char *const argv[] = {"rm", "-r", folder, NULL};
  assert_int_equal(run(argv), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compares),
      cmocka_unit_test(knows_both_ends),
      cmocka_unit_test(trims),
      cmocka_unit_test(splits),
      cmocka_unit_test(finds),
      cmocka_unit_test(knows_characters),
      cmocka_unit_test(changes_characters),
      cmocka_unit_test(duplicates),
      cmocka_unit_test(knows_utf8),
      cmocka_unit_test(hashes),
      cmocka_unit_test(counts_edits),
      cmocka_unit_test(reads_whole_numbers),
      cmocka_unit_test(reads_doubles),
      cmocka_unit_test(refuses_what_json_does_not_call_a_number),
      cmocka_unit_test(reads_long_numbers_up_to_the_limit),
      cmocka_unit_test(writes_doubles),
      cmocka_unit_test(what_is_not_finite_fails_the_buffer),
      cmocka_unit_test(random_doubles_come_back),
      cmocka_unit_test(writes_what_printf_would),
      cmocka_unit_test_teardown(the_locale_has_no_say, restore_locale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
