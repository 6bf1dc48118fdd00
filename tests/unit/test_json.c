#include "base/json.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json *parse(const char *text) {
  struct err err = {"?"};
  struct json *document = json_parse(str_of(text), &err);
  if (document == NULL)
    fail_msg("%s: %s", text, err.text);
  return document;
}

static void assert_text(const struct json *value, const char *want) {
  struct str text = json_text(value);
  assert_non_null(text.p);
  if (!str_eq(text, str_of(want)))
    fail_msg("\"%.*s\" is not \"%s\"", (int)text.len, text.p, want);
}

/* ---- reading ------------------------------------------------------------ */

static void finds_by_path(void **state) {
  (void)state;
  struct json *d = parse(" {\"a\": {\"b\": [1, -2.50e3, \"x\"]}, \"e\": \"\", "
                         "\"n\": null, \"t\": true}\r\n");
  const struct json *list = json_get(json_get(d, "a"), "b");

  assert_int_equal(json_kind(d), JSON_OBJECT);
  assert_int_equal(json_count(d), 4);
  assert_true(str_eq(json_key_at(d, 1), STR("e")));
  assert_int_equal(json_kind(list), JSON_ARRAY);
  assert_int_equal(json_count(list), 3);
  assert_text(json_at(list, 0), "1");
  assert_text(json_at(list, 1), "-2.50e3"); /* as it stood */
  assert_int_equal(json_kind(json_at(list, 1)), JSON_NUMBER);
  assert_text(json_at(list, 2), "x");
  assert_int_equal(json_kind(json_at(list, 2)), JSON_STRING);
  assert_text(json_get(d, "e"), "");
  assert_int_equal(json_kind(json_get(d, "n")), JSON_NULL);
  assert_int_equal(json_kind(json_get(d, "t")), JSON_BOOL);
  json_free(d);
}

static void look_ups_in_nothing_give_nothing(void **state) {
  (void)state;
  struct json *d = parse("{\"a\":[1],\"t\":true}");
  const struct json *list = json_get(d, "a");

  assert_null(json_get(d, "b"));
  assert_null(json_get(json_get(json_get(d, "b"), "c"), "d"));
  assert_null(json_get(list, "a"));
  assert_null(json_get(json_at(list, 0), "a"));
  assert_null(json_at(list, 1));
  assert_null(json_at(list, SIZE_MAX));
  assert_null(json_at(json_at(list, 0), 0));
  assert_null(json_at(NULL, 0));
  assert_null(json_text(NULL).p);
  assert_null(json_text(d).p);
  assert_null(json_text(list).p);
  assert_null(json_text(json_get(d, "t")).p);
  assert_null(json_key_at(list, 0).p);
  assert_null(json_key_at(d, 2).p);
  assert_int_equal(json_kind(NULL), JSON_NOTHING);
  assert_int_equal(json_count(NULL), 0);
  assert_int_equal(json_count(json_at(list, 0)), 0);
  json_free(d);
  json_free(NULL);
}

static void of_members_of_one_name_the_last_counts(void **state) {
  (void)state;
  struct json *d = parse("{\"a\":1,\"b\":2,\"a\":3}");
  assert_text(json_get(d, "a"), "3");
  assert_int_equal(json_count(d), 3);
  assert_text(json_at(d, 0), "1");
  json_free(d);
}

static void children_stay_with_their_parents(void **state) {
  (void)state;
  struct json *d = parse("[[1,[2,3]],{\"a\":[4],\"b\":{}},[],5]");
  assert_int_equal(json_count(d), 4);
  assert_int_equal(json_count(json_at(d, 0)), 2);
  assert_text(json_at(json_at(json_at(d, 0), 1), 1), "3");
  assert_text(json_at(json_get(json_at(d, 1), "a"), 0), "4");
  assert_int_equal(json_count(json_get(json_at(d, 1), "b")), 0);
  assert_int_equal(json_count(json_at(d, 2)), 0);
  assert_text(json_at(d, 3), "5");
  json_free(d);
}

static void undoes_escapes(void **state) {
  (void)state;
  struct json *d = parse("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e9\","
                         "\"\\ud83d\\ude00\",\"a\\u0000b\"]");
  assert_text(json_at(d, 0), "\"\\/\b\f\n\r\t");
  assert_text(json_at(d, 1), "\xc3\xa9");
  assert_text(json_at(d, 2), "\xf0\x9f\x98\x80");
  assert_true(str_eq(json_text(json_at(d, 3)), STR("a\0b")));
  json_free(d);
}

static void the_text_may_go_away(void **state) {
  (void)state;
  char text[] = "{\"key\":[\"plain\",17]}";
  struct json *d = json_parse(STR(text), NULL);
  memset(text, '#', sizeof(text));
  assert_text(json_at(json_get(d, "key"), 0), "plain");
  assert_text(json_at(json_get(d, "key"), 1), "17");
  json_free(d);
}

static void a_scalar_is_a_document(void **state) {
  (void)state;
  struct json *d = parse("12");
  assert_text(d, "12");
  json_free(d);
}

static void refuses(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      " ",
      "{",
      "[",
      "]",
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\":1,}",
      "{a:1}",
      "{1:1}",
      "[1,]",
      "[1 2]",
      "[1}",
      "{}{}",
      "1 2",
      "nul",
      "truex",
      "\"abc",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\n\"",
      "01",
      "1.",
      "-",
      ".5",
      "+1",
      "1e",
      "NaN",
      "/* no */ 1",
      "'a'",
      "\xef\xbb\xbf{}",
      "\"\xff\"",
      "\"\xc0\x80\"",
      "\"\xed\xa0\x80\"",
      "\"\\udc00\"",
      "{\"\\udc00\":1}",
      "{\"\xff\":1}",
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    struct err err = {""};
    struct json *d = json_parse(str_of(texts[i]), &err);
    if (d != NULL || err.text[0] == '\0')
      fail_msg("%s", texts[i]);
  }
  struct err err = {""};
  assert_null(json_parse((struct str){NULL, 0}, &err));
  assert_null(json_parse(STR("[1,"), NULL));
}

static void the_sentence_does_not_quote_the_text(void **state) {
  (void)state;
  struct err err = {""};
  assert_null(json_parse(STR("{\"SecretAccessKey\":\"hidden\" oops"), &err));
  assert_null(strstr(err.text, "hidden"));
  assert_null(strstr(err.text, "oops"));
}

static struct json *parse_nested(char left, char right, size_t depth,
                                 struct err *err) {
  struct buf text = BUF_INIT(JSON_BYTES_MAX);
  for (size_t i = 0; i < depth; i++) {
    buf_putc(&text, left);
    if (left == '{' && i + 1 < depth)
      buf_puts(&text, "\"a\":");
  }
  for (size_t i = 0; i < depth; i++)
    buf_putc(&text, right);
  assert_true(buf_ok(&text));
  struct json *d = json_parse((struct str){text.data, text.len}, err);
  buf_clear(&text);
  return d;
}

static void nests_to_the_limit_and_no_deeper(void **state) {
  (void)state;
  static const size_t too_deep[] = {JSON_DEPTH_MAX + 1, 1000, 300000};
  struct err err;

  struct json *d = parse_nested('[', ']', JSON_DEPTH_MAX, &err);
  assert_non_null(d);
  json_free(d);
  d = parse_nested('{', '}', JSON_DEPTH_MAX, &err);
  assert_non_null(d);
  json_free(d);
  for (size_t i = 0; i < sizeof(too_deep) / sizeof(too_deep[0]); i++) {
    err.text[0] = '\0';
    assert_null(parse_nested('[', ']', too_deep[i], &err));
    assert_non_null(strstr(err.text, "levels"));
    assert_null(parse_nested('{', '}', too_deep[i], &err));
  }
}

/* A string with escapes here and there makes yajl's buffers grow, step by
 * step, to all they can need; one that does not end, the other of the two. */
static size_t fill_with_escapes(char *text, size_t len) {
  size_t escapes = 0;
  for (size_t i = 1; i < len; i++)
    text[i] = i % 16 == 8 ? '\\' : 'n';
  text[0] = text[len - 1] = '"';
  if (text[len - 2] == '\\')
    text[len - 2] = 'n';
  for (size_t i = 1; i < len; i++)
    escapes += text[i] == '\\';
  return len - 2 - escapes;
}

static void reads_up_to_the_size_limit(void **state) {
  (void)state;
  char *text = malloc(JSON_BYTES_MAX + 1);
  struct err err;
  assert_non_null(text);

  for (size_t len = 16; len <= JSON_BYTES_MAX; len += len / 12 + 1) {
    size_t want = fill_with_escapes(text, len);
    struct json *d = json_parse((struct str){text, len}, &err);
    if (d == NULL)
      fail_msg("%zu bytes: %s", len, err.text);
    assert_int_equal(json_text(d).len, want);
    json_free(d);
    assert_null(json_parse((struct str){text, len - 1}, &err));
  }

  memset(text, ' ', JSON_BYTES_MAX + 1);
  text[0] = '7';
  struct json *d = json_parse((struct str){text, JSON_BYTES_MAX}, &err);
  assert_non_null(d);
  json_free(d);
  assert_null(json_parse((struct str){text, JSON_BYTES_MAX + 1}, &err));
  assert_non_null(strstr(err.text, "larger"));

  memset(text, '[', JSON_BYTES_MAX);
  assert_null(json_parse((struct str){text, JSON_BYTES_MAX}, &err));
  for (size_t i = 0; i < JSON_BYTES_MAX; i++)
    text[i] = i == 0 ? '[' : i % 2 == 1 ? '1' : ',';
  text[JSON_BYTES_MAX - 2] = ']';
  d = json_parse((struct str){text, JSON_BYTES_MAX - 1}, &err);
  assert_non_null(d);
  assert_int_equal(json_count(d), JSON_BYTES_MAX / 2 - 1);
  json_free(d);
  free(text);
}

/* ---- writing ------------------------------------------------------------ */

/* A text in short: each character is one call. */
static int write_text(struct json_out *out, struct buf *to, const char *calls) {
  json_begin(out, to);
  for (const char *c = calls; *c != '\0'; c++)
    switch (*c) {
    case '{':
      json_open_object(out);
      break;
    case '}':
      json_close_object(out);
      break;
    case '[':
      json_open_array(out);
      break;
    case ']':
      json_close_array(out);
      break;
    case 't':
      json_put_bool(out, true);
      break;
    case 'f':
      json_put_bool(out, false);
      break;
    case 'd':
      json_put_double(out, 2.5);
      break;
    case 'N':
      json_put_double(out, NAN);
      break;
    case '7':
      json_put_int(out, 7);
      break;
    case '!':
      json_put_str(out, STR("\xed\xa0\x80"));
      break;
    default:
      json_put_str(out, (struct str){c, 1});
    }
  return json_end(out);
}

static const struct {
  const char *calls, *want; /* NULL: fails */
} texts[] = {
    {"{}", "{}"},
    {"[]", "[]"},
    {"a", "\"a\""},
    {"7", "7"},
    {"d", "2.5"},
    {"[7dtfa]", "[7,2.5,true,false,\"a\"]"},
    {"{a7bd}", "{\"a\":7,\"b\":2.5}"},
    {"{a[{}[]]bc}", "{\"a\":[{},[]],\"b\":\"c\"}"},
    {"[{ab}{cd}]", "[{\"a\":\"b\"},{\"c\":2.5}]"},
    {"{a{b{c[]}}et}", "{\"a\":{\"b\":{\"c\":[]}},\"e\":true}"},
    {"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"},
    {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", NULL},
    {"", NULL},
    {"{", NULL},
    {"[", NULL},
    {"[[]", NULL},
    {"}", NULL},
    {"]", NULL},
    {"{]", NULL},
    {"[}", NULL},
    {"[{]}", NULL},
    {"{a}", NULL},
    {"{a[]b}", NULL},
    {"{7}", NULL},
    {"{7a}", NULL},
    {"{tf}", NULL},
    {"{{}a}", NULL},
    {"{[]a}", NULL},
    {"{d7}", NULL},
    {"[]]", NULL},
    {"{}{}", NULL},
    {"77", NULL},
    {"aa", NULL},
    {"[]7", NULL},
    {"!", NULL},
    {"[!]", NULL},
    {"{!7}", NULL},
    {"N", NULL},
    {"[N]", NULL},
    {"[N7]", NULL},
    {"{aNb7}", NULL},
};

static void writes_whole_texts_only(void **state) {
  (void)state;
  struct json_out *out = json_out_new();
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    const char *want = texts[i].want;
    struct buf to = BUF_INIT(1000);
    buf_puts(&to, "=");
    int rc = write_text(out, &to, texts[i].calls);
    if (rc != (want != NULL ? 0 : -1) || buf_ok(&to) != (want != NULL) ||
        (want != NULL && strcmp(buf_str(&to) + 1, want) != 0))
      fail_msg("%s: %s", texts[i].calls, buf_str(&to));
    buf_clear(&to);
  }
  json_out_free(out);
  json_out_free(NULL);
}

static void texts_follow_each_other(void **state) {
  (void)state;
  struct json_out *out = json_out_new();
  struct buf to = BUF_INIT(1000), other = BUF_INIT(1000);
  assert_int_equal(write_text(out, &to, "{a7}"), 0);
  buf_puts(&to, "\n");
  assert_int_equal(write_text(out, &other, "[{a"), -1);
  assert_int_equal(write_text(out, &to, "[]"), 0);
  assert_string_equal(buf_str(&to), "{\"a\":7}\n[]");

  json_begin(out, &to); /* begun and forgotten */
  json_open_array(out);
  buf_reset(&to);
  assert_int_equal(write_text(out, &to, "7"), 0);
  assert_string_equal(buf_str(&to), "7");
  buf_clear(&to);
  buf_clear(&other);
  json_out_free(out);
}

static void is_quiet_when_not_begun(void **state) {
  (void)state;
  struct json_out *out = json_out_new();
  struct buf to = BUF_INIT(1000);
  for (int i = 0; i < 2; i++) {
    json_open_object(out);
    json_close_array(out);
    json_put_str(out, STR("a"));
    json_put_int(out, 1);
    json_put_double(out, 1);
    json_put_bool(out, true);
    assert_int_equal(json_end(out), -1);
    assert_int_equal(write_text(out, &to, "[]"), 0);
  }
  assert_string_equal(buf_str(&to), "[][]");
  buf_clear(&to);
  json_out_free(out);
}

static void a_full_buffer_fails_the_text(void **state) {
  (void)state;
  struct json_out *out = json_out_new();
  const char *calls = "{a[7d]bt}"; /* {"a":[7,2.5],"b":true} */
  for (size_t limit = 0; limit < 30; limit++) {
    struct buf to = BUF_INIT(limit);
    int rc = write_text(out, &to, calls);
    if (rc != (limit < 22 ? -1 : 0) || buf_ok(&to) != (limit >= 22))
      fail_msg("limit %zu", limit);
    buf_clear(&to);
  }
  json_out_free(out);
}

static void escapes_what_must_be(void **state) {
  (void)state;
  struct json_out *out = json_out_new();
  struct buf to = BUF_INIT(1000);
  json_begin(out, &to);
  json_put_str(out, STR("a\"\\/\n\t\x01\0\x7f \xc3\xa9"));
  assert_int_equal(json_end(out), 0);
  assert_string_equal(buf_str(&to), "\"a\\\"\\\\/\\n\\t\\u0001\\u0000\x7f "
                                    "\xc3\xa9\"");
  buf_reset(&to);
  json_begin(out, &to);
  json_put_str(out, (struct str){NULL, 0});
  assert_int_equal(json_end(out), 0);
  assert_string_equal(buf_str(&to), "\"\"");
  buf_clear(&to);
  json_out_free(out);
}

/* Strings are looked at eight bytes at a time, and then one. */
static void escapes_each_byte_at_each_place(void **state) {
  (void)state;
  struct json_out *out = json_out_new();
  for (int c = 0; c < 256; c++)
    for (size_t len = 1; len < 18; len++)
      for (size_t at = 0; at < len; at++) {
        char text[18];
        struct buf to = BUF_INIT(100);
        memset(text, '~', sizeof(text));
        text[at] = (char)c;
        json_begin(out, &to);
        json_put_str(out, (struct str){text, len});
        int rc = json_end(out);
        size_t more = c == '"' || c == '\\' || c == '\b' || c == '\f' ||
                              c == '\n' || c == '\r' || c == '\t'
                          ? 1
                      : c < ' ' ? 5
                                : 0;
        if (rc != (c < 0x80 ? 0 : -1) ||
            to.len != (c < 0x80 ? len + 2 + more : 0))
          fail_msg("byte %d at %zu of %zu: %s", c, at, len, buf_str(&to));
        struct json *back = json_parse(str_of_buf(&to), NULL);
        if (rc == 0 && !str_eq(json_text(back), (struct str){text, len}))
          fail_msg("byte %d at %zu of %zu: %s", c, at, len, buf_str(&to));
        json_free(back);
        buf_clear(&to);
      }
  json_out_free(out);
}

static void writes_numbers_in_full(void **state) {
  (void)state;
  struct json_out *out = json_out_new();
  struct buf to = BUF_INIT(1000);
  json_begin(out, &to);
  json_open_array(out);
  json_put_int(out, LLONG_MIN);
  json_put_int(out, LLONG_MAX);
  json_put_double(out, -2.2250738585072014e-308);
  json_put_double(out, 0.1);
  json_put_double(out, 3);
  json_close_array(out);
  assert_int_equal(json_end(out), 0);
  assert_string_equal(buf_str(&to), "[-9223372036854775808,9223372036854775807,"
                                    "-2.2250738585072014e-308,0.1,3]");
  buf_clear(&to);
  json_out_free(out);
}

static void the_first_member_that_is_a_string(void **state) {
  static const struct {
    const char *text, *want;
  } cases[] = {
      {"{\"a\": \"x\", \"b\": \"y\"}", "x"},
      {"{\"a\": \"\", \"b\": \"y\"}", ""},
      {"{\"a\": 1, \"b\": \"y\"}", "y"},
      {"{\"b\": \"y\"}", "y"},
      {"{\"a\": null, \"b\": []}", ""},
      {"[]", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct json *document = json_parse(str_of(cases[i].text), NULL);
    if (!str_eq(json_string(document, "a", "b"), str_of(cases[i].want)))
      fail_msg("%s", cases[i].text);
    json_free(document);
  }
  assert_int_equal(json_string(NULL, "a", NULL).len, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_member_that_is_a_string),
      cmocka_unit_test(finds_by_path),
      cmocka_unit_test(look_ups_in_nothing_give_nothing),
      cmocka_unit_test(of_members_of_one_name_the_last_counts),
      cmocka_unit_test(children_stay_with_their_parents),
      cmocka_unit_test(undoes_escapes),
      cmocka_unit_test(the_text_may_go_away),
      cmocka_unit_test(a_scalar_is_a_document),
      cmocka_unit_test(refuses),
      cmocka_unit_test(the_sentence_does_not_quote_the_text),
      cmocka_unit_test(nests_to_the_limit_and_no_deeper),
      cmocka_unit_test(reads_up_to_the_size_limit),
      cmocka_unit_test(writes_whole_texts_only),
      cmocka_unit_test(texts_follow_each_other),
      cmocka_unit_test(is_quiet_when_not_begun),
      cmocka_unit_test(a_full_buffer_fails_the_text),
      cmocka_unit_test(escapes_what_must_be),
      cmocka_unit_test(escapes_each_byte_at_each_place),
      cmocka_unit_test(writes_numbers_in_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
