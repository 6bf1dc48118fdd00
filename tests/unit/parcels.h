/* parcels: made to be told apart, and compared as a whole. */
#ifndef TESTS_PARCELS_H
#define TESTS_PARCELS_H

#include "metric/parcel.h"
#include "metric/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* n data of one flush, whose texts and identifiers no other parcel has that was
 * made; the first of the flush's time, each other a second before. */
static inline struct parcel *make_parcel(const char *namespace, int64_t flush,
                                         size_t n) {
  static unsigned serial;
  struct parcel *parcel = parcel_new(namespace, flush);
  assert_non_null(parcel);
  serial++;
  for (size_t i = 0; i < n; i++) {
    char text[64], identifier[64];
    (void)snprintf(text, sizeof(text), "{\"Value\":%u.%zu}", serial, i);
    (void)snprintf(identifier, sizeof(identifier), "h/p-%u/t-%zu", serial, i);
    assert_int_equal(
        parcel_add(parcel, str_of(text), identifier, flush / 1000 - (int64_t)i),
        0);
  }
  return parcel;
}

/* The same again, without place in a list or in the spool. */
static inline struct parcel *copy_parcel(const struct parcel *parcel) {
  struct parcel *copy = parcel_new(parcel->namespace, parcel->flush);
  assert_non_null(copy);
  for (size_t i = 0; i < parcel->n_data; i++)
    assert_int_equal(parcel_add(copy, parcel_text(parcel, i),
                                parcel_identifier(parcel, i),
                                parcel->data[i].time_s),
                     0);
  return copy;
}

static inline bool is_same_parcel(const struct parcel *a,
                                  const struct parcel *b) {
  if (strcmp(a->namespace, b->namespace) != 0 || a->flush != b->flush ||
      a->n_data != b->n_data || a->text_bytes != b->text_bytes)
    return false;
  for (size_t i = 0; i < a->n_data; i++)
    if (!str_eq(parcel_text(a, i), parcel_text(b, i)) ||
        strcmp(parcel_identifier(a, i), parcel_identifier(b, i)) != 0 ||
        a->data[i].time_s != b->data[i].time_s)
      return false;
  return true;
}

static inline void assert_same_parcel(const struct parcel *a,
                                      const struct parcel *b) {
  assert_true(is_same_parcel(a, b));
}

#endif
