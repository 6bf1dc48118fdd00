/* stream: values through the whole of metric/, from value list to data, as the
 * sender leads them; for tests.
 *
 * Times are seconds after EPOCH, which begins a day, a week and every shorter
 * slot.  A script is words: "a@5=1" is the value 1 of host a at second 5
 * (or 5.25), "a@5=1/60" the same with an interval of 60 s (which stays a's own;
 * 10 until then), "|60" a flush of what ended by second 60, "!60" a forced one
 * then. Data come out as words too: "m@0=7", values with counts "m@0=1,5x2", a
 * set "m@0=[n3 s6 1..3]", with dimensions "m{a}@0=7".
 *
 * Values of the instance are awaited from the word "?" on, and again known
 * after "+" (all hosts are the instance itself); a name with one of them comes
 * out with "$". */
#ifndef STREAM_H
#define STREAM_H

#include "base/buf.h"
#include "metric/agg.h"
#include "metric/cut.h"
#include "metric/fill.h"
#include "metric/identifier.h"
#include "metric/rule.h"

#include "rule_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH INT64_C(1600300800)

struct stream {
  struct rules *rules;
  struct agg agg;
  struct samples taken;
  struct cut cut;
  struct tally tally;
  struct buf out;
  uint32_t period_s;
  uint32_t steady_s;
  int64_t offset_s; /* the service's clock less that of the host */
  uint64_t awaited; /* values of the instance */
  struct fill fill;
  uint32_t interval_s[256]; /* of each host by its first letter */
};

static inline const char *stream_env(const char *name) {
  (void)name;
  return NULL;
}

static inline void stream_notice(void *context, const char *sentence) {
  (void)context;
  (void)sentence;
}

static inline struct rules *stream_rules(const char *blocks) {
  struct rules_spec spec = rule_text_read(blocks);
  struct buf warnings = BUF_INIT(4096);
  struct err err = {""};
  struct rules *rules =
      rules_compile(&spec, "collectd", stream_env, &warnings, &err);

  if (rules == NULL) {
    (void)fprintf(stderr, "%s\n", err.text);
    abort(); /* a slip in the test */
  }
  rules_spec_clear(&spec);
  buf_clear(&warnings);
  return rules;
}

static inline void stream_open(struct stream *s, const char *blocks,
                               size_t max_metrics) {
  *s = (struct stream){
      .period_s = 60, .out = BUF_INIT(1 << 20), .fill = FILL_INIT};
  s->rules = stream_rules(blocks);
  agg_init(&s->agg, max_metrics, 1 << 20, CW_PAST_S, 60, 0, 42);
  s->cut.limit_bytes = SIZE_MAX;
  s->cut.period_s = s->period_s;
}

static inline void stream_close(struct stream *s) {
  samples_clear(&s->taken);
  cut_clear(&s->cut);
  agg_clear(&s->agg);
  rules_free(s->rules);
  buf_clear(&s->out);
  fill_clear(&s->fill);
}

static inline void stream_write(struct stream *s, const struct input *in,
                                int64_t wall_s) {
  struct agg_now now = {wall_s, s->offset_s};
  struct bind_table *table = &s->agg.table;
  uint64_t hash = identifier_hash(in, table->n_meta, table->seed);
  struct binding *binding = bind_find(table, in, hash);

  if (binding == NULL) {
    struct plan *plan = plan_new(s->rules, in, stream_notice, NULL);
    if (plan == NULL)
      tally_add(&s->agg.tally, REASON_MEMORY, in);
    else if (plan->n_targets == 0 || agg_is_in_time(&s->agg, in, &now))
      binding = bind_put(table, plan, in, hash, &s->agg.tally);
    plan_free(plan);
  }
  if (binding == NULL)
    return;
  binding->is_seen = false;
  binding->seen_s = s->steady_s;
  agg_add(&s->agg, binding, in, &now);
}

/* Forgets what saw no value since a steady time, less three intervals. */
static inline size_t stream_forget(struct stream *s, uint32_t silent_s) {
  static const struct bind_patience none = {0};

  cut_hold(&s->cut, true);
  size_t next = bind_forget(&s->agg.table, 0, SIZE_MAX / 2, silent_s, &none);
  cut_hold(&s->cut, false);
  return next;
}

/* A gauge of a host, second after EPOCH. */
static inline void stream_gauge(struct stream *s, const char *host,
                                double value, double second,
                                uint32_t interval_s) {
  struct reading reading = {.name = "value", .kind = KIND_GAUGE};
  struct input in = {.part = {host, "p", "", "t", ""},
                     .readings = &reading,
                     .n_readings = 1,
                     .is_local = true,
                     .time_us = EPOCH * 1000000 + (int64_t)(second * 1e6),
                     .interval_us = (int64_t)interval_s * 1000000};

  reading.value.gauge = value;
  stream_write(s, &in, EPOCH + (int64_t)second);
}

/* The name with "$" for each value of the instance. */
static inline const struct series_name *
stream_name(struct stream *s, const struct series_name *marked) {
  static char dollar[] = "$";
  struct ec2_values values = {.n = EC2_KEYS_MAX};

  for (size_t i = 0; i < values.n; i++) {
    values.value[i].state = EC2_KNOWN;
    values.value[i].text = dollar;
  }
  fill_reset(&s->fill);
  if (fill_name(&s->fill, marked, &values) != FILLED)
    abort(); /* a slip in the test */
  return &s->fill.name;
}

static inline void stream_put(void *context, const struct datum *datum) {
  struct stream *s = context;
  struct buf *out = &s->out;
  const struct series_name *name = stream_name(s, datum->series);

  buf_printf(out, "%s%s", out->len > 0 ? " " : "", name->name);
  for (size_t i = 0; i < name->n_dimensions; i++)
    buf_printf(out, "%s%s%s", i == 0 ? "{" : ",", name->dimensions[i].value,
               i + 1 == name->n_dimensions ? "}" : "");
  buf_printf(out, "@%lld=", (long long)(datum->time_s - EPOCH));
  switch (datum->form) {
  case DATUM_VALUE:
    buf_printf(out, "%.15g", datum->value);
    return;
  case DATUM_VALUES:
    for (size_t i = 0; i < datum->n_values; i++) {
      buf_printf(out, "%s%.15g", i > 0 ? "," : "", datum->values[i]);
      if (datum->counts[i] != 1)
        buf_printf(out, "x%.15g", datum->counts[i]);
    }
    return;
  case DATUM_SET:
    buf_printf(out, "[n%.15g s%.15g %.15g..%.15g]", datum->sample_count,
               datum->sum, datum->minimum, datum->maximum);
    return;
  }
}

/* Flushes what ended by a second after EPOCH. */
static inline void stream_flush(struct stream *s, int64_t until, bool forced) {
  struct horizon horizon = {.until_s = EPOCH + until,
                            .latest_s = EPOCH + until + 60,
                            .period_s = s->period_s,
                            .is_forced = forced,
                            .awaited = s->awaited};

  s->cut.period_s = s->period_s;
  (void)samples_reserve(&s->taken, agg_room(&s->agg));
  agg_take(&s->agg, &s->taken);
  cut_put(&s->cut, &s->taken, &s->tally);
  cut_run(&s->cut, &horizon, &s->tally, stream_put, s);
  cut_limit(&s->cut, s->awaited, &s->tally);
}

static inline void stream_word(struct stream *s, const char *word) {
  char host[2] = {word[0], '\0'};
  char *end;

  if (word[0] == '|' || word[0] == '!') {
    stream_flush(s, strtoll(word + 1, &end, 10), word[0] == '!');
    return;
  }
  if (word[0] == '?' || word[0] == '+') {
    s->awaited = word[0] == '?' ? UINT64_MAX : 0;
    return;
  }
  double second = strtod(word + 2, &end);
  if (word[1] != '@' || *end != '=')
    abort(); /* a slip in the test */
  double value = strtod(end + 1, &end);
  uint32_t *interval_s = &s->interval_s[(unsigned char)word[0]];
  if (*end == '/')
    *interval_s = (uint32_t)strtoul(end + 1, &end, 10);
  stream_gauge(s, host, value, second, *interval_s == 0 ? 10 : *interval_s);
}

static inline void stream_play(struct stream *s, const char *script) {
  char word[64];
  int used = 0;

  for (; sscanf(script, "%63s%n", word, &used) == 1; script += used)
    stream_word(s, word);
}

/* Samples that the thread keeps, and values of members. */
static inline size_t stream_held(const struct stream *s) {
  const struct bind_table *table = &s->agg.table;
  size_t n = s->cut.open.n;

  for (size_t i = 0; i < table->n_chains; i++)
    for (const struct binding *b = table->chains[i]; b; b = b->next)
      for (size_t t = 0; t < b->n_targets; t++)
        if (binding_targets(b)[t].rule->combine != COMBINE_NONE)
          n += binding_targets(b)[t].member->n_held;
  return n;
}

/* What was counted on the writers' and the thread's side. */
static inline uint64_t stream_lost(const struct stream *s, enum reason reason) {
  return s->tally.row[reason].n + s->agg.tally.row[reason].n;
}

#endif
