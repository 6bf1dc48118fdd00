#include "baseline.h"

#include "metric/identifier.h"

#include <pthread.h>
#include <stdlib.h>

#define SEED UINT64_C(0x9e3779b97f4a7c15)

struct entry {
  struct entry *next;
  uint64_t hash;
  double sum;
  uint64_t n;
  char key[];
};

/* Shards share no line of the cache. */
struct shard {
  pthread_mutex_t lock;
  struct entry **chains;
  char apart[128 - sizeof(pthread_mutex_t) - sizeof(struct entry **)];
};

struct baseline {
  size_t n_shards, n_chains; /* chains of each shard */
  struct shard *shards;
};

static void *need(void *memory) {
  if (memory == NULL)
    fail("no memory for the baseline");
  return memory;
}

struct baseline *baseline_new(size_t n_series, size_t n_shards) {
  struct baseline *baseline = need(calloc(1, sizeof(*baseline)));

  baseline->n_shards = n_shards;
  baseline->n_chains = 16;
  while (baseline->n_chains * n_shards < n_series)
    baseline->n_chains *= 2;
  baseline->shards = need(calloc(n_shards, sizeof(*baseline->shards)));
  for (size_t i = 0; i < n_shards; i++) {
    struct shard *shard = &baseline->shards[i];
    (void)pthread_mutex_init(&shard->lock, NULL);
    shard->chains = need(calloc(baseline->n_chains, sizeof(*shard->chains)));
  }
  return baseline;
}

static void free_shard(struct shard *shard, size_t n_chains) {
  for (size_t i = 0; i < n_chains; i++)
    while (shard->chains[i] != NULL) {
      struct entry *entry = shard->chains[i];
      shard->chains[i] = entry->next;
      free(entry);
    }
  free(shard->chains);
  (void)pthread_mutex_destroy(&shard->lock);
}

void baseline_free(struct baseline *baseline) {
  for (size_t i = 0; i < baseline->n_shards; i++)
    free_shard(&baseline->shards[i], baseline->n_chains);
  free(baseline->shards);
  free(baseline);
}

static struct entry *find(struct entry *entry, const struct input *in,
                          uint64_t hash) {
  while (entry != NULL &&
         (entry->hash != hash || !identifier_key_matches(in, 0, entry->key)))
    entry = entry->next;
  return entry;
}

static struct entry *add(struct entry **chain, const struct input *in,
                         uint64_t hash) {
  struct entry *entry =
      need(malloc(sizeof(*entry) + identifier_key_bytes(in, 0)));

  *entry = (struct entry){.next = *chain, .hash = hash};
  identifier_key_write(in, 0, entry->key);
  *chain = entry;
  return entry;
}

static int write_value(const data_set_t *set, const value_list_t *list,
                       user_data_t *user_data) {
  struct baseline *baseline = user_data->data;
  struct input in = {.part = {[PART_HOST] = list->host,
                              [PART_PLUGIN] = list->plugin,
                              [PART_PLUGIN_INSTANCE] = list->plugin_instance,
                              [PART_TYPE] = list->type,
                              [PART_TYPE_INSTANCE] = list->type_instance}};
  (void)set;

  uint64_t hash = identifier_hash(&in, 0, SEED);
  struct shard *shard =
      &baseline->shards[(hash >> 48) & (baseline->n_shards - 1)];
  pthread_mutex_lock(&shard->lock);
  struct entry **chain = &shard->chains[hash & (baseline->n_chains - 1)];
  struct entry *entry = find(*chain, &in, hash);
  if (entry == NULL)
    entry = add(chain, &in, hash);
  entry->sum += list->values[0].gauge;
  entry->n++;
  pthread_mutex_unlock(&shard->lock);
  return 0;
}

struct writer baseline_writer(struct baseline *baseline) {
  return (struct writer){write_value, {.data = baseline, .free_func = NULL}};
}

uint64_t baseline_count(const struct baseline *baseline) {
  uint64_t n = 0;
  for (size_t i = 0; i < baseline->n_shards; i++)
    for (size_t c = 0; c < baseline->n_chains; c++)
      for (struct entry *e = baseline->shards[i].chains[c]; e; e = e->next)
        n += e->n;
  return n;
}
