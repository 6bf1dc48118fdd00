/* log: levels, one prefix, and where a message goes.
 *
 * The door sets the sink before the first thread; without one, messages go to
 * standard error.  A message reads "node: what happened (why); what follows".
 */
#ifndef RUN_LOG_H
#define RUN_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { SAY_ERROR, SAY_WARNING, SAY_NOTICE, SAY_INFO, SAY_DEBUG };

typedef void (*log_sink_fn)(enum log_level level, const char *message);
void log_set_sink(log_sink_fn sink);

/* Says one message.  node: name of the destination, "" for the only one. */
void log_say(enum log_level level, const char *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A state that is said when it begins and when it ends, and in between only
 * when it changes.  One thread at a time. */
struct log_state {
  bool bad;
  bool said;        /* since it began */
  uint64_t key;     /* of what was said last */
  int64_t since_ms; /* steady time when it began */
  int64_t ended_ms; /* and when the one before ended */
  int64_t quiet_ms; /* nothing is said before */
  unsigned n_said;  /* in this spell of trouble */
};

/* Begins the state, or changes what is wrong in it.
 *
 * key     names what is wrong: the message is said only if it differs from the
 *         last one's, as messages hold request ids and numbers that always do;
 *         times such as "2.1 s", "[request ID]" and dates in it do not count
 * now_ms  steady time
 * What comes and goes is said ever more rarely, at last once an hour, until it
 * has been well for an hour: so a day of trouble is some thirty lines. */
void log_state_bad(struct log_state *state, enum log_level level,
                   const char *node, int64_t now_ms, const char *key,
                   const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Begins the state without a word, if it has not: something else says it. */
void log_state_begin(struct log_state *state, int64_t now_ms);

/* Ends the state: says the message as a NOTICE if it was said that the state is
 * bad.  Returns whether the state was bad. */
bool log_state_good(struct log_state *state, const char *node, int64_t now_ms,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Says what happens and is over at once, ever more rarely if it happens often:
 * as a state that ends without a word. */
void log_state_event(struct log_state *state, enum log_level level,
                     const char *node, int64_t now_ms, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
