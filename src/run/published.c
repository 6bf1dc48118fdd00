#include "run/published.h"

#include "base/date.h"
#include "base/json.h"
#include "run/log.h"

static void put(struct buf *line, struct str text) {
  buf_put(line, text.p, text.len);
}

static void put_dimensions(struct buf *line, const struct json *dimensions) {
  for (size_t i = 0; i < json_count(dimensions); i++) {
    const struct json *dimension = json_at(dimensions, i);
    buf_puts(line, i == 0 ? " {" : ", ");
    put(line, json_text(json_get(dimension, "Name")));
    buf_putc(line, '=');
    put(line, json_text(json_get(dimension, "Value")));
  }
  if (json_count(dimensions) > 0)
    buf_putc(line, '}');
}

/* "3", or "3 x2" for a value that came twice. */
static void put_values(struct buf *line, const struct json *datum) {
  const struct json *values = json_get(datum, "Values");
  const struct json *counts = json_get(datum, "Counts");

  for (size_t i = 0; i < json_count(values); i++) {
    struct str count = json_text(json_at(counts, i));
    buf_puts(line, i == 0 ? " " : ", ");
    put(line, json_text(json_at(values, i)));
    if (count.len > 0 && !str_eq(count, STR("1"))) {
      buf_puts(line, " x");
      put(line, count);
    }
  }
}

static void put_set(struct buf *line, const struct json *set) {
  static const char *const members[] = {"SampleCount", "Sum", "Minimum",
                                        "Maximum"};

  for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
    buf_puts(line, i == 0 ? " " : ", ");
    buf_puts(line, members[i]);
    buf_putc(line, ' ');
    put(line, json_text(json_get(set, members[i])));
  }
}

void published_put(struct buf *line, const char *namespace, struct str text,
                   int64_t time_s) {
  struct json *datum = json_parse(text, NULL);
  const struct json *value = json_get(datum, "Value");
  const struct json *set = json_get(datum, "StatisticValues");
  struct str unit = json_text(json_get(datum, "Unit"));

  if (datum == NULL) { /* no memory */
    buf_fail(line);
    return;
  }
  buf_puts(line, namespace);
  buf_puts(line, " \"");
  put(line, json_text(json_get(datum, "MetricName")));
  buf_putc(line, '"');
  put_dimensions(line, json_get(datum, "Dimensions"));
  buf_putc(line, ':');
  if (value != NULL) {
    buf_putc(line, ' ');
    put(line, json_text(value));
  }
  put_values(line, datum);
  if (set != NULL)
    put_set(line, set);
  buf_putc(line, ' ');
  put(line, unit.len > 0 ? unit : STR("None"));
  buf_puts(line, " at ");
  date_put_iso(line, time_s);
  json_free(datum);
}

void published_log(const char *node, const struct batch *batch) {
  struct parcel *parcel;
  size_t number;

  for (size_t i = 0; batch_where(batch, i, &parcel, &number); i++) {
    struct buf line = BUF_INIT(PUBLISHED_MAX);
    published_put(&line, parcel->namespace, parcel_text(parcel, number),
                  parcel->data[number].time_s);
    if (buf_ok(&line))
      log_say(SAY_INFO, node, "published %s", buf_str(&line));
    buf_clear(&line);
  }
}
