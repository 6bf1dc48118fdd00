/* json: reading a small JSON document by path, and writing one.
 *
 * json.c reads, and is the only file that knows yajl; json_out.c writes.
 * Documents come from the network or from files of other programs, so size and
 * depth are bounded. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- reading ------------------------------------------------------------ */

struct json; /* one value inside a document; borrowed from the document */

#define JSON_DEPTH_MAX 16
#define JSON_BYTES_MAX (2u << 20)

/* Parses text, which may go away afterwards.  The document is to be given back
 * with json_free().  NULL with *err set when it is no JSON, not UTF-8, too
 * large or nested too deeply, or memory ran out. */
struct json *json_parse(struct str text, struct err *err);

/* Whether that was for lack of memory, of which the text is innocent. */
bool json_lacked_memory(const struct err *err);

/* Overwrites the document with zeros first: it may hold credentials. */
void json_free(struct json *document);

/* The member called key of an object, or NULL when value is NULL, no object,
 * or has no such member: so look-ups chain.  Of several members of that name
 * it is the last, as most readers of JSON have it. */
const struct json *json_get(const struct json *value, const char *key);

/* The text of a string, the digits of a number, as they stood; the empty
 * slice with p NULL for anything else. */
struct str json_text(const struct json *value);

/* The text of the first of two members that is a string; second may be NULL.
 * The empty text when there is none. */
struct str json_string(const struct json *object, const char *first,
                       const char *second);

enum json_kind {
  JSON_NOTHING, /* value is NULL */
  JSON_NULL,
  JSON_BOOL,
  JSON_NUMBER,
  JSON_STRING,
  JSON_ARRAY,
  JSON_OBJECT,
};
enum json_kind json_kind(const struct json *value);

/* Elements of an array or members of an object; 0 for anything else. */
size_t json_count(const struct json *value);
const struct json *json_at(const struct json *value, size_t i);
struct str json_key_at(const struct json *object, size_t i);

/* ---- writing ------------------------------------------------------------ */

/* A writer appends one JSON text at a time to a buffer, without blanks.  It
 * keeps its memory from text to text.  Texts nest JSON_DEPTH_MAX deep at
 * most, so that the reader above can read them. */
struct json_out;

/* NULL is lack of memory. */
struct json_out *json_out_new(void);
void json_out_free(struct json_out *out);

/* Begins a text that is appended to *to, which must live until json_end(). */
void json_begin(struct json_out *out, struct buf *to);

void json_open_object(struct json_out *out);
void json_close_object(struct json_out *out);
void json_open_array(struct json_out *out);
void json_close_array(struct json_out *out);

/* A member's name or a string; bytes that are not UTF-8 fail the text. */
void json_put_str(struct json_out *out, struct str text);
void json_put_double(struct json_out *out, double value); /* finite */
void json_put_int(struct json_out *out, long long value);
void json_put_bool(struct json_out *out, bool value);
void json_put_null(struct json_out *out);

/* Ends the text.  0; or -1 when anything since json_begin() went wrong: a
 * member without a value, a bracket left open, no memory, text not UTF-8; then
 * *to is marked failed. */
int json_end(struct json_out *out);

#endif
