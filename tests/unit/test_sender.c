/* sender: write threads, flushes and the node's own thread at once, while
 * nothing can be sent; each value must be accounted for.  The sanitizers watch:
 * this is the test for which they are run. */
#include "run/sender.h"

#include "base/json.h"
#include "run/clock.h"
#include "run/file.h"
#include "run/log.h"

#include "rule_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WRITERS 5
#define NAMES 40 /* of each kind; every thread writes all of them */
#define ROUNDS 60

/* Every value a datum of its own: one second, one series. */
#define PLAIN "Metric '%{type_instance}'\nStorageResolution '1'\n"
#define COMBINED                                                               \
  PLAIN "Metric 'Sum of %{type}'\nStorageResolution '1'\nCombine 'sum'\n"

/* ---- what was said ------------------------------------------------------ */

static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;
static char said[1 << 16];

static void remember(enum log_level level, const char *message) {
  (void)level;
  pthread_mutex_lock(&said_lock);
  size_t len = strlen(said);
  (void)snprintf(said + len, sizeof(said) - len, "%s\n", message);
  pthread_mutex_unlock(&said_lock);
}

/* The number before the words; -1 when they were not said. */
static long long number_before(const char *words) {
  const char *p = strstr(said, words);
  long long number = 0, digit = 1;

  if (p == NULL)
    return -1;
  while (p > said && p[-1] >= '0' && p[-1] <= '9') {
    p--;
    number += (*p - '0') * digit;
    digit *= 10;
  }
  return number;
}

/* ---- a destination that refuses ----------------------------------------- */

/* A port that is taken but does not listen, so every connection is refused. */
static int take_port(char *url, size_t size) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  (void)snprintf(url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
  return fd;
}

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

struct place_of_work {
  int port;
  char url[64];
  struct sender_options options;
  struct rules *rules;
  struct sender *sender;
  int64_t base_s;      /* of the values */
  atomic_bool is_over; /* for the one who flushes */
};

/* As the options own them: not const. */
static char node[] = "stress", key[] = "AKID", secret[] = "secret",
            region[] = "eu-west-1", everything[] = "*";

static char *status_file; /* NULL: none */

static void open_place(struct place_of_work *w, const char *blocks) {
  struct rules_spec spec = rule_text_read(blocks);
  struct buf warnings = BUF_INIT(4096);
  struct err err = {""};

  said[0] = '\0';
  *w = (struct place_of_work){.base_s = clock_wall_ms() / 1000 - 3600};
  atomic_init(&w->is_over, false);
  w->port = take_port(w->url, sizeof(w->url));
  w->options = (struct sender_options){
      .node = node,
      .who = {.access_key_id = key, .secret_access_key = secret},
      .place = {.region = region, .endpoint = w->url},
      .http = HTTP_OPTIONS_INIT,
      .flush_interval_s = 1,
      .max_metrics = 1000,
      .buffer_limit_bytes = 32 << 20,
      .buffer_age_s = 86400,
      .status_file = status_file,
  };
  w->options.http.no_proxy = everything;
  w->rules = rules_compile(&spec, "collectd", no_environment, &warnings, &err);
  assert_non_null(w->rules);
  w->sender = sender_new(&w->options, w->rules, "testhost", &err);
  assert_non_null(w->sender);
  assert_int_equal(sender_start(w->sender, &err), 0);
  rules_spec_clear(&spec);
  buf_clear(&warnings);
}

static void close_place(struct place_of_work *w) {
  sender_free(w->sender);
  rules_free(w->rules);
  (void)close(w->port);
}

/* ---- those who work at once --------------------------------------------- */

struct writer {
  struct place_of_work *work;
  pthread_t thread;
  int number;
};

static void write_one(struct place_of_work *w, const char *type,
                      const struct reading *reading, int name, int64_t second) {
  char instance[32];
  struct input in = {.part = {"testhost", "p", "", type, instance},
                     .is_local = true,
                     .readings = reading,
                     .n_readings = 1,
                     .time_us = (w->base_s + second) * 1000000,
                     .interval_us = 1000000};

  (void)snprintf(instance, sizeof(instance), "%s-%d", type, name);
  sender_write(w->sender, &in, NULL, NULL);
}

/* The writers share the seconds of each identifier, so that their turns at it
 * are as mixed as they can be. */
static void *write_all(void *argument) {
  const struct writer *me = argument;
  struct reading gauge = {.name = "value", .kind = KIND_GAUGE};
  struct reading derive = {.name = "value", .kind = KIND_DERIVE};

  for (int round = 0; round < ROUNDS; round++)
    for (int name = 0; name < NAMES; name++) {
      int64_t second = (int64_t)round * WRITERS + me->number;
      gauge.value.gauge = (double)second;
      derive.value.derive = second;
      write_one(me->work, "gauge", &gauge, name, second);
      write_one(me->work, "derive", &derive, name, second);
    }
  return NULL;
}

static void *flush_all_the_while(void *argument) {
  struct place_of_work *w = argument;
  const struct timespec pause = {0, 500000};

  for (int64_t n = 0; !atomic_load(&w->is_over); n++) {
    sender_flush(w->sender, n % 3);
    (void)nanosleep(&pause, NULL);
  }
  return NULL;
}

/* What is counted never falls; who is asked is not in the way. */
static void *look_all_the_while(void *argument) {
  struct place_of_work *w = argument;
  struct stats stats, before;
  uint64_t n_looks = 0;

  sender_stats(w->sender, &before);
  for (; !atomic_load(&w->is_over); n_looks++) {
    sender_stats(w->sender, &stats);
    assert_true(stats.count.requests >= before.count.requests);
    assert_true(stats.left_out.n[REASON_NOT_NEWER] >=
                before.left_out.n[REASON_NOT_NEWER]);
    assert_int_equal(stats.count.accepted, 0);
    before = stats;
  }
  assert_true(n_looks > 0);
  return NULL;
}

static void start_writers(struct place_of_work *w,
                          struct writer writers[WRITERS]) {
  for (int i = 0; i < WRITERS; i++) {
    writers[i] = (struct writer){.work = w, .number = i};
    assert_int_equal(
        pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
  }
}

static void join_writers(struct writer writers[WRITERS]) {
  for (int i = 0; i < WRITERS; i++)
    (void)pthread_join(writers[i].thread, NULL);
}

/* ---- tests -------------------------------------------------------------- */

static void accounts_for_each_value(void **state) {
  (void)state;
  struct place_of_work w;
  struct writer writers[WRITERS];
  pthread_t flusher;
  const long long n = (long long)WRITERS * NAMES * ROUNDS;

  open_place(&w, PLAIN);
  assert_int_equal(pthread_create(&flusher, NULL, flush_all_the_while, &w), 0);
  start_writers(&w, writers);
  join_writers(writers);
  atomic_store(&w.is_over, true);
  (void)pthread_join(flusher, NULL);
  sender_flush(w.sender, 0);
  sender_stop(w.sender, clock_steady_ms() + 200);
  close_place(&w);

  long long lost = number_before(" data could not be sent");
  long long left_out = number_before(" values were left out");
  assert_int_equal(number_before(" data were accepted"), 0);
  /* Each gauge waits; of each counter the first value has no rate, and those
   * that came after a newer one are counted. */
  if (lost + left_out + NAMES != 2 * n || lost < n)
    fail_msg("%lld lost and %lld left out of %lld\n%s", lost, left_out, 2 * n,
             said);
}

static void stops_under_fire(void **state) {
  (void)state;
  struct place_of_work w;
  struct writer writers[WRITERS];
  pthread_t flusher;

  open_place(&w, COMBINED);
  assert_int_equal(pthread_create(&flusher, NULL, flush_all_the_while, &w), 0);
  start_writers(&w, writers);
  sender_flush(w.sender, 0);
  sender_stop(w.sender, clock_steady_ms() + 100);
  join_writers(writers);
  atomic_store(&w.is_over, true);
  (void)pthread_join(flusher, NULL);
  close_place(&w);
  assert_int_equal(number_before(" data were accepted"), 0);
}

/* Of each identifier that nothing selects there is one note, whoever of the
 * writers leaves it. */
static void assert_told(const char *path) {
  struct buf text = BUF_INIT(1 << 24);
  struct err err = {""};
  bool is_there[NAMES] = {false};

  assert_int_equal(file_read(path, &text, &err), FILE_FOUND);
  struct json *document = json_parse(str_of_buf(&text), &err);
  const struct json *list = json_get(document, "unselected");
  if (json_count(list) != NAMES)
    fail_msg("%s: %.1000s", err.text, buf_str(&text));
  for (size_t i = 0; i < NAMES; i++) {
    struct str id = json_text(json_get(json_at(list, i), "identifier"));
    int name = atoi(id.p + strlen("testhost/p/derive-derive-"));
    assert_in_range(name, 0, NAMES - 1);
    assert_false(is_there[name]);
    is_there[name] = true;
  }
  assert_int_equal(json_count(json_get(document, "series")), NAMES);
  json_free(document);
  buf_clear(&text);
}

static void is_seen_all_the_while(void **state) {
  (void)state;
  struct place_of_work w;
  struct writer writers[WRITERS];
  pthread_t flusher, looker;
  char path[] = "/tmp/test_sender.XXXXXX", of_node[64];

  (void)close(mkstemp(path)); /* nobody else has the other, then */
  (void)snprintf(of_node, sizeof(of_node), "%s.%s", path, node);
  status_file = path;
  open_place(&w, PLAIN "Type 'gauge'\n");
  status_file = NULL;
  assert_int_equal(pthread_create(&looker, NULL, look_all_the_while, &w), 0);
  assert_int_equal(pthread_create(&flusher, NULL, flush_all_the_while, &w), 0);
  start_writers(&w, writers);
  join_writers(writers);
  sender_flush(w.sender, 0);
  sender_stop(w.sender, clock_steady_ms() + 200);
  atomic_store(&w.is_over, true);
  (void)pthread_join(looker, NULL);
  (void)pthread_join(flusher, NULL);
  close_place(&w);
  assert_told(of_node);
  (void)unlink(of_node);
  (void)unlink(path);
}

/* Before its thread was started nothing is known, not even that it is none. */
static void nothing_is_known_before_the_start(void **state) {
  (void)state;
  struct place_of_work w;
  struct stats stats;
  struct err err = {""};

  open_place(&w, PLAIN);
  struct sender *other = sender_new(&w.options, w.rules, "testhost", &err);
  assert_non_null(other);
  sender_stats(other, &stats);
  assert_int_equal(stats.request_ms, -1);
  assert_false(stats.has_credentials);
  sender_free(other);
  sender_stop(w.sender, clock_steady_ms());
  close_place(&w);
}

static void stops_with_nothing_to_do(void **state) {
  (void)state;
  struct place_of_work w;

  open_place(&w, COMBINED);
  sender_stop(w.sender, clock_steady_ms());
  close_place(&w);
  assert_null(strstr(said, "could not be sent"));
  assert_int_equal(number_before(" values were left out"), 0);
}

static int setup(void **state) {
  (void)state;
  log_set_sink(remember);
  return http_global_init();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accounts_for_each_value),
      cmocka_unit_test(stops_under_fire),
      cmocka_unit_test(is_seen_all_the_while),
      cmocka_unit_test(nothing_is_known_before_the_start),
      cmocka_unit_test(stops_with_nothing_to_do),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
