#include "metric/encode_query.h"

#include "base/date.h"
#include "base/json.h"

#include <stdint.h>

/* "MetricData.member.1000.Dimensions.member.30.Value" is far below. */
#define PATH_BYTES 256

/* Appends "&path=" for the value that follows. */
static void put_name(struct buf *to, const struct buf *path) {
  buf_putc(to, '&');
  str_put_percent(to, str_of(buf_str(path)));
  buf_putc(to, '=');
}

static int put_time(struct buf *to, struct str digits, struct err *err) {
  char array[32];
  struct buf text = BUF_OVER(array);
  uint64_t seconds;
  if (str_to_u64(digits, &seconds) != 0 || seconds > DATE_MAX)
    return err_set(err, "a datum's Timestamp is no whole number of seconds "
                        "from 1970 to 9999");
  date_put_iso(&text, (int64_t)seconds);
  str_put_percent(to, str_of(buf_str(&text)));
  return 0;
}

static int put_value(struct buf *to, struct buf *path, struct str key,
                     const struct json *value, struct err *err);

static int put_members(struct buf *to, struct buf *path,
                       const struct json *object, struct err *err) {
  size_t len = path->len;
  for (size_t i = 0; i < json_count(object); i++) {
    struct str key = json_key_at(object, i);
    buf_putc(path, '.');
    buf_put(path, key.p, key.len);
    if (put_value(to, path, key, json_at(object, i), err) != 0)
      return -1;
    buf_cut(path, len);
  }
  return 0;
}

static int put_elements(struct buf *to, struct buf *path,
                        const struct json *array, struct err *err) {
  size_t len = path->len;
  for (size_t i = 0; i < json_count(array); i++) {
    buf_printf(path, ".member.%zu", i + 1);
    if (put_value(to, path, STR(""), json_at(array, i), err) != 0)
      return -1;
    buf_cut(path, len);
  }
  return 0;
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static int put_value(struct buf *to, struct buf *path, struct str key,
                     const struct json *value, struct err *err) {
  if (!buf_ok(path))
    return err_set(err, "a member's name in a datum's text is too long");

  switch (json_kind(value)) {
  case JSON_OBJECT:
    return put_members(to, path, value, err);
  case JSON_ARRAY:
    return put_elements(to, path, value, err);
  case JSON_NUMBER:
    put_name(to, path);
    if (str_eq(key, STR("Timestamp")))
      return put_time(to, json_text(value), err);
    str_put_percent(to, json_text(value));
    return 0;
  case JSON_STRING:
    put_name(to, path);
    str_put_percent(to, json_text(value));
    return 0;
  case JSON_NOTHING:
  case JSON_NULL:
  case JSON_BOOL:
    break;
  }
  return err_set(err, "a datum's text holds %s, which no member of it can be",
                 json_kind(value) == JSON_BOOL ? "true or false" : "null");
}

void encode_query_open(struct buf *to, const char *namespace) {
  buf_puts(to, "Action=PutMetricData&Version=2010-08-01&Namespace=");
  str_put_percent(to, str_of(namespace));
}

int encode_query_datum(struct buf *to, size_t number, struct str text,
                       struct err *err) {
  char path_bytes[PATH_BYTES];
  struct buf path = BUF_OVER(path_bytes);
  struct err why = {""};
  size_t len = to->len;
  int rc = -1;

  struct json *datum = json_parse(text, &why);
  if (datum == NULL) {
    if (json_lacked_memory(&why))
      buf_fail(to);
    err_set(err, "%s", why.text);
    goto out;
  }
  if (json_kind(datum) != JSON_OBJECT) {
    err_set(err, "a datum's text is no JSON object");
    goto out;
  }

  buf_printf(&path, "MetricData.member.%zu", number);
  if (put_value(to, &path, STR(""), datum, err) != 0)
    goto out;
  if (!buf_ok(to)) {
    err_set(err, "no room or no memory for a datum's Query text");
    goto out;
  }
  if (to->len == len) {
    err_set(err, "a datum's text has no member with a value");
    goto out;
  }
  rc = 0;
out:
  if (rc != 0)
    buf_cut(to, len);
  json_free(datum);
  return rc;
}
