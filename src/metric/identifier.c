#include "metric/identifier.h"

#include "base/str.h"

#include <string.h>

/* One text of the key, in the one order that all functions share. */
static const char *text_at(const struct input *in, size_t i) {
  return i < N_PARTS ? in->part[i] : in->meta[i - N_PARTS];
}

/* FNV-1a as str_hash(), over NUL-terminated texts without asking their length
 * first: this runs for each value. */
uint64_t identifier_hash(const struct input *in, size_t n_meta, uint64_t seed) {
  uint64_t hash = seed ^ STR_HASH_SEED;

  for (size_t i = 0; i < N_PARTS + n_meta; i++) {
    const unsigned char *c = (const unsigned char *)text_at(in, i);
    do {
      hash = (hash ^ *c) * UINT64_C(0x100000001b3);
    } while (*c++ != '\0');
  }
  return hash;
}

size_t identifier_key_bytes(const struct input *in, size_t n_meta) {
  size_t bytes = 0;

  for (size_t i = 0; i < N_PARTS + n_meta; i++)
    bytes += strlen(text_at(in, i)) + 1;
  return bytes;
}

void identifier_key_write(const struct input *in, size_t n_meta, char *key) {
  for (size_t i = 0; i < N_PARTS + n_meta; i++) {
    size_t bytes = strlen(text_at(in, i)) + 1;
    memcpy(key, text_at(in, i), bytes);
    key += bytes;
  }
}

bool identifier_key_matches(const struct input *in, size_t n_meta,
                            const char *key) {
  for (size_t i = 0; i < N_PARTS + n_meta; i++) {
    const char *c = text_at(in, i);
    while (*c != '\0' && *c == *key)
      c++, key++;
    if (*c != *key)
      return false;
    key++; /* over the NUL of both */
  }
  return true;
}

void identifier_print(char *to, size_t size, const struct input *in) {
  static const struct {
    const char *before;
    enum part part;
  } forms[] = {
      {"", PART_HOST},  {"/", PART_PLUGIN},        {"-", PART_PLUGIN_INSTANCE},
      {"/", PART_TYPE}, {"-", PART_TYPE_INSTANCE},
  };
  size_t len = 0;

  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    const char *text = in->part[forms[i].part];
    if (text[0] == '\0')
      continue;
    for (const char *c = forms[i].before; *c != '\0' && len + 1 < size; c++)
      to[len++] = *c;
    for (const char *c = text; *c != '\0' && len + 1 < size; c++)
      to[len++] = *c;
  }
  if (size > 0)
    to[len] = '\0';
}
