/* The limits of a request to the byte: bodies of real data at the very edge,
 * and a hundred thousand data of random sizes against a plain count. */
#include "metric/encode_json.h"

#include "batches.h"
#include "wire_random.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define N_RANDOM 100000

static const enum protocol protocols[] = {PROTOCOL_JSON, PROTOCOL_QUERY};
static const char *const protocol_names[] = {"JSON", "Query"};

/* ---- real bodies at the edge -------------------------------------------- */

#define RANDOM_MAX 200000 /* bytes of a random datum, at the very most */
#define PADS 10           /* dimensions of the data that fill up */
#define PAD_MAX 1000      /* characters of each */
#define PADDED_MAX 10000  /* bytes of such a datum */

struct body {
  struct batches *f;
  struct parcel *parcels[CW_DATA_MAX];
  size_t n_parcels;
};

/* Adds a datum in a parcel of its own; false when there was no room for it. */
static bool add_datum(struct body *body, const struct datum *datum) {
  struct buf text = BUF_INIT(CW_BODY_MAX);
  struct parcel *parcel = parcel_new("N", 0);
  struct err err = {""};

  assert_int_equal(encode_json_datum(body->f->json, datum, &text), 0);
  assert_int_equal(parcel_add(parcel, str_of_buf(&text), "id", 0), 0);
  buf_clear(&text);
  bool is_added = batch_add(&body->f->batch, parcel, &err) == 1;
  if (is_added)
    body->parcels[body->n_parcels++] = parcel;
  else
    parcel_free(parcel);
  return is_added;
}

/* A datum with so many characters in its dimensions, which are as many bytes in
 * either protocol.  False when there was no room for it. */
static bool add_padded(struct body *body, size_t characters) {
  static char values[PADS][PAD_MAX + 1];
  static const char *const names[PADS] = {"a", "b", "c", "d", "e",
                                          "f", "g", "h", "i", "j"};
  struct dimension dimensions[PADS];
  struct series_name series = {.name = "last",
                               .dimensions = dimensions,
                               .n_dimensions = PADS,
                               .unit = "None",
                               .resolution_s = 60};
  const struct datum datum = {.series = &series, .time_s = 1600000020};

  for (size_t i = 0; i < PADS; i++) {
    size_t n = characters < PAD_MAX ? characters : PAD_MAX;
    memset(values[i], 'x', n);
    values[i][n] = '\0';
    characters -= n;
    dimensions[i] = (struct dimension){names[i], values[i]};
  }
  assert_int_equal(characters, 0);
  return add_datum(body, &datum);
}

/* Random data, many of them large, and some of those that fill up, until one of
 * them can fill all the rest. */
static void add_data(struct body *body, struct wire_random *random) {
  static struct wire_datum data;

  while (body->f->batch.body.len < CW_BODY_MAX - RANDOM_MAX) {
    wire_fill(random, &data);
    if (wire_often(random, 70)) {
      data.datum.form = DATUM_VALUES;
      data.datum.n_values = CW_VALUES_MAX;
      for (size_t i = 0; i < CW_VALUES_MAX; i++) {
        data.values[i] = wire_double(random);
        data.counts[i] = 2;
      }
    }
    assert_true(add_datum(body, &data.datum));
  }
  while (body->f->batch.body.len < CW_BODY_MAX - PADDED_MAX)
    assert_true(add_padded(body, PADS * PAD_MAX / 2));
}

/* Makes a body of want bytes; false when its last datum was not taken, and then
 * it has not a byte of it. */
static bool make_body(struct batches *f, enum protocol protocol, size_t want,
                      struct wire_random *random) {
  struct body body = {.f = f};
  size_t end_bytes = protocol == PROTOCOL_JSON ? 2 : 0;
  struct buf *bytes = &f->batch.body;

  batches_begin(f, protocol);
  add_data(&body, random);
  size_t before = bytes->len;
  assert_true(add_padded(&body, 0));
  size_t least = bytes->len - before;
  buf_cut(bytes, before); /* out again: it was to be measured */
  f->batch.n_data--;
  f->batch.n_parts--;
  parcel_free(body.parcels[--body.n_parcels]);

  bool is_full = add_padded(&body, want - before - least - end_bytes);
  batches_end(f);
  assert_int_equal(bytes->len, is_full ? want : before + end_bytes);
  assert_int_equal(f->batch.n_data, body.n_parcels);
  while (body.n_parcels > 0)
    parcel_free(body.parcels[--body.n_parcels]);
  return is_full;
}

static void a_body_of_just_so_many_bytes(void **state) {
  struct wire_random random = wire_random_new("batch_limits");
  static const struct {
    size_t bytes;
    bool fits;
  } cases[] = {
      {CW_BODY_MAX - 1, true}, {CW_BODY_MAX, true}, {CW_BODY_MAX + 1, false}};

  for (size_t p = 0; p < N(protocols); p++)
    for (size_t i = 0; i < N(cases); i++)
      if (make_body(*state, protocols[p], cases[i].bytes, &random) !=
          cases[i].fits)
        fail_msg("%s, %zu bytes", protocol_names[p], cases[i].bytes);
}

/* ---- random sizes, against a plain count -------------------------------- */

/* One datum: {"MetricName":"aaa"}, where each character is so many bytes in a
 * body of either protocol. */
struct size {
  size_t characters;
  char character;
};

static struct size draw(struct wire_random *random) {
  size_t most = wire_often(random, 90)   ? 300
                : wire_often(random, 90) ? 10000
                : wire_often(random, 90) ? 100000
                                         : 400000;
  return (struct size){1 + wire_below(random, most),
                       wire_often(random, 20) ? '%' : 'a'};
}

static size_t bytes_of(enum protocol protocol, struct size size, size_t n) {
  size_t in_query = size.character == '%' ? 3 : 1;
  int name_bytes = snprintf(NULL, 0, "&MetricData.member.%zu.MetricName=", n);

  if (protocol == PROTOCOL_QUERY)
    return (size_t)name_bytes + in_query * size.characters;
  return strlen("{\"MetricName\":\"\"}") + size.characters + (n > 1);
}

static size_t frame_of(enum protocol protocol) {
  return protocol == PROTOCOL_QUERY
             ? strlen("Action=PutMetricData&Version=2010-08-01&Namespace=N")
             : strlen("{\"Namespace\":\"N\",\"MetricData\":[]}");
}

/* What waits, in order: parcels, and the sizes of their data. */
struct waiting {
  struct parcel *parcel;
  struct size sizes[CW_DATA_MAX];
  size_t n;
};

/* Fills a parcel with data until one does not go into it, or there are as many
 * as chance will have it.  Returns how many. */
static size_t fill(struct waiting *waiting, struct wire_random *random) {
  size_t most = 1 + wire_below(random, CW_DATA_MAX);
  struct buf text = BUF_INIT(CW_BODY_MAX);

  waiting->parcel = parcel_new("N", 0);
  for (waiting->n = 0; waiting->n < most; waiting->n++) {
    struct size size = draw(random);
    buf_reset(&text);
    buf_puts(&text, "{\"MetricName\":\"");
    memset(buf_extend(&text, size.characters), size.character, size.characters);
    buf_puts(&text, "\"}");
    if (parcel_add(waiting->parcel, str_of_buf(&text), "id", 0) != 0)
      break;
    waiting->sizes[waiting->n] = size;
  }
  buf_clear(&text);
  return waiting->n;
}

/* How many of the data from number first on one body of so many holds; adds
 * their bytes to *bytes. */
static size_t count(enum protocol protocol, const struct waiting *waiting,
                    size_t first, size_t n_before, size_t *bytes) {
  size_t n = 0;

  for (; first + n < waiting->n && n_before + n < CW_DATA_MAX; n++) {
    size_t more =
        bytes_of(protocol, waiting->sizes[first + n], n_before + n + 1);
    if (*bytes + more > CW_BODY_MAX)
      break;
    *bytes += more;
  }
  return n;
}

/* Sends until this parcel is empty; each request takes of the next, too, if
 * there is room.  Returns how many data of the next are gone. */
static size_t send(struct batches *f, enum protocol protocol,
                   const struct waiting *now, size_t sent,
                   const struct waiting *next, size_t *n_full) {
  size_t of_next = 0;
  struct err err;

  while (sent < now->n) {
    size_t bytes = frame_of(protocol);
    size_t want = count(protocol, now, sent, 0, &bytes), want_next = 0;
    if (sent + want == now->n)
      want_next = count(protocol, next, of_next, want, &bytes);

    batches_begin(f, protocol);
    size_t n = batch_add(&f->batch, now->parcel, &err);
    assert_int_equal(n, want);
    if (sent + n == now->n)
      assert_int_equal(batch_add(&f->batch, next->parcel, &err), want_next);
    if (n == 0) { /* a datum that no request can hold */
      assert_true(buf_ok(&f->batch.body));
      parcel_remove(now->parcel, 0, 1);
      sent++;
      continue;
    }
    batches_end(f);
    assert_int_equal(f->batch.body.len, bytes);
    assert_true(bytes <= CW_BODY_MAX && f->batch.n_data <= CW_DATA_MAX);
    *n_full += f->batch.n_data < CW_DATA_MAX && want_next < next->n;
    parcel_remove(now->parcel, 0, n);
    parcel_remove(next->parcel, 0, want_next);
    sent += n;
    of_next += want_next;
  }
  return of_next;
}

static void joins_all_that_fits_and_no_more(void **state) {
  struct wire_random random = wire_random_new("batch_limits");
  static struct waiting waiting[2];

  for (size_t p = 0; p < N(protocols); p++) {
    size_t n_full = 0, sent = 0, now = 0;
    size_t n = fill(&waiting[0], &random);
    while (n < N_RANDOM) {
      n += fill(&waiting[1 - now], &random);
      sent = send(*state, protocols[p], &waiting[now], sent, &waiting[1 - now],
                  &n_full);
      parcel_free(waiting[now].parcel);
      now = 1 - now;
    }
    parcel_free(waiting[now].parcel);
    assert_true(n_full > 10); /* else the limit of bytes was not tried */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_body_of_just_so_many_bytes),
      cmocka_unit_test(joins_all_that_fits_and_no_more),
  };
  return cmocka_run_group_tests(tests, batches_set_up, batches_tear_down);
}
