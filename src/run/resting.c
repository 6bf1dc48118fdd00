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

static bool is_before(const struct resting *a, const struct resting *b) {
  return a->flush != b->flush ? a->flush < b->flush : a->number < b->number;
}

/* Where the file belongs, by halving: a folder is listed in any order. */
static size_t find_place(const struct resting_list *list,
                         const struct resting *file) {
  size_t low = 0, high = list->n;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (is_before(&list->file[middle], file))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int resting_add(struct resting_list *list, const struct resting *file) {
  if (list->n == list->cap) {
    size_t cap = list->cap == 0 ? FIRST : 2 * list->cap;
    struct resting *grown = realloc(list->file, cap * sizeof(*grown));
    if (grown == NULL)
      return -1;
    list->file = grown;
    list->cap = cap;
  }

  size_t at = find_place(list, file);
  memmove(&list->file[at + 1], &list->file[at],
          (list->n - at) * sizeof(*list->file));
  list->file[at] = *file;
  list->n++;
  list->n_data += file->n_data;
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
