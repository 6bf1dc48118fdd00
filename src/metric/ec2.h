/* ec2: what templates may say of the instance that the daemon runs on.
 *
 * The values come late (the metadata service may not answer for minutes after
 * boot) and change (tags), while what an identifier maps to is decided once. So
 * a template leaves a mark in the text, series are known by their marked texts,
 * and the node's thread puts in the values when a period is cut.  A value can
 * thus become known, or change, without a binding or a number being touched.
 *
 * A mark begins with EC2_MARK.  A marked text is raw: it may hold any byte, and
 * EC2_MARK itself is written twice; it is made fit for CloudWatch when it is
 * filled in.  A text without a mark is fit already. */
#ifndef METRIC_EC2_H
#define METRIC_EC2_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EC2_MARK '\x01'
#define EC2_KEYS_MAX 32 /* different values that one node's templates name */

/* What the templates of one node name, in the order of their numbers:
 * "instance_id", "tag:Name", ... as in the template after "ec2:". */
struct ec2_keys {
  char *key[EC2_KEYS_MAX]; /* owned */
  size_t n;
};
void ec2_keys_clear(struct ec2_keys *keys);

/* The number of a key, added if it is new.  0; or -1 with *err set: no such
 * name (and which there are), a tag key that instance metadata cannot show
 * (Amazon EC2 User Guide, "Work with instance tags in instance metadata":
 * letters, digits and + - = . , _ : @, 128 at most; not ".", "..", "_index"),
 * too many keys, no memory. */
int ec2_keys_add(struct ec2_keys *keys, struct str key, size_t *number,
                 struct err *err);

/* The tag of a "tag:KEY", "aws:autoscaling:groupName" for "autoscaling_group",
 * NULL for all others: those come from the instance identity document. */
const char *ec2_tag_of(const char *key);

/* What is known; belongs to the node's thread. */
enum ec2_state {
  EC2_AWAITED, /* nobody knows yet: what needs it waits */
  EC2_MISSING, /* there is none, or it was awaited for too long */
  EC2_KNOWN,
};
struct ec2_values {
  struct {
    enum ec2_state state;
    char *text; /* owned; NULL unless EC2_KNOWN; never blank */
  } value[EC2_KEYS_MAX];
  size_t n;
};
void ec2_values_clear(struct ec2_values *values);

/* One bit for each key that is awaited. */
uint64_t ec2_awaited(const struct ec2_values *values);

/* ---- marks -------------------------------------------------------------- */

/* Appends the mark of value number.
 *
 * punctuation  stands before a value that is there; 0: none
 * fallback     stands where there is no value; a blank one is none */
void ec2_put_mark(struct buf *out, size_t number, char punctuation,
                  struct str fallback);

/* Appends plain bytes into a text that may hold marks. */
void ec2_put_plain(struct buf *out, struct str text);

/* One bit for each value that a text has a mark of; 0: none, the text is
 * fit. */
uint64_t ec2_needs(const char *text);

/* Appends a marked text with its values, made fit as tmpl_put_fit() does.
 * EC2_FILLED; or EC2_LACKING when a value without fallback is not there, with
 * its number in *number, out unchanged; lack of memory marks out failed. */
enum ec2_filled { EC2_FILLED, EC2_LACKING };
enum ec2_filled ec2_fill(struct buf *out, const char *text, size_t max,
                         const struct ec2_values *values, size_t *number);

#endif
