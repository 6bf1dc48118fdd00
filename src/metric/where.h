/* where: the dimensions and sets of one <Metric> block, merged with those
 * outside and compiled; for block.c. */
#ifndef METRIC_WHERE_H
#define METRIC_WHERE_H

#include "metric/block.h"

/* Compiles text, a template, and checks what it expands to if that is known
 * already.
 *
 * check  answers 0, or -1 with *why set, to stand after the text
 * 0 with *out set, to be given back with tmpl_free(); or -1 with *why set. */
typedef int (*where_check_fn)(struct str text, struct err *why);
int where_compile_text(const struct block_context *context, const char *text,
                       where_check_fn check, struct tmpl **out,
                       struct err *why);

/* Writes "OPTION in <Metric "label">: WHY" and returns -1.
 *
 * label  NULL: outside the <Metric> blocks */
int where_refuse(const char *label, const char *option, const char *why,
                 struct err *err);

/* The same with the option's value. */
int where_refuse_value(const char *label, const char *option, const char *value,
                       const char *why, struct err *err);

/* Fills the dimensions of block: those in where, and those outside that are
 * not defined there again.  0, or -1 with *err set. */
int where_compile_dimensions(const struct block_context *context,
                             const struct where_spec *where, const char *label,
                             struct block *block, struct err *err);

/* Fills the sets of block, whose dimensions are there: those in where, else
 * those outside, else one of all dimensions.  0, or -1 with *err set. */
int where_compile_sets(const struct block_context *context,
                       const struct where_spec *where, struct block *block,
                       struct err *err);

#endif
