/* notes: what the rules say of an identifier when it is first seen, for people:
 * left by write threads, told by the node's thread (DryRun, StatusFile).
 *
 * Belongs to the node's lock. */
#ifndef RUN_NOTES_H
#define RUN_NOTES_H

#include "metric/explain.h"
#include "metric/metric.h"
#include "metric/plan.h"

#include <stddef.h>
#include <stdint.h>

#define NOTES_MAX 10240 /* between two flushes; more than DRY_RUN_MAX */

enum note_kind {
  NOTE_UNSELECTED, /* no <Metric> takes it */
  NOTE_MEMBER,     /* one takes it, and combines it with others */
};

struct note {
  enum note_kind kind;
  const char *label; /* borrowed from the rules: argument of that block, or of
                        the nearest */
  char *identifier;  /* owned */
  char *because;     /* owned; of NOTE_UNSELECTED: the selector that fails */
};

struct notes {
  struct note *note; /* owned */
  size_t n, cap;
};

/* Leaves what is to be said of an identifier with this plan; nothing, while
 * there are too many others or no memory.
 *
 * nearest  of explain_nearest(), if the plan has no targets; NULL: a block
 * takes it, and why it goes nowhere was said by rules_map() */
void notes_leave(struct notes *notes, const struct plan *plan,
                 const struct input *in, const struct explain_nearest *nearest);

/* Takes the notes over to *out, which is overwritten. */
void notes_take(struct notes *notes, struct notes *out);
void notes_clear(struct notes *notes);

#endif
