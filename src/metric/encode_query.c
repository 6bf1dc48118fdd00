#include "metric/encode_query.h"

#include "base/date.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* "MetricData.member.1000.Dimensions.member.30.Value" is far below. */
#define PATH_BYTES 256

static bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Percent-encodes all but RFC 3986's unreserved characters, so that a blank is
 * "%20", never "+": the form that signing and all readers agree on. */
static void put_encoded(struct buf *to, struct str text) {
  static const char hex[] = "0123456789ABCDEF";
  size_t done = 0; /* bytes written, or plain and written in one go later */

  for (size_t i = 0; i < text.len; i++) {
    if (is_unreserved(text.p[i]))
      continue;
    unsigned char byte = (unsigned char)text.p[i];
    char code[] = {'%', hex[byte >> 4], hex[byte & 15]};
    if (i > done)
      buf_put(to, text.p + done, i - done);
    buf_put(to, code, sizeof(code));
    done = i + 1;
  }
  if (text.len > done)
    buf_put(to, text.p + done, text.len - done);
}

/* Appends "&path=" for the value that follows. */
static void put_name(struct buf *to, const struct buf *path) {
  buf_putc(to, '&');
  put_encoded(to, str_of(buf_str(path)));
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
  put_encoded(to, str_of(buf_str(&text)));
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
    put_encoded(to, json_text(value));
    return 0;
  case JSON_STRING:
    put_name(to, path);
    put_encoded(to, json_text(value));
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
  put_encoded(to, str_of(namespace));
}

int encode_query_datum(struct buf *to, size_t number, struct str text,
                       struct err *err) {
  char path_bytes[PATH_BYTES];
  struct buf path = BUF_OVER(path_bytes);
  size_t len = to->len;
  int rc = -1;

  struct json *datum = json_parse(text, err);
  if (datum == NULL)
    goto out;
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
