#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The ways to append the first len bytes of text. */
static void by_put(struct buf *b, const char *text, size_t len) {
  buf_put(b, text, len);
}

static void by_bytes(struct buf *b, const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    buf_putc(b, text[i]);
}

static void by_printf(struct buf *b, const char *text, size_t len) {
  buf_printf(b, "%.*s", (int)len, text);
}

static void by_puts(struct buf *b, const char *text, size_t len) {
  char copy[256];
  memcpy(copy, text, len);
  copy[len] = '\0';
  buf_puts(b, copy);
}

static void by_reserve(struct buf *b, const char *text, size_t len) {
  buf_reserve(b, len);
  buf_put(b, text, len);
}

static void by_extend(struct buf *b, const char *text, size_t len) {
  char *added = len > 0 ? buf_extend(b, len) : NULL;
  if (added != NULL)
    memcpy(added, text, len);
  assert_true(len == 0 || (added != NULL) == buf_ok(b));
}

static const struct {
  const char *label;
  void (*append)(struct buf *b, const char *text, size_t len);
} ways[] = {
    {"buf_put", by_put},         {"buf_putc", by_bytes},
    {"buf_printf", by_printf},   {"buf_puts", by_puts},
    {"buf_reserve", by_reserve}, {"buf_extend", by_extend},
};

#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static char sample[256];

static int fill_sample(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(sample); i++)
    sample[i] = (char)('a' + i % 26);
  return 0;
}

/* Appends first and second and checks that the buffer is complete or failed,
 * never cut. */
static void check_two(struct buf *b, size_t way, size_t first, size_t second,
                      size_t limit) {
  ways[way].append(b, sample, first);
  ways[way].append(b, sample + first, second);

  assert_true(b->data == NULL || b->cap > b->len);
  bool fits = first + second <= limit;
  size_t want = fits ? first + second : 0;
  if (buf_ok(b) != fits || b->len != want || strlen(buf_str(b)) != want ||
      memcmp(buf_str(b), sample, want) != 0)
    fail_msg("%s: %zu and %zu bytes, limit %zu", ways[way].label, first, second,
             limit);

  buf_puts(b, ""); /* nothing revives a failed buffer but a reset */
  assert_int_equal(buf_ok(b), fits);
  buf_reset(b);
  assert_true(buf_ok(b));
  assert_string_equal(buf_str(b), "");
}

static void is_complete_or_failed_at_each_limit(void **state) {
  (void)state;
  for (size_t way = 0; way < N_WAYS; way++)
    for (size_t limit = 0; limit < 70; limit++)
      for (size_t first = 0; first < 70; first++)
        for (size_t second = 0; second < 4; second++) {
          struct buf b = BUF_INIT(limit);
          check_two(&b, way, first, second, limit);
          check_two(&b, way, second, first, limit); /* with used memory */
          assert_true(b.cap <= limit + 1);
          buf_clear(&b);
        }
}

static void keeps_to_a_borrowed_array(void **state) {
  (void)state;
  for (size_t way = 0; way < N_WAYS; way++)
    for (size_t first = 0; first < 20; first++)
      for (size_t second = 0; second < 20; second++) {
        struct {
          char array[16], after;
        } m = {.after = '#'};
        struct buf b = BUF_OVER(m.array);
        check_two(&b, way, first, second, sizeof(m.array) - 1);
        assert_ptr_equal(b.data, m.array);
        assert_int_equal(m.after, '#');
        buf_clear(&b);
        assert_ptr_equal(b.data, m.array);
      }
}

static void a_failed_buffer_stays_quiet(void **state) {
  (void)state;
  struct buf b = BUF_INIT(4);
  buf_puts(&b, "12345");
  for (size_t way = 0; way < N_WAYS; way++) {
    ways[way].append(&b, "x", 1);
    assert_false(buf_ok(&b));
    assert_string_equal(buf_str(&b), "");
  }
  buf_clear(&b);
  assert_true(buf_ok(&b));
  buf_puts(&b, "1234");
  assert_string_equal(buf_str(&b), "1234");
  buf_fail(&b);
  assert_false(buf_ok(&b));
  assert_string_equal(buf_str(&b), "");
  buf_clear(&b);
  buf_clear(&b);
}

static void lengths_near_the_end_of_size_t_fail(void **state) {
  (void)state;
  struct buf b = BUF_INIT(SIZE_MAX);
  buf_puts(&b, "abc");
  buf_reserve(&b, SIZE_MAX - 3);
  assert_false(buf_ok(&b));
  buf_reset(&b);
  buf_puts(&b, "abc");
  buf_reserve(&b, SIZE_MAX);
  assert_false(buf_ok(&b));
  buf_clear(&b);
}

/* Room that cannot be made costs nothing of what is there. */
static void keeps_what_it_has_no_room_beside(void **state) {
  (void)state;
  struct buf b = BUF_INIT(100);
  assert_true(buf_make_room(&b, 60));
  buf_put(&b, sample, 60);
  const char *data = b.data;
  for (size_t len = 41; len != 0; len *= 2)
    assert_false(buf_make_room(&b, len));
  assert_false(buf_make_room(&b, SIZE_MAX));
  assert_true(buf_ok(&b) && b.len == 60 && b.data == data);
  assert_memory_equal(b.data, sample, 60);

  assert_true(buf_make_room(&b, 40));
  assert_int_equal(b.len, 60);
  assert_in_range(b.cap, 101, 101);
  buf_fail(&b);
  assert_false(buf_make_room(&b, 1));
  assert_false(buf_ok(&b));
  buf_clear(&b);
}

static void reserved_room_is_not_moved(void **state) {
  (void)state;
  struct buf b = BUF_INIT(1000);
  buf_reserve(&b, 1000);
  const char *before = b.data;
  for (int i = 0; i < 1000; i++)
    buf_putc(&b, 'x');
  assert_ptr_equal(before, b.data);
  assert_true(buf_ok(&b));
  buf_clear(&b);
}

static void appending_byte_by_byte_grows_rarely(void **state) {
  (void)state;
  struct buf b = BUF_INIT(1 << 20);
  size_t grown = 0;
  for (size_t i = 0; i < 1 << 20; i++) {
    size_t before = b.cap;
    buf_putc(&b, 'x');
    grown += before != b.cap;
  }
  assert_true(buf_ok(&b));
  assert_in_range(grown, 2, 20);
  buf_clear(&b);
}

static void holds_bytes_of_value_zero(void **state) {
  (void)state;
  struct buf b = BUF_INIT(10);
  buf_put(&b, "a\0b", 3);
  buf_printf(&b, "%c", '\0');
  assert_int_equal(b.len, 4);
  assert_memory_equal(b.data, "a\0b\0", 5);
  buf_clear(&b);
}

static void cuts_only_what_is_there(void **state) {
  (void)state;
  struct buf b = BUF_INIT(10);
  buf_cut(&b, 0);
  buf_cut(&b, 3);
  buf_puts(&b, "abcdef");
  buf_cut(&b, 7);
  assert_string_equal(buf_str(&b), "abcdef");
  buf_cut(&b, 2);
  assert_string_equal(buf_str(&b), "ab");
  buf_puts(&b, "x");
  assert_string_equal(buf_str(&b), "abx");
  buf_cut(&b, 0);
  assert_string_equal(buf_str(&b), "");
  buf_clear(&b);
}

static void wiping_leaves_zeros(void **state) {
  (void)state;
  char array[32];
  static const char zeros[32];
  struct buf b = BUF_OVER(array);
  memset(array, 'x', sizeof(array));
  buf_puts(&b, "secret");
  buf_fail(&b);
  buf_wipe(&b);
  assert_memory_equal(array, zeros, sizeof(zeros));
  assert_true(buf_ok(&b));

  struct buf heap = BUF_INIT(10);
  buf_wipe(&heap);
  buf_puts(&heap, "secret");
  buf_wipe(&heap);
  assert_null(heap.data);
  assert_string_equal(buf_str(&heap), "");
}

static void moving_hands_the_bytes_over(void **state) {
  (void)state;
  struct buf from = BUF_INIT(10), to = BUF_INIT(8);
  buf_puts(&from, "12345678");
  buf_puts(&to, "old");
  const char *bytes = from.data;
  buf_move(&to, &from);
  assert_ptr_equal(to.data, bytes);
  assert_string_equal(buf_str(&to), "12345678");
  assert_int_equal(to.limit, 8);
  assert_null(from.data);
  assert_int_equal(from.len, 0);
  buf_move(&to, &to);
  assert_string_equal(buf_str(&to), "12345678");

  buf_puts(&from, "123456789"); /* more than the other may hold */
  buf_move(&to, &from);
  assert_false(buf_ok(&to));
  assert_true(buf_ok(&from));
  assert_null(from.data);

  buf_reset(&to);
  buf_fail(&from);
  buf_move(&to, &from);
  assert_false(buf_ok(&to));
  buf_clear(&to);
  buf_clear(&from);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_complete_or_failed_at_each_limit),
      cmocka_unit_test(keeps_to_a_borrowed_array),
      cmocka_unit_test(a_failed_buffer_stays_quiet),
      cmocka_unit_test(lengths_near_the_end_of_size_t_fail),
      cmocka_unit_test(keeps_what_it_has_no_room_beside),
      cmocka_unit_test(reserved_room_is_not_moved),
      cmocka_unit_test(appending_byte_by_byte_grows_rarely),
      cmocka_unit_test(holds_bytes_of_value_zero),
      cmocka_unit_test(cuts_only_what_is_there),
      cmocka_unit_test(wiping_leaves_zeros),
      cmocka_unit_test(moving_hands_the_bytes_over),
  };
  return cmocka_run_group_tests(tests, fill_sample, NULL);
}
