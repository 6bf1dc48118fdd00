#include "aws/xml.h"

#include <string.h>

/* ---- elements ------------------------------------------------------------ */

struct str xml_root(struct str body) {
  while (body.len > 1 && body.p[0] == '<' &&
         (body.p[1] == '?' || body.p[1] == '!')) {
    struct str end = STR(">");
    if (str_has_prefix(body, STR("<!--")))
      end = STR("-->");
    size_t at = str_find(body, end);
    if (at == body.len)
      return STR("");
    body = str_trim(str_from(body, at + end.len));
  }
  if (body.len == 0 || body.p[0] != '<')
    return STR("");
  size_t len = 1;
  while (len < body.len && str_is_alnum(body.p[len]))
    len++;
  return (struct str){body.p + 1, len - 1};
}

bool xml_is_ended(struct str body, struct str root) {
  if (!str_has_suffix(body, STR(">")))
    return false;
  body = str_trim((struct str){body.p, body.len - 1});
  if (!str_has_suffix(body, root))
    return false;
  body.len -= root.len;
  return str_has_suffix(body, STR("</"));
}

/* Whether a tag's name ends here: "<Name>" and "<Name xmlns=...>", but not
 * "<NameOfOther>" nor "<Name/>", which is empty and has no closing tag. */
static bool ends_name(struct str s) {
  return s.len > 0 && strchr("> \t\r\n", s.p[0]) != NULL && s.p[0] != '\0';
}

/* Takes all up to the end of the first tag that begins with begin, which is
 * "<Name" or "</Name": *before is what stands before the tag. */
static bool take_tag(struct str *rest, struct str begin, struct str *before) {
  struct str look = *rest;
  for (;;) {
    size_t at = str_find(look, begin);
    if (at == look.len)
      return false;
    struct str after = str_from(look, at + begin.len);
    *before = (struct str){rest->p, (size_t)(look.p - rest->p) + at};
    look = after;
    if (!ends_name(after))
      continue;
    size_t end = str_find(after, STR(">"));
    if (end == after.len)
      return false;
    look = str_from(after, end + 1);
    if (end == 0 || after.p[end - 1] != '/') {
      *rest = look;
      return true;
    }
  }
}

struct str xml_element(struct str body, const char *name) {
  char open_text[40], close_text[40];
  struct buf open = BUF_OVER(open_text), close = BUF_OVER(close_text);
  struct str before;
  buf_printf(&open, "<%s", name);
  buf_printf(&close, "</%s", name);

  if (!take_tag(&body, (struct str){open_text, open.len}, &before) ||
      !take_tag(&body, (struct str){close_text, close.len}, &before))
    return STR("");
  return before;
}

/* ---- characters ---------------------------------------------------------- */

static unsigned long digit_value(char c) {
  if (str_is_digit(c))
    return (unsigned long)(c - '0');
  if (c >= 'a' && c <= 'f')
    return (unsigned long)(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return (unsigned long)(c - 'A') + 10;
  return 99;
}

/* The number of "#38" or "#x26"; 0 when it is none. */
static unsigned long numeric_entity(struct str name) {
  bool hex = name.len > 1 && name.p[1] == 'x';
  unsigned long base = hex ? 16 : 10, number = 0;
  for (size_t i = hex ? 2 : 1; i < name.len; i++) {
    unsigned long digit = digit_value(name.p[i]);
    if (digit >= base)
      return 0;
    number = number * base + digit;
  }
  return number;
}

#define ENTITY_MAX 9 /* "#x10FFFF;" */

unsigned long xml_take(struct str *text) {
  static const struct {
    const char *name;
    char c;
  } named[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  unsigned char c = (unsigned char)text->p[0];
  *text = str_from(*text, 1);
  if (c != '&')
    return c;

  struct str near = {text->p, text->len < ENTITY_MAX ? text->len : ENTITY_MAX};
  size_t len = str_find(near, STR(";"));
  if (len == near.len || len == 0)
    return c;
  struct str name = {text->p, len};
  unsigned long found = name.p[0] == '#' ? numeric_entity(name) : 0;
  for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
    if (str_eq(name, str_of(named[i].name)))
      found = (unsigned char)named[i].c;
  if (found == 0)
    return c;
  *text = str_from(*text, len + 1);
  return found;
}

void xml_put(struct buf *out, struct str text) {
  while (text.len > 0) {
    size_t left = text.len;
    unsigned long c = xml_take(&text);
    if (left - text.len > 1 && c > 0x7f) {
      buf_fail(out);
      return;
    }
    buf_putc(out, (char)c);
  }
}
