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

/* A state that is said when it begins and when it ends, not in between.  One
 * thread at a time. */
struct log_state {
  bool bad;
  char what[512];   /* said last */
  int64_t since_ms; /* steady time when it began */
};

/* Begins the state, or changes what is wrong in it: says the message unless
 * the same was said last; other numbers and ids do not make it another. */
void log_state_bad(struct log_state *state, enum log_level level,
                   const char *node, int64_t now_ms, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Ends the state: says the message as a NOTICE if the state was bad.  Returns
 * whether it was. */
bool log_state_good(struct log_state *state, const char *node,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
