/* A record, numbers in network byte order:
 *
 *   0  8   "cwparcel"
 *   8  4   version of the format, 1
 *  12 32   SHA-256 of all that follows
 *  44  8   number of the flush
 *  52  4   number of data, 1 to CW_DATA_MAX
 *  56  2   bytes of the namespace, and the namespace
 *          for each datum:
 *      8     its time, seconds since 1970 UTC
 *      4     bytes of its text, and the text
 *      2     bytes of its identifier, and the identifier
 *
 * It is valid when the version is known, the digest is right, the last
 * identifier ends with the file, and it fits into a parcel. */
#include "metric/record.h"

#include "base/digest.h"

#include <string.h>

#define MARK "cwparcel"
#define VERSION 1
#define MARK_BYTES 8
#define DIGEST_AT 12
#define BODY_AT (DIGEST_AT + DIGEST_BYTES)

/* collectd's have five parts of at most 127 bytes.  Of so many, a parcel holds
 * CW_DATA_MAX whatever the texts (parcel.c): what it does not take is lack of
 * memory. */
#define IDENTIFIER_MAX 1000

/* ---- writing ------------------------------------------------------------ */

static void put_number(struct buf *to, uint64_t number, unsigned bytes) {
  while (bytes-- > 0)
    buf_putc(to, (char)(unsigned char)(number >> (8 * bytes)));
}

static void put_text(struct buf *to, struct str text, unsigned bytes) {
  put_number(to, text.len, bytes);
  buf_put(to, text.p, text.len);
}

static void put_body(const struct parcel *parcel, struct buf *to) {
  put_number(to, (uint64_t)parcel->flush, 8);
  put_number(to, parcel->n_data, 4);
  put_text(to, str_of(parcel->namespace), 2);
  for (size_t i = 0; i < parcel->n_data; i++) {
    put_number(to, (uint64_t)parcel->data[i].time_s, 8);
    put_text(to, parcel_text(parcel, i), 4);
    put_text(to, str_of(parcel_identifier(parcel, i)), 2);
  }
}

int record_put(const struct parcel *parcel, struct buf *to) {
  static const unsigned char unknown[DIGEST_BYTES] = {0};
  unsigned char digest[DIGEST_BYTES];
  size_t at = to->len;

  buf_puts(to, MARK);
  put_number(to, VERSION, 4);
  buf_put(to, unknown, sizeof(unknown)); /* until all that follows is there */
  put_body(parcel, to);
  if (!buf_ok(to))
    return -1;
  at += DIGEST_AT;
  if (digest_sha256(to->data + at + DIGEST_BYTES, to->len - at - DIGEST_BYTES,
                    digest) != 0) {
    buf_fail(to);
    return -1;
  }
  memcpy(to->data + at, digest, sizeof(digest));
  return 0;
}

/* ---- reading ------------------------------------------------------------ */

/* Takes a number from the front of *rest; false when it is too short. */
static bool take_number(struct str *rest, unsigned bytes, uint64_t *number) {
  if (rest->len < bytes)
    return false;
  *number = 0;
  for (unsigned i = 0; i < bytes; i++)
    *number = *number << 8 | (unsigned char)rest->p[i];
  *rest = str_from(*rest, bytes);
  return true;
}

static bool take_text(struct str *rest, unsigned bytes, struct str *text) {
  uint64_t len = 0;
  if (!take_number(rest, bytes, &len) || len > rest->len)
    return false;
  *text = (struct str){rest->p, (size_t)len};
  *rest = str_from(*rest, (size_t)len);
  return memchr(text->p, '\0', text->len) == NULL;
}

static enum record_kind refuse(struct err *err, const char *why) {
  (void)err_set(err, "%s", why);
  return RECORD_DAMAGED;
}

enum record_kind record_count(struct str head, size_t *n_data,
                              struct err *err) {
  struct str rest = head;
  uint64_t version = 0, n = 0;

  if (!str_has_prefix(head, STR(MARK)))
    return refuse(err, "it does not begin as a file of the spool does");
  rest = str_from(rest, MARK_BYTES);
  if (!take_number(&rest, 4, &version))
    return refuse(err, "it is cut off");
  if (version != VERSION)
    return refuse(err, "another version of the plugin wrote it");
  if (head.len < RECORD_HEAD_BYTES)
    return refuse(err, "it is cut off");
  rest = str_from(head, RECORD_HEAD_BYTES - 4);
  if (!take_number(&rest, 4, &n) || n == 0 || n > CW_DATA_MAX)
    return refuse(err, "its number of data is impossible");
  *n_data = (size_t)n;
  return RECORD_WHOLE;
}

/* What stands in a datum's place.  The text after it is where the identifier
 * is copied to, as it has no NUL here. */
static enum record_kind take_datum(struct str *rest, struct buf *identifier,
                                   struct parcel *parcel, struct err *err) {
  uint64_t time_s = 0;
  struct str text, id;

  if (!take_number(rest, 8, &time_s) || !take_text(rest, 4, &text) ||
      !take_text(rest, 2, &id))
    return refuse(err, "a datum in it is cut off");
  if (!parcel_has_room(parcel, text.len) || id.len > IDENTIFIER_MAX)
    return refuse(err, "it holds more than a request may");
  buf_reset(identifier);
  buf_put(identifier, id.p, id.len);
  if (!buf_ok(identifier) ||
      parcel_add(parcel, text, buf_str(identifier), (int64_t)time_s) != 0)
    return RECORD_NO_MEMORY;
  return RECORD_WHOLE;
}

/* Everything behind the digest, which was right. */
static enum record_kind take_body(struct str rest, struct parcel **out,
                                  struct err *err) {
  struct buf text = BUF_INIT(UINT16_MAX);
  struct parcel *parcel = NULL;
  enum record_kind kind = RECORD_NO_MEMORY;
  uint64_t flush = 0, n = 0;
  struct str namespace = {0};

  if (!take_number(&rest, 8, &flush) || !take_number(&rest, 4, &n) ||
      !take_text(&rest, 2, &namespace) || namespace.len == 0)
    return refuse(err, "it has no namespace");
  buf_put(&text, namespace.p, namespace.len);
  if (buf_ok(&text))
    parcel = parcel_new(buf_str(&text), (int64_t)flush);
  if (parcel == NULL)
    goto out;
  kind = RECORD_WHOLE;
  for (uint64_t i = 0; i < n && kind == RECORD_WHOLE; i++)
    kind = take_datum(&rest, &text, parcel, err);
  if (kind == RECORD_WHOLE && rest.len > 0)
    kind = refuse(err, "there is more in it than its data");
  if (kind == RECORD_WHOLE) {
    *out = parcel;
    parcel = NULL;
  }
out:
  parcel_free(parcel);
  buf_clear(&text);
  return kind;
}

enum record_kind record_read(struct str bytes, struct parcel **out,
                             struct err *err) {
  unsigned char digest[DIGEST_BYTES];
  size_t n_data = 0;

  *out = NULL;
  if (record_count(bytes, &n_data, err) != RECORD_WHOLE)
    return RECORD_DAMAGED;
  if (digest_sha256(bytes.p + BODY_AT, bytes.len - BODY_AT, digest) != 0)
    return RECORD_NO_MEMORY;
  if (memcmp(digest, bytes.p + DIGEST_AT, DIGEST_BYTES) != 0)
    return refuse(err, "its checksum is wrong");
  return take_body(str_from(bytes, BODY_AT), out, err);
}
