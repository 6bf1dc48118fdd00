#include "aws/canonical.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* Takes the last segment off again, not what stands before start. */
static void drop_segment(struct buf *out, size_t start) {
  if (!buf_ok(out))
    return;
  size_t len = out->len;
  while (len > start && buf_str(out)[len - 1] != '/')
    len--;
  buf_cut(out, len > start ? len - 1 : start);
}

void canonical_put_path(struct buf *out, const char *path) {
  size_t start = out->len;
  struct str rest = str_of(path), segment;
  while (str_split(&rest, '/', &segment)) {
    if (segment.len == 0 || str_eq(segment, STR(".")))
      continue;
    if (str_eq(segment, STR(".."))) {
      drop_segment(out, start);
      continue;
    }
    buf_putc(out, '/');
    str_put_percent(out, segment);
  }
  bool is_root = out->len == start;
  size_t len = strlen(path);
  if (is_root || (len > 0 && path[len - 1] == '/'))
    buf_putc(out, '/');
}

struct pair {
  struct str key;
  struct str value;
};

static int compare_str(struct str a, struct str b) {
  size_t len = a.len < b.len ? a.len : b.len;
  int order = len > 0 ? memcmp(a.p, b.p, len) : 0;
  if (order != 0)
    return order;
  return (a.len > b.len) - (a.len < b.len);
}

static int compare_pair(const void *left, const void *right) {
  const struct pair *a = left, *b = right;
  int order = compare_str(a->key, b->key);
  return order != 0 ? order : compare_str(a->value, b->value);
}

static struct pair to_pair(const char *text, size_t len) {
  const char *equals = memchr(text, '=', len);
  if (equals == NULL)
    return (struct pair){{text, len}, {NULL, 0}};
  size_t key_len = (size_t)(equals - text);
  return (struct pair){{text, key_len}, {equals + 1, len - key_len - 1}};
}

int canonical_put_query(struct buf *out, const char *query) {
  if (*query == '\0')
    return 0;

  size_t n = 1;
  for (const char *p = query; *p != '\0'; p++)
    n += *p == '&';
  struct pair *pairs = calloc(n, sizeof(*pairs));
  if (pairs == NULL)
    return -1;

  const char *begin = query;
  for (size_t i = 0; i < n; i++) {
    size_t len = strcspn(begin, "&");
    pairs[i] = to_pair(begin, len);
    begin += len + (begin[len] == '&');
  }
  qsort(pairs, n, sizeof(*pairs), compare_pair);

  for (size_t i = 0; i < n; i++) {
    if (i > 0)
      buf_putc(out, '&');
    buf_put(out, pairs[i].key.p, pairs[i].key.len);
    buf_putc(out, '=');
    buf_put(out, pairs[i].value.p, pairs[i].value.len);
  }
  free(pairs);
  return 0;
}
