/* Lack of memory in the sender, by the linker (oom.h): a destination, from the
 * values that come to their acceptance, told again and again, with the first,
 * the second, the third ... allocation refused.  Each time nothing crashes,
 * leaks, or stays held; every value is accepted, refused by the service, or
 * counted as lost; none is accepted twice; and as soon as there is memory again
 * all goes on.
 *
 * The node's thread is this one, the service stands in the place of the network
 * (service.h), and waits are over at once: while the node waits, the test goes
 * on with its story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>

#include "base/json.h"
#include "run/file.h"

#include "account.h"
#include "alone.h"
#include "folder.h"
#include "rule_text.h"
#include "stories.h"

/* ---- a destination ------------------------------------------------------- */

#define BATCHES 4 /* of values, each with a flush, while memory lacks */
#define EACH 2    /* values in one, mostly */
#define LATER 2   /* batches when there is memory again */
#define LACK_WAITS 16
#define REST_WAITS 70 /* whatever was put off is tried again */
#define WAITS_MAX 1000
#define HOUR_MS 3600000

enum phase { LACKING, RECOVERING, GOING_ON };

/* What the story has come to. */
static struct {
  const struct story *story;
  struct sender *sender;
  enum phase phase;
  size_t n_waits; /* in this phase */
  size_t n_batches;
  int each;        /* values in one */
  unsigned number; /* of the last value */
} now;

static void write_batch(void) {
  char name[16];
  struct reading reading = {.name = "value", .kind = KIND_GAUGE};
  struct input in = {.part = {"testhost", "p", "", "gauge", name},
                     .is_local = true,
                     .readings = &reading,
                     .n_readings = 1,
                     .time_us = (clock_wall_ms() - 60000) * 1000,
                     .interval_us = 1000000};

  for (int i = 0; i < now.each; i++) {
    reading.value.gauge = ++now.number;
    (void)snprintf(name, sizeof(name), "%u", now.number);
    sender_write(now.sender, &in, NULL, NULL);
  }
  sender_flush(now.sender, 0);
  now.n_batches++;
}

static void stop(void) { sender_stop(now.sender, clock_steady_ms() + HOUR_MS); }

static void enter(enum phase phase) {
  now.phase = phase;
  now.n_waits = 0;
  now.n_batches = 0;
}

static bool is_idle(void) {
  return delivery_wake_ms(now.sender->delivery) == INT64_MAX;
}

/* What happens while the node waits. */
static void go_on(void) {
  now.n_waits++;
  switch (now.phase) {
  case LACKING:
    if (now.n_batches < BATCHES)
      write_batch();
    else if (now.n_waits < LACK_WAITS)
      return;
    else if (service.is_down)
      stop();
    else {
      fault.is_armed = false;
      enter(RECOVERING);
    }
    return;
  case RECOVERING:
    if (now.n_waits < REST_WAITS || (now.n_waits < WAITS_MAX && !is_idle()))
      return;
    enter(GOING_ON);
    return;
  case GOING_ON:
    if (now.n_batches < LATER)
      write_batch();
    else if (is_idle() || now.n_waits > WAITS_MAX)
      stop();
    return;
  }
}

/* ---- a life -------------------------------------------------------------- */

static struct sender_options options;
static struct rules *rules;

/* As the options own them: not const. */
static char no_node[] = "", key_id[] = "AK", secret[] = "hush",
            region[] = "eu-west-1", spool_folder[sizeof(folder) + 8],
            status_file[sizeof(folder) + 8], arn[] = ARN;

/* From start to stop. */
static void live(enum phase phase, bool lacks) {
  struct err err = {""};

  said[0] = '\0';
  now.sender = sender_new(&options, rules, "testhost", &err);
  assert_non_null(now.sender);
  enter(phase);
  fault.is_armed = lacks;
  if (phase == LACKING)
    write_batch();
  (void)node_work(now.sender);
  account_add(now.sender);
  if (!service.is_down && outbox_count(&now.sender->delivery->outbox) != 0)
    wrong(now.story->label, "something is held");
  sender_free(now.sender);
  fault.is_armed = false;
  account_add_said();
}

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

static void set_up(const struct story *story) {
  struct rules_spec spec =
      rule_text_read(story->blocks != NULL ? story->blocks : PLAIN);
  struct buf warnings = BUF_INIT(4096);
  struct err err = {""};

  rules = rules_compile(&spec, "collectd", no_environment, &warnings, &err);
  assert_non_null(rules);
  rules_spec_clear(&spec);
  buf_clear(&warnings);
  options = (struct sender_options){
      .node = no_node,
      .place = {.region = region},
      .http = HTTP_OPTIONS_INIT,
      .protocol = story->protocol,
      .compression = story->compression,
      .flush_interval_s = 3600,
      .max_metrics = 1000,
      .buffer_limit_bytes = story->spool == SPOOL_SMALL ? 2048 : 1 << 20,
      .spool_directory = story->spool != NO_SPOOL ? spool_folder : NULL,
      .spool_limit_bytes = 1 << 20,
      .buffer_age_s = 86400,
      .status_file = story->has_status ? status_file : NULL,
  };
  if (story->environment == NULL) {
    options.who.access_key_id = key_id;
    options.who.secret_access_key = secret;
  }
  if (story->has_role)
    options.who.role_arn = arn;
  if (story->has_no_region)
    options.place.region = NULL;
}

static void set_up_outside(const struct story *story) {
  (void)snprintf(spool_folder, sizeof(spool_folder), "%s/spool", folder);
  (void)snprintf(status_file, sizeof(status_file), "%s/status", folder);
  clear_environment();
  if (story->environment != NULL)
    put_environment(story->environment);
  put_config(story->config);
  put_file("other", story->has_token ? "token" : NULL);
  if (story->has_token)
    (void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path_of("other"), 1);
}

/* What a stop should leave in the spool: nothing, and nothing set aside. */
static void empty_spool(const struct story *story) {
  DIR *dir = opendir(spool_folder);

  if (dir == NULL)
    return;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char path[sizeof(spool_folder) + sizeof(entry->d_name) + 1];
    if (strstr(entry->d_name, ".parcel") != NULL)
      wrong(story->label, "%s is left", entry->d_name);
    (void)snprintf(path, sizeof(path), "%s/%s", spool_folder, entry->d_name);
    (void)unlink(path);
  }
  (void)closedir(dir);
  (void)rmdir(spool_folder);
}

/* There is memory again, so the last status file is whole, and counts as we
 * do. */
static void take_status(const struct story *story) {
  struct buf text = BUF_INIT(1 << 20);
  struct err err = {"it is not there"};

  if (!story->has_status)
    return;
  (void)file_read(status_file, &text, &err);
  struct json *document = json_parse(str_of_buf(&text), &err);
  const struct json *counters = json_get(document, "counters");
  struct str accepted = json_text(json_get(counters, "accepted"));
  if (accepted.len == 0)
    wrong(story->label, "the status file: %s", err.text);
  if (strtoull(accepted.p, NULL, 10) != became.accepted)
    wrong(story->label, "the status file says %.*s are accepted",
          (int)accepted.len, accepted.p);
  json_free(document);
  buf_clear(&text);
  (void)unlink(status_file);
}

/* ---- telling ------------------------------------------------------------- */

static void begin(const struct story *story) {
  account_begin();
  memset(&service, 0, sizeof(service));
  memset(&now, 0, sizeof(now));
  memcpy(service.script, story->script, sizeof(service.script));
  service.bad = story->bad;
  service.is_named = story->is_named;
  service.most = story->most;
  service.is_down = story->spool == SPOOL_STOP || story->spool == SPOOL_START;
  now.story = story;
  now.each = story->each != 0 ? story->each : EACH;
  ahead_ms = 0;
  fault.n = 0;
}

static bool loses_answers(const struct story *story) {
  for (size_t i = 0; i < SCRIPT_MAX; i++)
    if (story->script[i] == ANSWER_LOST)
      return true;
  return false;
}

/* Returns how many values were lost. */
static uint64_t tell(const struct story *story) {
  set_up_outside(story);
  set_up(story);
  begin(story);
  if (service.is_down) {
    live(LACKING, story->spool == SPOOL_STOP);
    service.is_down = false;
    live(story->spool == SPOOL_STOP ? RECOVERING : LACKING,
         story->spool == SPOOL_START);
  } else {
    live(LACKING, true);
  }
  account_check(story->label, now.number);
  account_check_accepted(
      story->label, now.number - LATER * (unsigned)now.each + 1, now.number);
  if (!loses_answers(story) && became.ambiguous > 0)
    wrong(story->label, "%llu data without an answer",
          (unsigned long long)became.ambiguous);
  empty_spool(story);
  take_status(story);
  rules_free(rules);
  return became.lost;
}

/* With all the memory it wants the story is what its label says; returns how
 * many allocations may be refused. */
static size_t tell_without_faults(const struct story *story) {
  fault.at = 0;
  assert_int_equal(tell(story), 0);
  assert_int_equal(became.refused, story->bad != 0 ? 1 : 0);
  assert_int_equal(became.ambiguous > 0, loses_answers(story));
  assert_int_equal(service.n_packed > 0, story->compression);
  assert_int_equal(service.n_too_large > 0, story->most > 0);
  assert_true(fault.n > 0);
  return fault.n;
}

/* TSan, which is slow, has nothing to find where there is one thread. */
#ifdef __SANITIZE_THREAD__
#define STEP 13
#else
#define STEP 1
#endif

static void tell_with_faults(const struct story *story, bool stays) {
  size_t n_allocations = tell_without_faults(story);
  uint64_t n_lost = 0;

  fault.stays = stays;
  for (fault.at = 1; fault.at <= n_allocations; fault.at += STEP)
    n_lost += tell(story);
  print_message("%s: %zu allocations refused, %llu values lost\n", story->label,
                n_allocations / STEP, (unsigned long long)n_lost);
}

static void one_allocation_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < N_STORIES; i++)
    tell_with_faults(&stories[i], false);
}

static void one_and_all_later_ones_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < N_STORIES; i++)
    tell_with_faults(&stories[i], true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(one_allocation_is_refused, fresh_folder,
                                      remove_folder),
      cmocka_unit_test_setup_teardown(one_and_all_later_ones_are_refused,
                                      fresh_folder, remove_folder),
  };
  log_set_sink(hear);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
