/* fill: names of series with the instance's values put in. */
#include "metric/fill.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* Marks as they are written: value 0 and 1, without and with a text. */
#define ZERO "\x01  \x01"
#define ZERO_OR(text) "\x01  " text "\x01"
#define ONE "\x01!.\x01"

/* Two values; NULL is a missing one. */
static struct ec2_values values_of(const char *zero, const char *one) {
  const char *texts[] = {zero, one};
  struct ec2_values values = {.n = 2};
  for (size_t i = 0; i < 2; i++) {
    values.value[i].state = texts[i] != NULL ? EC2_KNOWN : EC2_MISSING;
    values.value[i].text = texts[i] != NULL ? str_dup(str_of(texts[i])) : NULL;
  }
  return values;
}

static struct series_name name_of(const char *namespace, const char *name,
                                  const struct dimension *dimension) {
  return (struct series_name){.namespace = namespace,
                              .name = name,
                              .dimensions = dimension,
                              .n_dimensions = dimension->name != NULL,
                              .unit = "Bytes",
                              .resolution_s = 60};
}

/* "namespace|name{value}" or what came instead. */
static const char *text_of(struct fill *fill, enum filled result) {
  static char text[4096];
  struct buf out = BUF_OVER(text);
  switch (result) {
  case FILLED:
    buf_printf(&out, "%s|%s{%s}", fill->name.namespace, fill->name.name,
               fill->name.n_dimensions > 0 ? fill->name.dimensions[0].value
                                           : "");
    break;
  case FILL_LACKING:
    buf_printf(&out, "lacking %zu", fill->number);
    break;
  case FILL_REFUSED:
    buf_puts(&out, "refused");
    break;
  case FILL_NO_MEMORY:
    buf_puts(&out, "no memory");
    break;
  }
  return buf_str(&out);
}

static void each_part_of_a_name(void **state) {
  (void)state;
  static const struct {
    const char *label, *namespace, *name;
    struct dimension dimension;
    const char *zero, *one, *want;
  } cases[] = {
      {"no mark", "N", "m", {"D", "v"}, NULL, NULL, "N|m{v}"},
      {"in the dimension", "N", "m", {"D", ZERO}, "a", NULL, "N|m{a}"},
      {"in the name", "N", "m" ONE, {NULL, NULL}, NULL, "b", "N|m.b{}"},
      {"in the namespace", "N/" ZERO, "m", {NULL, NULL}, "a", NULL, "N/a|m{}"},
      {"everywhere", ZERO, "m" ONE, {"D", ONE}, "a", "b", "a|m.b{.b}"},
      {"a dimension lacks", "N", "m", {"D", ONE}, "a", NULL, "lacking 1"},
      {"a name lacks", "N", "m" ZERO, {"D", "v"}, NULL, "b", "lacking 0"},
      {"a namespace lacks", "N" ONE, "m", {"D", "v"}, "a", NULL, "lacking 1"},
      {"a text stands for it",
       "N",
       "m",
       {"D", ZERO_OR("none")},
       NULL,
       NULL,
       "N|m{none}"},
      {"kept for AWS now",
       ZERO "/x",
       "m",
       {NULL, NULL},
       "AWS",
       NULL,
       "refused"},
      {"a colon first", ZERO, "m", {NULL, NULL}, ":x", NULL, "refused"},
      {"AWS elsewhere",
       "N/" ZERO,
       "m",
       {NULL, NULL},
       "AWS/",
       NULL,
       "N/AWS/|m{}"},
      {"not ASCII",
       "N",
       "m",
       {"D", ZERO},
       "K\xc3\xb6ln",
       NULL,
       "N|m{K__ln-3170c566}"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fill fill = FILL_INIT;
    struct ec2_values values = values_of(cases[i].zero, cases[i].one);
    struct series_name marked =
        name_of(cases[i].namespace, cases[i].name, &cases[i].dimension);
    const char *got = text_of(&fill, fill_name(&fill, &marked, &values));
    if (strcmp(got, cases[i].want) != 0)
      fail_msg("%s: %s, not %s", cases[i].label, got, cases[i].want);
    fill_clear(&fill);
    fill_clear(&fill);
    ec2_values_clear(&values);
  }
}

/* Should a value be blank after all, nothing is published under no name. */
static void a_blank_name_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *namespace, *name;
  } cases[] = {{"N", ZERO}, {ZERO, "m"}};
  for (size_t i = 0; i < 2; i++) {
    struct fill fill = FILL_INIT;
    struct ec2_values values = values_of("  ", NULL);
    struct dimension none = {NULL, NULL};
    struct series_name marked =
        name_of(cases[i].namespace, cases[i].name, &none);
    assert_int_equal(fill_name(&fill, &marked, &values), FILL_REFUSED);
    fill_clear(&fill);
    ec2_values_clear(&values);
  }
}

static void what_is_no_text_stays(void **state) {
  (void)state;
  struct fill fill = FILL_INIT;
  struct ec2_values values = values_of("a", "b");
  static const struct dimension dimensions[] = {{"A", "1"}, {"B", ZERO}};
  struct series_name marked = {.namespace = "N",
                               .name = "m",
                               .dimensions = dimensions,
                               .n_dimensions = 2,
                               .unit = "Percent",
                               .resolution_s = 1};
  assert_int_equal(fill_name(&fill, &marked, &values), FILLED);
  assert_int_equal(fill.name.n_dimensions, 2);
  assert_string_equal(fill.name.dimensions[0].name, "A");
  assert_string_equal(fill.name.dimensions[0].value, "1");
  assert_string_equal(fill.name.dimensions[1].name, "B");
  assert_string_equal(fill.name.dimensions[1].value, "a");
  assert_string_equal(fill.name.unit, "Percent");
  assert_int_equal(fill.name.resolution_s, 1);
  fill_clear(&fill);
  ec2_values_clear(&values);
}

/* The same name is not filled in again until values may have changed. */
static void the_last_name_is_kept(void **state) {
  (void)state;
  struct fill fill = FILL_INIT;
  struct ec2_values values = values_of("a", NULL), later = values_of("z", NULL);
  struct dimension none = {NULL, NULL};
  struct series_name first = name_of("N", ZERO, &none),
                     second = name_of("N", ONE, &none);

  assert_string_equal(text_of(&fill, fill_name(&fill, &first, &values)),
                      "N|a{}");
  assert_string_equal(text_of(&fill, fill_name(&fill, &first, &later)),
                      "N|a{}");
  assert_string_equal(text_of(&fill, fill_name(&fill, &second, &later)),
                      "lacking 1");
  assert_string_equal(text_of(&fill, fill_name(&fill, &second, &later)),
                      "lacking 1");
  assert_string_equal(text_of(&fill, fill_name(&fill, &first, &later)),
                      "N|z{}");
  fill_reset(&fill);
  assert_string_equal(text_of(&fill, fill_name(&fill, &first, &values)),
                      "N|a{}");
  fill_clear(&fill);
  ec2_values_clear(&values);
  ec2_values_clear(&later);
}

/* The limits hold for what is filled in, not for the marked text. */
static void long_names_are_cut(void **state) {
  (void)state;
  char text[2001];
  memset(text, 'x', 2000);
  text[2000] = '\0';
  struct fill fill = FILL_INIT;
  struct ec2_values values = values_of(text, NULL);
  struct dimension dimensions[CW_DIMENSIONS_MAX];
  for (size_t i = 0; i < CW_DIMENSIONS_MAX; i++)
    dimensions[i] = (struct dimension){"D", ZERO};
  struct series_name marked = {.namespace = ZERO,
                               .name = ZERO,
                               .dimensions = dimensions,
                               .n_dimensions = CW_DIMENSIONS_MAX};

  assert_int_equal(fill_name(&fill, &marked, &values), FILLED);
  assert_int_equal(strlen(fill.name.namespace), 255);
  assert_int_equal(strlen(fill.name.name), 255);
  for (size_t i = 0; i < CW_DIMENSIONS_MAX; i++)
    assert_int_equal(strlen(fill.name.dimensions[i].value), 1024);
  assert_int_equal(fill.name.name[255 - 9], '-');
  fill_clear(&fill);
  ec2_values_clear(&values);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_part_of_a_name),
      cmocka_unit_test(a_blank_name_is_refused),
      cmocka_unit_test(what_is_no_text_stays),
      cmocka_unit_test(the_last_name_is_kept),
      cmocka_unit_test(long_names_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
