/* How blocks are read: each line is looked up in the table, checked, tried out
 * and kept. */
#include "options.h"
#include "options_table.h"

#include "base/str.h"

#include "liboconfig/oconfig.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- saying what is wrong ----------------------------------------------- */

/* One block while it is read. */
struct block {
  struct options_reader *reader;
  options_say_fn say;
  struct level *level;
  const char *metric; /* NULL: not in a <Metric> */
  unsigned where;     /* IN_... */
};

/* Says "<block>: Option value: why".  The value of an option that is unknown
 * may be a secret with a slip in its name, so it is not shown either. */
static void complain(const struct block *block, const oconfig_item_t *line,
                     const struct option *option, const char *why) {
  char room[1024];
  struct buf text = BUF_OVER(room);

  block->reader->bad = true;
  block_put(&text, block->level->node, block->metric);
  buf_puts(&text, ": ");
  text_put_shown(&text, option != NULL ? option->name : line->key);
  if (option != NULL && line->values_num > 0) {
    buf_putc(&text, ' ');
    if (option->secret)
      buf_puts(&text, "(value not shown)");
    else
      values_put(&text, line->values, (size_t)line->values_num);
  }
  buf_puts(&text, ": ");
  buf_puts(&text, why);
  block->say(buf_ok(&text) ? buf_str(&text) : why);
}

static void complain_unknown(const struct block *block,
                             const oconfig_item_t *line) {
  struct err err = {""};
  const struct option *meant = option_nearest(line->key, block->where);
  if (meant != NULL)
    err_set(&err, "unknown option; did you mean %s?", meant->name);
  else
    err_set(&err, "unknown option; collectd-write_cloudwatch(5) lists those "
                  "there are");
  complain(block, line, NULL, err.text);
}

/* Whether the option may stand here. */
static int check_place(const struct option *option, const struct block *block,
                       struct err *err) {
  static const char *const places[] = {
      [IN_PLUGIN] = "<Plugin write_cloudwatch>",
      [LEVELS] = "<Plugin write_cloudwatch> or a <Node> block",
      [IN_METRIC] = "a <Metric> block",
  };
  if ((option->where & block->where) != 0)
    return 0;
  const char *place = places[option->where & (LEVELS | IN_METRIC)];
  return err_set(err, "cannot stand in this block; move it to %s", place);
}

/* Whether there are as many values as there should be. */
static int check_count(const struct option *option, const oconfig_item_t *line,
                       struct err *err) {
  char room[256];
  struct buf meant = BUF_OVER(room);
  size_t n = (size_t)line->values_num;
  bool is_right =
      option->n_arguments == AT_LEAST_ONE ? n > 0 : n == option->n_arguments;
  if (is_right)
    return 0;

  if (option->set == NULL)
    return err_set(err, "a block needs exactly one name; write <%s %s>",
                   option->name, option->example);
  if (n > option->n_arguments && option->n_arguments == 1 && !option->secret) {
    values_put_meant(&meant, option->kind, line->values, n);
    if (option->kind == NUMBER && meant.len > 0)
      return err_set(err,
                     "collectd knows no numbers with an exponent; write %s",
                     buf_str(&meant));
    if (meant.len > 0)
      return err_set(err, "arrived as %zu values; put it in quotes: %s \"%s\"",
                     n, option->name, buf_str(&meant));
  }
  if (option->example != NULL)
    return err_set(err, "%s values; write it like %s %s",
                   n == 0                    ? "no"
                   : n > option->n_arguments ? "too many"
                                             : "too few",
                   option->name, option->example);
  return err_set(err, "takes exactly one value, and there are %zu%s", n,
                 n > 1 && option->kind == TEXT ? "; put it in quotes" : "");
}

/* ---- reading one line --------------------------------------------------- */

/* The arguments of a line, checked in number and kind. */
static int take_arguments(const struct option *option,
                          const oconfig_item_t *line, struct item *out,
                          struct err *err) {
  if (check_count(option, line, err) != 0)
    return -1;
  out->arguments = calloc((size_t)line->values_num, sizeof(*out->arguments));
  if (out->arguments == NULL)
    return err_set(err, "out of memory");
  for (int i = 0; i < line->values_num; i++) {
    out->n_arguments++;
    if (argument_take(&out->arguments[i], option->kind, &line->values[i],
                      err) != 0)
      return -1;
  }
  return 0;
}

/* Notes that the option stands here; refuses a second time. */
static int check_once(const struct option *option, uint64_t *given,
                      struct err *err) {
  uint64_t bit = UINT64_C(1) << (option_index(option));
  bool is_second = (*given & bit) != 0;
  *given |= bit;
  if (!is_second || option->repeats)
    return 0;
  return err_set(err,
                 "%s stands twice here (several <Plugin> blocks are read "
                 "as one); keep one line",
                 option->name);
}

/* All of one line but its effect: *out is the caller's to clear, whatever is
 * returned. */
static int take_line(const struct option *option, const oconfig_item_t *line,
                     const struct block *block, uint64_t *given,
                     struct item *out, struct err *err) {
  out->option = option;
  if (check_place(option, block, err) != 0 ||
      check_once(option, given, err) != 0)
    return -1;
  if (option->set != NULL && line->children_num > 0)
    return err_set(err, "is a line, no block; write %s %s", option->name,
                   option->example != NULL ? option->example : "and a value");
  return take_arguments(option, line, out, err);
}

/* Adds *item to a list; it is empty afterwards.  0, or -1 for lack of memory.
 */
static int push(struct item **list, size_t *n, struct item *item) {
  struct item *grown = realloc(*list, (*n + 1) * sizeof(*grown));
  if (grown == NULL)
    return -1;
  *list = grown;
  grown[(*n)++] = *item;
  *item = (struct item){0};
  return 0;
}

/* ---- blocks ------------------------------------------------------------- */

static void read_metric_line(const oconfig_item_t *line,
                             const struct block *block, uint64_t *given,
                             struct rule_spec *trial, struct item *metric) {
  const struct option *option = option_find(line->key);
  struct item item = {0};
  struct err err = {""};

  if (option == NULL) {
    complain_unknown(block, line);
    return;
  }
  if (take_line(option, line, block, given, &item, &err) != 0 ||
      item_apply_in_metric(&item, trial, &err) != 0)
    complain(block, line, option, err.text);
  else if (push(&metric->children, &metric->n_children, &item) != 0)
    complain(block, line, option, "out of memory");
  item_clear(&item);
}

/* Reads what stands in a <Metric> block into *metric. */
static void read_metric(const oconfig_item_t *lines, const struct block *outer,
                        struct item *metric) {
  struct rule_spec trial = RULE_SPEC_INIT;
  struct block block = *outer;
  uint64_t given = 0;

  assert(metric->arguments != NULL); /* take_arguments() saw to it */
  block.metric = metric->arguments[0].text;
  block.where = IN_METRIC;
  for (int i = 0; i < lines->children_num; i++)
    read_metric_line(&lines->children[i], &block, &given, &trial, metric);
  rule_spec_clear(&trial);
}

static void read_level(const oconfig_item_t *lines, const struct block *block);

/* Node names become part of callback names, and later of file names. */
static int check_node_name(const struct options_reader *reader,
                           const char *name, struct err *err) {
  size_t len = strlen(name);
  if (len == 0 || len > 64)
    return err_set(err, "a node's name has 1 to 64 characters; choose "
                        "another");
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return err_set(err, "this cannot be a file's name; choose another");
  for (const char *p = name; *p != '\0'; p++)
    if (*p == '/' || (unsigned char)*p < 0x20 || *p == 0x7f)
      return err_set(err, "a node's name has no \"/\" and no control "
                          "characters; choose another");
  for (size_t i = 0; i < reader->n_nodes; i++)
    if (str_eq_nocase(str_of(reader->nodes[i].node), str_of(name)))
      return err_set(err, "there are two nodes of this name; rename one");
  return 0;
}

static void read_node(const oconfig_item_t *lines, const struct block *outer,
                      struct item *item) {
  const struct option *option = item->option;
  struct options_reader *reader = outer->reader;
  struct block block = *outer;
  struct err err = {""};

  assert(item->arguments != NULL && item->arguments[0].text != NULL);
  if (check_node_name(reader, item->arguments[0].text, &err) != 0) {
    complain(outer, lines, option, err.text);
    return;
  }
  struct level *grown =
      realloc(reader->nodes, (reader->n_nodes + 1) * sizeof(*grown));
  if (grown == NULL) {
    complain(outer, lines, option, "out of memory");
    return;
  }
  reader->nodes = grown;
  struct level *level = &reader->nodes[reader->n_nodes++];
  *level = (struct level){.node = item->arguments[0].text};
  item->arguments[0].text = NULL; /* the level has it now */
  block.level = level;
  block.where = IN_NODE;
  read_level(lines, &block);
}

static void read_line(const oconfig_item_t *line, const struct block *block) {
  const struct option *option = option_find(line->key);
  struct level *level = block->level;
  struct item item = {0};
  struct err err = {""};

  if (option == NULL) {
    complain_unknown(block, line);
    return;
  }
  if (take_line(option, line, block, &level->given, &item, &err) != 0) {
    complain(block, line, option, err.text);
    goto out;
  }
  if (str_eq(str_of(option->name), STR("Node"))) {
    read_node(line, block, &item);
    goto out;
  }
  if (option->set == NULL)
    read_metric(line, block, &item);
  if (item_apply(&item, &level->trial, &err) != 0)
    complain(block, line, option, err.text);
  else if (push(&level->items, &level->n_items, &item) != 0)
    complain(block, line, option, "out of memory");
out:
  item_clear(&item);
}

static void read_level(const oconfig_item_t *lines, const struct block *block) {
  for (int i = 0; i < lines->children_num; i++)
    read_line(&lines->children[i], block);
}

/* ---- a <Plugin> block --------------------------------------------------- */

int options_read(struct options_reader *reader,
                 const struct oconfig_item_s *block, options_say_fn say) {
  bool was_bad = reader->bad;
  struct block plugin = {
      .reader = reader,
      .say = say,
      .level = &reader->plugin,
      .where = IN_PLUGIN,
  };
  reader->n_blocks++;
  reader->bad = false;
  read_level(block, &plugin);
  bool is_bad = reader->bad;
  reader->bad = was_bad || is_bad;
  return is_bad ? -1 : 0;
}
