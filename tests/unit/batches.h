/* batches: a batch and a writer for the tests of what goes into a request. */
#ifndef TESTS_BATCHES_H
#define TESTS_BATCHES_H

#include "metric/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct batches {
  struct json_out *json;
  struct batch batch;
};

/* For cmocka_run_group_tests(): *state is a struct batches. */
static inline int batches_set_up(void **state) {
  static struct batches batches;
  batches = (struct batches){.json = json_out_new(), .batch = BATCH_INIT};
  *state = &batches;
  return batches.json == NULL ? -1 : 0;
}

static inline int batches_tear_down(void **state) {
  struct batches *b = *state;
  json_out_free(b->json);
  batch_clear(&b->batch);
  batch_clear(&b->batch);
  return 0;
}

/* Begins a body for the namespace "N". */
static inline void batches_begin(struct batches *b, enum protocol protocol) {
  struct err err = {""};
  if (batch_begin(&b->batch, protocol, b->json, "N", &err) != 0)
    fail_msg("%s", err.text);
}

/* Completes it, which is within the limits then. */
static inline void batches_end(struct batches *b) {
  struct err err = {""};
  if (batch_end(&b->batch, &err) != 0)
    fail_msg("%s", err.text);
  assert_true(b->batch.body.len <= CW_BODY_MAX);
  assert_true(b->batch.n_data <= CW_DATA_MAX);
}

#endif
