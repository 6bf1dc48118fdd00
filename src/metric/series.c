#include "metric/series.h"

#include "base/str.h"
#include "metric/combine.h"
#include "metric/ec2.h"
#include "metric/series_name.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(uint64_t hash, const char *text) {
  return str_hash(hash, text, strlen(text) + 1);
}

static uint64_t hash_name(const struct series_name *name) {
  uint64_t hash = hash_text(STR_HASH_SEED, name->namespace);

  hash = hash_text(hash, name->name);
  for (size_t i = 0; i < name->n_dimensions; i++) {
    hash = hash_text(hash, name->dimensions[i].name);
    hash = hash_text(hash, name->dimensions[i].value);
  }
  return hash;
}

/* One block of memory: the struct, the identifier, its dimensions, all texts.
 */
static struct series *copy_of(const struct series_name *name,
                              const char *identifier) {
  size_t identifier_bytes = strlen(identifier) + 1;
  size_t align = alignof(struct series);
  size_t dimensions_at =
      (offsetof(struct series, identifier) + identifier_bytes + align - 1) /
      align * align;
  struct series *series = malloc(dimensions_at + series_name_bytes(name));
  if (series == NULL)
    return NULL;

  *series = (struct series){
      .name = series_name_copy(name, (char *)series + dimensions_at)};
  memcpy(series->identifier, identifier, identifier_bytes);
  return series;
}

static struct series **chain_of(const struct series_table *table,
                                const struct series_name *name) {
  return &table->chains[hash_name(name) & (table->n_chains - 1)];
}

static void put(struct series_table *table, struct series *series) {
  struct series **chain = chain_of(table, &series->name);

  series->next = *chain;
  *chain = series;
}

/* Twice as many chains when there are two series for each: no value looks a
 * series up, only a binding that is made or forgotten. */
static int make_room(struct series_table *table) {
  if (table->n < 2 * table->n_chains)
    return 0;
  size_t n_chains = table->n_chains == 0 ? 16 : table->n_chains * 2;
  struct series **chains = calloc(n_chains, sizeof(*chains));
  if (chains == NULL)
    return -1;

  struct series_table before = *table;
  table->chains = chains;
  table->n_chains = n_chains;
  for (size_t i = 0; i < before.n_chains; i++)
    while (before.chains[i] != NULL) {
      struct series *series = before.chains[i];
      before.chains[i] = series->next;
      put(table, series);
    }
  free(before.chains);
  return 0;
}

static uint64_t needs_of(const struct series_name *name) {
  uint64_t needs = ec2_needs(name->namespace) | ec2_needs(name->name);

  for (size_t i = 0; i < name->n_dimensions; i++)
    needs |= ec2_needs(name->dimensions[i].value);
  return needs;
}

static struct series *find(const struct series_table *table,
                           const struct series_name *name) {
  if (table->n_chains == 0)
    return NULL;
  struct series *series = *chain_of(table, name);
  while (series != NULL && !series_name_eq(&series->name, name))
    series = series->next;
  return series;
}

enum series_found series_use(struct series_table *table,
                             const struct series_name *name,
                             const struct rule *rule, const char *identifier,
                             struct series **out) {
  struct series *series = find(table, name);

  if (series == NULL) {
    if (table->n >= table->max)
      return SERIES_FULL;
    if (make_room(table) != 0 || (series = copy_of(name, identifier)) == NULL)
      return SERIES_NO_MEMORY;
    series->needs = needs_of(name);
    series->serial = table->next_serial++;
    series->statistics = (uint8_t)rule->statistics;
    series->combine = (uint8_t)rule->combine;
    series->rule = rule->number;
    put(table, series);
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

  struct series **link = chain_of(table, &series->name);
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
