#include "metric/names.h"

#include "metric/metric.h"

bool names_is_blank(struct str text) {
  for (size_t i = 0; i < text.len; i++)
    if (text.p[i] != ' ')
      return false;
  return true;
}

bool names_is_reserved(struct str namespace) {
  return str_has_prefix(namespace, STR(":")) ||
         str_has_prefix(namespace, STR("AWS/"));
}

int names_check(struct str text, size_t max, struct err *err) {
  if (names_is_blank(text))
    return err_set(err, "is empty; write at least one character");
  if (text.len > max)
    return err_set(err, "has %zu characters; write at most %zu", text.len, max);
  for (size_t i = 0; i < text.len; i++)
    if (text.p[i] < 0x20 || text.p[i] > 0x7e)
      return err_set(err,
                     "holds a byte that is not printable ASCII, at character "
                     "%zu; write it without",
                     i + 1);
  return 0;
}

int names_check_namespace(struct str text, struct err *err) {
  if (str_has_prefix(text, STR(":")))
    return err_set(err, "begins with \":\", which CloudWatch refuses; choose "
                        "another beginning");
  if (names_is_reserved(text))
    return err_set(err, "begins with \"AWS/\", which is kept for the services "
                        "of AWS; choose another beginning");
  return names_check(text, CW_NAMESPACE_MAX, err);
}

int names_check_dimension(struct str text, struct err *err) {
  if (str_has_prefix(text, STR(":")))
    return err_set(err, "begins with \":\", which CloudWatch refuses; choose "
                        "another beginning");
  return names_check(text, CW_DIMENSION_NAME_MAX, err);
}
