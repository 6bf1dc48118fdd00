/* explain_nearest(): the block and the selector that an identifier which
 * nothing selects is told. */
#include "metric/explain.h"

#include "rule_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const char *no_variable(const char *name) {
  (void)name;
  return NULL;
}

static struct rules *compile(const struct rules_spec *spec) {
  struct buf warnings = BUF_INIT(4096);
  struct err err = {0};
  struct rules *rules =
      rules_compile(spec, "collectd", no_variable, &warnings, &err);

  if (rules == NULL)
    fail_msg("%s", err.text);
  buf_clear(&warnings);
  return rules;
}

/* "label: because", or "" when a block selects it. */
static void explain(const char *text, const struct input *in, struct buf *out) {
  struct rules_spec spec = rule_text_read(text);
  struct rules *rules = compile(&spec);
  struct explain_nearest nearest;

  rules_spec_clear(&spec); /* nothing of it is needed any more */
  buf_reset(out);
  if (explain_nearest(rules, in, &nearest))
    buf_printf(out, "%s: %s", nearest.label, nearest.because);
  rules_free(rules);
}

struct explained {
  const char *text;
  const char *want;
};

static void check(const struct explained *cases, size_t n,
                  const struct input *in) {
  struct buf got = BUF_INIT(1000);
  for (size_t i = 0; i < n; i++) {
    explain(cases[i].text, in, &got);
    if (strcmp(buf_str(&got), cases[i].want) != 0)
      fail_msg("%s:\n%s\nwanted\n%s", cases[i].text, buf_str(&got),
               cases[i].want);
  }
  buf_clear(&got);
}

#define CHECK(cases, in) check(cases, sizeof(cases) / sizeof((cases)[0]), in)

static const struct reading one[] = {{.name = "value"}};
static const struct reading two[] = {{.name = "rx"}, {.name = "tx"}};
static const struct reading four[] = {
    {.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};

static const struct input memory = {
    .part = {"web-1", "memory", "", "memory", "used"},
    .readings = one,
    .n_readings = 1,
};
static const struct input octets = {
    .part = {"web-1", "interface", "lo", "if_octets", ""},
    .readings = two,
    .n_readings = 2,
};
static const struct input many = {
    .part = {"web-1", "x", "", "y", ""},
    .readings = four,
    .n_readings = 4,
};

static void the_selector_is_told(void **state) {
  (void)state;
  static const struct explained cases[] = {
      {"Metric 'm'\nHost 'web-2'",
       "m: Host \"web-2\" does not match \"web-1\""},
      {"Metric 'm'\nPlugin 'cpu'",
       "m: Plugin \"cpu\" does not match \"memory\""},
      {"Metric 'm'\nPlugin ''", "m: Plugin \"\" does not match \"memory\""},
      {"Metric 'm'\nPluginInstance 'x'",
       "m: PluginInstance \"x\" does not match \"\""},
      {"Metric 'm'\nPluginInstance '!'",
       "m: PluginInstance \"!\" excludes \"\""},
      {"Metric 'm'\nType '/^m$/'",
       "m: Type \"/^m$/\" does not match \"memory\""},
      {"Metric 'm'\nTypeInstance '/^(free|buffered)$/'",
       "m: TypeInstance \"/^(free|buffered)$/\" does not match \"used\""},
      {"Metric 'm'\nTypeInstance '!used'",
       "m: TypeInstance \"!used\" excludes \"used\""},
      {"Metric 'm'\nTypeInstance '!/^u/'",
       "m: TypeInstance \"!/^u/\" excludes \"used\""},
      {"Metric 'm'\nDataSource 'rx'",
       "m: DataSource \"rx\" does not match \"value\""},
      {"Metric 'm'\nTypeInstance 'a'\nTypeInstance 'b'",
       "m: TypeInstance \"a\" and \"b\" do not match \"used\""},
      {"Metric 'm'\nTypeInstance 'a'\nTypeInstance 'b'\nTypeInstance 'c'",
       "m: TypeInstance \"a\", \"b\" and \"c\" do not match \"used\""},
      {"Metric 'm'\nTypeInstance 'a'\nTypeInstance 'b'\nTypeInstance 'c'\n"
       "TypeInstance 'd'\nTypeInstance 'e'",
       "m: TypeInstance \"a\", \"b\" and 3 more do not match \"used\""},
      /* What excludes others is not at fault. */
      {"Metric 'm'\nTypeInstance '!free'\nTypeInstance 'slab'",
       "m: TypeInstance \"slab\" does not match \"used\""},
      {"Metric 'm'\nTypeInstance '!free'\nTypeInstance '!used'\n"
       "TypeInstance '!/e/'\nTypeInstance '/s/'",
       "m: TypeInstance \"!used\" and \"!/e/\" exclude \"used\""},
      /* Without it, the text would not be taken either. */
      {"Metric 'm'\nTypeInstance '!used'\nTypeInstance 'slab'",
       "m: TypeInstance \"slab\" does not match \"used\""},
      {"Metric 'm'\nPlugin 'memory'\nTypeInstance '!free'", ""},
      {"Metric 'm'", ""},
  };
  CHECK(cases, &memory);
}

static void data_sources_are_told_together(void **state) {
  (void)state;
  static const struct explained of_two[] = {
      {"Metric 'm'\nDataSource 'value'",
       "m: DataSource \"value\" matches none of \"rx\" and \"tx\""},
      {"Metric 'm'\nDataSource 'value'\nDataSource '/^x/'",
       "m: DataSource \"value\" and \"/^x/\" match none of \"rx\" and \"tx\""},
      {"Metric 'm'\nDataSource '!/x/'",
       "m: DataSource \"!/x/\" excludes \"rx\" and \"tx\""},
      {"Metric 'm'\nDataSource '!rx'\nDataSource '!tx'",
       "m: DataSource \"!rx\" and \"!tx\" exclude \"rx\" and \"tx\""},
      {"Metric 'm'\nDataSource 'rx'\nDataSource '!/r/'\nDataSource '!tx'",
       "m: DataSource \"!/r/\" excludes \"rx\""},
      {"Metric 'm'\nDataSource 'tx'", ""},
      {"Metric 'm'\nDataSource '!rx'", ""},
  };
  static const struct explained of_four[] = {
      {"Metric 'm'\nDataSource 'value'",
       "m: DataSource \"value\" matches none of \"a\", \"b\" and 2 more"},
  };
  CHECK(of_two, &octets);
  CHECK(of_four, &many);
}

static void the_nearest_is_told(void **state) {
  (void)state;
  static const struct explained cases[] = {
      {"Metric 'two'\nHost 'a'\nPlugin 'b'\nMetric 'one'\nType 'c'",
       "one: Type \"c\" does not match \"memory\""},
      {"Metric 'bare'\nType 'c'\nMetric 'fit'\nHost 'web-1'\nType 'c'",
       "fit: Type \"c\" does not match \"memory\""},
      {"Metric 'type'\nType 'memory'\nTypeInstance 'x'\n"
       "Metric 'plugin'\nPlugin 'memory'\nTypeInstance 'y'",
       "plugin: TypeInstance \"y\" does not match \"used\""},
      {"Metric 'first'\nPlugin 'a'\nMetric 'second'\nPlugin 'b'",
       "first: Plugin \"a\" does not match \"memory\""},
      {"Metric 'off'\nEnabled 'false'\nPlugin 'memory'\nType 'x'\n"
       "Metric 'on'\nHost 'x'\nPlugin 'y'\nType 'memory'",
       "on: Host \"x\" does not match \"web-1\""},
      {"Metric 'order'\nDataSource 'x'\nTypeInstance 'x'\nType 'x'",
       "order: Type \"x\" does not match \"memory\""},
      {"Metric 'near'\nType 'x'\nMetric 'all'", ""},
      {"Metric 'all'\nMetric 'near'\nType 'x'", ""},
  };
  CHECK(cases, &memory);
}

static void no_readings_go_nowhere(void **state) {
  (void)state;
  struct input none = memory;
  struct buf got = BUF_INIT(100);
  none.n_readings = 0;
  explain("Metric 'm'\nPlugin 'x'", &none, &got);
  assert_string_equal(buf_str(&got), "");
  buf_clear(&got);
}

/* ---- texts that are long, or not harmless ------------------------------- */

static void texts_are_made_harmless(void **state) {
  (void)state;
  static const struct {
    const char *text, *want;
  } cases[] = {
      {"a\"b", "a'b"},
      {"a\nb\t\x1b[31m\x7f", "a?b??[31m?"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xe2\x82\xac \xf0\x9f\x99\x82", "\xe2\x82\xac \xf0\x9f\x99\x82"},
      {"caf\xe9", "caf?"}, /* Latin-1 */
      {"\xc2\x9b"
       "31m",
       "?31m"},                     /* U+009B, a control character */
      {"\xc2", "?"},                /* one that ends early */
      {"\xed\xa0\x80\xff", "????"}, /* a surrogate, and no lead at all */
      {"back\\slash", "back\\slash"},
  };
  struct buf got = BUF_INIT(1000), want = BUF_INIT(1000);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct input in = memory;
    in.part[PART_PLUGIN] = cases[i].text;
    explain("Metric 'm'\nPlugin 'x'", &in, &got);
    buf_reset(&want);
    buf_printf(&want, "m: Plugin \"x\" does not match \"%s\"", cases[i].want);
    assert_string_equal(buf_str(&got), buf_str(&want));
  }
  buf_clear(&got);
  buf_clear(&want);
}

/* n times unit, NUL-terminated; the caller's to free(). */
static char *repeat(const char *unit, size_t n) {
  struct buf b = BUF_INIT(SIZE_MAX / 2);
  for (size_t i = 0; i < n; i++)
    buf_puts(&b, unit);
  char *text = str_dup(str_of_buf(&b));
  buf_clear(&b);
  assert_non_null(text);
  return text;
}

/* Characters of each length, in texts of each length around the limit: what is
 * told is whole, or its whole beginning and the dots. */
static void long_texts_are_cut_between_characters(void **state) {
  (void)state;
  static const char *const units[] = {"x", "\xc3\xbc", "\xe2\x82\xac",
                                      "\xf0\x9f\x99\x82"};
  static const char before[] = "m: PluginInstance \"/-/\" does not match \"";
  struct buf got = BUF_INIT(1000);

  for (size_t u = 0; u < 4; u++)
    for (size_t n = 20; n < 130; n++) {
      size_t each = strlen(units[u]), all = n * each;
      struct input in = memory;
      char *text = repeat(units[u], n);
      in.part[PART_PLUGIN_INSTANCE] = text;
      explain("Metric 'm'\nPluginInstance '/-/'", &in, &got);
      const char *shown = buf_str(&got) + sizeof(before) - 1;
      size_t fit = all <= 108 ? n : 105 / each;
      assert_memory_equal(shown, text, fit * each);
      assert_string_equal(shown + fit * each, all <= 108 ? "\"" : "...\"");
      free(text);
    }
  buf_clear(&got);
}

/* The longest clauses of each form; a buffer that is full is empty. */
static void nothing_is_too_long(void **state) {
  (void)state;
  static const char *const options[] = {"PluginInstance", "DataSource"};
  char *text = repeat("n", 300);
  struct reading readings[5];
  struct buf got = BUF_INIT(1000), rules = BUF_INIT(20000);
  struct input in = memory;

  in.part[PART_PLUGIN_INSTANCE] = text;
  in.readings = readings;
  for (size_t i = 0; i < 5; i++)
    readings[i] = (struct reading){.name = text};
  for (size_t lines = 1; lines <= 5; lines++)
    for (in.n_readings = 1; in.n_readings <= 5; in.n_readings++)
      for (size_t kind = 0; kind < 4; kind++) {
        buf_reset(&rules);
        buf_puts(&rules, "Metric 'm'");
        for (size_t i = 0; i < lines; i++)
          buf_printf(&rules, "\n%s '%s%s%s'", options[kind % 2],
                     kind < 2 ? "" : "!", text, kind < 2 ? "x" : "");
        explain(buf_str(&rules), &in, &got);
        assert_in_range(got.len, strlen("m: ") + 130, strlen("m: ") + 255);
        assert_int_equal(buf_str(&got)[got.len - 1],
                         kind % 2 == 1 && in.n_readings > 3 ? 'e' : '"');
      }
  free(text);
  buf_clear(&got);
  buf_clear(&rules);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_selector_is_told),
      cmocka_unit_test(data_sources_are_told_together),
      cmocka_unit_test(the_nearest_is_told),
      cmocka_unit_test(no_readings_go_nowhere),
      cmocka_unit_test(texts_are_made_harmless),
      cmocka_unit_test(long_texts_are_cut_between_characters),
      cmocka_unit_test(nothing_is_too_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
