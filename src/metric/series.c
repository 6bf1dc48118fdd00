#include "metric/series.h"

#include "base/str.h"
#include "metric/combine.h"
#include "metric/ec2.h"
#include "metric/series_name.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(uint64_t hash, const char *text) {
  return str_hash(hash, text, strlen(text) + 1);
}

static uint32_t hash_name(const struct series_name *name) {
  uint64_t hash = hash_text(STR_HASH_SEED, name->namespace);

  hash = hash_text(hash, name->name);
  for (size_t i = 0; i < name->n_dimensions; i++) {
    hash = hash_text(hash, name->dimensions[i].name);
    hash = hash_text(hash, name->dimensions[i].value);
  }
  return (uint32_t)(hash ^ hash >> 32);
}

static bool same_name(const struct series_name *a,
                      const struct series_name *b) {
  if (a->n_dimensions != b->n_dimensions || strcmp(a->name, b->name) != 0 ||
      strcmp(a->namespace, b->namespace) != 0)
    return false;
  for (size_t i = 0; i < a->n_dimensions; i++)
    if (strcmp(a->dimensions[i].name, b->dimensions[i].name) != 0 ||
        strcmp(a->dimensions[i].value, b->dimensions[i].value) != 0)
      return false;
  return true;
}

/* One block of memory: the struct, its dimensions, all texts. */
static struct series *copy_of(const struct series_name *name,
                              const char *identifier) {
  size_t name_bytes = series_name_bytes(name);
  size_t identifier_bytes = strlen(identifier) + 1;
  struct series *series =
      malloc(sizeof(*series) + name_bytes + identifier_bytes);
  if (series == NULL)
    return NULL;

  char *block = (char *)(series + 1);
  *series = (struct series){.name = series_name_copy(name, block)};
  series->identifier = memcpy(block + name_bytes, identifier, identifier_bytes);
  return series;
}

/* Twice as many chains when there are as many series as chains. */
static int make_room(struct series_table *table) {
  if (table->n < table->n_chains)
    return 0;
  size_t n_chains = table->n_chains == 0 ? 16 : table->n_chains * 2;
  struct series **chains = calloc(n_chains, sizeof(*chains));
  if (chains == NULL)
    return -1;

  for (size_t i = 0; i < table->n_chains; i++)
    while (table->chains[i] != NULL) {
      struct series *series = table->chains[i];
      struct series **chain = &chains[series->hash & (n_chains - 1)];
      table->chains[i] = series->next;
      series->next = *chain;
      *chain = series;
    }
  free(table->chains);
  table->chains = chains;
  table->n_chains = n_chains;
  return 0;
}

static uint64_t needs_of(const struct series_name *name) {
  uint64_t needs = ec2_needs(name->namespace) | ec2_needs(name->name);

  for (size_t i = 0; i < name->n_dimensions; i++)
    needs |= ec2_needs(name->dimensions[i].value);
  return needs;
}

static struct series *find(const struct series_table *table, uint32_t hash,
                           const struct series_name *name) {
  if (table->n_chains == 0)
    return NULL;
  struct series *series = table->chains[hash & (table->n_chains - 1)];
  while (series != NULL &&
         (series->hash != hash || !same_name(&series->name, name)))
    series = series->next;
  return series;
}

enum series_found series_use(struct series_table *table,
                             const struct series_name *name,
                             const struct rule *rule, const char *identifier,
                             struct series **out) {
  uint32_t hash = hash_name(name);
  struct series *series = find(table, hash, name);

  if (series == NULL) {
    if (table->n >= table->max)
      return SERIES_FULL;
    if (make_room(table) != 0 || (series = copy_of(name, identifier)) == NULL)
      return SERIES_NO_MEMORY;
    series->hash = hash;
    series->needs = needs_of(name);
    series->serial = table->next_serial++;
    series->statistics = (uint8_t)rule->statistics;
    series->combine = (uint8_t)rule->combine;
    struct series **chain = &table->chains[hash & (table->n_chains - 1)];
    series->next = *chain;
    *chain = series;
    table->n++;
  } else if (strcmp(series->name.unit, name->unit) != 0 ||
             series->name.resolution_s != name->resolution_s ||
             series->statistics != rule->statistics ||
             series->combine != rule->combine) {
    return SERIES_DISAGREES;
  }

  series->n_users++;
  *out = series;
  return SERIES_FOUND;
}

static void free_series(struct series *series) {
  group_free_all(series->groups);
  free(series);
}

void series_leave(struct series_table *table, struct series *series) {
  if (--series->n_users > 0)
    return;

  struct series **link = &table->chains[series->hash & (table->n_chains - 1)];
  while (*link != series)
    link = &(*link)->next;
  *link = series->next;
  table->n--;
  table->n_forgotten++;
  free_series(series);
}

void series_clear(struct series_table *table) {
  for (size_t i = 0; i < table->n_chains; i++)
    while (table->chains[i] != NULL) {
      struct series *series = table->chains[i];
      table->chains[i] = series->next;
      free_series(series);
    }
  free(table->chains);
  *table = (struct series_table){.max = table->max};
}
