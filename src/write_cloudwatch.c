/* write_cloudwatch: the door.  The only file, with options*.c, that knows
 * collectd: the callbacks, and value lists turned into struct input.
 *
 *   module_register   config, init and shutdown callbacks
 *   config            only reads: the daemon has not forked yet
 *   init              makes and starts the senders; registers write and flush
 *                     at its end, as the daemon calls them after a failed init
 *                     too
 *   write             any write thread; always returns 0
 *   flush             any thread; with timeout 0 just before shutdown
 *   read              only for ReportStats; a read thread, joined by then
 *   shutdown          stops and frees everything
 *
 * One binary serves collectd 5.8 to main, so nothing is used here whose type
 * or prototype has changed between them: no plugin_ctx_t, no
 * plugin_thread_create(), no P_ERROR(). */
#include "collectd.h"

#include "plugin.h"

#include "arrival.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "metric/rule.h"
#include "options.h"
#include "report_stats.h"
#include "run/clock.h"
#include "run/http.h"
#include "run/log.h"
#include "run/sender.h"
#include "secret_file.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NAME "write_cloudwatch"

/* One destination as the daemon sees it. */
struct outlet {
  const struct node_options *options; /* borrowed */
  struct rules *rules;
  struct sender *sender;
  atomic_flag said_too_many; /* readings */
};

/* Set by config and init, before the daemon starts its write threads; taken
 * away by shutdown, after it has joined them. */
static struct {
  struct options_reader *reader;
  struct buf exposed; /* one line for each file that shows our key to all */
  struct options options;
  struct outlet *outlets;
  size_t n_outlets;

  /* Flushes come from threads that nobody joins (SIGUSR1, unixsock), so one
   * may still come while shutdown frees what it would flush. */
  pthread_mutex_t flush_lock;
  bool can_flush;     /* guarded by flush_lock */
  int64_t flushed_ms; /* guarded by it: steady time of the last full flush */
} door = {.exposed = BUF_INIT(65536),
          .flush_lock = PTHREAD_MUTEX_INITIALIZER,
          .flushed_ms = INT64_MIN / 2};

/* ---- messages ----------------------------------------------------------- */

static void sink(enum log_level level, const char *message) {
  static const int severity[] = {
      [SAY_ERROR] = LOG_ERR,     [SAY_WARNING] = LOG_WARNING,
      [SAY_NOTICE] = LOG_NOTICE, [SAY_INFO] = LOG_INFO,
      [SAY_DEBUG] = LOG_DEBUG,
  };
  plugin_log(severity[level], "%s", message);
}

static void say_error(const char *sentence) {
  log_say(SAY_ERROR, "", "%s", sentence);
}

static void say_warning(const char *sentence) {
  log_say(SAY_WARNING, "", "%s", sentence);
}

static void say_warnings(const char *node, const struct buf *lines) {
  struct str rest = str_of_buf(lines), line;
  while (str_split(&rest, '\n', &line))
    if (line.len > 0)
      log_say(SAY_WARNING, node, "%.*s", (int)line.len, line.p);
}

/* ---- config ------------------------------------------------------------- */

static void note_exposed(const char *path) {
  struct buf line = BUF_INIT(65536);

  buf_printf(&line,
             "%s holds a SecretAccessKey and can be read by every user of this "
             "host; run chmod 0640 %s\n",
             path, path);
  if (strstr(buf_str(&door.exposed), buf_str(&line)) == NULL)
    buf_put(&door.exposed, line.data, line.len);
  buf_clear(&line);
}

/* Looks for the files that show the static keys of a block.  Done now, because
 * the daemon leaves the folder that it was started in before it calls init. */
static void look_for_exposed(const oconfig_item_t *block) {
  for (int i = 0; i < block->children_num; i++) {
    const oconfig_item_t *line = &block->children[i];
    look_for_exposed(line);
    if (strcasecmp(line->key, "AccessKeyId") == 0 && line->values_num == 1 &&
        line->values[0].type == OCONFIG_TYPE_STRING &&
        line->values[0].value.string[0] != '\0')
      secret_file_find(line->values[0].value.string, note_exposed);
  }
}

/* Called once for each <Plugin write_cloudwatch> block. */
static int on_config(oconfig_item_t *block) {
  if (door.reader == NULL)
    door.reader = options_reader_new();
  if (door.reader == NULL) {
    say_error("out of memory");
    return -1;
  }
  if (options_read(door.reader, block, say_error) != 0)
    return -1;
  look_for_exposed(block);
  return 0;
}

/* ---- write -------------------------------------------------------------- */

/* The values of the meta data keys that the rules name: owned[i] is to be
 * freed, shown[i] is never NULL. */
static void get_meta(const struct rules *rules, size_t n, meta_data_t *meta,
                     char *owned[TMPL_META_MAX],
                     const char *shown[TMPL_META_MAX]) {
  for (size_t i = 0; i < n; i++) {
    owned[i] = NULL;
    if (meta != NULL &&
        meta_data_as_string(meta, rules_meta_key(rules, i), &owned[i]) != 0)
      owned[i] = NULL;
    shown[i] = owned[i] != NULL ? owned[i] : "";
  }
}

static void say_too_many(struct outlet *outlet, const char *type) {
  if (!atomic_flag_test_and_set(&outlet->said_too_many))
    log_say(SAY_WARNING, outlet->options->sender.node,
            "values of type %s are not sent, as they have more than %d data "
            "sources",
            type, ARRIVAL_READINGS_MAX);
}

/* Whatever happens, 0: an error would make the daemon say so for each value,
 * and nobody could do anything about it. */
static int on_write(const data_set_t *set, const value_list_t *list,
                    user_data_t *user_data) {
  struct outlet *outlet = user_data->data;
  size_t n_keys = rules_n_meta_keys(outlet->rules);
  struct arrival arrival;
  char *owned[TMPL_META_MAX];
  const char *meta[TMPL_META_MAX];

  if (set->ds_num != list->values_len)
    return 0; /* the daemon's own mistake, which it checks for */
  if (list->values_len > ARRIVAL_READINGS_MAX) {
    say_too_many(outlet, list->type);
    return 0;
  }
  get_meta(outlet->rules, n_keys, list->meta, owned, meta);

  struct input in = arrival_begin(&arrival, set, list);
  in.meta = meta;
  sender_write(outlet->sender, &in, arrival_fill, &arrival);

  for (size_t i = 0; i < n_keys; i++)
    free(owned[i]);
  return 0;
}

/* ---- flush -------------------------------------------------------------- */

/* identifier is ignored, as all writers to a network do. */
static int on_flush(cdtime_t timeout, const char *identifier,
                    user_data_t *user_data) {
  uint64_t older_s = (timeout >> 30) + ((timeout << 34) != 0 ? 1 : 0);
  (void)identifier;

  pthread_mutex_lock(&door.flush_lock);
  if (door.can_flush) {
    const struct outlet *outlet = user_data->data;
    if (timeout == 0)
      door.flushed_ms = clock_steady_ms();
    sender_flush(outlet->sender, (int64_t)older_s);
  }
  pthread_mutex_unlock(&door.flush_lock);
  return 0;
}

/* ---- read --------------------------------------------------------------- */

static int on_read(user_data_t *user_data) {
  const struct outlet *outlet = user_data->data;
  struct stats stats;

  sender_stats(outlet->sender, &stats);
  report_stats(outlet->options->sender.node, &stats);
  return 0;
}

/* ---- shutdown ----------------------------------------------------------- */

/* Frees everything; the senders were told to stop. */
static void clear(void) {
  for (size_t i = 0; i < door.n_outlets; i++)
    sender_free(door.outlets[i].sender);
  for (size_t i = 0; i < door.n_outlets; i++)
    rules_free(door.outlets[i].rules);
  free(door.outlets);
  door.outlets = NULL;
  door.n_outlets = 0;
  options_clear(&door.options);
  options_reader_free(door.reader);
  door.reader = NULL;
  buf_clear(&door.exposed);
}

/* The daemon flushes everything and then calls this: ShutdownTimeout holds for
 * both together, and for all nodes together. */
static int on_shutdown(void) {
  int64_t now_ms = clock_steady_ms();
  int64_t timeout_ms = door.options.shutdown_timeout_ms;

  pthread_mutex_lock(&door.flush_lock);
  door.can_flush = false;
  int64_t begin_ms = door.flushed_ms;
  pthread_mutex_unlock(&door.flush_lock);
  if (now_ms - begin_ms >= timeout_ms)
    begin_ms = now_ms;
  for (size_t i = 0; i < door.n_outlets; i++)
    if (door.outlets[i].sender != NULL)
      sender_stop(door.outlets[i].sender, begin_ms + timeout_ms);
  clear();
  return 0;
}

/* ---- init --------------------------------------------------------------- */

/* Reads the environment once, before there are threads of ours. */
static const char *get_environment(const char *name) { return getenv(name); }

static int open_outlet(struct outlet *outlet,
                       const struct node_options *options, struct err *err) {
  struct buf warnings = BUF_INIT(65536);
  *outlet = (struct outlet){.options = options};
  atomic_flag_clear(&outlet->said_too_many);
  outlet->rules = rules_compile(&options->what, "collectd", get_environment,
                                &warnings, err);
  say_warnings(options->sender.node, &warnings);
  buf_clear(&warnings);
  if (outlet->rules == NULL)
    return -1;
  outlet->sender = sender_new(&options->sender, outlet->rules, hostname_g, err);
  return outlet->sender != NULL ? 0 : -1;
}

/* The requests of a month are what it costs: one each flush at least. */
static void say_rhythm(const struct sender_options *sender) {
  long long interval_s = sender->flush_interval_s;
  if (sender->dry_run)
    log_say(SAY_NOTICE, sender->node,
            "DryRun: nothing is sent to AWS; the log says what would be, when "
            "it is first seen");
  log_say(SAY_INFO, sender->node,
          "flushes every %lld s, which is %lld requests or more in 30 days; "
          "FlushInterval changes that, or Interval in <LoadPlugin " NAME ">",
          interval_s, 30LL * 86400 / interval_s);
}

/* Makes all outlets, then starts them: so that a mistake in the last node does
 * not leave the first ones running. */
static int open_all(const char **node, struct err *err) {
  size_t n = door.options.n_nodes;
  door.outlets = calloc(n, sizeof(*door.outlets));
  if (door.outlets == NULL)
    return err_set(err, "out of memory");
  for (size_t i = 0; i < n; i++) {
    *node = door.options.nodes[i].sender.node;
    door.n_outlets++;
    if (open_outlet(&door.outlets[i], &door.options.nodes[i], err) != 0)
      return -1;
  }
  for (size_t i = 0; i < n; i++) {
    *node = door.options.nodes[i].sender.node;
    if (sender_start(door.outlets[i].sender, err) != 0)
      return -1;
    say_rhythm(&door.options.nodes[i].sender);
  }
  return 0;
}

static int register_outlet(struct outlet *outlet, struct err *err) {
  struct buf name = BUF_INIT(256);
  const char *node = outlet->options->sender.node;
  user_data_t user_data = {.data = outlet, .free_func = NULL};

  buf_printf(&name, "%s%s%s", NAME, node[0] != '\0' ? "/" : "", node);
  int rc = buf_ok(&name) ? 0 : -1;
  if (rc == 0)
    rc = plugin_register_write(buf_str(&name), on_write, &user_data);
  if (rc == 0)
    rc = plugin_register_flush(buf_str(&name), on_flush, &user_data);
  if (rc == 0 && outlet->options->sender.report_stats)
    rc = plugin_register_complex_read(NAME, buf_str(&name), on_read, 0,
                                      &user_data);
  buf_clear(&name);
  return rc == 0 ? 0 : err_set(err, "collectd refused to register the node");
}

/* The daemon would go on after a failed init, without us and with one line in
 * its log; so it is ended, in the way in which an administrator would.  What
 * was made is freed in shutdown, as write may have been registered. */
static int fail(const char *node, const struct err *err) {
  log_say(SAY_ERROR, node, "%s; collectd is stopped",
          err->text[0] != '\0' ? err->text : "out of memory");
  kill(getpid(), SIGTERM);
  return -1;
}

static int on_init(void) {
  struct err err = {""};
  const char *node = "";
  double interval_s = CDTIME_T_TO_DOUBLE(plugin_get_interval());

  if (door.reader == NULL)
    door.reader = options_reader_new();
  if (door.reader == NULL)
    return fail("", &err);
  if (options_finish(door.reader, interval_s, &door.options, say_warning,
                     &err) != 0)
    return fail("", &err);
  say_warnings("", &door.exposed);
  if (http_global_init() != 0 || digest_set_up() != 0) {
    err_set(&err, "libcurl or libcrypto could not be set up");
    return fail("", &err);
  }
  if (open_all(&node, &err) != 0)
    return fail(node, &err);
  for (size_t i = 0; i < door.n_outlets; i++)
    if (register_outlet(&door.outlets[i], &err) != 0)
      return fail(door.outlets[i].options->sender.node, &err);

  pthread_mutex_lock(&door.flush_lock);
  door.can_flush = true;
  pthread_mutex_unlock(&door.flush_lock);
  return 0;
}

__attribute__((visibility("default"))) void module_register(void) {
  log_set_sink(sink);
  plugin_register_complex_config(NAME, on_config);
  plugin_register_init(NAME, on_init);
  plugin_register_shutdown(NAME, on_shutdown);
}
