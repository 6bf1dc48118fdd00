#include "run/log.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "write_cloudwatch plugin: "
#define LINE_MAX_BYTES 1000
#define SAID_AT_ONCE 4 /* messages of one spell before it gets quieter */
#define HOUR_MS 3600000
#define DATE_DIGITS 6 /* 102030, 20300101, 1700000000; a port has fewer */

static void to_stderr(enum log_level level, const char *message) {
  (void)level;
  (void)fprintf(stderr, "%s\n", message);
}

/* Set before the first thread, so it needs no lock. */
static log_sink_fn the_sink = to_stderr;

void log_set_sink(log_sink_fn sink) {
  the_sink = sink != NULL ? sink : to_stderr;
}

/* Ends a text that vsnprintf() had to cut in "...", never in the middle of a
 * UTF-8 character. */
static void mark_cut(char *text, size_t size) {
  if (size < 5)
    return;
  size_t end = size - 4;
  while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
    end--;
  memcpy(text + end, "...", 4);
}

/* Whether a control character of ISO 6429 begins here, in UTF-8: U+0080 to
 * U+009F, some of which terminals obey. */
static bool is_c1(const char *text) {
  return (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] >= 0x80 &&
         (unsigned char)text[1] < 0xA0;
}

/* Texts of servers and files end up in messages; a message is one line. */
static void make_one_line(char *text) {
  for (; *text != '\0'; text++) {
    if (is_c1(text))
      text[0] = text[1] = ' ';
    if ((unsigned char)*text < 0x20 || *text == 0x7F)
      *text = ' ';
  }
}

static void print(char *text, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void print(char *text, size_t size, const char *format, va_list args) {
  int len = vsnprintf(text, size, format, args);
  if (len < 0)
    text[0] = '\0';
  else if ((size_t)len >= size)
    mark_cut(text, size);
  make_one_line(text);
}

static void say(enum log_level level, const char *node, const char *format,
                va_list args) __attribute__((format(printf, 3, 0)));

static void say(enum log_level level, const char *node, const char *format,
                va_list args) {
  char line[LINE_MAX_BYTES + 1];
  int len = snprintf(line, sizeof(line), PREFIX "%s%s", node,
                     node[0] == '\0' ? "" : ": ");
  if (len < 0)
    return;

  if ((size_t)len >= sizeof(line)) {
    mark_cut(line, sizeof(line)); /* a name that fills the line */
    make_one_line(line);
  } else {
    print(line + len, sizeof(line) - (size_t)len, format, args);
  }
  the_sink(level, line);
}

void log_say(enum log_level level, const char *node, const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(level, node, format, args);
  va_end(args);
}

/* How long nothing is said after so many messages of one spell. */
static int64_t quiet_after(unsigned n_said) {
  if (n_said < SAID_AT_ONCE)
    return 0;
  unsigned doublings = n_said - SAID_AT_ONCE;
  return doublings < 6 ? (int64_t)60000 << doublings : HOUR_MS;
}

static void begin(struct log_state *state, int64_t now_ms) {
  if (now_ms - state->ended_ms >= HOUR_MS)
    *state = (struct log_state){.quiet_ms = INT64_MIN};
  state->bad = true;
  state->said = false;
  state->since_ms = now_ms;
}

/* The beginning of a key up to where something else begins; *is_passing when it
 * differs from one time to the next while the thing is the same: how long
 * something took, the id of a request, a date or a time of AWS's sentences. */
static size_t take_piece(const char *key, bool *is_passing) {
  static const char request[] = "[request ";
  size_t digits = strspn(key, "0123456789.");

  *is_passing = strspn(key, "0123456789") >= DATE_DIGITS ||
                (digits > 0 && strncmp(key + digits, " s", 2) == 0);
  if (digits > 0)
    return digits;
  *is_passing = strncmp(key, request, sizeof(request) - 1) == 0;
  return *is_passing ? strcspn(key, "]") : 1;
}

static uint64_t hash_key(const char *key) {
  uint64_t hash = STR_HASH_SEED;
  bool is_passing;

  while (*key != '\0') {
    size_t n = take_piece(key, &is_passing);
    if (!is_passing)
      hash = str_hash(hash, key, n);
    key += n;
  }
  return hash;
}

static void bad(struct log_state *state, enum log_level level, const char *node,
                int64_t now_ms, uint64_t key, const char *format, va_list args)
    __attribute__((format(printf, 6, 0)));

static void bad(struct log_state *state, enum log_level level, const char *node,
                int64_t now_ms, uint64_t key, const char *format,
                va_list args) {
  if (!state->bad)
    begin(state, now_ms);
  if ((state->said && state->key == key) || now_ms < state->quiet_ms)
    return;
  state->said = true;
  state->key = key;
  state->n_said++;
  state->quiet_ms = now_ms + quiet_after(state->n_said);
  say(level, node, format, args);
}

void log_state_begin(struct log_state *state, int64_t now_ms) {
  if (!state->bad)
    begin(state, now_ms);
}

void log_state_bad(struct log_state *state, enum log_level level,
                   const char *node, int64_t now_ms, const char *key,
                   const char *format, ...) {
  va_list args;
  va_start(args, format);
  bad(state, level, node, now_ms, hash_key(key), format, args);
  va_end(args);
}

void log_state_event(struct log_state *state, enum log_level level,
                     const char *node, int64_t now_ms, const char *format,
                     ...) {
  va_list args;
  va_start(args, format);
  bad(state, level, node, now_ms, 0, format, args);
  va_end(args);
  state->bad = false;
  state->ended_ms = now_ms;
}

bool log_state_good(struct log_state *state, const char *node, int64_t now_ms,
                    const char *format, ...) {
  if (!state->bad)
    return false;
  state->bad = false;
  state->ended_ms = now_ms;
  if (!state->said)
    return true;

  va_list args;
  va_start(args, format);
  say(SAY_NOTICE, node, format, args);
  va_end(args);
  return true;
}
