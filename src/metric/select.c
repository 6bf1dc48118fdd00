#include "metric/select.h"

#include "metric/rule.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
  char *line; /* as written, owned */
  bool exclude;
  const char *literal; /* in line; NULL: regex holds a compiled expression */
  regex_t regex;
};

static int compile_regex(struct str text, regex_t *out, struct err *err) {
  char why[160];

  /* Only an expression begins with "/": collectd has none in the parts of an
   * identifier. */
  if (text.len < 2 || text.p[text.len - 1] != '/')
    return err_set(err, "begins with \"/\" but does not end in \"/\"; write an "
                        "expression as \"/expression/\"");
  if (text.len == 2)
    return err_set(err, "is an empty expression; leave the option out to take "
                        "any value, or write \"\" for an empty one");

  char *expression = str_dup((struct str){text.p + 1, text.len - 2});
  if (expression == NULL)
    return err_set(err, "out of memory");
  int failed = regcomp(out, expression, REG_EXTENDED | REG_NOSUB);
  free(expression);
  if (failed == 0)
    return 0;
  regerror(failed, out, why, sizeof(why));
  return err_set(err,
                 "is no POSIX extended regular expression: %s; repair it, or "
                 "leave out the slashes to compare literally",
                 why);
}

/* On failure *out owns nothing. */
static int compile_pattern(struct str text, struct pattern *out,
                           struct err *err) {
  *out = (struct pattern){.line = str_dup(text),
                          .exclude = str_has_prefix(text, STR("!"))};
  if (out->line == NULL)
    return err_set(err, "out of memory");
  const char *what = out->line + (out->exclude ? 1 : 0);
  if (what[0] != '/') {
    out->literal = what;
    return 0;
  }
  if (compile_regex(str_of(what), &out->regex, err) == 0)
    return 0;
  free(out->line);
  *out = (struct pattern){0};
  return -1;
}

static void clear_pattern(struct pattern *pattern) {
  if (pattern->literal == NULL)
    regfree(&pattern->regex);
  free(pattern->line);
}

static bool matches(const struct pattern *pattern, const char *text) {
  if (pattern->literal != NULL)
    return strcmp(pattern->literal, text) == 0;
  return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}

int select_compile(char *const *lines, size_t n, struct select *out,
                   size_t *bad, struct err *err) {
  *out = (struct select){0};
  *bad = 0;
  if (n == 0)
    return 0;
  out->patterns = calloc(n, sizeof(out->patterns[0]));
  if (out->patterns == NULL)
    return err_set(err, "out of memory");
  for (size_t i = 0; i < n; i++) {
    if (compile_pattern(str_of(lines[i]), &out->patterns[i], err) != 0) {
      *bad = i;
      select_clear(out);
      return -1;
    }
    out->n++;
  }
  return 0;
}

void select_clear(struct select *select) {
  for (size_t i = 0; i < select->n; i++)
    clear_pattern(&select->patterns[i]);
  free(select->patterns);
  *select = (struct select){0};
}

bool select_match(const struct select *select, const char *text) {
  bool any_plain = false, matched = false;

  for (size_t i = 0; i < select->n; i++) {
    const struct pattern *pattern = &select->patterns[i];
    if (!pattern->exclude)
      any_plain = true;
    if (!pattern->exclude && matched)
      continue;
    if (!matches(pattern, text))
      continue;
    if (pattern->exclude)
      return false;
    matched = true;
  }
  return matched || !any_plain;
}

const char *select_line(const struct select *select, size_t i) {
  return select->patterns[i].line;
}

bool select_line_excludes(const struct select *select, size_t i) {
  return select->patterns[i].exclude;
}

bool select_line_fits(const struct select *select, size_t i, const char *text) {
  return matches(&select->patterns[i], text);
}

int rule_check_selector(struct str text, struct err *err) {
  struct pattern pattern;
  struct err why;

  if (compile_pattern(text, &pattern, &why) != 0)
    return err_set(err, "\"%.*s\" %s", (int)(text.len < 100 ? text.len : 100),
                   text.len > 0 ? text.p : "", why.text);
  clear_pattern(&pattern);
  return 0;
}
