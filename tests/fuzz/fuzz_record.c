/* Any file is a parcel within the limits of one request, whose record is the
 * same file again, or refused with a sentence.  As nobody guesses a checksum,
 * it is made right when the first byte is 'r'. */
#include "metric/record.h"

#include "base/digest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_AT 12
#define BODY_AT (DIGEST_AT + DIGEST_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_right(char *record, size_t size) {
  unsigned char digest[DIGEST_BYTES];

  if (size < BODY_AT)
    return;
  if (digest_sha256(record + BODY_AT, size - BODY_AT, digest) != 0)
    abort();
  memcpy(record + DIGEST_AT, digest, sizeof(digest));
}

static void check_parcel(const struct parcel *parcel) {
  size_t text_bytes = 0;

  if (parcel->n_data == 0 || parcel->n_data > CW_DATA_MAX ||
      parcel->namespace[0] == '\0')
    abort();
  for (size_t i = 0; i < parcel->n_data; i++) {
    struct str text = parcel_text(parcel, i);
    if (strlen(text.p) != text.len)
      abort();
    text_bytes += text.len;
  }
  if (text_bytes != parcel->text_bytes || text_bytes > CW_BODY_MAX)
    abort();
}

static void check_same_again(const struct parcel *parcel, struct str record) {
  struct buf again = BUF_INIT(RECORD_BYTES_MAX);

  if (record_put(parcel, &again) != 0 || !str_eq(str_of_buf(&again), record))
    abort();
  buf_clear(&again);
}

static void check(struct str record) {
  struct err err = {""}, count_err = {""};
  struct parcel *parcel;
  size_t n_data = 0;
  struct str head = {record.p, record.len < RECORD_HEAD_BYTES
                                   ? record.len
                                   : RECORD_HEAD_BYTES};
  enum record_kind counted = record_count(head, &n_data, &count_err);

  switch (record_read(record, &parcel, &err)) {
  case RECORD_WHOLE:
    check_parcel(parcel);
    check_same_again(parcel, record);
    if (counted != RECORD_WHOLE || n_data != parcel->n_data)
      abort();
    parcel_free(parcel);
    return;
  case RECORD_DAMAGED:
    if (parcel != NULL || err.text[0] == '\0' ||
        str_has_control(str_of(err.text)))
      abort();
    if (counted != RECORD_WHOLE && strcmp(count_err.text, err.text) != 0)
      abort();
    return;
  case RECORD_NO_MEMORY: /* there is */
    abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  char *record = malloc(size);
  if (record == NULL)
    abort();
  memcpy(record, data + 1, size - 1);
  if (data[0] == 'r')
    make_right(record, size - 1);
  check((struct str){record, size - 1});
  free(record);
  return 0;
}
