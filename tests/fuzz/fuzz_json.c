/* What is read can be walked over and written, and what was written reads as
 * the same: its second writing equals the first. */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_value(struct json_out *out, const struct json *value);

/* Whatever the order of look-ups, a member is found by its name. */
static void put_member(struct json_out *out, const struct json *object,
                       size_t i) {
  struct str key = json_key_at(object, i);
  char *name = str_dup(key);
  if (key.p == NULL || name == NULL ||
      (str_eq(key, str_of(name)) && json_get(object, name) == NULL))
    abort();
  free(name);
  json_put_str(out, key);
  put_value(out, json_at(object, i));
}

/* A number as a double, or as its text where no double is so large. */
static void put_number(struct json_out *out, struct str digits) {
  double number;
  if (str_to_double(digits, &number) == 0)
    json_put_double(out, number);
  else
    json_put_str(out, digits);
}

static void put_value(struct json_out *out, const struct json *value) {
  switch (json_kind(value)) {
  case JSON_NOTHING:
    abort();
  case JSON_NULL:
    json_put_str(out, STR("null"));
    break;
  case JSON_BOOL:
    json_put_bool(out, true);
    break;
  case JSON_NUMBER:
    put_number(out, json_text(value));
    break;
  case JSON_STRING:
    json_put_str(out, json_text(value));
    break;
  case JSON_ARRAY:
    json_open_array(out);
    for (size_t i = 0; i < json_count(value); i++)
      put_value(out, json_at(value, i));
    json_close_array(out);
    break;
  case JSON_OBJECT:
    json_open_object(out);
    for (size_t i = 0; i < json_count(value); i++)
      put_member(out, value, i);
    json_close_object(out);
    break;
  }
}

static void write_again(const struct json *document, struct buf *to) {
  struct json_out *out = json_out_new();
  json_begin(out, to);
  put_value(out, document);
  if (json_end(out) != 0)
    abort();
  json_out_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct err err = {""};
  struct buf first = BUF_INIT(8 * JSON_BYTES_MAX), second = first;
  struct json *document =
      json_parse((struct str){(const char *)data, size}, &err);
  if (document == NULL && err.text[0] == '\0')
    abort();
  if (document == NULL)
    return 0;

  write_again(document, &first);
  json_free(document);
  document = json_parse((struct str){first.data, first.len}, NULL);
  if (document == NULL)
    abort();
  write_again(document, &second);
  if (!str_eq(str_of(buf_str(&first)), str_of(buf_str(&second))))
    abort();
  json_free(document);
  buf_clear(&first);
  buf_clear(&second);
  return 0;
}
