#include "run/http_head.h"

#include "base/str.h"

#include <string.h>

static bool is_given(const struct http_request *request, const char *name) {
  for (size_t i = 0; i < request->n_headers; i++)
    if (str_eq_nocase(str_of(request->headers[i].name), str_of(name)))
      return true;
  return false;
}

static int put_header(const struct http_header *header, struct buf *line,
                      struct err *err) {
  if (!str_is_field_value(header->value) ||
      !str_is_field_value(str_of(header->name)))
    return err_set(err, "a value of header %s holds a control character",
                   header->name);

  /* At once: growing would leave copies of a secret behind. */
  buf_reserve(line, strlen(header->name) + 2 + header->value.len);
  buf_puts(line, header->name);
  /* curl's way of writing a header without a value */
  buf_puts(line, header->value.len > 0 ? ": " : ";");
  buf_put(line, header->value.p, header->value.len);
  return buf_ok(line) ? 1
                      : err_set(err, "no memory for header %s", header->name);
}

int http_head_line(const struct http_request *request, size_t i,
                   struct buf *line, struct err *err) {
  static const char *const own[] = {"Expect", "Accept", "Content-Type"};

  if (i < request->n_headers)
    return put_header(&request->headers[i], line, err);
  i -= request->n_headers;
  for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++) {
    if (is_given(request, own[k]) || i-- > 0)
      continue;
    buf_printf(line, "%s:", own[k]);
    return buf_ok(line) ? 1 : err_set(err, "no memory for the headers");
  }
  return 0;
}
