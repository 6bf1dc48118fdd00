#include "run/notes.h"

#include "base/str.h"
#include "metric/identifier.h"
#include "metric/tally.h"

#include <stdbool.h>
#include <stdlib.h>

#define FIRST 64

static bool make_room(struct notes *notes) {
  if (notes->n >= NOTES_MAX)
    return false;
  if (notes->n < notes->cap)
    return true;
  size_t cap = notes->cap == 0 ? FIRST : 2 * notes->cap;
  struct note *grown = realloc(notes->note, cap * sizeof(*grown));
  if (grown == NULL)
    return false;
  notes->note = grown;
  notes->cap = cap;
  return true;
}

static void clear_note(struct note *note) {
  free(note->identifier);
  free(note->because);
}

/* because: NULL for a member. */
static void leave(struct notes *notes, enum note_kind kind, const char *label,
                  const struct input *in, const char *because) {
  char identifier[TALLY_EXAMPLE_BYTES];

  if (!make_room(notes))
    return;
  struct note *note = &notes->note[notes->n];
  identifier_print(identifier, sizeof(identifier), in);
  *note = (struct note){kind, label, str_dup(str_of(identifier)), NULL};
  if (because != NULL)
    note->because = str_dup(str_of(because));
  if (note->identifier != NULL && (because == NULL || note->because != NULL))
    notes->n++;
  else
    clear_note(note);
}

void notes_leave(struct notes *notes, const struct plan *plan,
                 const struct input *in,
                 const struct explain_nearest *nearest) {
  if (plan->n_targets == 0 && nearest != NULL)
    leave(notes, NOTE_UNSELECTED, nearest->label, in, nearest->because);
  for (size_t i = 0; i < plan->n_targets; i++) {
    const struct rule *rule = plan->targets[i].rule;
    bool is_said = i > 0 && plan->targets[i - 1].rule == rule;
    if (rule->combine != COMBINE_NONE && !is_said)
      leave(notes, NOTE_MEMBER, rule->label, in, NULL);
  }
}

void notes_take(struct notes *notes, struct notes *out) {
  *out = *notes;
  *notes = (struct notes){0};
}

void notes_clear(struct notes *notes) {
  for (size_t i = 0; i < notes->n; i++)
    clear_note(&notes->note[i]);
  free(notes->note);
  *notes = (struct notes){0};
}
