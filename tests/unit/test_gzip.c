#include "base/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#define SIZE_LIMIT ((size_t)1 << 20)

/* Bytes that compress well, badly, or not at all. */
static void fill(unsigned char *bytes, size_t len, int kind) {
  uint32_t noise = 12345;
  for (size_t i = 0; i < len; i++) {
    noise = noise * 1664525u + 1013904223u;
    bytes[i] = kind == 0   ? 'x'
               : kind == 1 ? (unsigned char)('a' + (noise >> 24) % 8)
                           : (unsigned char)(noise >> 24);
  }
}

static size_t inflate_all(const struct buf *in, size_t from, unsigned char *to,
                          size_t room) {
  z_stream stream = {.next_in = (Bytef *)in->data + from,
                     .avail_in = (uInt)(in->len - from),
                     .next_out = to,
                     .avail_out = (uInt)room};
  assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
  assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
  assert_int_equal(stream.avail_in, 0);
  inflateEnd(&stream);
  return room - stream.avail_out;
}

static void reads_back_the_same(void **state) {
  (void)state;
  static const size_t sizes[] = {0,    1,    100,    4095,      4096,
                                 4097, 8192, 100000, SIZE_LIMIT};
  unsigned char *bytes = malloc(SIZE_LIMIT), *back = malloc(SIZE_LIMIT + 1);
  assert_non_null(bytes);
  assert_non_null(back);
  for (int kind = 0; kind < 3; kind++)
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
      struct buf out = BUF_INIT(2 * SIZE_LIMIT);
      fill(bytes, sizes[i], kind);
      buf_puts(&out, "before");
      assert_int_equal(gzip_put(&out, bytes, sizes[i]), 0);
      assert_memory_equal(out.data, "before", 6);
      if (inflate_all(&out, 6, back, SIZE_LIMIT + 1) != sizes[i] ||
          memcmp(back, bytes, sizes[i]) != 0)
        fail_msg("%zu bytes of kind %d", sizes[i], kind);
      buf_clear(&out);
    }
  free(bytes);
  free(back);
}

static void the_header_tells_no_time_and_no_name(void **state) {
  (void)state;
  struct buf out = BUF_INIT(100);
  assert_int_equal(gzip_put(&out, "text", 4), 0);
  /* Magic number, deflate, no flags, time 0 (RFC 1952 section 2.3). */
  assert_memory_equal(out.data, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8);
  buf_clear(&out);
}

static void nothing_given_is_a_whole_member(void **state) {
  (void)state;
  unsigned char back[1];
  struct buf out = BUF_INIT(100);
  assert_int_equal(gzip_put(&out, NULL, 0), 0);
  assert_int_equal(inflate_all(&out, 0, back, sizeof(back)), 0);
  buf_clear(&out);
}

static void one_byte_too_much_fails(void **state) {
  (void)state;
  struct buf out = BUF_INIT(1000);
  assert_int_equal(gzip_put(&out, "some text", 9), 0);
  size_t len = out.len;
  buf_clear(&out);

  out.limit = len;
  assert_int_equal(gzip_put(&out, "some text", 9), 0);
  buf_clear(&out);

  out.limit = len - 1;
  assert_int_equal(gzip_put(&out, "some text", 9), -1);
  assert_false(buf_ok(&out));
  assert_int_equal(gzip_put(&out, "", 0), -1); /* and stays failed */
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_back_the_same),
      cmocka_unit_test(the_header_tells_no_time_and_no_name),
      cmocka_unit_test(nothing_given_is_a_whole_member),
      cmocka_unit_test(one_byte_too_much_fails),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
