#include "metric/series_name.h"

#include <string.h>

bool series_name_eq(const struct series_name *a, const struct series_name *b) {
  if (a->n_dimensions != b->n_dimensions || strcmp(a->name, b->name) != 0 ||
      strcmp(a->namespace, b->namespace) != 0)
    return false;
  for (size_t i = 0; i < a->n_dimensions; i++)
    if (strcmp(a->dimensions[i].name, b->dimensions[i].name) != 0 ||
        strcmp(a->dimensions[i].value, b->dimensions[i].value) != 0)
      return false;
  return true;
}

size_t series_name_bytes(const struct series_name *name) {
  size_t bytes = name->n_dimensions * sizeof(struct dimension) +
                 strlen(name->namespace) + strlen(name->name) + 2;

  for (size_t i = 0; i < name->n_dimensions; i++)
    bytes += strlen(name->dimensions[i].name) +
             strlen(name->dimensions[i].value) + 2;
  return bytes;
}

/* Copies text to *at, which moves on; returns the copy. */
static const char *keep(char **at, const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = memcpy(*at, text, bytes);

  *at += bytes;
  return copy;
}

struct series_name series_name_copy(const struct series_name *name,
                                    void *block) {
  struct series_name copy = *name;
  struct dimension *dimensions = block;
  char *at = (char *)(dimensions + name->n_dimensions);

  copy.namespace = keep(&at, name->namespace);
  copy.name = keep(&at, name->name);
  for (size_t i = 0; i < name->n_dimensions; i++) {
    dimensions[i].name = keep(&at, name->dimensions[i].name);
    dimensions[i].value = keep(&at, name->dimensions[i].value);
  }
  copy.dimensions = dimensions;
  return copy;
}
