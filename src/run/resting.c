#include "run/resting.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_DIGITS 16
#define NUMBER_DIGITS 6
#define SUFFIX ".parcel"
#define FIRST 64

void resting_clear(struct resting_list *list) {
  free(list->file);
  *list = (struct resting_list){0};
}

static int compare(const void *a, const void *b) {
  const struct resting *left = a, *right = b;

  if (left->flush != right->flush)
    return left->flush < right->flush ? -1 : 1;
  return (left->number > right->number) - (left->number < right->number);
}

int resting_push(struct resting_list *list, const struct resting *file) {
  if (list->n == list->cap) {
    size_t cap = list->cap == 0 ? FIRST : 2 * list->cap;
    struct resting *grown = realloc(list->file, cap * sizeof(*grown));
    if (grown == NULL)
      return -1;
    list->file = grown;
    list->cap = cap;
  }
  list->file[list->n++] = *file;
  list->n_data += file->n_data;
  return 0;
}

void resting_sort(struct resting_list *list) {
  if (list->n > 0)
    qsort(list->file, list->n, sizeof(*list->file), compare);
}

/* What comes to rest is mostly the newest that does. */
int resting_add(struct resting_list *list, const struct resting *file) {
  if (resting_push(list, file) != 0)
    return -1;

  size_t at = list->n - 1;
  for (; at > 0 && compare(&list->file[at - 1], file) > 0; at--)
    list->file[at] = list->file[at - 1];
  list->file[at] = *file;
  return 0;
}

void resting_remove(struct resting_list *list, size_t first, size_t n) {
  for (size_t i = first; i < first + n; i++)
    list->n_data -= list->file[i].n_data;
  if (n > 0)
    memmove(&list->file[first], &list->file[first + n],
            (list->n - first - n) * sizeof(*list->file));
  list->n -= n;
}

struct resting_name resting_name(int64_t flush, uint32_t number) {
  struct resting_name name;
  (void)snprintf(name.text, sizeof(name.text), "%0*lld-%0*u%s", FLUSH_DIGITS,
                 (long long)flush, NUMBER_DIGITS, (unsigned)number, SUFFIX);
  return name;
}

bool resting_of_name(const char *name, struct resting *out) {
  struct str rest = str_of(name), digits;
  uint64_t flush = 0, number = 0;

  if (rest.len != FLUSH_DIGITS + 1 + NUMBER_DIGITS + sizeof(SUFFIX) - 1 ||
      !str_has_suffix(rest, STR(SUFFIX)) || !str_split(&rest, '-', &digits) ||
      digits.len != FLUSH_DIGITS || str_to_u64(digits, &flush) != 0)
    return false;
  digits = (struct str){rest.p, NUMBER_DIGITS};
  if (str_to_u64(digits, &number) != 0)
    return false;
  *out = (struct resting){.flush = (int64_t)flush, .number = (uint32_t)number};
  return true;
}
