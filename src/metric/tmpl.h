/* tmpl: a template such as "%{plugin}.%{type}%{.type_instance}", compiled
 * once, expanded for each new identifier.
 *
 * What a template may name: host plugin plugin_instance type type_instance ds
 * meta:KEY env:NAME, and ec2:KEY (metric/ec2.h).  "%{x|text}" gives text where
 * x is empty; "%{.x}" gives a dot and x, or nothing where x is empty (any one
 * punctuation mark);
 * "%{.x|text}" gives a dot and x, or text without the dot where x is empty;
 * "%%" is a percent sign. */
#ifndef METRIC_TMPL_H
#define METRIC_TMPL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "metric/ec2.h"
#include "metric/metric.h"

#include <stdbool.h>

#define TMPL_META_MAX 16 /* different meta data keys of one node */

/* The meta data keys and instance values that the templates of one node name,
 * in the order of their numbers. */
struct tmpl_keys {
  char *key[TMPL_META_MAX]; /* of meta data; owned */
  size_t n;
  struct ec2_keys ec2;
};
void tmpl_keys_clear(struct tmpl_keys *keys);

/* Answers for %{env:NAME} when a template is compiled: the value, borrowed, or
 * NULL when the variable is not set. */
typedef const char *(*tmpl_env_fn)(const char *name);

struct tmpl;

/* Compiles text.  keys gains the keys that it names.  To be given
 * back with tmpl_free().  NULL with *err set (what is wrong, where, and the
 * names there are) or for lack of memory. */
struct tmpl *tmpl_compile(struct str text, struct tmpl_keys *keys,
                          tmpl_env_fn env, struct err *err);
void tmpl_free(struct tmpl *tmpl);

/* Whether the template names a part of the identifier, meta data, the data
 * source or the instance: whether it may expand to different texts. */
bool tmpl_varies(const struct tmpl *tmpl);

/* Appends the text for reading number i of in.  ds is empty when the value
 * list has one reading only.  Values of the instance become marks (then all of
 * the text is a marked one); they are empty for values of other hosts, so that
 * a relay stamps its identity on nobody. */
void tmpl_expand(const struct tmpl *tmpl, const struct input *in, size_t i,
                 struct buf *out);

/* Whether tmpl_expand() of this value list gives a marked text. */
bool tmpl_is_marked(const struct tmpl *tmpl, const struct input *in);

/* Appends text made fit for CloudWatch: each byte outside 0x20 to 0x7E becomes
 * "_"; a text that was changed so, or is longer than max, ends in "-" and 8
 * hexadecimal digits of its hash, so that different texts stay different.
 * Returns whether anything was changed. */
bool tmpl_put_fit(struct buf *out, struct str text, size_t max);

#endif
