/* The grammar, line by line (blanks are spaces and tabs; CR LF ends a line as
 * LF does):
 *
 *   blank line          nothing
 *   # or ; first        a comment, also after blanks, as botocore and the SDK
 *                       for JavaScript have it
 *   [ first             a section; after "]" at most a comment
 *   more blanks first   goes on with the property above: one more line of its
 *                       value, or, when that was empty, a property inside it
 *   name = value        a property; "#" or ";" after a blank ends the value
 *
 *   config:       [default], [profile NAME], [services NAME]; [sso-session
 *                 NAME] and whatever else are read over
 *   credentials:  [NAME]
 *
 * Properties are kept in the order of reading, credentials last, and looked up
 * from the end: so the last duplicate wins, and the credentials file does. */
#include "aws/ini.h"

#include "base/buf.h"
#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum kind {
  KIND_PROFILE,
  KIND_PLAIN_DEFAULT, /* [default] of the config file */
  KIND_SERVICES,
  KIND_SKIPPED, /* never stored */
};

/* A property, or, with an empty key, the mention of a section.  The texts are
 * offsets into ini.texts, where each ends with a NUL. */
struct entry {
  enum kind kind;
  size_t section;
  size_t key;
  size_t sub; /* key inside the property; "" for the property itself */
  size_t value;
};

struct ini {
  struct buf texts; /* has its whole size from the start: it holds secrets */
  struct entry *entries;
  size_t n_entries;
  size_t cap;
  bool has_profile_default; /* [profile default] was seen */
};

struct reader {
  struct ini *ini;
  struct err *err;
  const char *file; /* for sentences */
  bool is_config;
  size_t line;
  bool in_section;
  enum kind kind;
  size_t section;
  bool may_continue; /* a property stands above */
  size_t indent;     /* blanks before it */
  bool skips;        /* its name is invalid: so is what continues it */
  bool has_children; /* its value is empty: indented lines are properties */
  size_t parent;     /* its key */
};

/* ---- characters ---------------------------------------------------------- */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }
static bool is_comment(char c) { return c == '#' || c == ';'; }

static bool is_name(struct str s) {
  for (size_t i = 0; i < s.len; i++) {
    char c = s.p[i];
    if (!str_is_alnum(c) && (c == '\0' || strchr("-_/.%@:+", c) == NULL))
      return false;
  }
  return s.len > 0;
}

/* ---- storing ------------------------------------------------------------- */

/* Offset of a NUL-terminated copy. */
static size_t keep(struct ini *ini, struct str s) {
  size_t at = ini->texts.len;
  buf_put(&ini->texts, s.p, s.len);
  buf_putc(&ini->texts, '\0');
  return at;
}

static size_t keep_lower(struct ini *ini, struct str s) {
  size_t at = ini->texts.len;
  str_put_lower(&ini->texts, s);
  buf_putc(&ini->texts, '\0');
  return at;
}

static const char *text_at(const struct ini *ini, size_t at) {
  return buf_str(&ini->texts) + at;
}

static void add(struct ini *ini, struct entry entry) {
  assert(ini->n_entries < ini->cap);
  ini->entries[ini->n_entries++] = entry;
}

/* ---- reading ------------------------------------------------------------- */

static int fail(struct reader *r, const char *what) {
  return err_set(r->err, "%s file, line %zu: %s", r->file, r->line, what);
}

/* Whether s is word, a blank, and a name; leaves the name. */
static bool take_word(struct str s, struct str word, struct str *name) {
  if (!str_has_prefix(s, word) || s.len == word.len || !is_blank(s.p[word.len]))
    return false;
  *name = str_trim(str_from(s, word.len));
  return true;
}

static enum kind classify(struct reader *r, struct str head, struct str *name) {
  *name = head;
  enum kind kind = KIND_PROFILE;
  if (r->is_config) {
    if (str_eq(head, STR("default")))
      kind = KIND_PLAIN_DEFAULT;
    else if (take_word(head, STR("services"), name))
      kind = KIND_SERVICES;
    else if (!take_word(head, STR("profile"), name))
      return KIND_SKIPPED;
  }
  return is_name(*name) ? kind : KIND_SKIPPED;
}

static int read_section(struct reader *r, struct str line) {
  const char *end = memchr(line.p, ']', line.len);
  if (end == NULL)
    return fail(r, "a \"[\" without a \"]\"");
  size_t len = (size_t)(end - line.p) - 1;
  struct str after = str_trim(str_from(line, len + 2));
  if (after.len > 0 && !is_comment(after.p[0]))
    return fail(r, "text after the \"]\"");

  struct str name;
  r->kind = classify(r, str_trim((struct str){line.p + 1, len}), &name);
  r->in_section = true;
  r->may_continue = false;
  if (r->kind == KIND_SKIPPED)
    return 0;

  if (r->kind == KIND_PROFILE && r->is_config && str_eq(name, STR("default")))
    r->ini->has_profile_default = true;
  r->section = keep(r->ini, name);
  add(r->ini, (struct entry){.kind = r->kind, .section = r->section});
  return 0;
}

/* Cuts a line at its first "="; both sides are trimmed. */
static bool cut(struct str line, struct str *name, struct str *value) {
  const char *equals = memchr(line.p, '=', line.len);
  if (equals == NULL)
    return false;
  size_t len = (size_t)(equals - line.p);
  *name = str_trim((struct str){line.p, len});
  *value = str_from(line, len + 1);
  return true;
}

static struct str without_comment(struct str value) {
  for (size_t i = 1; i < value.len; i++)
    if (is_comment(value.p[i]) && is_blank(value.p[i - 1]))
      return (struct str){value.p, i - 1};
  return value;
}

static int read_property(struct reader *r, struct str line) {
  struct str name, value;
  if (!r->in_section)
    return fail(r, "a line before the first section");
  if (r->kind == KIND_SKIPPED)
    return 0;
  if (!cut(line, &name, &value))
    return fail(r, "neither a section nor \"name = value\"");
  if (name.len == 0)
    return fail(r, "no name before the \"=\"");

  r->may_continue = true;
  r->skips = !is_name(name);
  if (r->skips)
    return 0;

  value = str_trim(without_comment(value));
  r->parent = keep_lower(r->ini, name);
  r->has_children = value.len == 0;
  struct entry entry = {r->kind, r->section, r->parent, 0, 0};
  entry.value = keep(r->ini, value);
  add(r->ini, entry);
  return 0;
}

static int read_child(struct reader *r, struct str line) {
  struct str name, value;
  if (!cut(line, &name, &value))
    return fail(r, "an indented line that is not \"name = value\"");
  if (name.len == 0)
    return fail(r, "no name before the \"=\"");
  if (!is_name(name))
    return 0;

  struct entry entry = {r->kind, r->section, r->parent, 0, 0};
  entry.sub = keep_lower(r->ini, name);
  entry.value = keep(r->ini, str_trim(value));
  add(r->ini, entry);
  return 0;
}

static int read_continuation(struct reader *r, struct str line) {
  if (r->skips)
    return 0;
  if (r->has_children)
    return read_child(r, line);

  /* The value is the last text: its NUL becomes the line break. */
  struct buf *texts = &r->ini->texts;
  buf_cut(texts, texts->len - 1);
  buf_putc(texts, '\n');
  keep(r->ini, line);
  return 0;
}

static int read_line(struct reader *r, struct str line) {
  struct str trimmed = str_trim(line);
  if (line.len > 0 && memchr(line.p, '\0', line.len) != NULL)
    return fail(r, "a NUL character");
  if (trimmed.len == 0 || is_comment(trimmed.p[0]))
    return 0;
  if (line.p[0] == '[')
    return read_section(r, line);
  size_t indent = (size_t)(trimmed.p - line.p);
  if (r->may_continue && indent > r->indent)
    return read_continuation(r, trimmed);
  r->indent = indent; /* all lines of a section may be indented alike */
  return read_property(r, trimmed);
}

static int read_file(struct ini *ini, struct str text, bool is_config,
                     struct err *err) {
  struct reader r = {.ini = ini,
                     .err = err,
                     .file = is_config ? "config" : "credentials",
                     .is_config = is_config};
  struct str line;
  while (str_split(&text, '\n', &line)) {
    r.line++;
    if (read_line(&r, line) != 0)
      return -1;
  }
  return 0;
}

/* The most entries that a text can come to: each needs a "[" or a "=". */
static size_t count_entries(struct str text) {
  size_t n = 0;
  for (size_t i = 0; i < text.len; i++)
    n += text.p[i] == '[' || text.p[i] == '=';
  return n;
}

struct ini *ini_parse(struct str config_text, struct str credentials_text,
                      struct err *err) {
  struct ini *ini = calloc(1, sizeof(*ini));
  if (ini == NULL) {
    err_set(err, "out of memory");
    return NULL;
  }

  /* What is kept of a line, NULs included, is no longer than the line with its
   * end; the last line may have none.  One byte more is the text at 0: "". */
  size_t size = config_text.len + credentials_text.len + 3;
  ini->texts = (struct buf)BUF_INIT(size);
  buf_reserve(&ini->texts, size);
  buf_putc(&ini->texts, '\0');
  ini->cap = count_entries(config_text) + count_entries(credentials_text);
  ini->entries = calloc(ini->cap + 1, sizeof(*ini->entries));

  if (!buf_ok(&ini->texts) || ini->entries == NULL)
    err_set(err, "out of memory");
  else if (read_file(ini, config_text, true, err) == 0 &&
           read_file(ini, credentials_text, false, err) == 0)
    return ini;
  ini_wipe(ini);
  return NULL;
}

void ini_wipe(struct ini *ini) {
  if (ini == NULL)
    return;
  buf_wipe(&ini->texts);
  free(ini->entries);
  digest_wipe(ini, sizeof(*ini));
  free(ini);
}

/* ---- looking up ---------------------------------------------------------- */

static bool is_in_profile(const struct ini *ini, const struct entry *e,
                          const char *profile) {
  bool counts = e->kind == KIND_PROFILE ||
                (e->kind == KIND_PLAIN_DEFAULT && !ini->has_profile_default);
  return counts && strcmp(text_at(ini, e->section), profile) == 0;
}

bool ini_has_profile(const struct ini *ini, const char *profile) {
  for (size_t i = 0; i < ini->n_entries; i++)
    if (is_in_profile(ini, &ini->entries[i], profile))
      return true;
  return false;
}

const char *ini_get(const struct ini *ini, const char *profile,
                    const char *key) {
  for (size_t i = ini->n_entries; i-- > 0;) {
    const struct entry *e = &ini->entries[i];
    if (e->key == 0 || e->sub != 0 || !is_in_profile(ini, e, profile) ||
        strcmp(text_at(ini, e->key), key) != 0)
      continue;
    const char *value = text_at(ini, e->value);
    return *value != '\0' ? value : NULL;
  }
  return NULL;
}

const char *ini_service(const struct ini *ini, const char *services,
                        const char *service, const char *key) {
  for (size_t i = ini->n_entries; i-- > 0;) {
    const struct entry *e = &ini->entries[i];
    if (e->kind != KIND_SERVICES || e->sub == 0 ||
        strcmp(text_at(ini, e->section), services) != 0 ||
        strcmp(text_at(ini, e->key), service) != 0 ||
        strcmp(text_at(ini, e->sub), key) != 0)
      continue;
    const char *value = text_at(ini, e->value);
    return *value != '\0' ? value : NULL;
  }
  return NULL;
}
