#include "metric/record.h"

#include "base/digest.h"

#include "wire_random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FLUSH INT64_C(1700000000123)

static struct parcel *sample(void) {
  struct parcel *parcel = parcel_new("My App", FLUSH);
  assert_non_null(parcel);
  assert_int_equal(parcel_add(parcel, STR("{\"MetricName\":\"a\",\"Value\":1}"),
                              "host/memory/memory-free", 1700000000),
                   0);
  assert_int_equal(parcel_add(parcel, STR("{}"), "", -1), 0);
  assert_int_equal(
      parcel_add(parcel, STR("{\"x\":\"\xC3\xA9\"}"), "h\n\xFF/x", 0), 0);
  return parcel;
}

static void assert_same(const struct parcel *a, const struct parcel *b) {
  assert_string_equal(a->namespace, b->namespace);
  assert_int_equal(a->flush, b->flush);
  assert_int_equal(a->n_data, b->n_data);
  for (size_t i = 0; i < a->n_data; i++) {
    assert_true(str_eq(parcel_text(a, i), parcel_text(b, i)));
    assert_string_equal(parcel_identifier(a, i), parcel_identifier(b, i));
    assert_int_equal(a->data[i].time_s, b->data[i].time_s);
  }
}

static enum record_kind read(struct str bytes, struct parcel **out) {
  struct err err = {""};
  enum record_kind kind = record_read(bytes, out, &err);
  assert_true((kind == RECORD_WHOLE) == (*out != NULL));
  assert_true((kind == RECORD_DAMAGED) == (err.text[0] != '\0'));
  return kind;
}

static void reads_what_it_wrote(void **state) {
  (void)state;
  struct buf bytes = BUF_INIT(RECORD_BYTES_MAX);
  struct parcel *parcel = sample(), *again;
  size_t n_data = 0;

  assert_int_equal(record_put(parcel, &bytes), 0);
  assert_int_equal(read(str_of_buf(&bytes), &again), RECORD_WHOLE);
  assert_same(parcel, again);
  assert_int_equal(
      record_count((struct str){bytes.data, RECORD_HEAD_BYTES}, &n_data, NULL),
      RECORD_WHOLE);
  assert_int_equal(n_data, 3);
  parcel_free(again);

  /* Data that were taken out are not in it. */
  parcel_remove(parcel, 0, 2);
  buf_reset(&bytes);
  assert_int_equal(record_put(parcel, &bytes), 0);
  assert_int_equal(read(str_of_buf(&bytes), &again), RECORD_WHOLE);
  assert_same(parcel, again);
  parcel_free(again);
  parcel_free(parcel);
  buf_clear(&bytes);
}

/* What the format promises to those who wrote files before. */
static void has_the_bytes_of_version_1(void **state) {
  (void)state;
  static const unsigned char head[] = {'c', 'w', 'p', 'a', 'r', 'c',
                                       'e', 'l', 0,   0,   0,   1};
  static const unsigned char body[] = {
      0, 0, 1,   0x8b, 0xcf, 0xe5, 0x68, 0x7b, /* flush */
      0, 0, 0,   1,                            /* data */
      0, 1, 'N',                               /* namespace */
      0, 0, 0,   0,    0x65, 0x53, 0xf1, 0x00, /* time */
      0, 0, 0,   2,    '{',  '}',              /* text */
      0, 3, 'h', '/',  'x'};                   /* identifier */
  struct buf bytes = BUF_INIT(RECORD_BYTES_MAX);
  struct parcel *parcel = parcel_new("N", FLUSH);

  assert_int_equal(parcel_add(parcel, STR("{}"), "h/x", 1700000000), 0);
  assert_int_equal(record_put(parcel, &bytes), 0);
  assert_int_equal(bytes.len, sizeof(head) + 32 + sizeof(body));
  assert_memory_equal(bytes.data, head, sizeof(head));
  assert_memory_equal(bytes.data + sizeof(head) + 32, body, sizeof(body));
  parcel_free(parcel);
  buf_clear(&bytes);
}

static void refuses_any_proper_prefix(void **state) {
  (void)state;
  struct buf bytes = BUF_INIT(RECORD_BYTES_MAX);
  struct parcel *parcel = sample(), *none;

  assert_int_equal(record_put(parcel, &bytes), 0);
  for (size_t len = 0; len < bytes.len; len++) {
    struct str prefix = {bytes.data, len};
    size_t n_data = 0;
    struct err err = {""};
    assert_int_equal(read(prefix, &none), RECORD_DAMAGED);
    enum record_kind kind = record_count(prefix, &n_data, &err);
    assert_int_equal(kind,
                     len < RECORD_HEAD_BYTES ? RECORD_DAMAGED : RECORD_WHOLE);
  }
  buf_putc(&bytes, '\0');
  assert_int_equal(read(str_of_buf(&bytes), &none), RECORD_DAMAGED);
  parcel_free(parcel);
  buf_clear(&bytes);
}

static void refuses_any_changed_bit(void **state) {
  (void)state;
  struct buf bytes = BUF_INIT(RECORD_BYTES_MAX);
  struct parcel *parcel = sample(), *none;

  assert_int_equal(record_put(parcel, &bytes), 0);
  for (size_t i = 0; i < bytes.len; i++)
    for (int bit = 0; bit < 8; bit++) {
      bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
      assert_int_equal(read(str_of_buf(&bytes), &none), RECORD_DAMAGED);
      bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
    }
  parcel_free(parcel);
  buf_clear(&bytes);
}

static void names_what_is_wrong(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t len;
    const char *why;
  } cases[] = {
      {"", 0, "does not begin as"},
      {"hello, world", 12, "does not begin as"},
      {"cwparcel", 8, "cut off"},
      {"cwparcel\0\0\0\2", 12, "another version"},
      {"cwparcel\0\0\0\1", 12, "cut off"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct parcel *none;
    struct err err = {""};
    assert_int_equal(
        record_read((struct str){cases[i].bytes, cases[i].len}, &none, &err),
        RECORD_DAMAGED);
    assert_non_null(strstr(err.text, cases[i].why));
  }
}

/* A full parcel of the longest texts. */
static void holds_the_largest_parcel(void **state) {
  (void)state;
  struct buf bytes = BUF_INIT(RECORD_BYTES_MAX), text = BUF_INIT(2000);
  struct parcel *parcel = parcel_new("N", FLUSH), *again;
  char identifier[5 * 127 + 5];

  memset(identifier, 'i', sizeof(identifier));
  identifier[sizeof(identifier) - 1] = '\0';
  for (int i = 0; i < 990; i++)
    buf_putc(&text, 'x');
  while (parcel_has_room(parcel, text.len))
    assert_int_equal(parcel_add(parcel, str_of_buf(&text), identifier, 0), 0);
  assert_true(parcel->n_data > 900);
  assert_int_equal(record_put(parcel, &bytes), 0);
  assert_int_equal(read(str_of_buf(&bytes), &again), RECORD_WHOLE);
  assert_same(parcel, again);
  parcel_free(again);
  parcel_free(parcel);
  buf_clear(&text);
  buf_clear(&bytes);
}

static void put_number(struct buf *to, uint64_t number, unsigned bytes) {
  while (bytes-- > 0)
    buf_putc(to, (char)(unsigned char)(number >> (8 * bytes)));
}

/* The record of n data with identifiers of so many bytes. */
static void put_long_identifiers(struct buf *to, size_t n, size_t bytes) {
  unsigned char digest[DIGEST_BYTES] = {0};

  buf_reset(to);
  buf_puts(to, "cwparcel");
  put_number(to, 1, 4);
  buf_put(to, digest, sizeof(digest));
  put_number(to, (uint64_t)FLUSH, 8);
  put_number(to, n, 4);
  put_number(to, 1, 2);
  buf_putc(to, 'N');
  for (size_t i = 0; i < n; i++) {
    put_number(to, 1700000000, 8);
    put_number(to, 2, 4);
    buf_puts(to, "{}");
    put_number(to, bytes, 2);
    for (size_t k = 0; k < bytes; k++)
      buf_putc(to, 'i');
  }
  assert_true(buf_ok(to));
  assert_int_equal(digest_sha256(to->data + 44, to->len - 44, digest), 0);
  memcpy(to->data + 12, digest, sizeof(digest));
}

/* What is taken for lack of memory is tried again for ever. */
static void refuses_more_identifiers_than_a_parcel_holds(void **state) {
  (void)state;
  struct buf bytes = BUF_INIT(RECORD_BYTES_MAX);
  struct parcel *parcel;

  put_long_identifiers(&bytes, 1, 1001);
  assert_int_equal(read(str_of_buf(&bytes), &parcel), RECORD_DAMAGED);
  put_long_identifiers(&bytes, CW_DATA_MAX, 2100);
  assert_int_equal(read(str_of_buf(&bytes), &parcel), RECORD_DAMAGED);
  put_long_identifiers(&bytes, CW_DATA_MAX, 1000);
  assert_int_equal(read(str_of_buf(&bytes), &parcel), RECORD_WHOLE);
  parcel_free(parcel);
  buf_clear(&bytes);
}

static void survives_random_parcels(void **state) {
  (void)state;
  struct wire_random random = wire_random_new("record");
  struct buf bytes = BUF_INIT(RECORD_BYTES_MAX), text = BUF_INIT(4000);

  for (int round = 0; round < 300; round++) {
    struct parcel *parcel =
        parcel_new(wire_often(&random, 50) ? "A" : "b/c d", round);
    struct parcel *again;
    size_t n = 1 + wire_below(&random, 40);
    for (size_t i = 0; i < n; i++) {
      buf_reset(&text);
      for (size_t k = wire_below(&random, 300); k > 0; k--)
        buf_putc(&text, (char)(1 + wire_below(&random, 255)));
      assert_int_equal(parcel_add(parcel, str_of_buf(&text), buf_str(&text),
                                  (int64_t)wire_below(&random, 1u << 31)),
                       0);
    }
    buf_reset(&bytes);
    assert_int_equal(record_put(parcel, &bytes), 0);
    assert_int_equal(read(str_of_buf(&bytes), &again), RECORD_WHOLE);
    assert_same(parcel, again);
    parcel_free(again);
    parcel_free(parcel);
  }
  buf_clear(&bytes);
  buf_clear(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_it_wrote),
      cmocka_unit_test(has_the_bytes_of_version_1),
      cmocka_unit_test(refuses_any_proper_prefix),
      cmocka_unit_test(refuses_any_changed_bit),
      cmocka_unit_test(names_what_is_wrong),
      cmocka_unit_test(holds_the_largest_parcel),
      cmocka_unit_test(refuses_more_identifiers_than_a_parcel_holds),
      cmocka_unit_test(survives_random_parcels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
