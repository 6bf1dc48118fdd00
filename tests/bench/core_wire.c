/* Bytes on the wire: bodies as the module sends them, headers not counted. */
#include "core.h"

#include "corpus.h"
#include "rows.h"
#include "sink.h"

#include <stdio.h>

#define RUNS 5 /* periods; the first has no rates yet and does not count */
#define PERIOD_S 60

/* Bytes of a datum in each period, before and after compression. */
struct wire {
  double plain[RUNS], sent[RUNS];
};

static void note(struct wire *wire, size_t i, const struct sink_count *before) {
  struct sink_count after = sink_count();
  double data = (double)(after.data - before->data);

  wire->plain[i] = (double)(after.plain_bytes - before->plain_bytes) / data;
  wire->sent[i] = (double)(after.body_bytes - before->body_bytes) / data;
}

static void measure(const struct core *core, size_t n_hosts, int64_t interval_s,
                    struct wire *wire) {
  struct corpus *corpus = corpus_new(n_hosts, interval_s);
  size_t n_intervals = (size_t)(PERIOD_S / interval_s);

  core_start(core, CORPUS_METRIC);
  struct writer writer = host_writer();
  for (size_t i = 0; i <= RUNS; i++) {
    struct sink_count before = sink_count();
    size_t numbers = corpus_numbers(corpus, i == 0) +
                     corpus_numbers(corpus, false) * (n_intervals - 1);
    corpus_play(corpus, &writer, n_intervals);
    host_flush();
    sink_wait(before.samples + numbers);
    if (i > 0)
      note(wire, i - 1, &before);
  }
  host_stop();
  corpus_free(corpus);
}

static void row(const struct core *core, const char *what, const char *budget,
                double limit, size_t n_hosts, int64_t interval_s) {
  struct wire wire;
  char ours[64], plain[64];

  measure(core, n_hosts, interval_s, &wire);
  double sent = median(wire.sent, RUNS);
  (void)snprintf(ours, sizeof(ours), "%.1f bytes", sent);
  (void)snprintf(plain, sizeof(plain), "of %.1f", median(wire.plain, RUNS));
  row_number(what, budget, limit, sent, RUNS, ours, plain);
}

void core_wire(const struct core *core) {
  size_t n_hosts = core->is_quick ? 5 : CORPUS_HOSTS;

  row(core, "wire, a datum of one value", "<= 15 bytes", 15, n_hosts, 60);
  row(core, "wire, a datum of six values", "<= 50 bytes", 50, n_hosts, 10);
  row(core, "wire, one host alone, one value", "", -1, 1, 60);
  row(core, "wire, one host alone, six values", "", -1, 1, 10);
}
