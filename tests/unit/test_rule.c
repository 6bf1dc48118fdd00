/* What is compiled and what is refused; what rules do is in test_map.c. */
#include "metric/rule.h"

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

/* What compiling text says: "" when it succeeds, else the error.  The warnings
 * go to warnings unless that is NULL. */
static struct err compile(const char *text, struct buf *warnings) {
  struct rules_spec spec = rule_text_read(text);
  struct buf unheard = BUF_INIT(4096);
  struct err err = {0};
  struct rules *rules =
      rules_compile(&spec, "collectd", no_variable,
                    warnings != NULL ? warnings : &unheard, &err);

  assert_int_equal(rules == NULL, err.text[0] != '\0');
  rules_free(rules);
  buf_clear(&unheard);
  rules_spec_clear(&spec);
  return err;
}

struct refusal {
  const char *label, *text;
  const char *want[4]; /* in the message */
};

static void check_refusals(const struct refusal *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct err err = compile(cases[i].text, NULL);
    if (err.text[0] == '\0')
      fail_msg("%s: was taken", cases[i].label);
    for (size_t k = 0; k < 4 && cases[i].want[k] != NULL; k++)
      if (strstr(err.text, cases[i].want[k]) == NULL)
        fail_msg("%s: \"%s\" lacks %s", cases[i].label, err.text,
                 cases[i].want[k]);
  }
}

#define CHECK_REFUSALS(cases)                                                  \
  check_refusals(cases, sizeof(cases) / sizeof((cases)[0]))

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"

static void bad_names_and_templates_are_refused(void **state) {
  (void)state;
  static const struct refusal cases[] = {
      {"no block", "", {"no <Metric>", "add one"}},
      {"no enabled block",
       "Metric 'a'\nEnabled 'false'\nMetric 'b'\nEnabled 'false'",
       {"all 2", "Enabled", "enable one"}},
      {"Metric without a name", "Metric ''", {"<Metric \"\">", "is empty"}},
      {"blank name", "Metric '  '", {"<Metric \"  \">", "is empty"}},
      {"name from an unset variable",
       "Metric '%{env:GONE}'",
       {"%{env:GONE}", "is empty"}},
      {"name of 256", "Metric 'x" X255 "'", {"256 characters", "at most 255"}},
      {"name in UTF-8",
       "Metric 'K\xc3\xb6ln'",
       {"K\xc3\xb6ln", "not printable ASCII", "character 2"}},
      {"unknown template name",
       "Metric '%{plugin}.%{instance}'",
       {"<Metric \"%{plugin}.%{instance}\">", "\"instance\"", "known are"}},
      {"namespace of AWS",
       "Metric 'm'\nNamespace 'AWS/EC2'",
       {"Namespace \"AWS/EC2\"", "<Metric \"m\">", "choose another"}},
      {"namespace of AWS outside",
       "Namespace 'AWS/EC2'\nMetric 'm'",
       {"Namespace \"AWS/EC2\"", "outside", "choose another"}},
      {"namespace with a colon",
       "Namespace ':x'\nMetric 'm'",
       {"Namespace \":x\"", "begins with \":\""}},
      {"empty namespace", "Namespace ''\nMetric 'm'", {"is empty"}},
      {"namespace outside that no block uses",
       "Namespace '%{hots}'\nMetric 'm'\nNamespace 'n'",
       {"Namespace \"%{hots}\"", "outside", "unknown"}},
      {"17 meta data keys",
       "Metric '%{meta:a}%{meta:b}%{meta:c}%{meta:d}%{meta:e}%{meta:f}"
       "%{meta:g}%{meta:h}%{meta:i}%{meta:j}%{meta:k}%{meta:l}%{meta:m}"
       "%{meta:n}%{meta:o}%{meta:p}%{meta:q}'",
       {"meta:q", "16"}},
  };
  CHECK_REFUSALS(cases);
}

static void bad_selectors_are_refused(void **state) {
  (void)state;
  static const struct refusal cases[] = {
      {"bad regular expression",
       "Metric 'm'\nPlugin 'a'\nPlugin '/(/'",
       {"Plugin \"/(/\"", "<Metric \"m\">", "regular expression", "repair"}},
      {"excluding bad regular expression",
       "Metric 'm'\nDataSource '!/[/'",
       {"DataSource \"!/[/\"", "regular expression"}},
      {"no closing slash",
       "Metric 'm'\nTypeInstance '/free'",
       {"TypeInstance \"/free\"", "does not end in"}},
      {"a slash alone", "Metric 'm'\nType '/'", {"Type \"/\"", "not end in"}},
      {"empty expression",
       "Metric 'm'\nHost '//'",
       {"Host \"//\"", "empty expression", "leave the option out"}},
  };
  CHECK_REFUSALS(cases);
}

static void bad_dimensions_are_refused(void **state) {
  (void)state;
  static const struct refusal cases[] = {
      {"empty name",
       "Metric 'm'\nDimension '' 'x'",
       {"Dimension \"\" \"x\"", "<Metric \"m\">", "is empty"}},
      {"blank name", "Metric 'm'\nDimension ' ' 'x'", {"is empty"}},
      {"colon",
       "Dimension ':a' 'x'\nMetric 'm'",
       {"Dimension \":a\"", "outside", "begins with \":\""}},
      {"UTF-8 in the name",
       "Metric 'm'\nDimension 'Gr\xc3\xb6\xc3\x9f"
       "e' 'x'",
       {"not printable ASCII"}},
      {"name of 256",
       "Metric 'm'\nDimension 'x" X255 "' 'x'",
       {"256 characters", "255"}},
      {"value of 1025",
       "Metric 'm'\nDimension 'a' '" X255 X255 X255 X255 "12345'",
       {"1025 characters", "1024"}},
      {"bad template",
       "Metric 'm'\nDimension 'Host' '%{host'",
       {"Dimension \"Host\" \"%{host\"", "<Metric \"m\">", "no \"}\""}},
      {"bad template outside that no block uses",
       "Dimension 'Host' '%{hots}'\nMetric 'm'\nDimension 'Host' 'x'",
       {"Dimension \"Host\" \"%{hots}\"", "outside", "unknown"}},
      {"twice in a block",
       "Metric 'm'\nDimension 'A' 'x'\nDimension 'A' 'y'",
       {"Dimension \"A\" \"y\"", "before", "leave one"}},
      {"twice outside",
       "Dimension 'A' 'x'\nDimension 'A' 'y'\nMetric 'm'",
       {"Dimension \"A\" \"y\"", "outside", "before"}},
  };
  CHECK_REFUSALS(cases);
}

static void bad_sets_are_refused(void **state) {
  (void)state;
  static const struct refusal cases[] = {
      {"undefined dimension",
       "Dimension 'Host' 'x'\nMetric 'm'\nDimension 'Role' 'y'\n"
       "DimensionSet 'Host' 'Rolle'",
       {"DimensionSet \"Host\" \"Rolle\" in <Metric \"m\">",
        "no Dimension \"Rolle\"", "\"Host\", \"Role\"", "define it"}},
      {"undefined dimension, none defined",
       "DimensionSet 'A'\nMetric 'm'",
       {"DimensionSet \"A\"", "\"m\"", "there is none"}},
      {"defined in another block only",
       "Metric 'm'\nDimensionSet 'A'\nMetric 'n'\nDimension 'A' 'x'",
       {"<Metric \"m\">", "no Dimension \"A\""}},
      {"a name twice",
       "Dimension 'A' 'x'\nDimension 'B' 'x'\nMetric 'm'\n"
       "DimensionSet 'A' 'B' 'A'",
       {"DimensionSet \"A\" \"B\" \"A\"", "twice"}},
      {"the empty name among others",
       "Dimension 'A' 'x'\nMetric 'm'\nDimensionSet 'A' ''",
       {"no Dimension \"\""}},
  };
  CHECK_REFUSALS(cases);
}

/* n dimensions, a set of them all if with_set, and a last line. */
static struct err compile_dimensions(int n, bool with_set, const char *last) {
  struct buf text = BUF_INIT(8192);
  for (int i = 0; i < n; i++)
    buf_printf(&text, "Dimension 'Dimension%d' 'x'\n", i);
  buf_puts(&text, "Metric 'm'\n");
  for (int i = 0; with_set && i < n; i++)
    buf_printf(&text, "%s'Dimension%d'", i == 0 ? "DimensionSet " : " ", i);
  buf_puts(&text, last);
  struct err err = compile(buf_str(&text), NULL);
  buf_clear(&text);
  return err;
}

static void a_set_has_at_most_30_dimensions(void **state) {
  (void)state;
  assert_string_equal(compile_dimensions(31, false, "DimensionSet ''").text,
                      "");
  for (int with_set = 0; with_set < 2; with_set++) {
    assert_string_equal(compile_dimensions(30, with_set, "").text, "");
    struct err err = compile_dimensions(31, with_set, "");
    assert_non_null(strstr(err.text, "31 dimensions"));
    assert_non_null(strstr(err.text, "at most 30"));
    assert_non_null(strstr(err.text, "<Metric \"m\">"));
    assert_non_null(strstr(err.text, with_set ? "\"Dimension0\" \"Dimension1\""
                                              : "name fewer"));
  }
}

static void blocks_of_one_series_must_agree(void **state) {
  (void)state;
  static const struct refusal cases[] = {
      {"Unit",
       "Metric 'm'\nPlugin 'a'\nUnit 'Bytes'\nMetric 'x'\n"
       "Metric 'm'\nPlugin 'b'\nUnit 'Count'",
       {"number 1 and 3", "<Metric \"m\">", "Unit: \"Bytes\" and \"Count\"",
        "give both the same Unit"}},
      {"Unit against Scale without one",
       "Metric 'm'\nUnit 'Bytes'\nMetric 'm'\nScale '2'",
       {"Unit: \"Bytes\" and \"None\""}},
      {"StorageResolution",
       "Metric 'm'\nMetric 'm'\nStorageResolution '1'",
       {"StorageResolution: \"60\" and \"1\""}},
      {"Statistics",
       "Metric 'm'\nStatistics 'set'\nMetric 'm'\nStatistics 'last'",
       {"Statistics: \"set\" and \"last\""}},
      {"Combine",
       "Metric 'm'\nCombine 'sum'\nMetric 'm'",
       {"Combine: \"sum\" and \"none\""}},
      {"by one of several sets",
       "Dimension 'A' 'x'\nDimension 'B' 'y'\nMetric 'm'\n"
       "DimensionSet 'A' 'B'\nDimensionSet ''\nMetric 'm'\nDimensionSet 'A'\n"
       "DimensionSet 'B' 'A'\nCombine 'max'",
       {"Combine: \"none\" and \"max\""}},
      {"one value goes to both",
       "Metric '%{type}'\nPlugin '/^c/'\nPlugin 'x'\nMetric '%{type}'\n"
       "Plugin 'x'\nStatistics 'max'",
       {"Statistics: \"values\" and \"max\""}},
      {"namespace inside and outside are one",
       "Namespace 'n'\nMetric 'm'\nMetric 'm'\nNamespace 'n'\nCombine 'min'",
       {"Combine"}},
  };
  CHECK_REFUSALS(cases);
}

static void these_are_taken(void **state) {
  (void)state;
  static const struct {
    const char *label, *text;
  } cases[] = {
      {"an empty block", "Metric 'm'"},
      {"name of 255", "Metric '" X255 "'"},
      {"AWS alone, and in the middle", "Namespace 'AWS'\nMetric 'm'\n"
                                       "Namespace 'x/AWS/:'"},
      {"quotes and backslashes", "Metric 'a\"b\\c'\nDimension '\"' '\\'"},
      {"value from an unset variable", "Metric 'm'\nDimension 'A' '%{env:X}'"},
      {"a disabled block may be wrong",
       "Metric ''\nEnabled 'false'\nMetric 'm'"},
      {"16 meta data keys, each used often",
       "Namespace '%{meta:a}'\nMetric '%{meta:a}%{meta:b}%{meta:c}%{meta:d}"
       "%{meta:e}%{meta:f}%{meta:g}%{meta:h}%{meta:i}%{meta:j}%{meta:k}"
       "%{meta:l}%{meta:m}%{meta:n}%{meta:o}%{meta:p}%{meta:b}'"},
      {"other name", "Metric 'm'\nMetric 'n'\nCombine 'sum'"},
      {"other namespace",
       "Metric 'm'\nMetric 'm'\nNamespace 'n'\nCombine 'sum'"},
      {"other dimension", "Metric 'm'\nDimension 'A' 'x'\nMetric 'm'\n"
                          "Dimension 'A' 'y'\nCombine 'sum'"},
      {"other set", "Dimension 'A' 'x'\nMetric 'm'\nMetric 'm'\n"
                    "DimensionSet ''\nCombine 'sum'"},
      {"a template that two plugins expand apart",
       "Metric '%{plugin}'\nPlugin 'a'\nMetric '%{plugin}'\nPlugin 'b'\n"
       "Combine 'sum'"},
      {"a dimension that two plugins expand apart",
       "Dimension 'P' '%{plugin}'\nMetric 'm'\nPlugin 'a'\nMetric 'm'\n"
       "Plugin 'b'\nCombine 'sum'"},
      {"a unit by type against a configured one",
       "Metric 'm'\nMetric 'm'\nUnit 'Bytes'"},
      {"a disabled block does not disagree",
       "Metric 'm'\nMetric 'm'\nEnabled 'false'\nCombine 'sum'"},
      {"Scale, Round and OnNaN may differ",
       "Metric 'm'\nUnit 'Bytes'\nMetric 'm'\nUnit 'Bytes'\nScale '2'"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct err err = compile(cases[i].text, NULL);
    if (err.text[0] != '\0')
      fail_msg("%s: %s", cases[i].label, err.text);
  }
}

static void what_may_go_wrong_is_warned_of_once(void **state) {
  (void)state;
  static const struct {
    const char *label, *text, *want; /* "": no warning */
  } cases[] = {
      {"plain", "Metric 'm'", ""},
      {"Scale", "Metric 'm'\nScale '2'", "<Metric \"m\">: with Scale"},
      {"Counters", "Metric 'm'\nCounters 'raw'", "with Counters"},
      {"Unit says it", "Metric 'm'\nScale '2'\nUnit 'None'", ""},
      {"Scale of 1", "Metric 'm'\nScale '1'", ""},
      {"disabled", "Metric 'm'\nMetric 'n'\nScale '2'\nEnabled 'false'", ""},
      {"a variable that is not set", "Dimension 'H' '%{env:NOPE}'\nMetric 'm'",
       "Dimension \"H\" is always empty"},
      {"an empty dimension", "Dimension 'H' ' '\nMetric 'm'",
       "Dimension \"H\" is always empty"},
      {"a dimension that may be empty",
       "Dimension 'H' '%{type_instance}'\nMetric 'm'", ""},
      {"an empty dimension in no set",
       "Dimension 'H' ''\nDimensionSet ''\nMetric 'm'", ""},
      {"every letter of the user guide", "Namespace 'Az 09._-/#:'\nMetric 'm'",
       ""},
      {"a namespace beyond the user guide", "Namespace 'R&D'\nMetric 'm'",
       "Namespace \"R&D\" has characters other"},
      {"a namespace that comes with values",
       "Namespace '%{plugin}&'\nMetric 'm'", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct buf warnings = BUF_INIT(4096);
    struct err err = compile(cases[i].text, &warnings);
    const char *said = buf_str(&warnings);
    size_t lines = 0;
    for (const char *at = said; (at = strchr(at, '\n')) != NULL; at++)
      lines++;
    if (err.text[0] != '\0' || strstr(said, cases[i].want) == NULL ||
        lines != (cases[i].want[0] != '\0'))
      fail_msg("%s: %s%s", cases[i].label, err.text, said);
    buf_clear(&warnings);
  }
}

static void a_selector_is_checked_alone(void **state) {
  (void)state;
  const char *good[] = {"memory",  "!memory", "",    "!",
                        "/^a|b$/", "!/x/",    "a/b", "!!"};
  const char *bad[] = {"/", "/x", "!/", "//", "!//", "/(/", "/x/i", "/a{2,1}/"};
  struct err err;
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    if (rule_check_selector(str_of(good[i]), &err) != 0)
      fail_msg("%s", err.text);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    if (rule_check_selector(str_of(bad[i]), &err) == 0)
      fail_msg("\"%s\" was taken", bad[i]);
    assert_non_null(strstr(err.text, bad[i]));
  }
}

static void meta_data_keys_are_numbered_over_all_blocks(void **state) {
  (void)state;
  struct rules_spec spec =
      rule_text_read("Namespace '%{meta:a}'\nDimension 'X' '%{meta:b}'\n"
                     "Metric '%{meta:c}'\nEnabled 'false'\n"
                     "Metric 'm'\nNamespace 'n'\nDimension 'X' '%{meta:d}'\n"
                     "Metric 'n'");
  struct buf warnings = BUF_INIT(100);
  struct err err;
  struct rules *rules =
      rules_compile(&spec, "collectd", no_variable, &warnings, &err);

  assert_non_null(rules);
  assert_int_equal(rules_n_meta_keys(rules), 3);
  assert_string_equal(rules_meta_key(rules, 0), "d");
  assert_string_equal(rules_meta_key(rules, 1), "a");
  assert_string_equal(rules_meta_key(rules, 2), "b");
  rules_free(rules);
  rules_spec_clear(&spec);
  rules_spec_clear(&spec); /* may be called twice */
  rules_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_names_and_templates_are_refused),
      cmocka_unit_test(bad_selectors_are_refused),
      cmocka_unit_test(bad_dimensions_are_refused),
      cmocka_unit_test(bad_sets_are_refused),
      cmocka_unit_test(a_set_has_at_most_30_dimensions),
      cmocka_unit_test(blocks_of_one_series_must_agree),
      cmocka_unit_test(these_are_taken),
      cmocka_unit_test(what_may_go_wrong_is_warned_of_once),
      cmocka_unit_test(a_selector_is_checked_alone),
      cmocka_unit_test(meta_data_keys_are_numbered_over_all_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
