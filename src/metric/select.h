/* select: whether a text of the identifier is one of those that an option of
 * <Metric> asks for. */
#ifndef METRIC_SELECT_H
#define METRIC_SELECT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* One option, all its lines; {0} takes any text. */
struct select {
  struct pattern *patterns; /* owned */
  size_t n;
};

/* Compiles n lines: "literal", "/POSIX extended regular expression/" (which may
 * match anywhere in the text), either with a leading "!".
 *
 * out  filled, to be given back with select_clear()
 * bad  set to the number of the faulty line on failure
 * 0, or -1 with *err set, to stand after the line's text, and *out empty. */
int select_compile(char *const *lines, size_t n, struct select *out,
                   size_t *bad, struct err *err);
void select_clear(struct select *select);

/* Whether text is one of the plain ones, if there is any, and none of those
 * with "!". */
bool select_match(const struct select *select, const char *text);

/* The lines one by one, i < select->n, for who tells why: line i as written,
 * whether it begins with "!", and whether text is what it names, "!" or not. */
const char *select_line(const struct select *select, size_t i);
bool select_line_excludes(const struct select *select, size_t i);
bool select_line_fits(const struct select *select, size_t i, const char *text);

#endif
