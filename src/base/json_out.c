#include "base/json.h"

#include "base/pool.h"

#include <stdalign.h>
#include <stdlib.h>

#include <yajl/yajl_gen.h>

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
  yajl_alloc_funcs funcs = {pool_take, pool_grow, pool_give_back, &out->pool};
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
