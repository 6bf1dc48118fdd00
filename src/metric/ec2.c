/* A marked text, byte by byte:
 *
 *   EC2_MARK EC2_MARK                      the byte EC2_MARK itself
 *   EC2_MARK number punctuation ... EC2_MARK   a value; the dots are its
 * fallback
 *
 * number is FIRST + the number of the key, so that it is never EC2_MARK;
 * punctuation is a blank where there is none. */
#include "metric/ec2.h"

#include "metric/names.h"
#include "metric/tmpl.h"

#include <stdlib.h>
#include <string.h>

#define FIRST ' '
#define NO_PUNCTUATION ' '
#define TAG "tag:"
#define TAG_KEY_MAX 128

static const char *const names[] = {
    "instance_id", "instance_type", "image_id",          "availability_zone",
    "region",      "account_id",    "autoscaling_group",
};
#define KNOWN                                                                  \
  "known are ec2:instance_id, ec2:instance_type, ec2:image_id, "               \
  "ec2:availability_zone, ec2:region, ec2:account_id, "                        \
  "ec2:autoscaling_group and ec2:tag:KEY"

/* ---- keys --------------------------------------------------------------- */

void ec2_keys_clear(struct ec2_keys *keys) {
  for (size_t i = 0; i < keys->n; i++)
    free(keys->key[i]);
  *keys = (struct ec2_keys){0};
}

static int shown(struct str s) { return s.len < 80 ? (int)s.len : 80; }

static int check_tag(struct str tag, struct err *err) {
  if (tag.len == 0)
    return err_set(err, "no key after \"ec2:tag:\"; write the tag's key, as in "
                        "\"%%{ec2:tag:Name}\"");
  for (size_t i = 0; i < tag.len; i++)
    if (!str_is_alnum(tag.p[i]) &&
        (tag.p[i] == '\0' || strchr("+-=.,_:@", tag.p[i]) == NULL))
      return err_set(err,
                     "\"ec2:tag:%.*s\": instance metadata shows no tag whose "
                     "key has other characters than letters, digits and "
                     "+ - = . , _ : @; give the instance a tag with another "
                     "key",
                     shown(tag), tag.p);
  if (tag.len > TAG_KEY_MAX || str_eq(tag, STR(".")) ||
      str_eq(tag, STR("..")) || str_eq(tag, STR("_index")))
    return err_set(err,
                   "\"ec2:tag:%.*s\": instance metadata shows no tag whose key "
                   "is \".\", \"..\", \"_index\" or longer than %d "
                   "characters; give the instance a tag with another key",
                   shown(tag), tag.p, TAG_KEY_MAX);
  return 0;
}

static int check(struct str key, struct err *err) {
  if (str_has_prefix(key, STR(TAG)))
    return check_tag(str_from(key, strlen(TAG)), err);
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (str_eq(key, str_of(names[i])))
      return 0;
  return err_set(err, "unknown name \"ec2:%.*s\"; " KNOWN, shown(key),
                 key.len > 0 ? key.p : "");
}

int ec2_keys_add(struct ec2_keys *keys, struct str key, size_t *number,
                 struct err *err) {
  if (check(key, err) != 0)
    return -1;
  for (*number = 0; *number < keys->n; (*number)++)
    if (str_eq(key, str_of(keys->key[*number])))
      return 0;
  if (keys->n == EC2_KEYS_MAX)
    return err_set(err,
                   "\"ec2:%.*s\" is one value too many; name fewer, all "
                   "templates together may name %d",
                   shown(key), key.p, EC2_KEYS_MAX);
  keys->key[keys->n] = str_dup(key);
  if (keys->key[keys->n] == NULL)
    return err_set(err, "out of memory");
  keys->n++;
  return 0;
}

const char *ec2_tag_of(const char *key) {
  if (strcmp(key, "autoscaling_group") == 0)
    return "aws:autoscaling:groupName";
  return strncmp(key, TAG, strlen(TAG)) == 0 ? key + strlen(TAG) : NULL;
}

/* ---- values ------------------------------------------------------------- */

void ec2_values_clear(struct ec2_values *values) {
  for (size_t i = 0; i < values->n; i++)
    free(values->value[i].text);
  *values = (struct ec2_values){0};
}

uint64_t ec2_awaited(const struct ec2_values *values) {
  uint64_t bits = 0;

  for (size_t i = 0; i < values->n; i++)
    if (values->value[i].state == EC2_AWAITED)
      bits |= UINT64_C(1) << i;
  return bits;
}

/* ---- marks -------------------------------------------------------------- */

void ec2_put_mark(struct buf *out, size_t number, char punctuation,
                  struct str fallback) {
  buf_putc(out, EC2_MARK);
  buf_putc(out, (char)(FIRST + number));
  buf_putc(out, punctuation != 0 ? punctuation : NO_PUNCTUATION);
  /* What ends the mark cannot stand in it; fitted, either byte is "_". */
  for (size_t i = 0; !names_is_blank(fallback) && i < fallback.len; i++)
    buf_putc(out, fallback.p[i] == EC2_MARK ? '\x02' : fallback.p[i]);
  buf_putc(out, EC2_MARK);
}

void ec2_put_plain(struct buf *out, struct str text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.p[i] == EC2_MARK)
      buf_putc(out, EC2_MARK);
    buf_putc(out, text.p[i]);
  }
}

struct mark {
  size_t number;
  char punctuation; /* 0: none */
  struct str fallback;
};

/* The end of the mark that a text begins with; NULL: it begins with none. */
static const char *find_end(struct str text) {
  if (text.len < 4 || (unsigned char)text.p[1] < FIRST ||
      (unsigned char)text.p[1] >= FIRST + EC2_KEYS_MAX)
    return NULL;
  return memchr(text.p + 3, EC2_MARK, text.len - 3);
}

/* Takes what stands first in *text: plain bytes, or, when the answer is true, a
 * mark.  What is no whole mark was not written here, and is plain. */
static bool take(struct str *text, struct str *plain, struct mark *mark) {
  const char *first = memchr(text->p, EC2_MARK, text->len);
  size_t at = first != NULL ? (size_t)(first - text->p) : text->len;

  *plain = (struct str){text->p, at};
  *text = str_from(*text, at);
  if (at > 0 || text->len == 0)
    return false;
  const char *end = find_end(*text);
  if (end == NULL) {
    *plain = (struct str){text->p, 1};
    *text = str_from(*text, text->len > 1 && text->p[1] == EC2_MARK ? 2 : 1);
    return false;
  }
  *mark = (struct mark){.number = (size_t)(unsigned char)text->p[1] - FIRST,
                        .punctuation =
                            text->p[2] != NO_PUNCTUATION ? text->p[2] : (char)0,
                        .fallback = {text->p + 3, (size_t)(end - text->p) - 3}};
  *text = str_from(*text, (size_t)(end - text->p) + 1);
  return true;
}

uint64_t ec2_needs(const char *text) {
  struct str rest = str_of(text), plain;
  struct mark mark;
  uint64_t bits = 0;

  while (rest.len > 0)
    if (take(&rest, &plain, &mark))
      bits |= UINT64_C(1) << mark.number;
  return bits;
}

/* False when there is neither a value nor a fallback. */
static bool put_value(struct buf *out, const struct mark *mark,
                      const struct ec2_values *values) {
  if (mark->number < values->n &&
      values->value[mark->number].state == EC2_KNOWN) {
    if (mark->punctuation != 0)
      buf_putc(out, mark->punctuation);
    buf_puts(out, values->value[mark->number].text);
    return true;
  }
  buf_put(out, mark->fallback.p, mark->fallback.len);
  return mark->fallback.len > 0;
}

enum ec2_filled ec2_fill(struct buf *out, const char *text, size_t max,
                         const struct ec2_values *values, size_t *number) {
  struct buf raw = BUF_INIT(SIZE_MAX / 2);
  struct str rest = str_of(text), plain;
  enum ec2_filled filled = EC2_LACKING;
  struct mark mark;

  while (rest.len > 0) {
    if (!take(&rest, &plain, &mark)) {
      buf_put(&raw, plain.p, plain.len);
    } else if (!put_value(&raw, &mark, values)) {
      *number = mark.number;
      goto out;
    }
  }
  filled = EC2_FILLED;
  if (!buf_ok(&raw))
    buf_fail(out);
  else if (tmpl_put_fit(out, str_of_buf(&raw), max))
    filled = EC2_CHANGED;
out:
  buf_clear(&raw);
  return filled;
}
