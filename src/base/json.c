#include "base/json.h"

#include "base/digest.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

/* ---- yajl's memory ------------------------------------------------------ *
 *
 * yajl does not look whether it was given the memory that it asked for.  So it
 * gets a pool that holds all it can ever need, and lack of memory shows where
 * the pool is made.  Nothing is given back singly; a block is preceded by its
 * length, which realloc must know. */

#define POOL_ALIGN alignof(max_align_t)

/* The handles and stacks of a parser or a generator: about 1,100 bytes. */
#define POOL_FIXED 4096

struct pool {
  unsigned char *bytes;
  size_t used, size;
};

static void *pool_take(void *ctx, size_t len) {
  struct pool *pool = ctx;
  size_t padded = (len + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN + POOL_ALIGN;
  if (padded > pool->size - pool->used)
    return NULL;

  unsigned char *block = pool->bytes + pool->used;
  pool->used += padded;
  memcpy(block, &len, sizeof(len));
  return block + POOL_ALIGN;
}

static void *pool_grow(void *ctx, void *old, size_t len) {
  unsigned char *block = pool_take(ctx, len);
  if (block == NULL || old == NULL)
    return block;

  size_t old_len;
  memcpy(&old_len, (unsigned char *)old - POOL_ALIGN, sizeof(old_len));
  memcpy(block, old, old_len < len ? old_len : len);
  return block;
}

static void pool_give_back(void *ctx, void *block) {
  (void)ctx;
  (void)block;
}

static yajl_alloc_funcs pool_funcs(struct pool *pool) {
  return (yajl_alloc_funcs){pool_take, pool_grow, pool_give_back, pool};
}

/* ---- reading ------------------------------------------------------------ *
 *
 * The text is parsed twice: the first time to check it and to measure what it
 * takes, the second time to fill one block of just that size: the values in
 * the order of the text, the lists of each value's children, the texts.  So no
 * callback has to find memory, and one wipe reaches everything. */

struct json {
  enum json_kind kind;
  uint32_t parent; /* position of the array or object around it */
  struct str key;
  struct str text;
  const struct json **children;
  size_t count;
};

struct document {
  size_t size; /* bytes, all in all */
  struct json values[];
};

struct reading {
  struct json *values; /* NULL while measuring */
  char *texts;
  size_t n_values, n_text_bytes;
  struct str key;                /* of the next value, if it is a member */
  uint32_t open[JSON_DEPTH_MAX]; /* positions of what is open */
  size_t depth;
  const char *why; /* set when we ended the parsing, not yajl */
};

static int add(struct reading *r, enum json_kind kind, struct str text) {
  if (r->values != NULL) {
    struct json *value = &r->values[r->n_values];
    value->kind = kind;
    value->text = text;
    value->key = r->key;
    if (r->depth > 0) {
      value->parent = r->open[r->depth - 1];
      r->values[value->parent].count++;
    }
  }
  r->key = (struct str){NULL, 0};
  r->n_values++;
  return 1;
}

/* A copy of the text that lives as long as the document. */
static struct str keep(struct reading *r, const void *p, size_t len) {
  struct str copy = {NULL, len};
  if (r->texts != NULL)
    copy.p = memcpy(r->texts + r->n_text_bytes, p, len);
  r->n_text_bytes += len;
  return copy;
}

/* An escape such as \udc00 can make a string that is not UTF-8 out of a text
 * that is; yajl's own check lets other such things pass, too. */
static bool check_string(struct reading *r, const unsigned char *p,
                         size_t len) {
  if (str_is_utf8((struct str){(const char *)p, len}))
    return true;
  r->why = "a string that is not UTF-8";
  return false;
}

static int on_null(void *ctx) {
  return add(ctx, JSON_NULL, (struct str){NULL, 0});
}

static int on_bool(void *ctx, int value) {
  (void)value;
  return add(ctx, JSON_BOOL, (struct str){NULL, 0});
}

static int on_number(void *ctx, const char *p, size_t len) {
  return add(ctx, JSON_NUMBER, keep(ctx, p, len));
}

static int on_string(void *ctx, const unsigned char *p, size_t len) {
  return check_string(ctx, p, len) && add(ctx, JSON_STRING, keep(ctx, p, len));
}

static int on_key(void *ctx, const unsigned char *p, size_t len) {
  struct reading *r = ctx;
  if (!check_string(r, p, len))
    return 0;
  r->key = keep(r, p, len);
  return 1;
}

static int open_value(struct reading *r, enum json_kind kind) {
  if (r->depth == JSON_DEPTH_MAX) {
    r->why = "too many levels";
    return 0;
  }
  uint32_t position = (uint32_t)r->n_values;
  add(r, kind, (struct str){NULL, 0});
  r->open[r->depth++] = position;
  return 1;
}

static int on_object(void *ctx) { return open_value(ctx, JSON_OBJECT); }
static int on_array(void *ctx) { return open_value(ctx, JSON_ARRAY); }

static int on_close(void *ctx) {
  struct reading *r = ctx;
  r->depth--;
  return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_array,
    .yajl_end_array = on_close,
};

/* Lets yajl walk over the text once. */
static int walk(struct reading *r, struct str text, struct pool *pool,
                struct err *err) {
  yajl_alloc_funcs funcs = pool_funcs(pool);
  pool->used = 0;
  yajl_handle parser = yajl_alloc(&callbacks, &funcs, r);
  if (parser == NULL)
    return err_set(err, "no memory for a JSON document");

  const char *p = text.len > 0 ? text.p : "";
  yajl_status status = yajl_parse(parser, (const unsigned char *)p, text.len);
  size_t where = yajl_get_bytes_consumed(parser);
  if (status == yajl_status_ok)
    status = yajl_complete_parse(parser);
  yajl_free(parser);
  if (status == yajl_status_ok)
    return 0;

  /* yajl's own sentence is not passed on: it can quote the text. */
  return err_set(err, "not readable as JSON: %s near byte %zu of %zu",
                 r->why != NULL ? r->why : "no valid syntax", where, text.len);
}

/* The two buffers of yajl's that grow with the text double from 2,048 bytes
 * until it fits, each time in a new block: all of them together are less than
 * four times the text, for each of the two. */
static size_t pool_size(size_t len) { return POOL_FIXED + 8 * (len + 2048); }

/* Gives each array and object the list of what stands directly in it.  A value
 * stands after what is around it, whose list is there by then. */
static void link_children(struct json *values, size_t n,
                          const struct json **lists) {
  for (size_t i = 0; i < n; i++) {
    values[i].children = lists;
    lists += values[i].count;
    values[i].count = 0;
    if (i > 0) {
      struct json *around = &values[values[i].parent];
      around->children[around->count++] = &values[i];
    }
  }
}

static struct document *document_new(size_t n_values, size_t n_text_bytes) {
  size_t size = sizeof(struct document) + n_text_bytes + 1 +
                n_values * (sizeof(struct json) + sizeof(struct json *));
  struct document *document = calloc(1, size);
  if (document != NULL)
    document->size = size;
  return document;
}

struct json *json_parse(struct str text, struct err *err) {
  struct pool pool = {.size = pool_size(text.len)};
  struct reading measured = {0};
  struct json *root = NULL;

  if (text.len > JSON_BYTES_MAX) {
    err_set(err, "a JSON document of %zu bytes is larger than %u", text.len,
            JSON_BYTES_MAX);
    return NULL;
  }
  pool.bytes = malloc(pool.size);
  if (pool.bytes == NULL) {
    err_set(err, "no memory for a JSON document");
    return NULL;
  }
  if (walk(&measured, text, &pool, err) != 0)
    goto out;

  size_t n = measured.n_values;
  struct document *document = document_new(n, measured.n_text_bytes);
  if (document == NULL) {
    err_set(err, "no memory for a JSON document");
    goto out;
  }
  const struct json **lists = (const struct json **)&document->values[n];
  struct reading filled = {.values = document->values,
                           .texts = (char *)(lists + n)};
  root = document->values;
  if (walk(&filled, text, &pool, err) != 0) {
    json_free(root);
    root = NULL;
    goto out;
  }
  link_children(root, n, lists);
out:
  digest_wipe(pool.bytes, pool.used);
  free(pool.bytes);
  return root;
}

void json_free(struct json *root) {
  if (root == NULL)
    return;
  struct document *document =
      (struct document *)((char *)root - offsetof(struct document, values));
  digest_wipe(document, document->size);
  free(document);
}

const struct json *json_get(const struct json *value, const char *key) {
  struct str wanted = str_of(key);
  if (json_kind(value) != JSON_OBJECT)
    return NULL;
  for (size_t i = value->count; i-- > 0;)
    if (str_eq(value->children[i]->key, wanted))
      return value->children[i];
  return NULL;
}

struct str json_text(const struct json *value) {
  return value == NULL ? (struct str){NULL, 0} : value->text;
}

enum json_kind json_kind(const struct json *value) {
  return value == NULL ? JSON_NOTHING : value->kind;
}

size_t json_count(const struct json *value) {
  return value == NULL ? 0 : value->count;
}

const struct json *json_at(const struct json *value, size_t i) {
  return i < json_count(value) ? value->children[i] : NULL;
}

struct str json_key_at(const struct json *object, size_t i) {
  const struct json *value = json_at(object, i);
  return value == NULL ? (struct str){NULL, 0} : value->key;
}

/* ---- writing ------------------------------------------------------------ */

struct json_out {
  yajl_gen gen;
  struct buf *to;
  bool is_object[JSON_DEPTH_MAX]; /* what is open: an object or an array */
  size_t depth;
  bool named;    /* a member's name waits for its value */
  bool complete; /* a whole text was written; more makes yajl fail */
  bool failed;   /* or not begun: then everything is quiet */
  struct pool pool;
  alignas(max_align_t) unsigned char pool_bytes[POOL_FIXED];
};

static void print(void *ctx, const char *text, size_t len) {
  struct json_out *out = ctx;
  buf_put(out->to, text, len);
}

struct json_out *json_out_new(void) {
  struct json_out *out = calloc(1, sizeof(*out));
  if (out == NULL)
    return NULL;
  out->pool.bytes = out->pool_bytes;
  out->pool.size = sizeof(out->pool_bytes);
  yajl_alloc_funcs funcs = pool_funcs(&out->pool);
  out->gen = yajl_gen_alloc(&funcs);
  if (out->gen == NULL) {
    free(out);
    return NULL;
  }
  yajl_gen_config(out->gen, yajl_gen_print_callback, print, out);
  out->failed = true;
  return out;
}

void json_out_free(struct json_out *out) {
  if (out == NULL)
    return;
  yajl_gen_free(out->gen);
  free(out);
}

void json_begin(struct json_out *out, struct buf *to) {
  yajl_gen_reset(out->gen, NULL);
  out->to = to;
  out->depth = 0;
  out->named = out->complete = out->failed = false;
}

/* Notes what yajl said to one value or name.  yajl itself does not notice a
 * wrong bracket or a name without a value, so we keep count of these. */
static void note(struct json_out *out, yajl_gen_status status) {
  if (status != yajl_gen_status_ok)
    out->failed = true;
  if (out->depth > 0)
    out->named = out->is_object[out->depth - 1] && !out->named;
  else
    out->complete = true;
}

static void open_bracket(struct json_out *out, bool object) {
  if (out->failed)
    return;
  if (out->depth == JSON_DEPTH_MAX) {
    out->failed = true;
    return;
  }
  yajl_gen_status status =
      object ? yajl_gen_map_open(out->gen) : yajl_gen_array_open(out->gen);
  if (status != yajl_gen_status_ok)
    out->failed = true;
  out->is_object[out->depth++] = object;
  out->named = false;
}

static void close_bracket(struct json_out *out, bool object) {
  if (out->failed)
    return;
  if (out->depth == 0 || out->is_object[out->depth - 1] != object ||
      out->named) {
    out->failed = true;
    return;
  }
  out->depth--;
  out->named = true; /* if in an object at all, this was a member's value */
  note(out,
       object ? yajl_gen_map_close(out->gen) : yajl_gen_array_close(out->gen));
}

void json_open_object(struct json_out *out) { open_bracket(out, true); }
void json_close_object(struct json_out *out) { close_bracket(out, true); }
void json_open_array(struct json_out *out) { open_bracket(out, false); }
void json_close_array(struct json_out *out) { close_bracket(out, false); }

void json_put_str(struct json_out *out, struct str text) {
  const char *p = text.len > 0 ? text.p : "";
  if (out->failed)
    return;
  if (!str_is_utf8(text))
    out->failed = true;
  else
    note(out, yajl_gen_string(out->gen, (const unsigned char *)p, text.len));
}

void json_put_double(struct json_out *out, double value) {
  char array[32];
  struct buf text = BUF_OVER(array);

  if (out->failed)
    return;
  str_put_double(&text, value);
  if (!buf_ok(&text))
    out->failed = true;
  else
    note(out, yajl_gen_number(out->gen, buf_str(&text), text.len));
}

void json_put_int(struct json_out *out, long long value) {
  if (!out->failed)
    note(out, yajl_gen_integer(out->gen, value));
}

void json_put_bool(struct json_out *out, bool value) {
  if (!out->failed)
    note(out, yajl_gen_bool(out->gen, value));
}

int json_end(struct json_out *out) {
  struct buf *to = out->to;
  bool whole = !out->failed && out->complete;

  out->failed = true; /* quiet until the next json_begin() */
  out->to = NULL;
  if (to == NULL)
    return -1;
  if (!whole)
    buf_fail(to);
  return buf_ok(to) ? 0 : -1;
}
