#include "aws/fault.h"

#include "base/json.h"

#include <string.h>

struct str fault_bare_type(struct str type) {
  struct str left;
  if (!str_split(&type, ':', &left))
    return type;
  for (size_t i = left.len; i-- > 0;)
    if (left.p[i] == '#')
      return str_from(left, i + 1);
  return left;
}

/* ---- bodies -------------------------------------------------------------- */

/* The first member that is a string. */
static struct str text_of_member(const struct json *object, const char *first,
                                 const char *second) {
  const struct json *value = json_get(object, first);
  if (json_kind(value) != JSON_STRING)
    value = json_get(object, second);
  return json_kind(value) == JSON_STRING ? json_text(value) : STR("");
}

static void read_json(struct str body, struct fault *out) {
  out->document = json_parse(body, NULL);
  if (json_kind(out->document) != JSON_OBJECT)
    return;
  out->is_accepting = true;
  out->code = fault_bare_type(text_of_member(out->document, "__type", "code"));
  out->message = text_of_member(out->document, "message", "Message");
}

/* The name of the root element; empty when there is none.  Steps over the XML
 * declaration, comments and the document type. */
static struct str root_name(struct str body) {
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

/* The text between the first open and the first close after it. */
static struct str element(struct str body, struct str open, struct str close) {
  size_t begin = str_find(body, open);
  if (begin == body.len)
    return STR("");
  body = str_from(body, begin + open.len);
  size_t len = str_find(body, close);
  return len < body.len ? (struct str){body.p, len} : STR("");
}

static void read_xml(struct str body, struct fault *out) {
  struct str root = root_name(body);
  out->is_xml = true;
  if (str_eq(root, STR("ErrorResponse"))) {
    out->code = element(body, STR("<Code>"), STR("</Code>"));
    out->message = element(body, STR("<Message>"), STR("</Message>"));
    return;
  }
  out->is_accepting = str_has_suffix(root, STR("Response"));
}

void fault_read(struct fault *out, struct str body) {
  *out = (struct fault){0};
  body = str_trim(body);
  if (body.len == 0)
    out->is_accepting = true;
  else if (body.p[0] == '<')
    read_xml(body, out);
  else if (body.p[0] == '{')
    read_json(body, out);
}

void fault_clear(struct fault *fault) {
  json_free(fault->document);
  *fault = (struct fault){0};
}

/* ---- messages ------------------------------------------------------------ */

/* Appends one character to a line that may be full; runs of blanks become one,
 * and what a terminal or log could stumble over becomes a question mark. */
static void put_clean(struct buf *line, unsigned long c) {
  bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
  if (line->len == line->limit)
    return;
  if (!blank) {
    buf_putc(line, c > 0x20 && c < 0x7f ? (char)c : '?');
    return;
  }
  if (line->len > 0 && line->data[line->len - 1] != ' ')
    buf_putc(line, ' ');
}

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

/* Takes one character or entity from *rest, which must not be empty. */
static unsigned long take_character(struct str *rest) {
  static const struct {
    const char *name;
    char c;
  } named[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  unsigned char c = (unsigned char)rest->p[0];
  *rest = str_from(*rest, 1);
  if (c != '&')
    return c;

  struct str near = {rest->p, rest->len < ENTITY_MAX ? rest->len : ENTITY_MAX};
  size_t len = str_find(near, STR(";"));
  if (len == near.len || len == 0)
    return c;
  struct str name = {rest->p, len};
  unsigned long found = name.p[0] == '#' ? numeric_entity(name) : 0;
  for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
    if (str_eq(name, str_of(named[i].name)))
      found = (unsigned char)named[i].c;
  if (found == 0)
    return c;
  *rest = str_from(*rest, len + 1);
  return found;
}

void fault_put_message(const struct fault *fault, struct buf *line) {
  struct str text = fault->message;
  while (text.len > 0 && line->len < line->limit) {
    unsigned long c = (unsigned char)text.p[0];
    if (fault->is_xml)
      c = take_character(&text);
    else
      text = str_from(text, 1);
    put_clean(line, c);
  }
  if (line->len > 0 && line->data[line->len - 1] == ' ')
    buf_cut(line, line->len - 1);
}
