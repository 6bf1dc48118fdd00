#include "metric/encode_json.h"

#include "batches.h"
#include "wire_random.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define JSON_FRAME "{\"Namespace\":\"N\",\"MetricData\":[]}"

static struct parcel *parcel_of(size_t n, const char *text) {
  struct parcel *parcel = parcel_new("N", 0);
  assert_non_null(parcel);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(parcel_add(parcel, str_of(text), "id", 0), 0);
  return parcel;
}

/* A parcel of one datum whose text has just so many bytes, all but few of them
 * the character given: a JSON object with one member. */
static struct parcel *parcel_of_bytes(size_t bytes, char fill) {
  static const char before[] = "{\"MetricName\":\"", after[] = "\"}";
  struct buf text = BUF_INIT(CW_BODY_MAX);
  buf_puts(&text, before);
  while (text.len < bytes - (sizeof(after) - 1))
    buf_putc(&text, fill);
  buf_puts(&text, after);
  assert_int_equal(text.len, bytes);
  struct parcel *parcel = parcel_of(1, buf_str(&text));
  buf_clear(&text);
  return parcel;
}

static void joins_parcels(void **state) {
  struct batches *f = *state;
  struct err err;
  static const char query[] =
      "Action=PutMetricData&Version=2010-08-01&Namespace=N"
      "&MetricData.member.1.Value=1&MetricData.member.2.Value=1"
      "&MetricData.member.3.Value=2";
  struct parcel *first = parcel_of(2, "{\"Value\":1}");
  struct parcel *second = parcel_of(1, "{\"Value\":2}");

  batches_begin(f, PROTOCOL_JSON);
  assert_int_equal(batch_add(&f->batch, first, &err), 2);
  assert_int_equal(batch_add(&f->batch, second, &err), 1);
  batches_end(f);
  assert_string_equal(buf_str(&f->batch.body),
                      "{\"Namespace\":\"N\",\"MetricData\":[{\"Value\":1},"
                      "{\"Value\":1},{\"Value\":2}]}");

  batches_begin(f, PROTOCOL_QUERY);
  assert_int_equal(batch_add(&f->batch, first, &err), 2);
  assert_int_equal(batch_add(&f->batch, second, &err), 1);
  batches_end(f);
  assert_string_equal(buf_str(&f->batch.body), query);

  struct parcel *parcel = NULL;
  size_t datum = 99;
  assert_true(batch_where(&f->batch, 1, &parcel, &datum));
  assert_true(parcel == first && datum == 1);
  assert_true(batch_where(&f->batch, 2, &parcel, &datum));
  assert_true(parcel == second && datum == 0);
  assert_false(batch_where(&f->batch, 3, &parcel, &datum));
  assert_false(batch_where(&f->batch, SIZE_MAX, &parcel, &datum));
  parcel_free(first);
  parcel_free(second);
}

static void does_not_send_nothing(void **state) {
  struct batches *f = *state;
  struct err err = {""};
  struct parcel *empty = parcel_of(0, "");
  batches_begin(f, PROTOCOL_JSON);
  assert_int_equal(batch_add(&f->batch, empty, &err), 0);
  assert_int_equal(f->batch.n_parts, 0);
  assert_int_equal(batch_end(&f->batch, &err), -1);
  assert_true(err.text[0] != '\0');
  parcel_free(empty);
}

static void refuses_a_namespace_that_is_no_text(void **state) {
  struct batches *f = *state;
  struct err err = {""};
  assert_int_equal(batch_begin(&f->batch, PROTOCOL_JSON, f->json, "\xff", &err),
                   -1);
  assert_true(err.text[0] != '\0');
}

static void stops_at_the_last_datum(void **state) {
  struct batches *f = *state;
  struct err err;
  struct parcel *first = parcel_of(999, "{\"Value\":1}");
  struct parcel *second = parcel_of(3, "{\"Value\":2}");
  for (int i = 0; i < 2; i++) {
    batches_begin(f, i == 0 ? PROTOCOL_JSON : PROTOCOL_QUERY);
    assert_int_equal(batch_add(&f->batch, first, &err), 999);
    assert_int_equal(batch_add(&f->batch, second, &err), 1);
    assert_int_equal(batch_add(&f->batch, second, &err), 0);
    assert_int_equal(f->batch.n_data, CW_DATA_MAX);
    batches_end(f);
  }
  parcel_free(first);
  parcel_free(second);
}

static void takes_as_many_as_it_may(void **state) {
  struct batches *f = *state;
  static const struct {
    size_t max_data, want;
  } cases[] = {{0, 0}, {1, 1}, {999, 999}, {1800, CW_DATA_MAX}};
  struct parcel *a = parcel_of(700, "{}"), *b = parcel_of(700, "{}");
  struct err err;
  for (size_t i = 0; i < N(cases); i++) {
    batches_begin(f, PROTOCOL_JSON);
    f->batch.max_data = cases[i].max_data;
    (void)batch_add(&f->batch, a, &err);
    (void)batch_add(&f->batch, b, &err);
    assert_int_equal(f->batch.n_data, cases[i].want);
  }
  parcel_free(a);
  parcel_free(b);
}

static void stops_at_the_last_parcel(void **state) {
  struct batches *f = *state;
  struct err err;
  struct parcel *parcel = parcel_of(1, "{\"Value\":1}");
  batches_begin(f, PROTOCOL_JSON);
  for (size_t i = 0; i < BATCH_PARCELS_MAX; i++)
    assert_int_equal(batch_add(&f->batch, parcel, &err), 1);
  assert_int_equal(batch_add(&f->batch, parcel, &err), 0);
  batches_end(f);
  parcel_free(parcel);
}

static const struct {
  const char *label;
  enum protocol protocol;
  size_t first_bytes, second_bytes; /* of JSON text */
  size_t want;                      /* how many of both fit */
  size_t body;                      /* bytes at the end, 0: not looked at */
} byte_cases[] = {
    {"to the last byte", PROTOCOL_JSON, 900000,
     100000 - sizeof(JSON_FRAME ",") + 1, 2, CW_BODY_MAX},
    {"one byte too many", PROTOCOL_JSON, 900000,
     100000 - sizeof(JSON_FRAME ",") + 2, 1, 0},
    /* 51 bytes of frame, 32 around each name, and of its text all but 17. */
    {"Query to the last byte", PROTOCOL_QUERY, 900017, 100017 - 51 - 2 * 32, 2,
     CW_BODY_MAX},
    {"Query, one byte too many", PROTOCOL_QUERY, 900017, 100018 - 51 - 2 * 32,
     1, 0},
};

static void counts_every_byte(void **state) {
  struct batches *f = *state;
  for (size_t i = 0; i < N(byte_cases); i++) {
    struct err err = {""};
    struct parcel *first = parcel_of_bytes(byte_cases[i].first_bytes, 'a');
    struct parcel *second = parcel_of_bytes(byte_cases[i].second_bytes, 'b');
    batches_begin(f, byte_cases[i].protocol);
    size_t n = batch_add(&f->batch, first, &err);
    n += batch_add(&f->batch, second, &err);
    batches_end(f);
    if (n != byte_cases[i].want || n != f->batch.n_data ||
        n != f->batch.n_parts ||
        (byte_cases[i].body != 0 && f->batch.body.len != byte_cases[i].body))
      fail_msg("%s: %zu data, %zu bytes", byte_cases[i].label, n,
               f->batch.body.len);
    if (n == 1 && strstr(buf_str(&f->batch.body), "bb") != NULL)
      fail_msg("%s: something stayed", byte_cases[i].label);
    parcel_free(first);
    parcel_free(second);
  }
}

/* 500,000 percent signs are three times as many in a Query body. */
static void never_takes_what_cannot_fit(void **state) {
  struct batches *f = *state;
  struct err err = {""};
  struct parcel *large = parcel_of_bytes(500000, '%');
  struct parcel *small = parcel_of(1, "{\"Value\":1}");
  batches_begin(f, PROTOCOL_QUERY);
  assert_int_equal(batch_add(&f->batch, large, &err), 0);
  assert_true(err.text[0] != '\0');
  assert_true(buf_ok(&f->batch.body));
  assert_int_equal(batch_add(&f->batch, small, &err), 1);
  batches_end(f);
  assert_string_equal(buf_str(&f->batch.body),
                      "Action=PutMetricData&Version=2010-08-01&Namespace=N"
                      "&MetricData.member.1.Value=1");
  parcel_free(large);
  parcel_free(small);
}

static void says_when_there_is_no_memory(void **state) {
  struct batches *f = *state;
  struct err err = {""};
  struct parcel *parcel = parcel_of(1, "{\"Value\":1}");
  for (int i = 0; i < 2; i++) {
    batches_begin(f, i == 0 ? PROTOCOL_JSON : PROTOCOL_QUERY);
    buf_fail(&f->batch.body);
    assert_int_equal(batch_add(&f->batch, parcel, &err), 0);
    assert_int_equal(batch_end(&f->batch, &err), -1);
    assert_true(err.text[0] != '\0');
  }
  parcel_free(parcel);
}

/* ---- random parcels, joined until all are gone -------------------------- */

#define N_RANDOM_PARCELS 8

static void fill_randomly(struct wire_random *random, struct json_out *json,
                          struct parcel *parcel) {
  static struct wire_datum data;
  size_t n = 1 + wire_below(random, 400);
  bool heavy = wire_often(random, 50);
  for (size_t i = 0; i < n; i++) {
    struct buf text = BUF_INIT(CW_BODY_MAX);
    wire_fill(random, &data);
    if (heavy && wire_often(random, 50)) {
      data.datum.form = DATUM_VALUES;
      data.datum.n_values = CW_VALUES_MAX;
      for (size_t k = 0; k < CW_VALUES_MAX; k++) {
        data.values[k] = wire_double(random);
        data.counts[k] = 2;
      }
    }
    assert_int_equal(encode_json_datum(json, &data.datum, &text), 0);
    int rc = parcel_add(parcel, (struct str){buf_str(&text), text.len}, "id",
                        (int64_t)i);
    buf_clear(&text);
    if (rc != 0)
      return;
  }
}

/* The JSON body holds the texts of the data that batch_where() names. */
static void assert_json_body(const struct batch *batch) {
  struct buf want = BUF_INIT(2 * CW_BODY_MAX);
  buf_puts(&want, "{\"Namespace\":\"N\",\"MetricData\":[");
  for (size_t i = 0; i < batch->n_data; i++) {
    struct parcel *parcel = NULL;
    size_t datum = 0;
    assert_true(batch_where(batch, i, &parcel, &datum));
    struct str text = parcel_text(parcel, datum);
    if (i > 0)
      buf_putc(&want, ',');
    buf_put(&want, text.p, text.len);
  }
  buf_puts(&want, "]}");
  assert_int_equal(batch->body.len, want.len);
  assert_memory_equal(buf_str(&batch->body), buf_str(&want), want.len);

  struct err err = {""};
  struct json *body =
      json_parse((struct str){buf_str(&batch->body), batch->body.len}, &err);
  if (body == NULL)
    fail_msg("%s", err.text);
  assert_int_equal(json_count(json_get(body, "MetricData")), batch->n_data);
  json_free(body);
  buf_clear(&want);
}

/* The Query body ends in a whole parameter of the last datum. */
static void assert_query_body(const struct batch *batch) {
  char last[64], beyond[64];
  const char *body = buf_str(&batch->body);
  snprintf(last, sizeof(last), "&MetricData.member.%zu.", batch->n_data);
  snprintf(beyond, sizeof(beyond), "&MetricData.member.%zu.",
           batch->n_data + 1);
  assert_non_null(strstr(body, last));
  assert_null(strstr(body, beyond));
  const char *end = strrchr(body, '&');
  assert_memory_equal(end, last, strlen(last));
  assert_non_null(strchr(end, '='));
}

/* Takes what fits from the parcels, in order; what was taken is removed, as
 * after an answer.  Returns how many data were sent. */
static size_t send_once(struct batches *f, enum protocol protocol,
                        struct parcel **parcels) {
  struct err err;
  bool full = false;
  batches_begin(f, protocol);
  for (size_t i = 0; i < N_RANDOM_PARCELS && !full; i++)
    full = batch_add(&f->batch, parcels[i], &err) < parcels[i]->n_data;
  batches_end(f);

  size_t n = f->batch.n_data, next = f->batch.n_parts - 1;
  if (protocol == PROTOCOL_JSON)
    assert_json_body(&f->batch);
  else
    assert_query_body(&f->batch);
  if (full && protocol == PROTOCOL_JSON && n < CW_DATA_MAX &&
      f->batch.parts[next].n < f->batch.parts[next].parcel->n_data) {
    size_t text_len =
        f->batch.parts[next].parcel->data[f->batch.parts[next].n].text_len;
    assert_true(f->batch.body.len + 1 + text_len > CW_BODY_MAX);
  }
  for (size_t i = 0; i < f->batch.n_parts; i++)
    parcel_remove(f->batch.parts[i].parcel, 0, f->batch.parts[i].n);
  return n;
}

static void sends_all_in_order_within_the_limits(void **state) {
  struct batches *f = *state;
  struct wire_random random = wire_random_new("batch");
  size_t n_cut = 0;

  for (int round = 0; round < 4; round++) {
    struct parcel *parcels[N_RANDOM_PARCELS];
    size_t n_waiting = 0;
    for (size_t i = 0; i < N_RANDOM_PARCELS; i++) {
      parcels[i] = parcel_new("N", 0);
      assert_non_null(parcels[i]);
      fill_randomly(&random, f->json, parcels[i]);
      n_waiting += parcels[i]->n_data;
    }
    while (n_waiting > 0) {
      size_t n = send_once(f, round % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_QUERY,
                           parcels);
      assert_in_range(n, 1, n_waiting);
      n_waiting -= n;
      n_cut += n_waiting > 0 && n < CW_DATA_MAX;
    }
    for (size_t i = 0; i < N_RANDOM_PARCELS; i++) {
      assert_int_equal(parcels[i]->n_data, 0);
      parcel_free(parcels[i]);
    }
  }
  assert_true(n_cut > 0); /* else the limit of bytes was not tried */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(joins_parcels),
      cmocka_unit_test(does_not_send_nothing),
      cmocka_unit_test(refuses_a_namespace_that_is_no_text),
      cmocka_unit_test(stops_at_the_last_datum),
      cmocka_unit_test(takes_as_many_as_it_may),
      cmocka_unit_test(stops_at_the_last_parcel),
      cmocka_unit_test(counts_every_byte),
      cmocka_unit_test(never_takes_what_cannot_fit),
      cmocka_unit_test(says_when_there_is_no_memory),
      cmocka_unit_test(sends_all_in_order_within_the_limits),
  };
  return cmocka_run_group_tests(tests, batches_set_up, batches_tear_down);
}
