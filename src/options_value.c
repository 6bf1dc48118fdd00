/* Setters: from checked arguments to settings, one for each kind of target. */
#include "options_table.h"

#include "aws/endpoint.h"
#include "base/digest.h"
#include "base/str.h"
#include "metric/metric.h"
#include "metric/tmpl.h"

#include "liboconfig/oconfig.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- setters: texts ----------------------------------------------------- */

/* A setter may run a second time on the same target: what an earlier line or
 * default wrote is given back first. */
static int replace_text(void *to, const char *text, struct err *err) {
  char **target = to;
  char *copy = str_dup(str_of(text));
  if (copy == NULL)
    return err_set(err, "out of memory");
  if (*target != NULL)
    digest_wipe(*target, strlen(*target));
  free(*target);
  *target = copy;
  return 0;
}

int set_text(const struct option *option, void *to, const struct argument *a,
             size_t n, struct err *err) {
  (void)option, (void)n;
  if (a->text[0] == '\0')
    return err_set(err, "is empty; write a value or remove the line");
  if (str_has_control(str_of(a->text)))
    return err_set(err, "holds a control character; remove it");
  return replace_text(to, a->text, err);
}

/* The daemon changes its working folder after reading its configuration, so a
 * relative path would not mean what the reader thinks. */
int set_path(const struct option *option, void *to, const struct argument *a,
             size_t n, struct err *err) {
  if (a->text[0] != '\0' && a->text[0] != '/')
    return err_set(err, "write the whole path, beginning with /");
  return set_text(option, to, a, n, err);
}

int set_key(const struct option *option, void *to, const struct argument *a,
            size_t n, struct err *err) {
  if (strpbrk(a->text, " \t\r\n") != NULL)
    return err_set(err, "holds a blank; write the key as AWS printed it");
  return set_text(option, to, a, n, err);
}

int template_check(const char *text, struct err *err) {
  struct tmpl_keys keys = {0};
  struct tmpl *tmpl = tmpl_compile(str_of(text), &keys, NULL, err);
  int rc = tmpl != NULL ? 0 : -1;
  tmpl_free(tmpl);
  tmpl_keys_clear(&keys);
  return rc;
}

int set_template(const struct option *option, void *to,
                 const struct argument *a, size_t n, struct err *err) {
  if (template_check(a->text, err) != 0)
    return -1;
  return set_text(option, to, a, n, err);
}

int set_region(const struct option *option, void *to, const struct argument *a,
               size_t n, struct err *err) {
  (void)option, (void)n;
  if (!endpoint_region_ok(str_of(a->text)))
    return err_set(err, "cannot be a region (letters, digits and hyphens); "
                        "write it like \"eu-west-1\"");
  return replace_text(to, a->text, err);
}

int set_endpoint(const struct option *option, void *to,
                 const struct argument *a, size_t n, struct err *err) {
  struct endpoint endpoint = {0};
  (void)option, (void)n;
  if (endpoint_parse(&endpoint, str_of(a->text), err) != 0)
    return -1;
  endpoint_clear(&endpoint);
  return replace_text(to, a->text, err);
}

/* ---- setters: truth and numbers ----------------------------------------- */

int set_truth(const struct option *option, void *to, const struct argument *a,
              size_t n, struct err *err) {
  bool *target = to;
  (void)option, (void)n, (void)err;
  *target = a->truth;
  return 0;
}

int set_choice(const struct option *option, void *to, const struct argument *a,
               size_t n, struct err *err) {
  enum place_choice *target = to;
  (void)option, (void)n, (void)err;
  *target = a->truth ? PLACE_YES : PLACE_NO;
  return 0;
}

static int check_range(const struct option *option, double number,
                       struct err *err) {
  char room[128];
  struct buf range = BUF_OVER(room);
  bool is_any = option->least == 0 && option->most == 0;
  if (is_any || (number >= option->least && number <= option->most))
    return 0;
  str_put_double(&range, option->least);
  buf_puts(&range, " to ");
  str_put_double(&range, option->most);
  return err_set(err, "is out of range; write a number from %s%s%s",
                 buf_str(&range), option->unit != NULL ? " " : "",
                 option->unit != NULL ? option->unit : "");
}

int set_number(const struct option *option, void *to, const struct argument *a,
               size_t n, struct err *err) {
  double *target = to;
  (void)n;
  if (check_range(option, a->number, err) != 0)
    return -1;
  *target = a->number;
  return 0;
}

int set_whole(const struct option *option, void *to, const struct argument *a,
              size_t n, struct err *err) {
  int64_t *target = to;
  (void)n;
  if (check_range(option, a->number, err) != 0)
    return -1;
  if (a->number != floor(a->number))
    return err_set(err, "must be a whole number%s%s; leave the fraction out",
                   option->unit != NULL ? " of " : "",
                   option->unit != NULL ? option->unit : "");
  *target = (int64_t)a->number;
  return 0;
}

int set_milliseconds(const struct option *option, void *to,
                     const struct argument *a, size_t n, struct err *err) {
  int64_t *target = to;
  (void)n;
  if (check_range(option, a->number, err) != 0)
    return -1;
  *target = (int64_t)ceil(a->number * 1000);
  return 0;
}

int set_mebibytes(const struct option *option, void *to,
                  const struct argument *a, size_t n, struct err *err) {
  int64_t *target = to;
  int64_t mebibytes = 0;
  if (set_whole(option, &mebibytes, a, n, err) != 0)
    return -1;
  *target = mebibytes << 20;
  return 0;
}

int set_resolution(const struct option *option, void *to,
                   const struct argument *a, size_t n, struct err *err) {
  int *target = to;
  (void)option, (void)n;
  if (a->number != 1 && a->number != 60)
    return err_set(err, "CloudWatch knows 1 and 60 seconds only; write 1 or "
                        "60");
  *target = (int)a->number;
  return 0;
}

/* ---- setters: one of several words -------------------------------------- */

/* The number of the option's word; the message names all of them. */
static int choose(const struct option *option, const char *text,
                  unsigned *chosen, struct err *err) {
  char room[256];
  struct buf all = BUF_OVER(room);
  unsigned last = OPTION_WORDS_MAX - 1;
  while (last > 0 && option->words[last] == NULL)
    last--;
  for (unsigned i = 0; i <= last; i++) {
    if (option->words[i] == NULL)
      continue;
    if (str_eq_nocase(str_of(option->words[i]), str_of(text))) {
      *chosen = i;
      return 0;
    }
    if (all.len > 0)
      buf_puts(&all, i < last ? ", " : " or ");
    buf_puts(&all, option->words[i]);
  }
  return err_set(err, "is not known; write %s", buf_str(&all));
}

/* Enumerations differ in name only: gcc and clang keep each that has no
 * negative value as an unsigned. */
static_assert(_Generic((enum protocol)0, unsigned
                       : true, default
                       : false),
              "set_word writes unsigned numbers");

int set_word(const struct option *option, void *to, const struct argument *a,
             size_t n, struct err *err) {
  unsigned *target = to;
  (void)n;
  return choose(option, a->text, target, err);
}

int set_either(const struct option *option, void *to, const struct argument *a,
               size_t n, struct err *err) {
  bool *target = to;
  unsigned chosen = 0;
  (void)n;
  if (choose(option, a->text, &chosen, err) != 0)
    return -1;
  *target = chosen == 1;
  return 0;
}

int set_unit(const struct option *option, void *to, const struct argument *a,
             size_t n, struct err *err) {
  const char **target = to;
  const char *unit = unit_find(str_of(a->text));
  const char *meant = unit_suggest(str_of(a->text));
  (void)option, (void)n;
  if (unit == NULL && meant != NULL)
    return err_set(err, "CloudWatch has no such unit; did you mean \"%s\"?",
                   meant);
  if (unit == NULL)
    return err_set(err, "CloudWatch has no such unit; write one of those in "
                        "collectd-write_cloudwatch(5), such as \"Count\", "
                        "\"Bytes\", \"Percent\" or \"None\"");
  *target = unit;
  return 0;
}

/* ---- setters: lists ----------------------------------------------------- */

static int push_text(struct text_list *list, const char *text,
                     struct err *err) {
  char **grown = realloc(list->text, (list->n + 1) * sizeof(*grown));
  if (grown == NULL)
    return err_set(err, "out of memory");
  list->text = grown;
  grown[list->n] = str_dup(str_of(text));
  if (grown[list->n] == NULL)
    return err_set(err, "out of memory");
  list->n++;
  return 0;
}

int add_selector(const struct option *option, void *to,
                 const struct argument *a, size_t n, struct err *err) {
  (void)option, (void)n;
  if (rule_check_selector(str_of(a->text), err) != 0)
    return -1;
  return push_text(to, a->text, err);
}

int add_dimension(const struct option *option, void *to,
                  const struct argument *a, size_t n, struct err *err) {
  struct where_spec *where = to;
  struct dimension_spec made = {0};
  (void)option, (void)n;

  if (a[0].text[0] == '\0')
    return err_set(err, "the dimension has no name; write one");
  for (size_t i = 0; i < where->n_dimensions; i++)
    if (str_eq(str_of(where->dimensions[i].name), str_of(a[0].text)))
      return err_set(err, "this dimension is defined twice here; keep one");
  if (template_check(a[1].text, err) != 0)
    return -1;

  struct dimension_spec *grown =
      realloc(where->dimensions, (where->n_dimensions + 1) * sizeof(*grown));
  if (grown == NULL)
    return err_set(err, "out of memory");
  where->dimensions = grown;
  if (replace_text(&made.name, a[0].text, err) != 0 ||
      replace_text(&made.template, a[1].text, err) != 0) {
    free(made.name);
    return -1;
  }
  grown[where->n_dimensions++] = made;
  return 0;
}

int add_dimension_set(const struct option *option, void *to,
                      const struct argument *a, size_t n, struct err *err) {
  struct where_spec *where = to;
  (void)option;

  for (size_t i = 0; i < n && n > 1; i++)
    if (a[i].text[0] == '\0')
      return err_set(err, "an empty name among others; remove it, \"\" alone "
                          "is the empty set");
  struct text_list *grown =
      realloc(where->sets, (where->n_sets + 1) * sizeof(*grown));
  if (grown == NULL)
    return err_set(err, "out of memory");
  where->sets = grown;
  grown[where->n_sets++] = (struct text_list){0};
  for (size_t i = 0; i < n && a[0].text[0] != '\0'; i++)
    if (push_text(&grown[where->n_sets - 1], a[i].text, err) != 0)
      return -1;
  return 0;
}
