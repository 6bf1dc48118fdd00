#include "metric/tmpl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *environment(const char *name) {
  if (strcmp(name, "STAGE") == 0)
    return "prod";
  return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

/* web-1/df-root/df_complex-free, or with no instances. */
static struct input input_of(bool instances, size_t n_readings) {
  static const struct reading readings[] = {{.name = "rx"}, {.name = "tx"}};
  static const char *const meta[] = {"blue", ""};
  return (struct input){
      .part = {"web-1", "df", instances ? "root" : "", "df_complex",
               instances ? "free" : ""},
      .meta = meta,
      .readings = readings,
      .n_readings = n_readings,
  };
}

/* What text expands to for the second reading of two, or the only one. */
static void check_expansion(const char *text, bool instances, size_t n_readings,
                            const char *want) {
  struct tmpl_keys keys = {0};
  struct err err = {0};
  struct buf out = BUF_INIT(4096);
  struct input in = input_of(instances, n_readings);
  struct tmpl *tmpl = tmpl_compile(str_of(text), &keys, environment, &err);

  if (tmpl == NULL)
    fail_msg("\"%s\": %s", text, err.text);
  tmpl_expand(tmpl, &in, n_readings - 1, &out);
  if (!buf_ok(&out) || strcmp(buf_str(&out), want) != 0)
    fail_msg("\"%s\" became \"%s\", not \"%s\"", text, buf_str(&out), want);
  buf_clear(&out);
  tmpl_free(tmpl);
  tmpl_keys_clear(&keys);
}

static void each_form_expands(void **state) {
  (void)state;
  static const struct {
    const char *text, *full, *bare; /* with instances, and without */
  } cases[] = {
      {"%{host} %{plugin} %{type}", "web-1 df df_complex",
       "web-1 df df_complex"},
      {"%{plugin_instance}/%{type_instance}", "root/free", "/"},
      {"%{plugin}.%{type}%{.type_instance}%{.ds}", "df.df_complex.free",
       "df.df_complex"},
      {"%{type_instance|none}", "free", "none"},
      {"%{type_instance|}", "free", ""},
      {"%{type_instance|a|b}", "free", "a|b"},
      {"%{-type_instance}%{/plugin_instance}%{:type_instance}",
       "-free/root:free", ""},
      {"%{|type_instance}%{%type_instance}", "|free%free", ""},
      {"x%{.type_instance|, nothing}", "x.free", "x, nothing"},
      {"100%%", "100%", "100%"},
      {"%%{host}%%%%", "%{host}%%", "%{host}%%"},
      {"%{meta:team} %{meta:gone|none}", "blue none", "blue none"},
      {"%{env:STAGE}%{.env:STAGE}", "prod.prod", "prod.prod"},
      {"%{env:EMPTY}%{env:GONE}%{.env:GONE}", "", ""},
      {"%{env:GONE|dev}%{.env:EMPTY|dev}", "devdev", "devdev"},
      {"%{type_instance|%%}", "free", "%%"}, /* stands as it is */
      {"}{|.", "}{|.", "}{|."},
      {"K\xc3\xb6ln", "K\xc3\xb6ln", "K\xc3\xb6ln"},
      {"", "", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    check_expansion(cases[i].text, true, 1, cases[i].full);
    check_expansion(cases[i].text, false, 1, cases[i].bare);
  }
}

static void the_data_source_is_named_where_there_are_several(void **state) {
  (void)state;
  check_expansion("%{type}%{.ds}", true, 1, "df_complex");
  check_expansion("%{type}%{.ds}", true, 2, "df_complex.tx");
  check_expansion("%{ds|value}", true, 1, "value");
}

static void what_has_no_marker_is_itself(void **state) {
  (void)state;
  char text[] = "Memory ? {free} #1";
  for (int c = 1; c < 256; c++) {
    if (c == '%')
      continue;
    text[7] = (char)c;
    check_expansion(text, true, 1, text);
  }
}

static void a_mistake_is_named_with_its_place(void **state) {
  (void)state;
  static const struct {
    const char *label, *text, *want[3];
  } cases[] = {
      {"unknown name",
       "a %{hots}",
       {"\"hots\"", "character 3", "type_instance"}},
      {"unknown name after a mark",
       "%{.hots|x}",
       {"unknown", "\"hots\"", "ds"}},
      {"no name", "%{}", {"unknown", "\"\"", "known are host"}},
      {"another case", "%{Host}", {"unknown", "\"Host\"", "host"}},
      {"unknown ec2 name",
       "a %{ec2:hostname}",
       {"\"ec2:hostname\"", "character 3", "ec2:tag:KEY"}},
      {"ec2 without a name", "%{ec2:}", {"\"ec2:\"", "character 1", "ec2:"}},
      {"a tag key that metadata cannot show",
       "%{ec2:tag:Cost Center|x}",
       {"\"ec2:tag:Cost Center\"", "character 1", "another key"}},
      {"a tag without a key", "%{.ec2:tag:}", {"no key", "ec2:tag:", "Name"}},
      {"a lone percent sign", "50% of", {"single", "character 3", "\"%%\""}},
      {"a percent sign at the end", "50%", {"single", "character 3", "%%"}},
      {"no closing bracket", "a%{host", {"no \"}\"", "character 2", "%{"}},
      {"nothing after the bracket", "%{", {"no \"}\"", "character 1", "%{"}},
      {"a template in the text for empty",
       "%{ds|%{host}}",
       {"after \"|\"", "character 1", "cannot"}},
      {"meta without a key", "%{meta:}", {"no key", "meta:", "KEY"}},
      {"env without a name", "%{env:|x}", {"no name", "env:", "NAME"}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct tmpl_keys keys = {0};
    struct err err = {0};
    if (tmpl_compile(str_of(cases[i].text), &keys, environment, &err) != NULL)
      fail_msg("%s: was taken", cases[i].label);
    for (size_t k = 0; k < 3; k++)
      if (strstr(err.text, cases[i].want[k]) == NULL)
        fail_msg("%s: \"%s\" lacks %s", cases[i].label, err.text,
                 cases[i].want[k]);
    tmpl_keys_clear(&keys);
  }
}

static void each_meta_data_key_has_one_number(void **state) {
  (void)state;
  struct tmpl_keys keys = {0};
  struct err err = {0};
  struct tmpl *tmpl =
      tmpl_compile(STR("%{meta:b}%{.meta:a|x}%{meta:b|y}%{meta:network:ip}"),
                   &keys, NULL, &err);

  assert_non_null(tmpl);
  assert_int_equal(keys.n, 3);
  assert_string_equal(keys.key[0], "b");
  assert_string_equal(keys.key[1], "a");
  assert_string_equal(keys.key[2], "network:ip");
  tmpl_free(tmpl);
  tmpl_keys_clear(&keys);
  assert_int_equal(keys.n, 0);
}

static void one_meta_data_key_too_many_is_refused(void **state) {
  (void)state;
  struct tmpl_keys keys = {0};
  struct err err = {0};

  for (int i = 0; i <= TMPL_META_MAX; i++) {
    char text[32];
    snprintf(text, sizeof(text), "%%{meta:key%d}", i);
    struct tmpl *tmpl = tmpl_compile(str_of(text), &keys, NULL, &err);
    if ((tmpl != NULL) != (i < TMPL_META_MAX))
      fail_msg("key %d", i);
    tmpl_free(tmpl);
  }
  assert_non_null(strstr(err.text, "key16"));
  assert_non_null(strstr(err.text, "16"));
  tmpl_keys_clear(&keys);
}

/* What a template gives for a host, once values are in: instance_id "i-1",
 * tag:A missing. */
static void check_filled(const char *text, bool is_local,
                         const char *plugin_instance, const char *want) {
  struct tmpl_keys keys = {0};
  struct err err = {0};
  struct buf out = BUF_INIT(4096), filled = BUF_INIT(4096);
  struct input in = input_of(true, 1);
  static char id[] = "i-1";
  struct ec2_values values = {.n = 2};
  size_t number, first, second;

  values.value[0].state = EC2_KNOWN;
  values.value[0].text = id;
  values.value[1].state = EC2_MISSING;
  assert_int_equal(ec2_keys_add(&keys.ec2, STR("instance_id"), &first, &err),
                   0);
  assert_int_equal(ec2_keys_add(&keys.ec2, STR("tag:A"), &second, &err), 0);
  struct tmpl *tmpl = tmpl_compile(str_of(text), &keys, environment, &err);
  if (tmpl == NULL)
    fail_msg("\"%s\": %s", text, err.text);
  assert_true(tmpl_varies(tmpl));
  assert_int_equal(keys.ec2.n, 2);

  in.is_local = is_local;
  in.part[PART_PLUGIN_INSTANCE] = plugin_instance;
  tmpl_expand(tmpl, &in, 0, &out);
  assert_true(tmpl_is_marked(tmpl, &in) == is_local);
  assert_true((ec2_needs(buf_str(&out)) != 0) == is_local);
  if (!is_local)
    buf_puts(&filled, buf_str(&out));
  else if (ec2_fill(&filled, buf_str(&out), 255, &values, &number) ==
           EC2_LACKING)
    buf_printf(&filled, "lacking %zu", number);
  if (!buf_ok(&filled) || strcmp(buf_str(&filled), want) != 0)
    fail_msg("\"%s\" became \"%s\", not \"%s\"", text, buf_str(&filled), want);
  buf_clear(&out);
  buf_clear(&filled);
  tmpl_free(tmpl);
  tmpl_keys_clear(&keys);
}

static void values_of_the_instance_are_filled_in_later(void **state) {
  (void)state;
  static const struct {
    const char *text, *own, *relayed;
  } cases[] = {
      {"%{ec2:instance_id}", "i-1", ""},
      {"a%{.ec2:instance_id}%{/ec2:instance_id|x}", "a.i-1/i-1", "ax"},
      {"%{ec2:instance_id|none}", "i-1", "none"},
      {"%{ec2:tag:A}", "lacking 1", ""},
      {"%{ec2:tag:A|}", "lacking 1", ""},
      {"%{ec2:tag:A|  }", "lacking 1", "  "},
      {"%{ec2:tag:A|none}", "none", "none"},
      {"%{.ec2:tag:A|none}", "none", "none"},
      {"%{host}%{.ec2:instance_id}%{.plugin_instance}", "web-1.i-1.root",
       "web-1.root"},
      {"%{ec2:instance_id}%{ec2:tag:A|}", "lacking 1", ""},
      {"%{plugin_instance|x}%%%{ec2:instance_id}", "root%i-1", "root%"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    check_filled(cases[i].text, true, "root", cases[i].own);
    check_filled(cases[i].text, false, "root", cases[i].relayed);
  }
  check_filled("%{ec2:instance_id}%{plugin_instance}", true, "\x01\x20 x\x01",
               "i-1_  x_-008aea24");
}

static void only_parts_meta_data_and_data_source_vary(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool varies;
  } cases[] = {
      {"", false},
      {"Memory", false},
      {"%%", false},
      {"%{env:STAGE}", false},
      {"%{env:GONE|x}", false},
      {"%{host}", true},
      {"x%{.ds}", true},
      {"%{meta:a|x}", true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct tmpl_keys keys = {0};
    struct tmpl *tmpl =
        tmpl_compile(str_of(cases[i].text), &keys, environment, NULL);
    if (tmpl == NULL || tmpl_varies(tmpl) != cases[i].varies)
      fail_msg("\"%s\"", cases[i].text);
    tmpl_free(tmpl);
    tmpl_keys_clear(&keys);
  }
}

/* text made fit within max; changed says whether it had to be. */
static struct buf fit(struct str text, size_t max, bool *changed) {
  struct buf out = BUF_INIT(8192);
  *changed = tmpl_put_fit(&out, text, max);
  assert_true(buf_ok(&out));
  return out;
}

static void a_fit_text_stays(void **state) {
  (void)state;
  const char *texts[] = {"", "Sockets Used", " ~\"\\", "0123456789"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    bool changed;
    struct buf out = fit(str_of(texts[i]), 12, &changed);
    if (changed || strcmp(buf_str(&out), texts[i]) != 0)
      fail_msg("\"%s\" became \"%s\"", texts[i], buf_str(&out));
    buf_clear(&out);
  }
}

static void an_unfit_text_ends_in_its_hash(void **state) {
  (void)state;
  /* FNV-1a of the bytes, its halves combined by exclusive or; by hand in
   * Python. */
  static const struct {
    const char *label, *text;
    size_t max;
    const char *want;
  } cases[] = {
      {"UTF-8", "K\xc3\xb6ln", 255, "K__ln-3170c566"},
      {"a line break", "a\nb", 255, "a_b-e1ab5769"},
      {"delete", "a\x7f", 255, "a_-bdd9e9ee"},
      {"too long", "abcdefghijkl", 11, "ab-8c60f266"},
      {"too long by its hash only", "K\xc3\xb6ln", 12, "K__-3170c566"},
      {"room for nothing but the hash", "abcdefghijkl", 9, "-8c60f266"},
      {"room for not even that", "abcdefghijkl", 4, "-8c6"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    bool changed;
    struct buf out = fit(str_of(cases[i].text), cases[i].max, &changed);
    if (!changed || strcmp(buf_str(&out), cases[i].want) != 0)
      fail_msg("%s: \"%s\"", cases[i].label, buf_str(&out));
    buf_clear(&out);
  }
}

static void different_texts_stay_different(void **state) {
  (void)state;
  char text[300];
  struct buf last = BUF_INIT(8192);
  memset(text, 'x', sizeof(text));
  for (int c = 0; c < 256; c++) {
    bool changed;
    text[299] = (char)c;
    struct buf out = fit((struct str){text, sizeof(text)}, 255, &changed);
    if (out.len != 255 || strcmp(buf_str(&out), buf_str(&last)) == 0)
      fail_msg("byte %d", c);
    buf_move(&last, &out);
  }
  buf_clear(&last);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_form_expands),
      cmocka_unit_test(the_data_source_is_named_where_there_are_several),
      cmocka_unit_test(what_has_no_marker_is_itself),
      cmocka_unit_test(a_mistake_is_named_with_its_place),
      cmocka_unit_test(each_meta_data_key_has_one_number),
      cmocka_unit_test(one_meta_data_key_too_many_is_refused),
      cmocka_unit_test(values_of_the_instance_are_filled_in_later),
      cmocka_unit_test(only_parts_meta_data_and_data_source_vary),
      cmocka_unit_test(a_fit_text_stays),
      cmocka_unit_test(an_unfit_text_ends_in_its_hash),
      cmocka_unit_test(different_texts_stay_different),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
