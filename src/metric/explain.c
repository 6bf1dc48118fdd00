#include "metric/explain.h"

#include "metric/block.h"

/* Limits that keep any clause within EXPLAIN_BECAUSE_MAX: two lists, of 110
 * bytes at most with quotes and words, and 31 bytes for option and verb. */
#define SHOWN_MAX 3    /* texts of a list that has no more; of longer ones 2 */
#define ALONE_MAX 108  /* bytes of a text that is shown alone */
#define BESIDES_MAX 32 /* of one among others */

/* ---- a clause ----------------------------------------------------------- */

struct list {
  const char *text[SHOWN_MAX]; /* the first ones, borrowed */
  size_t n;                    /* of all */
};

static void add(struct list *list, const char *text) {
  if (list->n < SHOWN_MAX)
    list->text[list->n] = text;
  list->n++;
}

/* Takes one character from *rest, and gives what is shown for it: what could
 * end the quotes, or do something to a terminal, is made harmless. */
static struct str next_character(struct str *rest) {
  unsigned char lead = (unsigned char)rest->p[0];
  struct str c = {rest->p, lead < 0x80   ? 1
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                                         : 4};

  if (c.len > rest->len || !str_is_utf8(c)) {
    *rest = str_from(*rest, 1);
    return STR("?");
  }
  *rest = str_from(*rest, c.len);
  /* U+0080 to U+009F are control characters too. */
  if (str_has_control(c) || (lead == 0xc2 && (unsigned char)c.p[1] < 0xa0))
    return STR("?");
  return lead == '"' ? STR("'") : c;
}

/* Appends text in quotes, at most max bytes of it. */
static void put_quoted(struct buf *out, const char *text, size_t max) {
  struct str rest = str_of(text), dots = STR("...");

  buf_putc(out, '"');
  size_t start = out->len, cut = start;
  while (rest.len > 0) {
    struct str c = next_character(&rest);
    if (out->len - start + c.len > max) {
      buf_cut(out, cut);
      buf_put(out, dots.p, dots.len);
      break;
    }
    buf_put(out, c.p, c.len);
    if (out->len - start + dots.len <= max)
      cut = out->len;
  }
  buf_putc(out, '"');
}

/* "a", or "a" and "b", or "a", "b" and 3 more */
static void put_list(struct buf *out, const struct list *list) {
  size_t shown = list->n <= SHOWN_MAX ? list->n : SHOWN_MAX - 1;
  size_t max = list->n == 1 ? ALONE_MAX : BESIDES_MAX;

  for (size_t i = 0; i < shown; i++) {
    if (i > 0)
      buf_puts(out, i + 1 == list->n ? " and " : ", ");
    put_quoted(out, list->text[i], max);
  }
  if (shown < list->n)
    buf_printf(out, " and %zu more", list->n - shown);
}

/* ---- one selector ------------------------------------------------------- */

/* One option of one block, beside what an identifier has for it: one text, or
 * the names of the data sources. */
struct trial {
  const struct select *select;
  const struct input *in;
  size_t which;
};

static size_t n_texts(const struct trial *trial) {
  return trial->which == SELECT_DATA_SOURCE ? trial->in->n_readings : 1;
}

static const char *text_at(const struct trial *trial, size_t i) {
  return trial->which == SELECT_DATA_SOURCE ? trial->in->readings[i].name
                                            : trial->in->part[trial->which];
}

static bool takes(const struct trial *trial) {
  for (size_t i = 0; i < n_texts(trial); i++)
    if (select_match(trial->select, text_at(trial, i)))
      return true;
  return false;
}

/* Whether a line without "!" fits text, or there is none. */
static bool is_wanted(const struct select *select, const char *text) {
  bool any_plain = false;

  for (size_t i = 0; i < select->n; i++) {
    if (select_line_excludes(select, i))
      continue;
    if (select_line_fits(select, i, text))
      return true;
    any_plain = true;
  }
  return !any_plain;
}

/* Whether a line with "!" fits a text that is wanted. */
static bool is_in_the_way(const struct trial *trial, size_t line) {
  for (size_t i = 0; i < n_texts(trial); i++)
    if (is_wanted(trial->select, text_at(trial, i)) &&
        select_line_fits(trial->select, line, text_at(trial, i)))
      return true;
  return false;
}

static void put_excluded(struct buf *out, const struct trial *trial,
                         const struct list *wanted) {
  const struct select *select = trial->select;
  struct list lines = {0};

  for (size_t i = 0; i < select->n; i++)
    if (select_line_excludes(select, i) && is_in_the_way(trial, i))
      add(&lines, select_line(select, i));
  put_list(out, &lines);
  buf_puts(out, lines.n == 1 ? " excludes " : " exclude ");
  put_list(out, wanted);
}

static void put_unmatched(struct buf *out, const struct trial *trial) {
  const struct select *select = trial->select;
  struct list lines = {0}, texts = {0};

  for (size_t i = 0; i < select->n; i++)
    if (!select_line_excludes(select, i))
      add(&lines, select_line(select, i));
  for (size_t i = 0; i < n_texts(trial); i++)
    add(&texts, text_at(trial, i));
  put_list(out, &lines);
  if (texts.n == 1)
    buf_puts(out, lines.n == 1 ? " does not match " : " do not match ");
  else
    buf_puts(out, lines.n == 1 ? " matches none of " : " match none of ");
  put_list(out, &texts);
}

/* Tells why a selector takes nothing: no text is wanted, or all that are, are
 * excluded. */
static void put_because(struct buf *out, const struct trial *trial) {
  struct list wanted = {0};

  for (size_t i = 0; i < n_texts(trial); i++)
    if (is_wanted(trial->select, text_at(trial, i)))
      add(&wanted, text_at(trial, i));
  buf_printf(out, "%s ", block_selector_name(trial->which));
  if (wanted.n > 0)
    put_excluded(out, trial, &wanted);
  else
    put_unmatched(out, trial);
}

/* ---- all blocks --------------------------------------------------------- */

struct distance {
  size_t failing, matching; /* selectors that are written */
  bool plugin;              /* is among the matching */
  size_t first;             /* that fails */
};

static struct trial trial_of(const struct block *block, const struct input *in,
                             size_t which) {
  return (struct trial){&block->select[which], in, which};
}

static struct distance measure(const struct block *block,
                               const struct input *in) {
  struct distance d = {0};

  for (size_t i = 0; i < N_SELECTORS; i++) {
    struct trial trial = trial_of(block, in, i);
    if (trial.select->n == 0)
      continue;
    if (takes(&trial)) {
      d.matching++;
      d.plugin = d.plugin || i == PART_PLUGIN;
    } else if (d.failing++ == 0) {
      d.first = i;
    }
  }
  return d;
}

static bool is_nearer(const struct distance *a, const struct distance *b) {
  if (a->plugin != b->plugin)
    return a->plugin;
  if (a->failing != b->failing)
    return a->failing < b->failing;
  return a->matching > b->matching;
}

bool explain_nearest(const struct rules *rules, const struct input *in,
                     struct explain_nearest *out) {
  const struct block *nearest = NULL;
  struct distance least = {0};

  if (in->n_readings == 0)
    return false;
  for (size_t i = 0; i < rules->n_blocks; i++) {
    struct distance d = measure(&rules->blocks[i], in);
    if (d.failing == 0)
      return false;
    if (nearest == NULL || is_nearer(&d, &least)) {
      nearest = &rules->blocks[i];
      least = d;
    }
  }
  if (nearest == NULL)
    return false; /* no rules are without a block */

  struct buf because = BUF_OVER(out->because);
  struct trial trial = trial_of(nearest, in, least.first);
  put_because(&because, &trial);
  out->label = nearest->rule.label;
  return true;
}
