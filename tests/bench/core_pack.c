/* Encode + gzip + sign of one full request against gzip alone of its body.
 *
 * The module makes a body of the corpus; its data are read back, and go again
 * through what a flush and a request do with them: encode_json_datum(),
 * parcel_add(), batch_add(), gzip_put(), sigv4_sign().  That must give the same
 * body, or the program ends. */
#include "core.h"

#include "corpus.h"
#include "full.h"
#include "rows.h"
#include "sink.h"
#include "times.h"

#include "aws/cred.h"
#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/gzip.h"
#include "base/json.h"
#include "metric/batch.h"
#include "metric/encode_json.h"
#include "metric/parcel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define RUNS 7
#define REPEATS 10 /* of each in a run */
#define PERIOD_S 60
#define NOW_S INT64_C(1600000000)

/* ---- what the plugin does ------------------------------------------------ */

/* What the node's thread keeps from flush to flush. */
struct packer {
  struct json_out *json;
  struct buf text;
  struct batch batch;
  struct cred cred;
  struct err err;
};

static struct packer packer = {.text = BUF_INIT(CW_BODY_MAX),
                               .batch = BATCH_INIT};

static void open_packer(void) {
  packer.json = json_out_new();
  if (packer.json == NULL ||
      cred_set(&packer.cred, STR("AKIDEXAMPLE"),
               STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), STR(""),
               CRED_NEVER, "the benchmark", &packer.err) != 0)
    fail("no memory to pack with");
}

static void clear_packer(void) {
  json_out_free(packer.json);
  buf_clear(&packer.text);
  batch_clear(&packer.batch);
  cred_wipe(&packer.cred);
}

static void sign(struct str body) {
  const struct sigv4_header headers[] = {
      {"host", STR("monitoring.eu-west-1.amazonaws.com")},
      {"content-encoding", STR("gzip")},
      {"content-type", STR(ENCODE_JSON_CONTENT_TYPE)},
      {"x-amz-target", STR(ENCODE_JSON_TARGET)},
      {"x-amzn-query-mode", STR(ENCODE_JSON_QUERY_MODE)},
  };
  const struct sigv4_request request = {.method = "POST",
                                        .path = "/",
                                        .query = "",
                                        .headers = headers,
                                        .n_headers = sizeof(headers) /
                                                     sizeof(headers[0]),
                                        .body = body};
  struct sigv4_headers signature = SIGV4_HEADERS_INIT;

  if (sigv4_sign(&request, &packer.cred, "eu-west-1", "monitoring", NOW_S,
                 &signature, NULL, &packer.err) != 0)
    fail("%s", packer.err.text);
  sigv4_clear(&signature);
}

/* Data to a signed request; returns the bytes of its body on the wire. */
static size_t pack(const struct full *full) {
  struct parcel *parcel = parcel_new(full->namespace, 1);
  struct buf packed = BUF_INIT(CW_BODY_MAX);

  if (parcel == NULL)
    fail("no memory for a parcel");
  for (size_t i = 0; i < CW_DATA_MAX; i++) {
    const struct datum *datum = &full->data[i].datum;
    buf_reset(&packer.text);
    if (encode_json_datum(packer.json, datum, &packer.text) != 0 ||
        parcel_add(parcel, str_of_buf(&packer.text), "host/plugin/type",
                   datum->time_s) != 0)
      fail("datum %zu of 1000 has no room in a parcel", i);
  }
  if (batch_begin(&packer.batch, PROTOCOL_JSON, packer.json, full->namespace,
                  &packer.err) != 0 ||
      batch_add(&packer.batch, parcel, &packer.err) != CW_DATA_MAX ||
      batch_end(&packer.batch, &packer.err) != 0)
    fail("%s", packer.err.text);
  if (gzip_put(&packed, packer.batch.body.data, packer.batch.body.len) != 0)
    fail("no memory for a compressed body");
  sign(str_of_buf(&packed));

  size_t bytes = packed.len;
  buf_clear(&packed);
  parcel_free(parcel);
  return bytes;
}

/* ---- the baseline -------------------------------------------------------- */

/* How zlib is told to compress. */
struct manner {
  int level, strategy;
};

/* What gzip does when nobody asks for anything else. */
static const struct manner plain = {6, Z_DEFAULT_STRATEGY};

/* zlib as it comes, into memory that is there; returns the bytes. */
static size_t gzip(const char *body, struct manner manner) {
  static unsigned char room[2 * CW_BODY_MAX];
  z_stream zip = {.next_in = (Bytef *)(uintptr_t)body,
                  .avail_in = (uInt)strlen(body),
                  .next_out = room,
                  .avail_out = sizeof(room)};

  if (deflateInit2(&zip, manner.level, Z_DEFLATED, 15 + 16, 8,
                   manner.strategy) != Z_OK ||
      deflate(&zip, Z_FINISH) != Z_STREAM_END)
    fail("zlib does not compress");
  size_t bytes = sizeof(room) - zip.avail_out;
  (void)deflateEnd(&zip);
  return bytes;
}

/* The plugin's own is the one that gives as many bytes. */
static struct manner find_manner(const char *body, size_t bytes) {
  static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED};

  for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++)
    for (int level = 1; level <= 9; level++) {
      struct manner manner = {level, strategies[i]};
      if (gzip(body, manner) == bytes)
        return manner;
    }
  fail("zlib does not make the %zu bytes that the plugin makes", bytes);
}

/* ---- rows ---------------------------------------------------------------- */

/* A full body as the module sends it, of the second period. */
static char *make_body(const struct core *core, int64_t interval_s) {
  struct corpus *corpus = corpus_new(CORPUS_HOSTS, interval_s);
  size_t n_intervals = (size_t)(PERIOD_S / interval_s);
  uint64_t before = sink_count().samples;

  core_start(core, CORPUS_METRIC);
  struct writer writer = host_writer();
  for (int period = 0; period < 2; period++) {
    before += corpus_numbers(corpus, period == 0) +
              corpus_numbers(corpus, false) * (n_intervals - 1);
    corpus_play(corpus, &writer, n_intervals);
    host_flush();
    sink_wait(before);
  }
  host_stop();
  corpus_free(corpus);
  return sink_full_body();
}

/* Of ours and of two baselines, microseconds for one body. */
struct pack {
  struct runs own;   /* against zlib as the plugin has it */
  struct runs plain; /* against gzip as it comes */
};

static void run(const struct full *full, const char *body, struct manner own,
                struct pack *pack_runs, size_t i) {
  double ours_ns = 0, own_ns = 0, plain_ns = 0;

  for (int repeat = 0; repeat < REPEATS; repeat++) {
    double begin_ns = times_thread_ns();
    (void)pack(full);
    double packed_ns = times_thread_ns();
    (void)gzip(body, own);
    double zipped_ns = times_thread_ns();
    (void)gzip(body, plain);
    ours_ns += packed_ns - begin_ns;
    own_ns += zipped_ns - packed_ns;
    plain_ns += times_thread_ns() - zipped_ns;
  }
  pack_runs->own.ours[i] = pack_runs->plain.ours[i] = ours_ns / REPEATS / 1000;
  pack_runs->own.baseline[i] = own_ns / REPEATS / 1000;
  pack_runs->plain.baseline[i] = plain_ns / REPEATS / 1000;
}

static void measure(const struct core *core, int64_t interval_s,
                    struct pack *result) {
  static struct full full;
  size_t n_runs = core->is_quick ? 1 : RUNS;
  char *body = make_body(core, interval_s);

  if (body == NULL)
    fail("the corpus gives no full body");
  full_read(&full, body);
  size_t bytes = pack(&full);
  if (strcmp(buf_str(&packer.batch.body), body) != 0)
    fail("the data of a body make another body");
  struct manner own = find_manner(body, bytes);
  result->own.n = result->plain.n = n_runs;
  for (size_t i = 0; i < n_runs; i++)
    run(&full, body, own, result, i);
  full_clear(&full);
  free(body);
}

static void rows(const struct core *core, int64_t interval_s,
                 const char *values) {
  struct pack result = {0};
  char what[80];

  measure(core, interval_s, &result);
  (void)snprintf(what, sizeof(what), "encode + gzip + sign, 1000 data of %s",
                 values);
  row_ratio(what, "<= 2.5 x gzip (goal: 1.5)", 2.5, &result.own, "us");
  row_ratio("the same against gzip -6", "", -1, &result.plain, "us");
}

void core_pack(const struct core *core) {
  open_packer();
  rows(core, 60, "one value");
  rows(core, 10, "six values");
  clear_packer();
}
