/* What waits, when it is more than memory holds, and at the end; what is sent
 * and answered is in tests/fault/oom_send.c and tests/e2e. */
#include "run/clock.h"
#include "run/delivery.h"

#include "disk.h"
#include "folder.h"
#include "heard.h"
#include "parcels.h"

static char directory[100];
static struct sender_options options = {.node = T(""),
                                        .spool_directory = directory,
                                        .spool_limit_bytes = 1 << 20,
                                        .buffer_limit_bytes = 1 << 20};
static struct session *session;
static struct delivery *delivery;

static int begin(void **state) {
  if (fresh_folder(state) != 0 || fresh_disk(state) != 0)
    return -1;
  (void)snprintf(directory, sizeof(directory), "%s/above/spool", disk);
  session = open_session(NULL);
  delivery = delivery_new(&options, session);
  said[0] = '\0';
  return delivery != NULL ? 0 : -1;
}

static int end(void **state) {
  delivery_free(delivery);
  session_free(session);
  return remove_disk(state) + remove_folder(state);
}

/* Also if it was tried in vain a moment ago. */
static void the_end_tries_the_spool_at_once(void **state) {
  (void)state;
  delivery_open_spool(delivery);
  assert_non_null(strstr(said, "the spool cannot be used"));
  delivery_put(delivery, make_parcel("N", clock_wall_ms(), 3));
  assert_int_equal(mkdir(on_disk("above"), 0700), 0);
  delivery_keep(delivery);
  assert_false(is_there(directory));

  delivery_let_go(delivery);
  assert_int_equal(count_names(directory, ".parcel"), 1);
  assert_int_equal(delivery->count.lost, 0);
  assert_null(strstr(said, "are lost"));
}

/* It came back from the spool, as it was alone; each datum that is named is
 * taken out of it. */
static void a_parcel_larger_than_memory_is_mended(void **state) {
  (void)state;
  struct batch *batch = &delivery->batch;
  struct err err = {""};
  assert_int_equal(mkdir(on_disk("above"), 0700), 0);
  delivery_open_spool(delivery);
  delivery_limit(delivery, 1);
  delivery_put(delivery, make_parcel("N", clock_wall_ms(), 5));
  assert_null(delivery->outbox.newest);

  struct parcel *parcel = outbox_next(&delivery->outbox, NULL, NULL, INT64_MIN);
  assert_non_null(parcel);
  struct parcel *left = copy_parcel(parcel);
  parcel_remove(left, 1, 3);
  assert_int_equal(batch_begin(batch, PROTOCOL_JSON, delivery->json, "N", &err),
                   0);
  assert_int_equal(batch_add(batch, parcel, &err), 5);
  delivery->reply =
      (struct reply){.outcome = OUTCOME_MEND,
                     .code = "InvalidParameterValue",
                     .refused = {{1, false}, {2, false}, {3, false}},
                     .n_refused = 3};
  delivery_settle(delivery);
  assert_int_equal(delivery->count.refused, 3);
  assert_ptr_equal(delivery->outbox.newest, parcel);
  assert_same_parcel(parcel, left);
  parcel_free(left);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_end_tries_the_spool_at_once, begin,
                                      end),
      cmocka_unit_test_setup_teardown(a_parcel_larger_than_memory_is_mended,
                                      begin, end),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
