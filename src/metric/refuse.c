#include "metric/refuse.h"

#include <string.h>

uint64_t refuse_key(const char *namespace, struct str text) {
  uint64_t hash = str_hash(STR_HASH_SEED, namespace, strlen(namespace) + 1);
  return str_hash(hash, text.p, text.len);
}

/* Where the key is, or belongs. */
static size_t place_of(const struct refuse *refuse, uint64_t key) {
  size_t low = 0, high = refuse->n;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (refuse->series[middle].key < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool has_at(const struct refuse *refuse, size_t i, uint64_t key) {
  return i < refuse->n && refuse->series[i].key == key;
}

static void take_out(struct refuse *refuse, size_t i) {
  refuse->n--;
  memmove(&refuse->series[i], &refuse->series[i + 1],
          (refuse->n - i) * sizeof(refuse->series[0]));
}

static void make_room(struct refuse *refuse) {
  size_t first = 0;

  if (refuse->n < REFUSE_MAX)
    return;
  for (size_t i = 1; i < refuse->n; i++)
    if (refuse->series[i].until_s < refuse->series[first].until_s)
      first = i;
  take_out(refuse, first);
}

static struct refuse_series *put_in(struct refuse *refuse, uint64_t key) {
  make_room(refuse);
  size_t i = place_of(refuse, key);
  memmove(&refuse->series[i + 1], &refuse->series[i],
          (refuse->n - i) * sizeof(refuse->series[0]));
  refuse->n++;
  refuse->series[i] = (struct refuse_series){.key = key};
  return &refuse->series[i];
}

bool refuse_holds(const struct refuse *refuse, uint64_t key, int64_t now_s) {
  size_t i = place_of(refuse, key);
  return has_at(refuse, i, key) && now_s < refuse->series[i].until_s;
}

int64_t refuse_add(struct refuse *refuse, uint64_t key, int64_t now_s) {
  if (refuse_holds(refuse, key, now_s))
    return 0;
  size_t i = place_of(refuse, key);
  struct refuse_series *series =
      has_at(refuse, i, key) ? &refuse->series[i] : put_in(refuse, key);

  if (series->out_s == 0)
    series->out_s = REFUSE_FIRST_S;
  else if (series->out_s > REFUSE_LONGEST_S / 2)
    series->out_s = REFUSE_LONGEST_S;
  else
    series->out_s *= 2;
  series->until_s = now_s + series->out_s;
  series->is_well = false;
  return series->out_s;
}

int64_t refuse_accept(struct refuse *refuse, uint64_t key, int64_t now_s) {
  size_t i = place_of(refuse, key);
  if (!has_at(refuse, i, key) || refuse->series[i].is_well)
    return 0;
  struct refuse_series *series = &refuse->series[i];

  series->is_well = true;
  if (series->until_s > now_s)
    series->until_s = now_s;
  return series->out_s;
}

void refuse_forget(struct refuse *refuse, int64_t now_s) {
  for (size_t i = refuse->n; i-- > 0;)
    if (now_s - refuse->series[i].until_s >= REFUSE_FORGET_S)
      take_out(refuse, i);
}
