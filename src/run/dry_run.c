#include "run/dry_run.h"

#include "run/log.h"
#include "run/published.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 32768 /* a power of 2, of which DRY_RUN_MAX are a third */

struct dry_run {
  const char *node;
  bool every;
  size_t n_said;
  uint64_t known[SLOTS]; /* keys of what was explained; 0: an empty slot */
};

/* Or the end of them could pass unsaid. */
_Static_assert(NOTES_MAX > DRY_RUN_MAX, "notes");

struct dry_run *dry_run_new(const char *node, bool every) {
  struct dry_run *dry_run = calloc(1, sizeof(*dry_run));
  if (dry_run == NULL)
    return NULL;

  dry_run->node = node;
  dry_run->every = every;
  return dry_run;
}

void dry_run_free(struct dry_run *dry_run) { free(dry_run); }

/* Whether one explanation more may be given; the end of them is said. */
static bool may_say(struct dry_run *dry_run) {
  if (dry_run->n_said > DRY_RUN_MAX)
    return false;
  if (dry_run->n_said++ < DRY_RUN_MAX)
    return true;
  log_say(SAY_INFO, dry_run->node,
          "DryRun has explained %d metrics and identifiers; no more are "
          "explained",
          DRY_RUN_MAX);
  return false;
}

/* The slot of a key, or the empty one where it belongs. */
static uint64_t *find_slot(struct dry_run *dry_run, uint64_t key) {
  size_t at = key % SLOTS;

  while (dry_run->known[at] != 0 && dry_run->known[at] != key)
    at = (at + 1) % SLOTS;
  return &dry_run->known[at];
}

static bool is_first(struct dry_run *dry_run, uint64_t key) {
  uint64_t *slot = find_slot(dry_run, key);

  if (*slot != 0 || !may_say(dry_run))
    return false;
  *slot = key;
  return true;
}

void dry_run_datum(struct dry_run *dry_run, const struct datum *datum,
                   uint64_t key, const char *metric, struct str text) {
  struct buf line = BUF_INIT(PUBLISHED_MAX);

  if (!dry_run->every && !is_first(dry_run, key))
    return;
  published_put(&line, datum->series->namespace, text, datum->time_s);
  if (buf_ok(&line))
    log_say(SAY_INFO, dry_run->node,
            "would publish %s, from %s by <Metric \"%s\">", buf_str(&line),
            datum->identifier, metric);
  buf_clear(&line);
}

/* An identifier that is not remembered comes again and again. */
static uint64_t key_of_note(const struct note *note) {
  uint64_t hash = str_hash(STR_HASH_SEED, &note->kind, sizeof(note->kind));

  hash = str_hash(hash, note->label, strlen(note->label) + 1);
  return str_hash(hash, note->identifier, strlen(note->identifier));
}

void dry_run_note(struct dry_run *dry_run, const struct note *note) {
  if (!is_first(dry_run, key_of_note(note)))
    return;
  switch (note->kind) {
  case NOTE_UNSELECTED:
    log_say(SAY_INFO, dry_run->node,
            "nothing selects %s; nearest is <Metric \"%s\">, but %s",
            note->identifier, note->label, note->because);
    return;
  case NOTE_MEMBER:
    log_say(SAY_INFO, dry_run->node, "<Metric \"%s\"> combines %s with others",
            note->label, note->identifier);
    return;
  }
}
