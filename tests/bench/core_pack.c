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

/* zlib as it comes, into memory that is there; returns the bytes. */
static size_t gzip(const char *body, int level) {
  static unsigned char room[2 * CW_BODY_MAX];
  z_stream zip = {.next_in = (Bytef *)(uintptr_t)body,
                  .avail_in = (uInt)strlen(body),
                  .next_out = room,
                  .avail_out = sizeof(room)};

  if (deflateInit2(&zip, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
          Z_OK ||
      deflate(&zip, Z_FINISH) != Z_STREAM_END)
    fail("zlib does not compress");
  size_t bytes = sizeof(room) - zip.avail_out;
  (void)deflateEnd(&zip);
  return bytes;
}

/* The level that the plugin uses is the one that gives as many bytes. */
static int find_level(const char *body, size_t bytes) {
  for (int level = 1; level <= 9; level++)
    if (gzip(body, level) == bytes)
      return level;
  fail("no level of zlib makes the %zu bytes that the plugin makes", bytes);
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

static void measure(const struct core *core, int64_t interval_s,
                    struct runs *runs) {
  static struct full full;
  char *body = make_body(core, interval_s);

  if (body == NULL)
    fail("the corpus gives no full body");
  full_read(&full, body);
  size_t bytes = pack(&full);
  if (strcmp(buf_str(&packer.batch.body), body) != 0)
    fail("the data of a body make another body");
  int level = find_level(body, bytes);

  for (size_t i = 0; i < runs->n; i++)
    for (int repeat = 0; repeat < REPEATS; repeat++) {
      double begin_ns = times_thread_ns();
      (void)pack(&full);
      double middle_ns = times_thread_ns();
      (void)gzip(body, level);
      runs->ours[i] += (middle_ns - begin_ns) / REPEATS / 1000;
      runs->baseline[i] += (times_thread_ns() - middle_ns) / REPEATS / 1000;
    }
  full_clear(&full);
  free(body);
}

void core_pack(const struct core *core) {
  struct runs one = {.n = core->is_quick ? 1 : RUNS}, six = one;

  open_packer();
  measure(core, 60, &one);
  row_ratio("encode + gzip + sign, 1000 data of one value",
            "<= 2.5 x gzip (goal: 1.5)", 2.5, &one, "us");
  measure(core, 10, &six);
  row_ratio("encode + gzip + sign, 1000 data of six values",
            "<= 2.5 x gzip (goal: 1.5)", 2.5, &six, "us");
  clear_packer();
}
