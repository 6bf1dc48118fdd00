/* options: what the <Plugin write_cloudwatch> blocks say, read, checked and
 * complete.
 *
 * One table in options.c names each option with its place, parser and target;
 * manual and example are checked against it.  Reading goes in two steps, as
 * the daemon does: options_read() for each block as it comes, then
 * options_finish() in init, which applies inheritance and checks what needs the
 * whole. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/err.h"
#include "metric/rule.h"
#include "run/sender.h"

#include <stddef.h>
#include <stdint.h>

/* As liboconfig declares it. */
struct oconfig_item_s;

/* One destination, complete: everything a sender and its rules need. */
struct node_options {
  struct sender_options sender;
  struct rules_spec what;
};

/* All of it; plain data after options_finish(). */
struct options {
  struct node_options *nodes; /* owned; at least 1 after options_finish() */
  size_t n_nodes;
  int64_t shutdown_timeout_ms;
};

/* What is read so far: the <Plugin> level and the <Node> blocks, with what was
 * given and what was not. */
struct options_reader;

/* NULL is lack of memory. */
struct options_reader *options_reader_new(void);
void options_reader_free(struct options_reader *reader); /* wipes secrets */

/* Reads one <Plugin write_cloudwatch> block; several are read as one.
 *
 * say  told each error, one sentence that names option, block, value and
 *      remedy; reading goes on, so that one run shows all mistakes
 * 0, or -1 when anything was wrong. */
typedef void (*options_say_fn)(const char *sentence);
int options_read(struct options_reader *reader,
                 const struct oconfig_item_s *block, options_say_fn say);

/* Applies inheritance and defaults, checks what needs the whole.
 *
 * reader      emptied
 * interval_s  collectd's interval for this plugin: the default FlushInterval
 * warn        told each warning
 * 0 with *out filled, to be given back with options_clear(); or -1 with *err
 * set and *out empty. */
int options_finish(struct options_reader *reader, double interval_s,
                   struct options *out, options_say_fn warn, struct err *err);
void options_clear(struct options *options); /* wipes secrets */

#endif
