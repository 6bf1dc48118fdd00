#include "metric/fill.h"

#include "metric/names.h"

#include <string.h>

/* Namespace, name, and name and value of each dimension. */
#define TEXTS_MAX (2 + 2 * CW_DIMENSIONS_MAX)

void fill_reset(struct fill *fill) {
  fill->of = NULL;
  buf_reset(&fill->text);
}

void fill_clear(struct fill *fill) {
  buf_clear(&fill->text);
  *fill = (struct fill)FILL_INIT;
}

/* The texts one after the other, as the buffer may move while it grows. */
struct texts {
  size_t at[TEXTS_MAX];
  size_t n;
};

static enum filled add(struct fill *fill, struct texts *texts, const char *text,
                       size_t max, const struct ec2_values *values) {
  texts->at[texts->n++] = fill->text.len;
  if (ec2_needs(text) == 0) {
    buf_puts(&fill->text, text);
    buf_putc(&fill->text, '\0');
    return FILLED;
  }
  switch (ec2_fill(&fill->text, text, max, values, &fill->number)) {
  case EC2_FILLED:
    break;
  case EC2_CHANGED:
    fill->is_changed = true;
    break;
  case EC2_LACKING:
    return FILL_LACKING;
  }
  buf_putc(&fill->text, '\0');
  return FILLED;
}

static const char *text_at(const struct fill *fill, const struct texts *texts,
                           size_t i) {
  return fill->text.data + texts->at[i];
}

static enum filled add_all(struct fill *fill, struct texts *texts,
                           const struct series_name *marked,
                           const struct ec2_values *values) {
  enum filled result =
      add(fill, texts, marked->namespace, CW_NAMESPACE_MAX, values);

  if (result == FILLED)
    result = add(fill, texts, marked->name, CW_NAME_MAX, values);
  for (size_t i = 0; result == FILLED && i < marked->n_dimensions; i++) {
    (void)add(fill, texts, marked->dimensions[i].name, CW_DIMENSION_NAME_MAX,
              values);
    result = add(fill, texts, marked->dimensions[i].value,
                 CW_DIMENSION_VALUE_MAX, values);
  }
  return result;
}

static enum filled work_out(struct fill *fill, const struct series_name *marked,
                            const struct ec2_values *values) {
  struct texts texts = {.n = 0};
  enum filled result = add_all(fill, &texts, marked, values);

  if (result != FILLED)
    return result;
  if (!buf_ok(&fill->text))
    return FILL_NO_MEMORY;

  fill->name = *marked;
  fill->name.namespace = text_at(fill, &texts, 0);
  fill->name.name = text_at(fill, &texts, 1);
  for (size_t i = 0; i < marked->n_dimensions; i++)
    fill->dimensions[i] = (struct dimension){text_at(fill, &texts, 2 + 2 * i),
                                             text_at(fill, &texts, 3 + 2 * i)};
  fill->name.dimensions = fill->dimensions;
  struct str namespace = str_of(fill->name.namespace);
  if (names_is_blank(namespace) || names_is_reserved(namespace) ||
      names_is_blank(str_of(fill->name.name)))
    return FILL_REFUSED;
  return FILLED;
}

enum filled fill_name(struct fill *fill, const struct series_name *marked,
                      const struct ec2_values *values) {
  if (fill->of != marked) {
    buf_reset(&fill->text);
    fill->of = marked;
    fill->is_changed = false;
    fill->result = work_out(fill, marked, values);
  }
  return fill->result;
}
