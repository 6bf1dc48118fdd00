#include "run/report.h"

#include "base/str.h"
#include "run/log.h"

#include <stdlib.h>
#include <string.h>

static bool is_known(const struct report *report, uint64_t hash) {
  for (size_t i = 0; i < report->n_known; i++)
    if (report->known[i] == hash)
      return true;
  return false;
}

void report_leave(struct report *report, const char *sentence) {
  struct report_queue *queue = &report->queue;
  uint64_t hash = str_hash(STR_HASH_SEED, sentence, strlen(sentence));

  if (queue->n == REPORT_QUEUE || report->n_known == REPORT_REMEMBER ||
      is_known(report, hash))
    return;
  char *copy = str_dup(str_of(sentence));
  if (copy == NULL)
    return;
  queue->sentence[queue->n++] = copy;
  report->known[report->n_known++] = hash;
}

void report_take(struct report *report, struct report_queue *out) {
  *out = report->queue;
  report->queue.n = 0;
}

void report_say(struct report_queue *taken, const char *node) {
  for (size_t i = 0; i < taken->n; i++)
    log_say(SAY_WARNING, node, "%s", taken->sentence[i]);
  report_clear(taken);
}

void report_clear(struct report_queue *queue) {
  for (size_t i = 0; i < queue->n; i++)
    free(queue->sentence[i]);
  queue->n = 0;
}

void report_move_tally(struct tally *to, struct tally *from) {
  for (size_t i = 0; i < N_REASONS; i++) {
    tally_add_text(to, (enum reason)i, from->row[i].n, from->row[i].example);
    from->row[i].n = 0;
  }
}

void report_say_tally(struct tally *tally, const char *node) {
  for (size_t i = 0; i < N_REASONS; i++) {
    struct tally_row *row = &tally->row[i];
    struct reason_text text = tally_text((enum reason)i);
    if (row->n == 0 || row->said)
      continue;
    row->said = true;
    log_say(text.is_normal ? SAY_INFO : SAY_WARNING, node,
            "%s %s%s%s; %sothers like it are only counted",
            row->example[0] == '\0' ? "a value" : row->example, text.what,
            text.remedy[0] == '\0' ? "" : ": ", text.remedy,
            text.is_lost ? "left out; " : "");
  }
}

uint64_t report_total(const struct tally *tally) {
  uint64_t total = 0;

  for (size_t i = 0; i < N_REASONS; i++)
    if (tally_text((enum reason)i).is_lost)
      total += tally->row[i].n;
  return total;
}
