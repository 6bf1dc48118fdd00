#include "metric/identifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char *const blue[] = {"blue", ""};
static const char *const red[] = {"red", ""};
static const char *const split[] = {"bl", "ue"};

#define N_META 2

/* Identifiers that differ, most of them only in where a text ends. */
static const struct input all[] = {
    {.part = {"h", "p", "i", "t", "j"}, .meta = blue},
    {.part = {"h", "p", "i", "t", "j"}, .meta = red},
    {.part = {"h", "p", "i", "t", "j"}, .meta = split},
    {.part = {"h", "p", "i", "t", ""}, .meta = blue},
    {.part = {"h", "p", "", "t", "j"}, .meta = blue},
    {.part = {"h", "pi", "", "t", "j"}, .meta = blue},
    {.part = {"hp", "", "i", "t", "j"}, .meta = blue},
    {.part = {"", "hp", "i", "t", "j"}, .meta = blue},
    {.part = {"h", "p", "i", "tj", ""}, .meta = blue},
    {.part = {"h", "p", "i", "t", "jblue"}, .meta = blue},
    {.part = {"", "", "", "", ""}, .meta = blue},
};
#define N_ALL (sizeof(all) / sizeof(all[0]))

static char *key_of(const struct input *in, size_t n_meta) {
  /* Exactly as large as said, so that a sanitizer sees what is beyond. */
  char *key = malloc(identifier_key_bytes(in, n_meta));
  assert_non_null(key);
  identifier_key_write(in, n_meta, key);
  return key;
}

static void a_key_is_of_one_identifier(void **state) {
  (void)state;
  for (size_t i = 0; i < N_ALL; i++) {
    char *key = key_of(&all[i], N_META);
    for (size_t k = 0; k < N_ALL; k++) {
      if (identifier_key_matches(&all[k], N_META, key) != (i == k))
        fail_msg("%zu and %zu", i, k);
      if ((identifier_hash(&all[i], N_META, 7) ==
           identifier_hash(&all[k], N_META, 7)) != (i == k))
        fail_msg("hash of %zu and %zu", i, k);
    }
    free(key);
  }
}

static void meta_data_counts_only_where_it_is_asked_for(void **state) {
  (void)state;
  char *key = key_of(&all[0], 0);
  assert_true(identifier_key_matches(&all[1], 0, key));
  assert_int_equal(identifier_hash(&all[0], 0, 7),
                   identifier_hash(&all[1], 0, 7));
  assert_int_equal(identifier_key_bytes(&all[0], 0), 10);
  assert_int_equal(identifier_key_bytes(&all[0], 1), 15);
  assert_int_equal(identifier_key_bytes(&all[0], 2), 16);
  free(key);
}

static void the_seed_changes_the_hash(void **state) {
  (void)state;
  assert_int_not_equal(identifier_hash(&all[0], 0, 7),
                       identifier_hash(&all[0], 0, 8));
}

static void prints_as_collectd_does(void **state) {
  (void)state;
  static const struct {
    struct input in;
    size_t size;
    const char *want;
  } cases[] = {
      {{.part = {"h", "cpu", "0", "cpu", "idle"}}, 100, "h/cpu-0/cpu-idle"},
      {{.part = {"h", "load", "", "load", ""}}, 100, "h/load/load"},
      {{.part = {"h", "df", "", "df", "used"}}, 100, "h/df/df-used"},
      {{.part = {"h", "cpu", "0", "cpu", "idle"}}, 17, "h/cpu-0/cpu-idle"},
      {{.part = {"h", "cpu", "0", "cpu", "idle"}}, 16, "h/cpu-0/cpu-idl"},
      {{.part = {"h", "cpu", "0", "cpu", "idle"}}, 7, "h/cpu-"},
      {{.part = {"h", "cpu", "0", "cpu", "idle"}}, 1, ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char *text = malloc(cases[i].size);
    assert_non_null(text);
    identifier_print(text, cases[i].size, &cases[i].in);
    assert_string_equal(text, cases[i].want);
    free(text);
  }
  identifier_print(NULL, 0, &cases[0].in);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_is_of_one_identifier),
      cmocka_unit_test(meta_data_counts_only_where_it_is_asked_for),
      cmocka_unit_test(the_seed_changes_the_hash),
      cmocka_unit_test(prints_as_collectd_does),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
