/* A template is a list of pieces.  What does not depend on a value (literals,
 * %%, %{env:NAME}) becomes literal text when it is compiled. */
#include "metric/tmpl.h"

#include "metric/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX_LEN 9 /* "-" and 8 hexadecimal digits */

enum source { FROM_TEXT, FROM_PART, FROM_DATA_SOURCE, FROM_META, FROM_EC2 };

struct piece {
  enum source source;
  size_t index;    /* an enum part, or the number of a key */
  char mark;       /* stands before what is not empty; 0: none */
  struct buf text; /* FROM_TEXT: the text; else what stands for an empty one */
};

struct tmpl {
  struct piece *pieces;
  size_t n, cap;
  bool has_ec2; /* a piece is FROM_EC2 */
};

/* What is being compiled. */
struct compiler {
  struct str text;
  struct tmpl *tmpl;
  struct tmpl_keys *keys;
  tmpl_env_fn env;
  struct err *err;
};

static const struct {
  const char *name;
  enum source source;
  size_t index;
} names[] = {
    {"host", FROM_PART, PART_HOST},
    {"plugin", FROM_PART, PART_PLUGIN},
    {"plugin_instance", FROM_PART, PART_PLUGIN_INSTANCE},
    {"type", FROM_PART, PART_TYPE},
    {"type_instance", FROM_PART, PART_TYPE_INSTANCE},
    {"ds", FROM_DATA_SOURCE, 0},
};
#define KNOWN                                                                  \
  "known are host, plugin, plugin_instance, type, type_instance, ds, "         \
  "meta:KEY, env:NAME and ec2:KEY"

void tmpl_keys_clear(struct tmpl_keys *keys) {
  for (size_t i = 0; i < keys->n; i++)
    free(keys->key[i]);
  ec2_keys_clear(&keys->ec2);
  *keys = (struct tmpl_keys){0};
}

/* ---- compiling ---------------------------------------------------------- */

/* A slice's length for "%.*s", no more than a message can take. */
static int shown(struct str s) { return s.len < 60 ? (int)s.len : 60; }

/* A new last piece; NULL with the error set. */
static struct piece *add_piece(struct compiler *c, enum source source) {
  struct tmpl *tmpl = c->tmpl;
  if (tmpl->n == tmpl->cap) {
    size_t cap = tmpl->cap == 0 ? 4 : tmpl->cap * 2;
    struct piece *pieces = realloc(tmpl->pieces, cap * sizeof(*pieces));
    if (pieces == NULL) {
      err_set(c->err, "out of memory");
      return NULL;
    }
    tmpl->pieces = pieces;
    tmpl->cap = cap;
  }
  struct piece *piece = &tmpl->pieces[tmpl->n++];
  *piece = (struct piece){.source = source, .text = BUF_INIT(SIZE_MAX / 2)};
  return piece;
}

/* Appends literal text, to the last piece if that is literal too. */
static int add_text(struct compiler *c, struct str text) {
  struct tmpl *tmpl = c->tmpl;
  struct piece *piece = tmpl->n > 0 ? &tmpl->pieces[tmpl->n - 1] : NULL;

  if (text.len == 0)
    return 0;
  if (piece == NULL || piece->source != FROM_TEXT)
    piece = add_piece(c, FROM_TEXT);
  if (piece == NULL)
    return -1;
  buf_put(&piece->text, text.p, text.len);
  return buf_ok(&piece->text) ? 0 : err_set(c->err, "out of memory");
}

/* The number of a meta data key, new or known. */
static int number_key(struct compiler *c, struct str key, size_t at,
                      size_t *number) {
  struct tmpl_keys *keys = c->keys;

  if (key.len == 0)
    return err_set(c->err,
                   "no key after \"meta:\" at character %zu; write "
                   "\"%%{meta:KEY}\"",
                   at);
  for (*number = 0; *number < keys->n; (*number)++)
    if (str_eq(key, str_of(keys->key[*number])))
      return 0;
  if (keys->n == TMPL_META_MAX)
    return err_set(c->err,
                   "\"meta:%.*s\" at character %zu is one meta data key too "
                   "many; name fewer, all templates together may "
                   "name %d",
                   shown(key), key.p, at, TMPL_META_MAX);
  keys->key[keys->n] = str_dup(key);
  if (keys->key[keys->n] == NULL)
    return err_set(c->err, "out of memory");
  keys->n++;
  return 0;
}

static int add_env(struct compiler *c, struct str name, size_t at, char mark,
                   struct str fallback) {
  if (name.len == 0)
    return err_set(c->err,
                   "no name after \"env:\" at character %zu; write "
                   "\"%%{env:NAME}\"",
                   at);
  char *asked = str_dup(name);
  if (asked == NULL)
    return err_set(c->err, "out of memory");
  struct str value = str_of(c->env != NULL ? c->env(asked) : NULL);
  free(asked);
  if (value.len == 0)
    return add_text(c, fallback);
  if (mark != 0 && add_text(c, (struct str){&mark, 1}) != 0)
    return -1;
  return add_text(c, value);
}

static int add_varying(struct compiler *c, enum source source, size_t index,
                       char mark, struct str fallback) {
  struct piece *piece = add_piece(c, source);
  if (piece == NULL)
    return -1;
  piece->index = index;
  piece->mark = mark;
  buf_put(&piece->text, fallback.p, fallback.len);
  return buf_ok(&piece->text) ? 0 : err_set(c->err, "out of memory");
}

/* A blank text is none, here as for a value that is filled in. */
static int add_ec2(struct compiler *c, struct str key, size_t at, char mark,
                   struct str fallback) {
  struct err why = {""};
  size_t number = 0;

  if (ec2_keys_add(&c->keys->ec2, key, &number, &why) != 0)
    return err_set(c->err, "at character %zu: %s", at, why.text);
  c->tmpl->has_ec2 = true;
  return add_varying(c, FROM_EC2, number, mark,
                     names_is_blank(fallback) ? STR("") : fallback);
}

static bool is_mark(char c) { return c > ' ' && c < 0x7f && !str_is_alnum(c); }

/* The inside of "%{...}"; at is where its "%" stands, counted from 1. */
static int add_inside(struct compiler *c, struct str inside, size_t at) {
  char mark = 0;
  if (inside.len > 0 && is_mark(inside.p[0])) {
    mark = inside.p[0];
    inside = str_from(inside, 1);
  }
  struct str fallback = inside, name = {0};
  str_split(&fallback, '|', &name);
  for (size_t i = 0; i + 1 < fallback.len; i++)
    if (fallback.p[i] == '%' && fallback.p[i + 1] == '{')
      return err_set(c->err,
                     "\"%%{\" in the text after \"|\" at character %zu; that "
                     "text stands as it is and cannot name anything: write "
                     "it without",
                     at);

  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (str_eq(name, str_of(names[i].name)))
      return add_varying(c, names[i].source, names[i].index, mark, fallback);
  if (str_has_prefix(name, STR("env:")))
    return add_env(c, str_from(name, 4), at, mark, fallback);
  if (str_has_prefix(name, STR("meta:"))) {
    size_t number = 0;
    if (number_key(c, str_from(name, 5), at, &number) != 0)
      return -1;
    return add_varying(c, FROM_META, number, mark, fallback);
  }
  if (str_has_prefix(name, STR("ec2:")))
    return add_ec2(c, str_from(name, 4), at, mark, fallback);
  return err_set(c->err, "unknown name \"%.*s\" at character %zu; " KNOWN,
                 shown(name), name.len > 0 ? name.p : "", at);
}

static int compile(struct compiler *c) {
  struct str text = c->text;
  size_t i = 0;

  while (i < text.len) {
    const char *percent = memchr(text.p + i, '%', text.len - i);
    size_t next = percent == NULL ? text.len : (size_t)(percent - text.p);
    if (add_text(c, (struct str){text.p + i, next - i}) != 0)
      return -1;
    if (next == text.len)
      return 0;
    char kind = '\0';
    if (next + 1 < text.len)
      kind = text.p[next + 1];
    if (kind == '%') {
      if (add_text(c, STR("%")) != 0)
        return -1;
      i = next + 2;
      continue;
    }
    if (kind != '{')
      return err_set(c->err,
                     "a single \"%%\" at character %zu; write \"%%%%\" for a "
                     "percent sign",
                     next + 1);
    struct str inside = str_from(text, next + 2);
    const char *end =
        inside.len == 0 ? NULL : memchr(inside.p, '}', inside.len);
    if (end == NULL)
      return err_set(c->err,
                     "no \"}\" after the \"%%{\" at character %zu; write "
                     "one, or \"%%%%{\" for these two characters",
                     next + 1);
    inside.len = (size_t)(end - inside.p);
    if (add_inside(c, inside, next + 1) != 0)
      return -1;
    i = next + 2 + inside.len + 1;
  }
  return 0;
}

struct tmpl *tmpl_compile(struct str text, struct tmpl_keys *keys,
                          tmpl_env_fn env, struct err *err) {
  struct tmpl *tmpl = calloc(1, sizeof(*tmpl));
  if (tmpl == NULL) {
    err_set(err, "out of memory");
    return NULL;
  }
  struct compiler c = {
      .text = text, .tmpl = tmpl, .keys = keys, .env = env, .err = err};
  if (compile(&c) != 0) {
    tmpl_free(tmpl);
    return NULL;
  }
  return tmpl;
}

void tmpl_free(struct tmpl *tmpl) {
  if (tmpl == NULL)
    return;
  for (size_t i = 0; i < tmpl->n; i++)
    buf_clear(&tmpl->pieces[i].text);
  free(tmpl->pieces);
  free(tmpl);
}

bool tmpl_varies(const struct tmpl *tmpl) {
  for (size_t i = 0; i < tmpl->n; i++)
    if (tmpl->pieces[i].source != FROM_TEXT)
      return true;
  return false;
}

/* ---- expanding ---------------------------------------------------------- */

static const char *value_of(const struct piece *piece, const struct input *in,
                            size_t i) {
  switch (piece->source) {
  case FROM_TEXT:
    return ""; /* its own text stands for it */
  case FROM_PART:
    return in->part[piece->index];
  case FROM_DATA_SOURCE:
    return in->n_readings > 1 ? in->readings[i].name : "";
  case FROM_META:
    return in->meta[piece->index];
  case FROM_EC2:
    return ""; /* of another host */
  }
  return "";
}

/* As tmpl_expand(), for a value of the instance itself. */
static void expand_marked(const struct tmpl *tmpl, const struct input *in,
                          size_t i, struct buf *out) {
  for (size_t k = 0; k < tmpl->n; k++) {
    const struct piece *piece = &tmpl->pieces[k];
    struct str text = {piece->text.data, piece->text.len};
    if (piece->source == FROM_EC2) {
      ec2_put_mark(out, piece->index, piece->mark, text);
      continue;
    }
    const char *value = value_of(piece, in, i);
    if (value[0] != '\0' && piece->mark != 0)
      buf_putc(out, piece->mark);
    ec2_put_plain(out, value[0] != '\0' ? str_of(value) : text);
  }
}

void tmpl_expand(const struct tmpl *tmpl, const struct input *in, size_t i,
                 struct buf *out) {
  if (tmpl_is_marked(tmpl, in)) {
    expand_marked(tmpl, in, i, out);
    return;
  }
  for (size_t k = 0; k < tmpl->n; k++) {
    const struct piece *piece = &tmpl->pieces[k];
    const char *value = value_of(piece, in, i);
    if (value[0] == '\0') {
      buf_put(out, piece->text.data, piece->text.len);
      continue;
    }
    if (piece->mark != 0)
      buf_putc(out, piece->mark);
    buf_puts(out, value);
  }
}

bool tmpl_is_marked(const struct tmpl *tmpl, const struct input *in) {
  return tmpl->has_ec2 && in->is_local;
}

static bool is_printable(char c) { return c >= 0x20 && c <= 0x7e; }

bool tmpl_put_fit(struct buf *out, struct str text, size_t max) {
  bool changed = text.len > max;
  for (size_t i = 0; i < text.len && !changed; i++)
    changed = !is_printable(text.p[i]);
  if (!changed) {
    buf_put(out, text.p, text.len);
    return false;
  }

  size_t suffix = max < SUFFIX_LEN ? max : SUFFIX_LEN;
  size_t kept = text.len < max - suffix ? text.len : max - suffix;
  for (size_t i = 0; i < kept; i++)
    if (is_printable(text.p[i]))
      buf_putc(out, text.p[i]);
    else
      buf_putc(out, '_');

  char tail[SUFFIX_LEN + 1];
  struct buf b = BUF_OVER(tail);
  uint64_t hash = str_hash(STR_HASH_SEED, text.p, text.len);
  buf_printf(&b, "-%08x", (unsigned)((hash ^ (hash >> 32)) & 0xffffffffu));
  buf_put(out, tail, suffix);
  return true;
}
