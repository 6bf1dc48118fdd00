#include "metric/tally.h"

#include "base/buf.h"
#include "metric/identifier.h"

static const struct reason_text texts[N_REASONS] = {
    [REASON_NAN] = {"is not a number", "OnNaN \"zero\" publishes it as 0",
                    true},
    [REASON_INFINITE] = {"is infinite, which CloudWatch refuses", "", false},
    [REASON_RANGE] = {"is beyond 2^360, which CloudWatch refuses",
                      "check Scale and Offset", false},
    [REASON_OLD] = {"is older than the two weeks that CloudWatch accepts",
                    "check the clock of the host it comes from", false},
    [REASON_AHEAD] = {"lies more than FlushInterval (at most two hours) in "
                      "the future",
                      "check the clock of the host it comes from", false},
    [REASON_TWICE] = {"came twice with the same time",
                      "a filter chain may write it twice", true},
    [REASON_NOT_NEWER] = {"is not newer than the one before it, so it has no "
                          "rate",
                          "check that only one source sends it", true},
    [REASON_RESET] = {"went back to its beginning, so it has no rate", "",
                      true},
    [REASON_LATE] = {"came after its slot had been combined; it counts from "
                     "the next slot on",
                     "", true},
    [REASON_SLOT_DROPPED] = {"was combined with others that had not come yet "
                             "when a flush was forced; the slot is left out",
                             "", true},
    [REASON_MAX_METRICS] = {"would make one metric more than MaxMetrics allows",
                            "raise MaxMetrics (every metric costs money), or "
                            "select less",
                            false},
    [REASON_DISAGREE] = {"goes to a metric that another <Metric> block feeds "
                         "with another Unit, StorageResolution, Statistics or "
                         "Combine",
                         "make the blocks agree, or give them different names",
                         false},
    [REASON_FULL] = {"found no room within BufferLimit",
                     "raise BufferLimit or select less", false},
    [REASON_MEMORY] = {"found no memory", "", false},
};

struct reason_text tally_text(enum reason reason) {
  return texts[reason];
}

void tally_add(struct tally *tally, enum reason reason,
               const struct input *in) {
  struct tally_row *row = &tally->row[reason];

  row->n++;
  if (row->example[0] == '\0')
    identifier_print(row->example, sizeof(row->example), in);
}

void tally_add_text(struct tally *tally, enum reason reason, uint64_t n,
                    const char *example) {
  struct tally_row *row = &tally->row[reason];

  row->n += n;
  if (row->example[0] == '\0' && example != NULL) {
    struct buf text = BUF_OVER(row->example);
    for (const char *c = example; *c != '\0' && text.len < text.limit; c++)
      buf_putc(&text, *c);
  }
}
