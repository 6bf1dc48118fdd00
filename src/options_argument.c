/* What was written: arguments taken from the daemon's parser, and shown in
 * messages. */
#include "options_table.h"

#include "base/str.h"

#include "liboconfig/oconfig.h"

#include <math.h>
#include <string.h>

/* ---- showing ------------------------------------------------------------ */

void text_put_shown(struct buf *out, const char *text) {
  enum { SHOWN_MAX = 64 };
  /* A URL may hold a password. */
  if (strstr(text, "://") != NULL && strchr(text, '@') != NULL) {
    buf_puts(out, "(not shown)");
    return;
  }
  for (size_t i = 0; text[i] != '\0'; i++) {
    if (i == SHOWN_MAX) {
      buf_puts(out, "...");
      return;
    }
    unsigned char c = (unsigned char)text[i];
    buf_putc(out, c < 0x20 || c == 0x7f ? '?' : text[i]);
  }
}

static void value_put(struct buf *out, const oconfig_value_t *value) {
  if (value->type == OCONFIG_TYPE_BOOLEAN)
    buf_puts(out, value->value.boolean ? "true" : "false");
  else if (value->type == OCONFIG_TYPE_STRING)
    text_put_shown(out, value->value.string);
  else if (isfinite(value->value.number))
    str_put_double(out, value->value.number);
  else
    buf_puts(out, "(no number)");
}

void values_put(struct buf *out, const struct oconfig_value_s *values,
                size_t n) {
  enum { SHOWN_MAX = 4 };
  for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
    bool is_text = values[i].type == OCONFIG_TYPE_STRING;
    buf_puts(out, i > 0 ? " " : "");
    buf_puts(out, is_text ? "\"" : "");
    value_put(out, &values[i]);
    buf_puts(out, is_text ? "\"" : "");
  }
  if (n > SHOWN_MAX)
    buf_puts(out, " ...");
}

void block_put(struct buf *out, const char *node, const char *metric) {
  if (node != NULL) {
    buf_puts(out, "<Node \"");
    text_put_shown(out, node);
    buf_puts(out, "\">");
  }
  if (metric != NULL) {
    buf_puts(out, node != NULL ? " <Metric \"" : "<Metric \"");
    text_put_shown(out, metric);
    buf_puts(out, "\">");
  }
  if (node == NULL && metric == NULL)
    buf_puts(out, "<Plugin write_cloudwatch>");
}

/* ---- what was meant ----------------------------------------------------- */

/* Appends a number such as "-1.5e-3" without its exponent: "-0.0015".  Nothing
 * when it is none, or has more than 30 digits then. */
static void put_without_exponent(struct buf *out, const char *text) {
  char digits[32];
  struct buf all = BUF_OVER(digits);
  struct str rest = str_of(text), mantissa, whole;
  double number = 0, exponent = 0;

  if (str_to_double(rest, &number) != 0 || strpbrk(text, "eE") == NULL)
    return;
  struct str tail = str_of(strpbrk(text, "eE") + 1);
  mantissa = (struct str){text, rest.len - tail.len - 1};
  if (tail.len > 0 && tail.p[0] == '+')
    tail = (struct str){tail.p + 1, tail.len - 1};
  if (str_to_double(tail, &exponent) != 0 || fabs(exponent) > 20)
    return;

  bool is_negative = str_has_prefix(mantissa, STR("-"));
  if (is_negative)
    mantissa = (struct str){mantissa.p + 1, mantissa.len - 1};
  rest = mantissa;
  if (!str_split(&rest, '.', &whole))
    return;
  buf_put(&all, whole.p, whole.len);
  buf_put(&all, rest.p, rest.len);
  if (!buf_ok(&all))
    return;

  long point = (long)whole.len + (long)exponent; /* digits before it */
  long n = (long)all.len;
  buf_puts(out, is_negative ? "-" : "");
  buf_puts(out, point <= 0 ? "0" : "");
  for (long i = point < 0 ? point : 0; i < n || i < point; i++) {
    if (i == point)
      buf_putc(out, '.');
    buf_putc(out, i >= 0 && i < n ? digits[i] : '0');
  }
}

/* The parser of the daemon splits words at "-", which it drops, and reads -1
 * as a number; so eu-west-1 is "eu" "west" -1, and 1e-3 is "1e" -3. */
void values_put_meant(struct buf *out, enum argument_kind kind,
                      const struct oconfig_value_s *values, size_t n) {
  char room[128];
  struct buf joined = BUF_OVER(room);
  bool is_split = false;

  for (size_t i = 0; i < n; i++) {
    bool is_number = values[i].type == OCONFIG_TYPE_NUMBER;
    bool is_negative = is_number && values[i].value.number < 0;
    is_split = is_split || (i > 0 && is_negative);
    if (i > 0 && !is_negative && kind != NUMBER)
      buf_putc(&joined, '-');
    value_put(&joined, &values[i]);
  }
  if (kind == NUMBER)
    put_without_exponent(out, buf_str(&joined));
  else if (is_split && buf_ok(&joined))
    buf_puts(out, buf_str(&joined));
}

/* ---- taking ------------------------------------------------------------- */

static int take_text(struct argument *out, const char *text, struct err *err) {
  out->text = str_dup(str_of(text));
  return out->text != NULL ? 0 : err_set(err, "out of memory");
}

static int take_word(struct argument *out, double number, struct err *err) {
  char room[64];
  struct buf text = BUF_OVER(room);
  if (!isfinite(number))
    return err_set(err, "is no finite number; put it in quotes");
  str_put_double(&text, number);
  return take_text(out, buf_str(&text), err);
}

static int take_number(struct argument *out, const oconfig_value_t *value,
                       struct err *err) {
  char room[128];
  struct buf meant = BUF_OVER(room);
  double number = 0;

  if (value->type == OCONFIG_TYPE_NUMBER && isfinite(value->value.number)) {
    out->number = value->value.number;
    return 0;
  }
  if (value->type != OCONFIG_TYPE_STRING)
    return err_set(err, "is no number; write one");
  values_put_meant(&meant, NUMBER, value, 1);
  if (meant.len > 0)
    return err_set(err, "collectd knows no numbers with an exponent; write %s",
                   buf_str(&meant));
  if (str_to_double(str_of(value->value.string), &number) == 0)
    return err_set(err, "write the number without quotes");
  return err_set(err, "is no number; write digits only, without a unit");
}

static int take_truth(struct argument *out, const oconfig_value_t *value,
                      struct err *err) {
  static const struct {
    const char *word;
    bool truth;
  } words[] = {{"true", true},   {"yes", true}, {"on", true},
               {"false", false}, {"no", false}, {"off", false}};

  if (value->type == OCONFIG_TYPE_BOOLEAN) {
    out->truth = value->value.boolean != 0;
    return 0;
  }
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (value->type == OCONFIG_TYPE_STRING &&
        str_eq_nocase(str_of(words[i].word), str_of(value->value.string))) {
      out->truth = words[i].truth;
      return 0;
    }
  return err_set(err, "is neither true nor false; write one of them");
}

int argument_take(struct argument *out, enum argument_kind kind,
                  const struct oconfig_value_s *value, struct err *err) {
  switch (kind) {
  case WORD:
  case TEXT:
    if (kind == WORD && value->type == OCONFIG_TYPE_NUMBER)
      return take_word(out, value->value.number, err);
    if (value->type == OCONFIG_TYPE_STRING)
      return take_text(out, value->value.string, err);
    return err_set(err, "is no text; put it in quotes");
  case NUMBER:
    return take_number(out, value, err);
  case TRUTH:
    return take_truth(out, value, err);
  }
  return err_set(err, "is of no known kind; write a text, a number, true or "
                      "false");
}
