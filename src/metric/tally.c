#include "metric/tally.h"

#include "base/buf.h"
#include "metric/identifier.h"

/* What a column of the table means. */
#define ODD false, true   /* somebody should look at it; a value is lost */
#define NORMAL true, true /* happens in good health; a value is lost */
#define ODD_BUT_SENT false, false
#define HARMLESS true, false /* and none is lost */

static const struct reason_text texts[N_REASONS] = {
    [REASON_NAN] = {"is not a number", "OnNaN \"zero\" publishes it as 0",
                    NORMAL},
    [REASON_INFINITE] = {"is infinite, which CloudWatch refuses", "", ODD},
    [REASON_RANGE] = {"is beyond 2^360, which CloudWatch refuses",
                      "check Scale and Offset", ODD},
    [REASON_OLD] = {"is older than BufferAge or CloudWatch allow",
                    "check the clock of the host it comes from", ODD},
    [REASON_AHEAD] = {"lies more than FlushInterval (at most two hours) in "
                      "the future",
                      "check the clock of the host it comes from", ODD},
    [REASON_TWICE] = {"came twice with the same time",
                      "a filter chain may write it twice", NORMAL},
    [REASON_NOT_NEWER] = {"is not newer than the one before it, so it has no "
                          "rate",
                          "check that only one source sends it", NORMAL},
    [REASON_RESET] = {"went back to its beginning, so it has no rate", "",
                      NORMAL},
    [REASON_LATE] = {"came after its slot had been combined, and counts from "
                     "the next slot on",
                     "", HARMLESS},
    [REASON_SLOT_DROPPED] = {"was to be combined with others that had not come "
                             "yet when a flush was forced",
                             "", NORMAL},
    [REASON_MAX_METRICS] = {"would make one metric more than MaxMetrics allows",
                            "raise MaxMetrics (every metric costs money), or "
                            "select less",
                            ODD},
    [REASON_DISAGREE] = {"goes to a metric that other values feed with another "
                         "Unit, StorageResolution, Statistics or Combine",
                         "say the Unit (by itself it follows the type), select "
                         "one Type, make the blocks agree, or give them "
                         "different names",
                         ODD},
    [REASON_CROWDED] = {"is of one identifier more than are remembered at once",
                        "raise MaxMetrics or select fewer", ODD},
    [REASON_FULL] = {"found no room within BufferLimit",
                     "raise BufferLimit or select less", ODD},
    [REASON_FOLDED] = {"has more values in a period than BufferLimit has room "
                       "for, or more than 15000 different ones, and is "
                       "published as StatisticValues, which give no "
                       "percentiles",
                       "raise BufferLimit, or have it read less often",
                       ODD_BUT_SENT},
    [REASON_MEMORY] = {"found no memory", "", ODD},
    [REASON_AWAITED] = {"waited for a value of the instance (%{ec2:...}) until "
                        "BufferLimit was reached or the daemon stopped",
                        "write a text after \"|\" and a shorter MetadataWait, "
                        "or see why the metadata service does not answer",
                        ODD},
    /* Which value it is, is said where that is known. */
    [REASON_LACKING] = {"needs a value of the instance that there is not", "",
                        NORMAL},
    [REASON_UNFIT] = {"has a name or namespace that is empty, or begins with "
                      "\"AWS/\" or \":\", once the instance's values are in it",
                      "put a text before the value", ODD},
    /* Which one it is, and why, was said when that happened. */
    [REASON_QUARANTINED] = {"belongs to a metric whose name, dimensions or "
                            "unit CloudWatch refused a while ago",
                            "correct them in the <Metric> block", NORMAL},
};

struct reason_text tally_text(enum reason reason) {
  return texts[reason];
}

const char *tally_name(enum reason reason) {
  static const char *const names[N_REASONS] = {
      [REASON_NAN] = "nan",
      [REASON_INFINITE] = "infinite",
      [REASON_RANGE] = "range",
      [REASON_OLD] = "old",
      [REASON_AHEAD] = "ahead",
      [REASON_TWICE] = "twice",
      [REASON_NOT_NEWER] = "not_newer",
      [REASON_RESET] = "reset",
      [REASON_LATE] = "late",
      [REASON_SLOT_DROPPED] = "slot_dropped",
      [REASON_MAX_METRICS] = "max_metrics",
      [REASON_DISAGREE] = "disagree",
      [REASON_CROWDED] = "crowded",
      [REASON_FULL] = "full",
      [REASON_FOLDED] = "folded",
      [REASON_MEMORY] = "memory",
      [REASON_AWAITED] = "awaited",
      [REASON_LACKING] = "lacking",
      [REASON_UNFIT] = "unfit",
      [REASON_QUARANTINED] = "quarantined",
  };

  return names[reason];
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
