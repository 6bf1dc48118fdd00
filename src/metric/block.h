/* block: one compiled <Metric> block, as rules_compile() makes it and
 * rules_map() runs it; for the files of rule.h and explain.h only. */
#ifndef METRIC_BLOCK_H
#define METRIC_BLOCK_H

#include "metric/rule.h"
#include "metric/select.h"

/* A dimension that the block knows: defined in it, or outside and not again
 * in it. */
struct block_dimension {
  char *name;        /* owned */
  char *text;        /* the template as written, owned */
  struct tmpl *tmpl; /* owned */
  bool used;         /* in a set of the block */
};

/* A set of dimensions, as ascending numbers of the block's. */
struct block_set {
  size_t n;
  size_t at[CW_DIMENSIONS_MAX];
};

struct block {
  struct rule rule; /* its label is owned */
  size_t number;    /* of the <Metric> block, from 1, for messages */
  struct select select[N_SELECTORS];
  char *namespace_text; /* the template as written, owned */
  struct tmpl *namespace, *name;
  struct block_dimension *dimensions; /* sorted by name */
  size_t n_dimensions;
  struct block_set *sets; /* some may be alike */
  size_t n_sets;
  const char *unit; /* static; NULL: by type */
  int resolution_s;
};

struct rules {
  struct tmpl_keys keys;
  struct block *blocks; /* the enabled ones, in the order of the blocks */
  size_t n_blocks;
};

/* What every block of a node is compiled with. */
struct block_context {
  const struct where_spec *outside;
  const char *default_namespace;
  struct tmpl_keys *keys;
  tmpl_env_fn env;
};

/* Compiles spec, the block of this number.  0 with *out filled, to be given
 * back with block_clear(); or -1 with *err set and *out empty. */
int block_compile(const struct block_context *context,
                  const struct rule_spec *spec, size_t number,
                  struct block *out, struct err *err);
void block_clear(struct block *block);

/* The option that selector i < N_SELECTORS is written with; static. */
const char *block_selector_name(size_t i);

/* Checks what is defined outside the blocks, used or not.  0, or -1 with *err
 * set. */
int block_check_outside(const struct block_context *context, struct err *err);

/* Whether the default unit of a block that names none is "None" for every
 * type, because its numbers are no longer in the type's unit. */
bool block_loses_unit(const struct rule *rule);

/* Refuses two blocks that can feed one series and disagree.  a_spec and b_spec
 * are what they were compiled from.  0, or -1 with *err set. */
int block_agree(const struct block *a, const struct rule_spec *a_spec,
                const struct block *b, const struct rule_spec *b_spec,
                struct err *err);

#endif
