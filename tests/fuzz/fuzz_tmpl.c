/* A template compiles or says why; what it expands to can be made fit for
 * CloudWatch, the same each time; and text without "%" is itself. */
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
  tmpl_free(tmpl);
  tmpl_keys_clear(&keys);
  return 0;
}
