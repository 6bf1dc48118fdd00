/* options_table: what the files that implement options.h share.
 *
 * options.c holds the one table of options; options_read.c reads blocks by it;
 * options_argument.c checks what stands on a line; options_value.c turns it
 * into settings; options_finish.c applies inheritance and defaults;
 * options_warn.c looks at the outcome.
 *
 * A line that was read is kept as a struct item, and its effect is had by
 * running its setter, as often as is needed: once at reading, into a trial that
 * finds mistakes, and once for each node that it reaches.  So inheritance needs
 * no copying of settings, and each node owns what it has. */
#ifndef OPTIONS_TABLE_H
#define OPTIONS_TABLE_H

#include "base/buf.h"
#include "base/err.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oconfig_value_s;

/* What setters at the levels of <Plugin> and <Node> write to. */
struct target {
  struct node_options node;
  int64_t shutdown_timeout_ms;
};
void target_clear(struct target *target); /* wipes secrets */

enum argument_kind {
  TEXT,
  WORD, /* a text that may also be written as a number without quotes */
  NUMBER,
  TRUTH,
};

struct argument {
  char *text;    /* TEXT, WORD; owned */
  double number; /* NUMBER */
  bool truth;    /* TRUTH */
};

/* Where an option may stand. */
#define IN_PLUGIN 1u
#define IN_NODE 2u
#define IN_METRIC 4u
#define LEVELS (IN_PLUGIN | IN_NODE)

/* What a Node inherits as a whole or not at all. */
enum group {
  ALONE, /* inherited singly */
  CREDENTIALS,
  PLACE,
  METRICS,
  DIMENSIONS,
};

#define AT_LEAST_ONE 0 /* struct option.n_arguments */
#define OPTION_WORDS_MAX 8

struct option;

/* Writes the checked arguments to *to, over what an earlier line wrote there.
 * 0; or -1 with *err saying what is wrong with the value and what to do. */
typedef int option_set_fn(const struct option *option, void *to,
                          const struct argument *arguments, size_t n,
                          struct err *err);

struct option {
  const char *name;
  const char *fallback; /* the default, as one would write it; NULL: none */
  unsigned where;       /* IN_... */
  bool repeats;
  bool secret; /* the value never appears in a message */
  enum group group;
  enum argument_kind kind;
  size_t n_arguments;
  const char *example; /* arguments for messages; NULL: the name says enough */
  option_set_fn *set;  /* NULL: a block, <Metric> or <Node> */
  size_t at_level;     /* offset in struct target */
  size_t in_metric;    /* offset in struct rule_spec */
  double least, most;  /* of a NUMBER; both 0: any */
  const char *unit;    /* of a NUMBER, for messages; NULL: none */
  const char *words[OPTION_WORDS_MAX]; /* to choose from; NULL: no such one */
};

/* ---- the table (options.c) ---------------------------------------------- */

const struct option *option_at(size_t i); /* NULL beyond the last */
size_t option_index(const struct option *option);

/* The option called so, without case; NULL when there is none. */
const struct option *option_find(const char *name);

/* The option that was probably meant; NULL when none is near.  One that may
 * stand at this place is preferred. */
const struct option *option_nearest(const char *name, unsigned where);

/* ---- what was read ------------------------------------------------------ */

/* A line or block that was read and found good. */
struct item {
  const struct option *option;
  struct argument *arguments; /* owned */
  size_t n_arguments;
  struct item *children; /* owned; of a <Metric> */
  size_t n_children;
};
void item_clear(struct item *item); /* wipes, as it may hold a secret */

/* The lines of <Plugin> or of one <Node>. */
struct level {
  char *node; /* owned; NULL: <Plugin> */
  struct item *items;
  size_t n_items;
  uint64_t given;      /* bit i: option_at(i) stands here */
  struct target trial; /* where values are tried out */
};

struct options_reader {
  struct level plugin;
  struct level *nodes; /* owned */
  size_t n_nodes;
  size_t n_blocks; /* seen so far */
  bool bad;        /* something was wrong */
};

/* Forgets all that was read, wiped. */
void options_reader_clear(struct options_reader *reader);

/* ---- applying (options_finish.c) ---------------------------------------- */

/* Sets every option that has a default to it. */
int target_set_defaults(struct target *target, struct err *err);

/* Runs the setter of a line on a level's target, or adds the rule of a
 * <Metric> block. */
int item_apply(const struct item *item, struct target *to, struct err *err);
int item_apply_in_metric(const struct item *item, struct rule_spec *to,
                         struct err *err);

/* Whether text is a good template. */
int template_check(const char *text, struct err *err);

/* Tells each warning about a node whose settings are complete (options_warn.c).
 */
void options_warn(const struct node_options *node, options_say_fn warn);

/* ---- arguments (options_argument.c) ------------------------------------- */

/* Makes one argument of kind from what was written; text is copied.  0; or -1
 * with *err set. */
int argument_take(struct argument *out, enum argument_kind kind,
                  const struct oconfig_value_s *value, struct err *err);

/* Appends the values as they were written, shortened, without bytes that would
 * break a line. */
void values_put(struct buf *out, const struct oconfig_value_s *values,
                size_t n);

/* Appends what was probably meant by several values where one was wanted, such
 * as eu-west-1 or 1e-3 without quotes; nothing when it cannot be told. */
void values_put_meant(struct buf *out, enum argument_kind kind,
                      const struct oconfig_value_s *values, size_t n);

/* Appends text for a message: cut at 64 bytes, control characters as "?". */
void text_put_shown(struct buf *out, const char *text);

/* Appends the opening tag of the block that the messages are about; node and
 * metric NULL where there is none. */
void block_put(struct buf *out, const char *node, const char *metric);

/* ---- setters (options_value.c); what each writes to --------------------- */

option_set_fn set_text;          /* char *, not empty */
option_set_fn set_path;          /* char *, a whole path */
option_set_fn set_key;           /* char *, without blanks */
option_set_fn set_template;      /* char * */
option_set_fn set_region;        /* char * */
option_set_fn set_endpoint;      /* char * */
option_set_fn set_truth;         /* bool */
option_set_fn set_choice;        /* enum place_choice */
option_set_fn set_number;        /* double */
option_set_fn set_whole;         /* int64_t */
option_set_fn set_milliseconds;  /* int64_t; written in seconds */
option_set_fn set_mebibytes;     /* int64_t, bytes */
option_set_fn set_resolution;    /* int */
option_set_fn set_unit;          /* const char *, static */
option_set_fn set_word;          /* an enum, of which words has the names */
option_set_fn set_either;        /* bool: whether it is the second word */
option_set_fn add_selector;      /* struct text_list */
option_set_fn add_dimension;     /* struct where_spec */
option_set_fn add_dimension_set; /* struct where_spec */

#endif
