#include "run/report.h"

#include "base/str.h"
#include "run/log.h"

#include <stdlib.h>
#include <string.h>

bool report_first(struct report *report, const char *key) {
  uint64_t hash = str_hash(STR_HASH_SEED, key, strlen(key));

  for (size_t i = 0; i < report->n_known; i++)
    if (report->known[i] == hash)
      return false;
  if (report->n_known == REPORT_REMEMBER)
    return false;
  report->known[report->n_known++] = hash;
  return true;
}

void report_leave(struct report *report, const char *sentence) {
  if (report->n_queue == REPORT_QUEUE || !report_first(report, sentence))
    return;
  char *copy = str_dup(str_of(sentence));
  if (copy != NULL)
    report->queue[report->n_queue++] = copy;
}

void report_take(struct report *report, struct report *out) {
  memcpy(out->queue, report->queue, report->n_queue * sizeof(char *));
  out->n_queue = report->n_queue;
  report->n_queue = 0;
}

void report_say(struct report *taken, const char *node) {
  for (size_t i = 0; i < taken->n_queue; i++)
    log_say(SAY_WARNING, node, "%s", taken->queue[i]);
  report_clear(taken);
}

void report_clear(struct report *report) {
  for (size_t i = 0; i < report->n_queue; i++)
    free(report->queue[i]);
  report->n_queue = 0;
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
            text.is_kept ? "" : "it is left out; ");
  }
}

uint64_t report_total(const struct tally *tally) {
  uint64_t total = 0;

  for (size_t i = 0; i < N_REASONS; i++)
    if (!tally_text((enum reason)i).is_kept)
      total += tally->row[i].n;
  return total;
}
