/* The text is parsed twice: the first time to check it and to measure what it
 * takes, the second time to fill one block of just that size: the values in
 * the order of the text, the lists of each value's children, the texts.  So no
 * callback has to find memory, and one wipe reaches everything. */
#include "base/json.h"

#include "base/digest.h"
#include "base/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#define NO_MEMORY "no memory for a JSON document"

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
  yajl_alloc_funcs funcs = {pool_take, pool_grow, pool_give_back, pool};
  pool->used = 0;
  yajl_handle parser = yajl_alloc(&callbacks, &funcs, r);
  if (parser == NULL)
    return err_set(err, NO_MEMORY);

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

bool json_lacked_memory(const struct err *err) {
  return strcmp(err->text, NO_MEMORY) == 0;
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
    err_set(err, NO_MEMORY);
    return NULL;
  }
  if (walk(&measured, text, &pool, err) != 0)
    goto out;

  size_t n = measured.n_values;
  struct document *document = document_new(n, measured.n_text_bytes);
  if (document == NULL) {
    err_set(err, NO_MEMORY);
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

struct str json_string(const struct json *object, const char *first,
                       const char *second) {
  const struct json *value = json_get(object, first);
  if (json_kind(value) != JSON_STRING && second != NULL)
    value = json_get(object, second);
  return json_kind(value) == JSON_STRING ? json_text(value) : STR("");
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
