#include "metric/where.h"

#include "metric/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 120 /* bytes of a list of names in a message */

/* ---- messages ----------------------------------------------------------- */

int where_refuse(const char *label, const char *option, const char *why,
                 struct err *err) {
  if (label == NULL)
    return err_set(err, "%s outside the <Metric> blocks: %s", option, why);
  return err_set(err, "%s in <Metric \"%.80s\">: %s", option, label, why);
}

int where_refuse_value(const char *label, const char *option, const char *value,
                       const char *why, struct err *err) {
  struct err what;
  err_set(&what, "%s \"%.80s\"", option, value);
  return where_refuse(label, what.text, why, err);
}

static int refuse_dimension(const char *label,
                            const struct dimension_spec *spec, const char *why,
                            struct err *err) {
  struct err what;
  err_set(&what, "Dimension \"%.60s\"", spec->name);
  return where_refuse_value(label, what.text, spec->template, why, err);
}

/* Appends name in quotes after sep; an ellipsis once the list is long. */
static void list(struct buf *out, const char *sep, const char *name) {
  if (out->len > LIST_MAX) {
    if (!str_has_suffix(str_of(buf_str(out)), STR("...")))
      buf_puts(out, " ...");
    return;
  }
  buf_printf(out, "%s\"%.60s\"", out->len == 0 ? "" : sep, name);
}

static int refuse_set(const char *label, const struct text_list *set,
                      const char *why, struct err *err) {
  char names[2 * LIST_MAX];
  struct buf b = BUF_OVER(names);
  struct err what;

  for (size_t i = 0; i < set->n; i++)
    list(&b, " ", set->text[i]);
  err_set(&what, "DimensionSet %s", buf_str(&b));
  return where_refuse(label, what.text, why, err);
}

static int refuse_undefined(const struct block *block,
                            const struct text_list *set, const char *name,
                            struct err *err) {
  char names[2 * LIST_MAX];
  struct buf b = BUF_OVER(names);
  struct err why;

  for (size_t i = 0; i < block->n_dimensions; i++)
    list(&b, ", ", block->dimensions[i].name);
  err_set(&why,
          "no Dimension \"%.60s\" is defined (there is %s); define it, or "
          "take it out of the set",
          name, b.len > 0 ? buf_str(&b) : "none");
  return refuse_set(block->rule.label, set, why.text, err);
}

/* ---- dimensions --------------------------------------------------------- */

int where_compile_text(const struct block_context *context, const char *text,
                       where_check_fn check, struct tmpl **out,
                       struct err *why) {
  struct buf b = BUF_INIT(SIZE_MAX / 2);
  int rc = -1;

  *out = tmpl_compile(str_of(text), context->keys, context->env, why);
  if (*out == NULL)
    return -1;
  if (tmpl_varies(*out))
    return 0;
  tmpl_expand(*out, &(struct input){0}, 0, &b);
  if (!buf_ok(&b))
    err_set(why, "out of memory");
  else
    rc = check(str_of_buf(&b), why);
  if (rc != 0) {
    tmpl_free(*out);
    *out = NULL;
  }
  buf_clear(&b);
  return rc;
}

/* A blank value is no mistake: the dimension leaves its sets, as with an
 * environment variable that is not set. */
static int check_value(struct str text, struct err *why) {
  if (names_is_blank(text))
    return 0;
  return names_check(text, CW_DIMENSION_VALUE_MAX, why);
}

static const struct dimension_spec *find_spec(const struct where_spec *where,
                                              size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(where->dimensions[i].name, name) == 0)
      return &where->dimensions[i];
  return NULL;
}

/* Compiles number i of where as one more dimension of block. */
static int add_dimension(const struct block_context *context,
                         const struct where_spec *where, size_t i,
                         const char *label, struct block *block,
                         struct err *err) {
  const struct dimension_spec *spec = &where->dimensions[i];
  struct block_dimension *out = &block->dimensions[block->n_dimensions];
  struct err why;

  *out = (struct block_dimension){0};
  if (names_check_dimension(str_of(spec->name), &why) != 0)
    return refuse_dimension(label, spec, why.text, err);
  if (find_spec(where, i, spec->name) != NULL)
    return refuse_dimension(label, spec,
                            "a dimension of this name is defined before in "
                            "the same block; leave one of them out",
                            err);
  block->n_dimensions++;
  out->name = str_dup(str_of(spec->name));
  out->text = str_dup(str_of(spec->template));
  if (out->name == NULL || out->text == NULL)
    return err_set(err, "out of memory");
  if (where_compile_text(context, spec->template, check_value, &out->tmpl,
                         &why) != 0)
    return refuse_dimension(label, spec, why.text, err);
  return 0;
}

static int by_name(const void *a, const void *b) {
  const struct block_dimension *x = a, *y = b;
  return strcmp(x->name, y->name);
}

int where_compile_dimensions(const struct block_context *context,
                             const struct where_spec *where, const char *label,
                             struct block *block, struct err *err) {
  const struct where_spec *outside = context->outside;
  size_t n = outside->n_dimensions + where->n_dimensions;

  if (n == 0)
    return 0;
  block->dimensions = calloc(n, sizeof(block->dimensions[0]));
  if (block->dimensions == NULL)
    return err_set(err, "out of memory");
  for (size_t i = 0; i < where->n_dimensions; i++)
    if (add_dimension(context, where, i, label, block, err) != 0)
      return -1;
  for (size_t i = 0; outside != where && i < outside->n_dimensions; i++) {
    const char *name = outside->dimensions[i].name;
    if (find_spec(where, where->n_dimensions, name) == NULL &&
        add_dimension(context, outside, i, NULL, block, err) != 0)
      return -1;
  }
  qsort(block->dimensions, block->n_dimensions, sizeof(block->dimensions[0]),
        by_name);
  return 0;
}

/* ---- sets --------------------------------------------------------------- */

/* The one set there is when none is configured. */
static int take_all(struct block *block, struct block_set *out,
                    struct err *err) {
  struct err why;

  if (block->n_dimensions > CW_DIMENSIONS_MAX) {
    err_set(&why,
            "%zu dimensions are defined and no DimensionSet, so all of them "
            "are one set, and CloudWatch takes at most %d; name fewer in a "
            "DimensionSet",
            block->n_dimensions, CW_DIMENSIONS_MAX);
    return where_refuse(block->rule.label, "Dimension", why.text, err);
  }
  out->n = block->n_dimensions;
  for (size_t i = 0; i < out->n; i++) {
    out->at[i] = i;
    block->dimensions[i].used = true;
  }
  return 0;
}

static bool names_dimension(const struct text_list *set, const char *name) {
  for (size_t i = 0; i < set->n; i++)
    if (strcmp(set->text[i], name) == 0)
      return true;
  return false;
}

static bool is_defined(const struct block *block, const char *name) {
  for (size_t i = 0; i < block->n_dimensions; i++)
    if (strcmp(block->dimensions[i].name, name) == 0)
      return true;
  return false;
}

static int compile_set(const struct block *block, const struct text_list *spec,
                       struct block_set *out, struct err *err) {
  struct err why;

  *out = (struct block_set){0};
  if (spec->n == 1 && spec->text[0][0] == '\0')
    return 0; /* the empty set, as it is written */
  if (spec->n > CW_DIMENSIONS_MAX) {
    err_set(&why, "has %zu dimensions; CloudWatch takes at most %d: name fewer",
            spec->n, CW_DIMENSIONS_MAX);
    return refuse_set(block->rule.label, spec, why.text, err);
  }
  for (size_t i = 0; i < spec->n; i++)
    if (!is_defined(block, spec->text[i]))
      return refuse_undefined(block, spec, spec->text[i], err);
  for (size_t i = 0; i < block->n_dimensions; i++)
    if (names_dimension(spec, block->dimensions[i].name))
      out->at[out->n++] = i;
  if (out->n < spec->n)
    return refuse_set(block->rule.label, spec,
                      "names a dimension twice; name each once", err);
  return 0;
}

int where_compile_sets(const struct block_context *context,
                       const struct where_spec *where, struct block *block,
                       struct err *err) {
  if (where->n_sets == 0)
    where = context->outside;
  size_t n = where->n_sets > 0 ? where->n_sets : 1;
  block->sets = calloc(n, sizeof(block->sets[0]));
  if (block->sets == NULL)
    return err_set(err, "out of memory");
  if (where->n_sets == 0) {
    block->n_sets = 1;
    return take_all(block, &block->sets[0], err);
  }
  for (size_t i = 0; i < n; i++) {
    struct block_set *set = &block->sets[block->n_sets];
    if (compile_set(block, &where->sets[i], set, err) != 0)
      return -1;
    block->n_sets++;
    for (size_t k = 0; k < set->n; k++)
      block->dimensions[set->at[k]].used = true;
  }
  return 0;
}
