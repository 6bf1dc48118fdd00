/* report: what happened to values, said once.
 *
 * Write threads only leave sentences and counts; the node's thread says them:
 * each sentence once, each reason of a loss once with an example. */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include "metric/tally.h"

#include <stddef.h>
#include <stdint.h>

#define REPORT_QUEUE 32     /* sentences between two flushes */
#define REPORT_REMEMBER 512 /* sentences that are known to have been said */

struct report_queue {
  char *sentence[REPORT_QUEUE]; /* owned */
  size_t n;
};

/* Sentences waiting to be said; belongs to the node's lock. */
struct report {
  struct report_queue queue;
  uint64_t known[REPORT_REMEMBER]; /* hashes */
  size_t n_known;
};

/* Leaves a sentence to be said, unless it has been left before, or too many
 * others have. */
void report_leave(struct report *report, const char *sentence);

/* Takes the waiting sentences over to *out, which is overwritten. */
void report_take(struct report *report, struct report_queue *out);

/* Says and frees the sentences that were taken, as warnings of the node. */
void report_say(struct report_queue *taken, const char *node);
void report_clear(struct report_queue *queue);

/* Adds the counts of *from to *to and sets them to 0; examples go along. */
void report_move_tally(struct tally *to, struct tally *from);

/* Says each reason that has a count and was not said before. */
void report_say_tally(struct tally *tally, const char *node);

/* How many values were left out in all: those that came late but count are
 * none of them. */
uint64_t report_total(const struct tally *tally);

#endif
