/* ec2: the values of the instance that templates name, and their marks. */
#include "metric/ec2.h"

#include "metric/tmpl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys --------------------------------------------------------------- */

static void each_name_has_one_number(void **state) {
  (void)state;
  static const char *const names[] = {
      "instance_id",
      "instance_type",
      "image_id",
      "availability_zone",
      "region",
      "account_id",
      "autoscaling_group",
      "tag:Name",
      "tag:aws:autoscaling:groupName",
      "tag:a+b-c=d.e,f_g:h@i9Z",
      "tag:name",
      "tag:_indexed",
      "tag:...",
  };
  struct ec2_keys keys = {.n = 0};
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
      struct err err = {""};
      size_t number = 99;
      if (ec2_keys_add(&keys, str_of(names[i]), &number, &err) != 0)
        fail_msg("%s: %s", names[i], err.text);
      assert_int_equal(number, i);
      assert_string_equal(keys.key[i], names[i]);
    }
  assert_int_equal(keys.n, sizeof(names) / sizeof(names[0]));
  ec2_keys_clear(&keys);
  ec2_keys_clear(&keys);
  assert_int_equal(keys.n, 0);
}

#define X16 "xxxxxxxxxxxxxxxx"
#define X128 X16 X16 X16 X16 X16 X16 X16 X16

static void a_wrong_name_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *label, *key, *want[2];
  } cases[] = {
      {"unknown",
       "hostname",
       {"unknown name \"ec2:hostname\"", "ec2:autoscaling_group and"}},
      {"none", "", {"unknown name \"ec2:\"", "ec2:instance_id"}},
      {"another case", "Region", {"unknown name \"ec2:Region\"", "ec2:region"}},
      {"more behind", "region2", {"unknown name \"ec2:region2\"", "known"}},
      {"an instance's field", "tags:Name", {"unknown name", "ec2:tag:KEY"}},
      {"no tag key", "tag:", {"no key after \"ec2:tag:\"", "ec2:tag:Name"}},
      {"a space in a tag key",
       "tag:Cost Center",
       {"\"ec2:tag:Cost Center\"", "another key"}},
      {"a slash in a tag key",
       "tag:team/name",
       {"\"ec2:tag:team/name\"", "+ - = . , _ : @"}},
      {"not ASCII", "tag:K\xc3\xb6ln", {"ec2:tag:K", "letters, digits"}},
      {"an escape of the path", "tag:..%2F", {"ec2:tag:..%2F", "letters"}},
      {"the folder itself", "tag:.", {"\"ec2:tag:.\"", "another key"}},
      {"the folder above", "tag:..", {"\"ec2:tag:..\"", "\"..\""}},
      {"what metadata keep for themselves",
       "tag:_index",
       {"\"ec2:tag:_index\"", "\"_index\""}},
      {"longer than a key can be", "tag:" X128 "x", {"longer than 128", "xx"}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct ec2_keys keys = {.n = 0};
    struct err err = {""};
    size_t number;
    if (ec2_keys_add(&keys, str_of(cases[i].key), &number, &err) == 0)
      fail_msg("%s: was taken", cases[i].label);
    for (size_t k = 0; k < 2; k++)
      if (strstr(err.text, cases[i].want[k]) == NULL)
        fail_msg("%s: \"%s\" lacks %s", cases[i].label, err.text,
                 cases[i].want[k]);
    assert_int_equal(keys.n, 0);
  }

  struct ec2_keys keys = {.n = 0};
  struct err err = {""};
  size_t number;
  assert_int_equal(ec2_keys_add(&keys, STR("tag:a\0b"), &number, &err), -1);
  assert_int_equal(ec2_keys_add(&keys, STR("tag:" X128), &number, &err), 0);
  ec2_keys_clear(&keys);
}

static void one_value_too_many_is_refused(void **state) {
  (void)state;
  struct ec2_keys keys = {.n = 0};
  struct err err = {""};
  size_t number;

  for (int i = 0; i <= EC2_KEYS_MAX; i++) {
    char key[32];
    (void)snprintf(key, sizeof(key), "tag:key%d", i);
    int rc = ec2_keys_add(&keys, str_of(key), &number, &err);
    if ((rc == 0) != (i < EC2_KEYS_MAX))
      fail_msg("key %d: %s", i, err.text);
  }
  assert_non_null(strstr(err.text, "\"ec2:tag:key32\" is one value too many"));
  assert_non_null(strstr(err.text, "32"));
  /* Those that are known still are. */
  assert_int_equal(ec2_keys_add(&keys, STR("tag:key31"), &number, &err), 0);
  assert_int_equal(number, 31);
  ec2_keys_clear(&keys);
}

static void tags_are_told_from_other_values(void **state) {
  (void)state;
  assert_string_equal(ec2_tag_of("tag:Name"), "Name");
  assert_string_equal(ec2_tag_of("tag:tag:x"), "tag:x");
  assert_string_equal(ec2_tag_of("autoscaling_group"),
                      "aws:autoscaling:groupName");
  assert_null(ec2_tag_of("region"));
  assert_null(ec2_tag_of("instance_id"));
}

/* ---- marks -------------------------------------------------------------- */

/* Value i is texts[i]; "?" is awaited, NULL missing. */
static struct ec2_values values_of(const char *const *texts, size_t n) {
  struct ec2_values values = {.n = n};
  for (size_t i = 0; i < n; i++)
    if (texts[i] == NULL) {
      values.value[i].state = EC2_MISSING;
    } else if (strcmp(texts[i], "?") == 0) {
      values.value[i].state = EC2_AWAITED;
    } else {
      values.value[i].state = EC2_KNOWN;
      values.value[i].text = str_dup(str_of(texts[i]));
    }
  return values;
}

static void what_is_awaited_has_a_bit(void **state) {
  (void)state;
  const char *texts[EC2_KEYS_MAX] = {"a", "?", NULL, "?"};
  texts[EC2_KEYS_MAX - 1] = "?";
  struct ec2_values values = values_of(texts, EC2_KEYS_MAX);
  assert_true(ec2_awaited(&values) ==
              (1u << 1 | 1u << 3 | UINT64_C(1) << (EC2_KEYS_MAX - 1)));
  ec2_values_clear(&values);
  ec2_values_clear(&values);
  assert_true(ec2_awaited(&values) == 0);
}

#define NONE "(lacking 0)"

/* A text of plain, mark, plain is filled in. */
static void check(const char *label, struct str before, char punctuation,
                  const char *fallback, struct str after, const char *value,
                  const char *want) {
  struct buf marked = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);
  struct ec2_values values = values_of(&value, 1);
  size_t number = 99;

  ec2_put_plain(&marked, before);
  ec2_put_mark(&marked, 0, punctuation, str_of(fallback));
  ec2_put_plain(&marked, after);
  assert_true(buf_ok(&marked));
  if (ec2_needs(buf_str(&marked)) != 1)
    fail_msg("%s: needs %llx", label,
             (unsigned long long)ec2_needs(buf_str(&marked)));
  buf_puts(&out, "|");
  if (ec2_fill(&out, buf_str(&marked), 255, &values, &number) == EC2_LACKING)
    buf_printf(&out, "(lacking %zu)", number);
  if (!buf_ok(&out) || buf_str(&out)[0] != '|' ||
      strcmp(buf_str(&out) + 1, want) != 0)
    fail_msg("%s: \"%s\", not \"%s\"", label, buf_str(&out), want);
  buf_clear(&marked);
  buf_clear(&out);
  ec2_values_clear(&values);
}

static void marks_are_filled_in(void **state) {
  (void)state;
  static const struct {
    const char *label, *before;
    char punctuation;
    const char *fallback, *after, *value, *want;
  } cases[] = {
      {"a value", "a ", 0, "", " b", "V", "a V b"},
      {"alone", "", 0, "", "", "V", "V"},
      {"with punctuation", "a", '.', "", "b", "V", "a.Vb"},
      {"each mark there is", "", '~', "", "", "V", "~V"},
      {"a value before a fallback", "", 0, "F", "", "V", "V"},
      {"none", "a", 0, "", "b", NULL, NONE},
      {"none, punctuation", "a", '.', "", "b", NULL, NONE},
      {"a fallback", "a", 0, "F", "b", NULL, "aFb"},
      {"a fallback stands without punctuation", "a", '.', "F", "b", NULL,
       "aFb"},
      {"a fallback with blanks", "", 0, " F ", "", NULL, " F "},
      {"a blank fallback is none", "a", 0, "  ", "b", NULL, NONE},
      {"awaited is not there", "a", 0, "", "b", "?", NONE},
      {"awaited, with a fallback", "a", 0, "F", "b", "?", "aFb"},
      {"a value that looks like a template", "", 0, "", "", "%{host}|x",
       "%{host}|x"},
      {"a fallback that looks like one", "", 0, "a|b", "", NULL, "a|b"},
      {"a value that is not ASCII", "", 0, "", "", "K\xc3\xb6ln",
       "K__ln-3170c566"},
      {"the hash is of the whole text", "K", 0, "", "ln", "\xc3\xb6",
       "K__ln-3170c566"},
      {"a fallback that is not ASCII", "K", 0, "\xc3\xb6", "ln", NULL,
       "K__ln-3170c566"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    check(cases[i].label, str_of(cases[i].before), cases[i].punctuation,
          cases[i].fallback, str_of(cases[i].after), cases[i].value,
          cases[i].want);
}

/* What text would be, made fit. */
static const char *fitted(const char *text) {
  static char made[256];
  struct buf out = BUF_OVER(made);
  (void)tmpl_put_fit(&out, str_of(text), 255);
  return buf_str(&out);
}

/* Whoever can send values chooses their instances; whoever can set tags, the
 * values. */
static void nobody_can_forge_a_mark(void **state) {
  (void)state;
  struct buf once = BUF_INIT(4096);
  static const char *const evil[] = {
      "\x01",      "\x01\x01",    "\x01 ",          "\x01 .",
      "\x01  F",   "\x01  \x01",  "\x01\x01\x01",   "a\x01  F\x01z",
      "\x01 \x01", "\x01?.x\x01", "\x01\xff.x\x01",
  };
  for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
    char whole[64];
    /* As a plugin instance: it is itself, made fit. */
    (void)snprintf(whole, sizeof(whole), "%sV%s", evil[i], evil[i]);
    check("plain", str_of(evil[i]), 0, "", str_of(evil[i]), "V", fitted(whole));
    buf_reset(&once);
    ec2_put_plain(&once, str_of(evil[i]));
    assert_true(ec2_needs(buf_str(&once)) == 0);
    /* As a tag's value: likewise, not read again. */
    (void)snprintf(whole, sizeof(whole), "a%sb", evil[i]);
    check("value", STR("a"), 0, "", STR("b"), evil[i], fitted(whole));
    /* As a fallback it ends nothing. */
    struct buf out = BUF_INIT(4096);
    struct ec2_values nothing = {.n = 1};
    size_t number;
    nothing.value[0].state = EC2_MISSING;
    buf_reset(&once);
    ec2_put_mark(&once, 0, 0, str_of(evil[i]));
    ec2_put_plain(&once, STR("!"));
    assert_true(ec2_needs(buf_str(&once)) == 1);
    assert_int_equal(ec2_fill(&out, buf_str(&once), 255, &nothing, &number),
                     EC2_FILLED);
    for (size_t k = 0; k < out.len; k++)
      assert_true(out.data[k] >= 0x20 && out.data[k] <= 0x7e);
    buf_clear(&out);
  }
  buf_clear(&once);
}

static void several_marks_stand_side_by_side(void **state) {
  (void)state;
  static const char *const texts[] = {"one", NULL, "three"};
  struct ec2_values values = values_of(texts, 3);
  struct buf marked = BUF_INIT(4096), out = BUF_INIT(4096);
  size_t number = 99;

  ec2_put_mark(&marked, 2, 0, STR(""));
  ec2_put_mark(&marked, 0, '-', STR(""));
  ec2_put_mark(&marked, 2, '-', STR("F"));
  assert_true(ec2_needs(buf_str(&marked)) == 5);
  assert_int_equal(ec2_fill(&out, buf_str(&marked), 255, &values, &number),
                   EC2_FILLED);
  assert_string_equal(buf_str(&out), "three-one-three");

  /* The one that lacks is named, and out stays. */
  ec2_put_mark(&marked, 1, 0, STR(""));
  ec2_put_mark(&marked, EC2_KEYS_MAX - 1, 0, STR(""));
  assert_true(ec2_needs(buf_str(&marked)) ==
              (7 | UINT64_C(1) << (EC2_KEYS_MAX - 1)));
  assert_int_equal(ec2_fill(&out, buf_str(&marked), 255, &values, &number),
                   EC2_LACKING);
  assert_int_equal(number, 1);
  assert_string_equal(buf_str(&out), "three-one-three");
  buf_clear(&marked);
  buf_clear(&out);
  ec2_values_clear(&values);
}

static void what_is_too_long_gets_a_hash(void **state) {
  (void)state;
  static const size_t limits[] = {255, 1024};
  for (size_t i = 0; i < 2; i++)
    for (size_t extra = 0; extra < 2; extra++) {
      char text[1100];
      const char *value = text;
      size_t len = limits[i] + extra, number;
      memset(text, 'x', len - 4);
      text[len - 4] = '\0';
      struct ec2_values values = values_of(&value, 1);
      struct buf marked = BUF_INIT(4096), out = BUF_INIT(4096);
      ec2_put_plain(&marked, STR("ab"));
      ec2_put_mark(&marked, 0, '.', STR(""));
      ec2_put_plain(&marked, STR("c"));
      assert_int_equal(
          ec2_fill(&out, buf_str(&marked), limits[i], &values, &number),
          EC2_FILLED);
      assert_int_equal(out.len, limits[i]);
      const char *tail = buf_str(&out) + limits[i] - 9;
      if ((tail[0] == '-') != (extra == 1))
        fail_msg("%zu + %zu: ends in %s", limits[i], extra, tail);
      buf_clear(&marked);
      buf_clear(&out);
      ec2_values_clear(&values);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_name_has_one_number),
      cmocka_unit_test(a_wrong_name_is_refused),
      cmocka_unit_test(one_value_too_many_is_refused),
      cmocka_unit_test(tags_are_told_from_other_values),
      cmocka_unit_test(what_is_awaited_has_a_bit),
      cmocka_unit_test(marks_are_filled_in),
      cmocka_unit_test(nobody_can_forge_a_mark),
      cmocka_unit_test(several_marks_stand_side_by_side),
      cmocka_unit_test(what_is_too_long_gets_a_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
