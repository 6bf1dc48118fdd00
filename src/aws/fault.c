#include "aws/fault.h"

#include "aws/xml.h"
#include "base/json.h"

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

/* What CloudWatch says when all is well: read without memory, of which the lack
 * must not turn it into anything else. */
static bool is_empty_object(struct str body) {
  struct str inside = {body.p + 1, body.len - 2};
  return body.len >= 2 && body.p[body.len - 1] == '}' &&
         str_trim(inside).len == 0;
}

/* AWS may give the operation an output one day, so other members are no
 * obstacle; but what tells of an error was not accepted, whatever its status.
 */
static bool tells_of_error(const struct json *object) {
  static const char *const members[] = {"__type", "code", "message", "Message",
                                        "error"};

  for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
    if (json_get(object, members[i]) != NULL)
      return true;
  return false;
}

static void read_json(struct str body, struct fault *out) {
  out->is_accepting = is_empty_object(body);
  if (out->is_accepting)
    return;
  out->document = json_parse(body, NULL);
  out->is_torn = out->document == NULL;
  out->is_accepting = !out->is_torn && !tells_of_error(out->document);
  out->code = fault_bare_type(json_string(out->document, "__type", "code"));
  out->message = json_string(out->document, "message", "Message");
}

static void read_xml(struct str body, struct fault *out) {
  struct str root = xml_root(body);
  out->is_xml = true;
  if (str_eq(root, STR("ErrorResponse"))) {
    out->code = xml_element(body, "Code");
    out->message = xml_element(body, "Message");
    return;
  }
  if (!str_eq(root, STR("PutMetricDataResponse")))
    return;
  out->is_accepting = xml_is_ended(body, root);
  out->is_torn = !out->is_accepting;
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

/* What a sentence about a wrong signature goes on with is what was signed, with
 * the session token in it. */
static void cut_signed(struct buf *line, size_t begin) {
  static const char *const beginnings[] = {
      "The Canonical String for this request", "The String-to-Sign",
      "x-amz-security-token"};

  for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
    struct str text = str_from(str_of_buf(line), begin);
    size_t at = str_find(text, str_of(beginnings[i]));
    if (at < text.len)
      buf_cut(line, begin + at);
  }
}

void fault_put_line(struct str text, bool is_xml, struct buf *line) {
  size_t begin = line->len;

  while (text.len > 0 && line->len < line->limit) {
    unsigned long c = (unsigned char)text.p[0];
    if (is_xml)
      c = xml_take(&text);
    else
      text = str_from(text, 1);
    put_clean(line, c);
  }
  cut_signed(line, begin);
  if (line->len > 0 && line->data[line->len - 1] == ' ')
    buf_cut(line, line->len - 1);
}

void fault_put_message(const struct fault *fault, struct buf *line) {
  fault_put_line(fault->message, fault->is_xml, line);
}
