#include "metric/parcel.h"

#include <stdlib.h>
#include <string.h>

/* Texts of one full request, and identifiers of some hundred bytes (collectd
 * allows five parts of 127) for as many data as there can be. */
#define TEXTS_MAX (CW_BODY_MAX + CW_DATA_MAX * 1024)
#define DATA_FIRST 8

/* What a JSON body holds around the texts: 32 bytes, and the namespace, in
 * which a quoted character has at most six bytes. */
#define ENVELOPE_BYTES 64
#define QUOTED_BYTES_MAX 6

struct parcel *parcel_new(const char *namespace, int64_t flush) {
  struct parcel *parcel = calloc(1, sizeof(*parcel));
  if (parcel == NULL)
    return NULL;
  parcel->namespace = str_dup(str_of(namespace));
  if (parcel->namespace == NULL) {
    free(parcel);
    return NULL;
  }
  parcel->flush = flush;
  parcel->texts = (struct buf)BUF_INIT(TEXTS_MAX);
  return parcel;
}

void parcel_free(struct parcel *parcel) {
  if (parcel == NULL)
    return;
  buf_clear(&parcel->texts);
  free(parcel->data);
  free(parcel->namespace);
  free(parcel);
}

bool parcel_has_room(const struct parcel *parcel, size_t text_bytes) {
  size_t around = ENVELOPE_BYTES + QUOTED_BYTES_MAX * strlen(parcel->namespace);
  size_t commas = parcel->n_data;
  size_t taken = around + commas + parcel->text_bytes;
  return parcel->n_data < CW_DATA_MAX && text_bytes <= CW_BODY_MAX &&
         taken + text_bytes <= CW_BODY_MAX;
}

static int make_data_room(struct parcel *parcel) {
  if (parcel->n_data < parcel->cap_data)
    return 0;
  size_t cap = parcel->cap_data == 0 ? DATA_FIRST : 2 * parcel->cap_data;
  struct parcel_datum *data =
      realloc(parcel->data, cap * sizeof(*parcel->data));
  if (data == NULL)
    return -1;
  parcel->data = data;
  parcel->cap_data = cap;
  return 0;
}

/* Appends a text and its NUL, for which there is room; returns its offset. */
static uint32_t put_text(struct buf *texts, struct str text) {
  size_t offset = texts->len;
  buf_put(texts, text.p, text.len);
  buf_putc(texts, '\0');
  return (uint32_t)offset;
}

int parcel_add(struct parcel *parcel, struct str text, const char *identifier,
               int64_t time_s) {
  struct str id = str_of(identifier);
  if (!parcel_has_room(parcel, text.len) || make_data_room(parcel) != 0 ||
      !buf_make_room(&parcel->texts, text.len + 1 + id.len + 1))
    return -1;

  struct parcel_datum *datum = &parcel->data[parcel->n_data++];
  datum->text = put_text(&parcel->texts, text);
  datum->text_len = (uint32_t)text.len;
  datum->identifier = put_text(&parcel->texts, id);
  datum->time_s = time_s;
  parcel->text_bytes += text.len;
  return 0;
}

struct str parcel_text(const struct parcel *parcel, size_t i) {
  const struct parcel_datum *datum = &parcel->data[i];
  return (struct str){parcel->texts.data + datum->text, datum->text_len};
}

const char *parcel_identifier(const struct parcel *parcel, size_t i) {
  return parcel->texts.data + parcel->data[i].identifier;
}

size_t parcel_bytes(const struct parcel *parcel) {
  return sizeof(*parcel) + strlen(parcel->namespace) + 1 + parcel->texts.cap +
         parcel->cap_data * sizeof(*parcel->data);
}

void parcel_remove(struct parcel *parcel, size_t first, size_t n) {
  if (first >= parcel->n_data)
    return;
  size_t after = parcel->n_data - first;
  if (n > after)
    n = after;
  for (size_t i = first; i < first + n; i++)
    parcel->text_bytes -= parcel->data[i].text_len;
  memmove(&parcel->data[first], &parcel->data[first + n],
          (after - n) * sizeof(*parcel->data));
  parcel->n_data -= n;
  parcel->file.is_old = true;
}

static size_t keep(struct parcel *parcel, int64_t oldest_s, int64_t latest_s) {
  size_t kept = 0;
  for (size_t i = 0; i < parcel->n_data; i++) {
    int64_t time_s = parcel->data[i].time_s;
    if (time_s >= oldest_s && time_s <= latest_s)
      parcel->data[kept++] = parcel->data[i];
    else
      parcel->text_bytes -= parcel->data[i].text_len;
  }
  size_t n_expired = parcel->n_data - kept;
  parcel->n_data = kept;
  return n_expired;
}

size_t parcel_expire(struct parcel *parcel, int64_t oldest_s) {
  return keep(parcel, oldest_s, INT64_MAX);
}

size_t parcel_cut_off(struct parcel *parcel, int64_t latest_s) {
  return keep(parcel, INT64_MIN, latest_s);
}
