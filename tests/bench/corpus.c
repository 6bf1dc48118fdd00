/* The rules.
 *
 *   memory      16 GiB in pages of 4096 bytes; little of it moves from one
 *               reading to the next but free and cached
 *   tcpconns    all ports, 22 and 443; most states are empty, ESTABLISHED and
 *               TIME_WAIT move with the load
 *   cpu         4 processors; jiffies of 10 ms, so DERIVE of whole numbers
 *   df          3 file systems, in blocks of 4096 bytes; logs grow, what is
 *               reserved stays
 *   interface   bytes and packets of eth0 and lo, few errors
 *
 * A number moves in some of the readings (often), by up to step either way, and
 * turns back at low and high; unit times that is what is dispatched.  That of a
 * DERIVE is a rate per second, and its counter is what is dispatched.
 *
 * The daemon wakes a reader up to 0.2 ms late, and stamps each value when it is
 * dispatched, some microseconds after the one before: so a rate is hardly ever
 * a short number, unless it is 0. */
#include "corpus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SEED UINT64_C(0x9e3779b97f4a7c15)
#define DAYS_BACK 7
#define TICKS_S ((double)(UINT64_C(1) << 30)) /* of cdtime_t */
#define LATE_S 0.0002
#define DISPATCH_S 0.000004
#define SOURCES_MAX 2

/* ---- types.db ------------------------------------------------------------ */

static data_source_t gauge_source[] = {
    {.name = "value", .type = DS_TYPE_GAUGE, .min = 0, .max = NAN}};
static data_source_t derive_source[] = {
    {.name = "value", .type = DS_TYPE_DERIVE, .min = 0, .max = NAN}};
static data_source_t if_source[] = {
    {.name = "rx", .type = DS_TYPE_DERIVE, .min = 0, .max = NAN},
    {.name = "tx", .type = DS_TYPE_DERIVE, .min = 0, .max = NAN}};

static const data_set_t sets[] = {
    {.type = "memory", .ds_num = 1, .ds = gauge_source},
    {.type = "tcp_connections", .ds_num = 1, .ds = gauge_source},
    {.type = "cpu", .ds_num = 1, .ds = derive_source},
    {.type = "df_complex", .ds_num = 1, .ds = gauge_source},
    {.type = "if_octets", .ds_num = 2, .ds = if_source},
    {.type = "if_packets", .ds_num = 2, .ds = if_source},
    {.type = "if_errors", .ds_num = 2, .ds = if_source},
    {.type = "if_dropped", .ds_num = 2, .ds = if_source},
};
enum type {
  MEMORY,
  TCP,
  CPU,
  DF,
  IF_OCTETS,
  IF_PACKETS,
  IF_ERRORS,
  IF_DROPPED,
};

/* ---- one host ------------------------------------------------------------ */

static const struct item {
  const char *plugin, *plugin_instance, *type_instance;
  enum type type;
  double unit, low, high, step, often;
} items[] = {
#define PAGES(name, low, high, step, often)                                    \
  { "memory", "", name, MEMORY, 4096, low, high, step, often }
    PAGES("used", 1200000, 1800000, 900, 1),
    PAGES("buffered", 60000, 70000, 20, 0.5),
    PAGES("cached", 1500000, 2100000, 600, 1),
    PAGES("free", 100000, 400000, 1500, 1),
    PAGES("slab_unrecl", 20000, 24000, 8, 0.4),
    PAGES("slab_recl", 80000, 90000, 30, 0.7),
#define STATE(port, name, high, step, often)                                   \
  { "tcpconns", port, name, TCP, 1, 0, high, step, often }
#define PORT(port, established, listen, waiting)                               \
  STATE(port, "CLOSED", 0, 0, 0),                                              \
      STATE(port, "ESTABLISHED", established, 9, 1),                           \
      STATE(port, "SYN_SENT", 1, 1, 0.02), STATE(port, "SYN_RECV", 3, 1, 0.1), \
      STATE(port, "FIN_WAIT1", 2, 1, 0.1),                                     \
      STATE(port, "FIN_WAIT2", 6, 2, 0.3),                                     \
      STATE(port, "TIME_WAIT", waiting, 20, 1),                                \
      STATE(port, "CLOSE_WAIT", 2, 1, 0.05),                                   \
      STATE(port, "LAST_ACK", 1, 1, 0.02),                                     \
      {"tcpconns", port, "LISTEN", TCP, 1, listen, listen, 0, 0},              \
      STATE(port, "CLOSING", 0, 0, 0)
    PORT("all", 400, 7, 600),
    PORT("22-local", 3, 1, 2),
    PORT("443-local", 380, 1, 580),
#define JIFFIES(number, name, low, high, step)                                 \
  { "cpu", number, name, CPU, 1, low, high, step, 1 }
#define PROCESSOR(number)                                                      \
  JIFFIES(number, "user", 4, 45, 4), JIFFIES(number, "nice", 0, 0, 0),         \
      JIFFIES(number, "system", 1, 12, 1.5),                                   \
      JIFFIES(number, "idle", 40, 94, 5), JIFFIES(number, "wait", 0, 3, 0.7),  \
      JIFFIES(number, "interrupt", 0, 0, 0),                                   \
      JIFFIES(number, "softirq", 0, 2, 0.3),                                   \
      JIFFIES(number, "steal", 0, 1, 0.2)
    PROCESSOR("0"),
    PROCESSOR("1"),
    PROCESSOR("2"),
    PROCESSOR("3"),
#define BLOCKS(mount, name, low, high, step, often)                            \
  { "df", mount, name, DF, 4096, low, high, step, often }
#define MOUNT(mount, blocks, step, often)                                      \
  BLOCKS(mount, "free", 0.3 * blocks, 0.7 * blocks, step, often),              \
      BLOCKS(mount, "reserved", 0.05 * blocks, 0.05 * blocks, 0, 0),           \
      BLOCKS(mount, "used", 0.25 * blocks, 0.65 * blocks, step, often)
    MOUNT("root", 5000000, 3, 0.3),
    MOUNT("var-log", 2500000, 200, 0.9),
    MOUNT("srv", 26000000, 40, 0.2),
#define PACKETS(name, octets, packets)                                         \
  {"interface", name, "", IF_OCTETS, 1, octets / 20, octets, octets / 10, 1},  \
      {"interface",  name,    "",           IF_PACKETS, 1,                     \
       packets / 20, packets, packets / 10, 1},                                \
      {"interface", name, "", IF_ERRORS, 1, 0, 0, 0, 0}, {                     \
    "interface", name, "", IF_DROPPED, 1, 0, 0.05, 0.02, 0.1                   \
  }
    PACKETS("eth0", 6000000.0, 5000.0),
    PACKETS("lo", 400000.0, 300.0),
};
#define N_ITEMS (sizeof(items) / sizeof(items[0]))

struct number {
  double level;   /* in units, or per second */
  double counter; /* of a DERIVE; whole when dispatched */
};

struct corpus {
  size_t n_hosts;
  int64_t interval_s, time_s;
  uint64_t chance;
  struct number (*numbers)[N_ITEMS][SOURCES_MAX]; /* of each host */
  double phase_s[CORPUS_HOSTS]; /* when its readers run, in their interval */
};

/* Marsaglia's xorshift64, as a number from 0 up to 1. */
static double draw(struct corpus *corpus) {
  corpus->chance ^= corpus->chance << 13;
  corpus->chance ^= corpus->chance >> 7;
  corpus->chance ^= corpus->chance << 17;
  return (double)(corpus->chance >> 11) / 9007199254740992.0;
}

static bool is_derive(const struct item *item, size_t i) {
  return sets[item->type].ds[i].type == DS_TYPE_DERIVE;
}

struct corpus *corpus_new(size_t n_hosts, int64_t interval_s) {
  struct corpus *corpus = calloc(1, sizeof(*corpus));

  if (corpus != NULL)
    corpus->numbers = calloc(n_hosts, sizeof(*corpus->numbers));
  if (corpus == NULL || corpus->numbers == NULL)
    fail("no memory for the corpus");
  corpus->n_hosts = n_hosts;
  corpus->interval_s = interval_s;
  corpus->time_s = (int64_t)time(NULL) / 60 * 60 - DAYS_BACK * 86400;
  corpus->chance = SEED;
  for (size_t h = 0; h < n_hosts; h++) {
    corpus->phase_s[h] = 0.9 * draw(corpus);
    for (size_t i = 0; i < N_ITEMS; i++)
      for (size_t s = 0; s < SOURCES_MAX; s++) {
        struct number *number = &corpus->numbers[h][i][s];
        double range = items[i].high - items[i].low;
        number->level = items[i].low + range * draw(corpus);
        number->counter = floor(number->level * 1e6 * draw(corpus));
      }
  }
  return corpus;
}

void corpus_free(struct corpus *corpus) {
  free(corpus->numbers);
  free(corpus);
}

size_t corpus_numbers(const struct corpus *corpus, bool is_first) {
  size_t n = 0;
  for (size_t i = 0; i < N_ITEMS; i++)
    for (size_t s = 0; s < sets[items[i].type].ds_num; s++)
      n += !is_first || !is_derive(&items[i], s);
  return n * corpus->n_hosts;
}

/* ---- readings ------------------------------------------------------------ */

static void move(struct corpus *corpus, const struct item *item,
                 struct number *number) {
  if (draw(corpus) < item->often)
    number->level += item->step * (2 * draw(corpus) - 1);
  if (number->level > item->high)
    number->level = 2 * item->high - number->level;
  if (number->level < item->low)
    number->level = 2 * item->low - number->level;
  number->level = fmin(number->level, item->high);
  number->counter += number->level * (double)corpus->interval_s;
}

static void dispatch(struct corpus *corpus, size_t host, size_t i,
                     double time_s, const struct writer *writer) {
  const struct item *item = &items[i];
  value_t values[SOURCES_MAX];
  value_list_t list = VALUE_LIST_INIT;
  user_data_t user_data = writer->user_data;

  list.values = values;
  list.values_len = sets[item->type].ds_num;
  list.time = (cdtime_t)corpus->time_s << 30;
  list.time += (cdtime_t)(time_s * TICKS_S);
  list.interval = TIME_T_TO_CDTIME_T(corpus->interval_s);
  (void)snprintf(list.host, sizeof(list.host), "web-%02zu.eu.example.com",
                 host);
  (void)snprintf(list.plugin, sizeof(list.plugin), "%s", item->plugin);
  (void)snprintf(list.plugin_instance, sizeof(list.plugin_instance), "%s",
                 item->plugin_instance);
  (void)snprintf(list.type, sizeof(list.type), "%s", sets[item->type].type);
  (void)snprintf(list.type_instance, sizeof(list.type_instance), "%s",
                 item->type_instance);
  for (size_t s = 0; s < list.values_len; s++) {
    struct number *number = &corpus->numbers[host][i][s];
    move(corpus, item, number);
    if (is_derive(item, s))
      values[s].derive = (derive_t)number->counter;
    else
      values[s].gauge = floor(number->level) * item->unit;
  }
  (void)writer->write(&sets[item->type], &list, &user_data);
}

/* All values of a plugin are read at once. */
static void read_host(struct corpus *corpus, size_t host,
                      const struct writer *writer) {
  double time_s = 0;

  for (size_t i = 0; i < N_ITEMS; i++) {
    if (i == 0 || items[i].plugin != items[i - 1].plugin)
      time_s = corpus->phase_s[host] + LATE_S * draw(corpus);
    time_s += DISPATCH_S * (0.5 + draw(corpus));
    dispatch(corpus, host, i, time_s, writer);
  }
}

void corpus_play(struct corpus *corpus, const struct writer *writer,
                 size_t n_intervals) {
  for (size_t i = 0; i < n_intervals; i++) {
    for (size_t host = 0; host < corpus->n_hosts; host++)
      read_host(corpus, host, writer);
    corpus->time_s += corpus->interval_s;
  }
}
