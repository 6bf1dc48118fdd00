/* A template compiles or says why; what it expands to can be made fit for
 * CloudWatch, the same each time; and text without "%" is itself.  With values
 * of the instance in it, it names those that it needs, and is fit once they are
 * filled in; a plain text in it forges none. */
#include "metric/tmpl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIT_MAX 64

static const char *environment(const char *name) {
  return name[0] == 'E' ? "" : name[0] == 'V' ? "\xc3\xa4 value" : NULL;
}

static void check_fit(struct str text, size_t max) {
  char first[FIT_MAX + 1], second[FIT_MAX + 1];
  struct buf a = BUF_OVER(first), b = BUF_OVER(second);
  bool changed = tmpl_put_fit(&a, text, max);

  if (!buf_ok(&a) || a.len > max || tmpl_put_fit(&b, text, max) != changed)
    abort();
  struct str fit = {buf_str(&a), a.len};
  if (!str_eq(fit, (struct str){buf_str(&b), b.len}) ||
      (!changed && !str_eq(fit, text)))
    abort();
  for (size_t i = 0; i < a.len; i++)
    if (first[i] < 0x20 || first[i] > 0x7e)
      abort();
}

static void expand(const struct tmpl *tmpl, struct str text, size_t n) {
  static const char *const meta[TMPL_META_MAX] = {
      "", "b", "c", "", "e", "f", "", "h", "i", "", "k", "l", "", "n", "o", ""};
  static const struct reading readings[] = {{.name = "rx"}, {.name = "tx"}};
  struct input in = {.part = {"web\n1", "df", "", "df_complex", "free"},
                     .meta = meta,
                     .readings = readings,
                     .n_readings = n};
  struct buf out = BUF_INIT(1 << 20);

  tmpl_expand(tmpl, &in, n - 1, &out);
  if (!buf_ok(&out))
    abort();
  struct str all = {buf_str(&out), out.len};
  if (memchr(text.p, '%', text.len) == NULL && !str_eq(all, text))
    abort();
  for (size_t max = 0; max <= FIT_MAX; max += 8)
    check_fit(all, max);
  buf_clear(&out);
}

static void check_filled(const char *marked, const struct ec2_values *values,
                         size_t max) {
  struct buf out = BUF_INIT(1 << 20);
  size_t number = EC2_KEYS_MAX;

  switch (ec2_fill(&out, marked, max, values, &number)) {
  case EC2_FILLED:
    if (!buf_ok(&out) || out.len > max)
      abort();
    for (size_t i = 0; i < out.len; i++)
      if (out.data[i] < 0x20 || out.data[i] > 0x7e)
        abort();
    break;
  case EC2_LACKING:
    if (out.len != 0 || number >= values->n ||
        values->value[number].state == EC2_KNOWN ||
        (ec2_needs(marked) & UINT64_C(1) << number) == 0)
      abort();
    break;
  }
  buf_clear(&out);
}

/* As for the instance's own values: parts that look like marks, all states. */
static void expand_own(const struct tmpl *tmpl, struct str text,
                       const struct ec2_keys *keys) {
  static const char *const meta[TMPL_META_MAX] = {"\x01",  "\x01 .x\x01",
                                                  "",      "\x01\x01",
                                                  "e",     "",
                                                  "\x01 ", "\x01?\x01",
                                                  "",      "",
                                                  "",      "",
                                                  "",      "",
                                                  "",      ""};
  static const struct reading reading = {.name = "value"};
  static char texts[][16] = {"i-1", "\x01  evil\x01", "K\xc3\xb6ln"};
  char *copy = str_dup(text);
  struct input in = {.part = {copy, "\x01 .a\x01", "", "t\x01", "\x01\x01 "},
                     .meta = meta,
                     .readings = &reading,
                     .n_readings = 1,
                     .is_local = true};
  struct buf out = BUF_INIT(1 << 20);
  struct ec2_values values = {.n = keys->n};

  if (copy == NULL)
    abort();
  tmpl_expand(tmpl, &in, 0, &out);
  uint64_t needs = ec2_needs(buf_str(&out));
  bool is_marked = tmpl_is_marked(tmpl, &in);
  /* It needs what it names, and nothing that a part of it tells. */
  if (!buf_ok(&out) || (is_marked && (needs == 0 || needs >> keys->n != 0)))
    abort();
  for (size_t state = 0; is_marked && state < 4; state++) {
    for (size_t i = 0; i < values.n; i++) {
      values.value[i].state = (enum ec2_state)((state + i) % 4 % 3);
      values.value[i].text =
          values.value[i].state == EC2_KNOWN ? texts[i % 3] : NULL;
    }
    for (size_t max = 0; max <= FIT_MAX; max += 16)
      check_filled(buf_str(&out), &values, max);
  }
  buf_clear(&out);

  /* The text itself, as if it were marked, and as a plain part of one. */
  (void)ec2_needs(copy);
  check_filled(copy, &(struct ec2_values){.n = EC2_KEYS_MAX}, FIT_MAX);
  ec2_put_plain(&out, str_of(copy));
  if (ec2_needs(buf_str(&out)) != 0)
    abort();
  buf_clear(&out);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str text = {(const char *)data, size};
  struct tmpl_keys keys = {0};
  struct err err = {0};

  if (size == 0)
    return 0;
  struct tmpl *tmpl = tmpl_compile(text, &keys, environment, &err);
  if ((tmpl == NULL) != (err.text[0] != '\0') || keys.n > TMPL_META_MAX)
    abort();
  for (size_t n = 1; tmpl != NULL && n <= 2; n++)
    expand(tmpl, text, n);
  /* A marked text is a string, as a configuration's template is. */
  if (tmpl != NULL && memchr(data, '\0', size) == NULL)
    expand_own(tmpl, text, &keys.ec2);
  tmpl_free(tmpl);
  tmpl_keys_clear(&keys);
  return 0;
}
