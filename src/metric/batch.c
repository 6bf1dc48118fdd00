#include "metric/batch.h"

#include "metric/encode_json.h"
#include "metric/encode_query.h"

int batch_begin(struct batch *batch, enum protocol protocol,
                struct json_out *json, const char *namespace, struct err *err) {
  buf_reset(&batch->body);
  batch->protocol = protocol;
  batch->n_data = 0;
  batch->max_data = CW_DATA_MAX;
  batch->n_parts = 0;

  switch (protocol) {
  case PROTOCOL_JSON:
    encode_json_open(json, namespace, &batch->body);
    break;
  case PROTOCOL_QUERY:
    encode_query_open(&batch->body, namespace);
    break;
  }
  if (!buf_ok(&batch->body))
    return err_set(err, "no memory to begin a request, or its namespace is no "
                        "UTF-8");
  return 0;
}

/* Appends one datum.  0; or -1 with *err set, and the body is as before, or
 * failed for lack of memory. */
static int put(struct batch *batch, struct str text, struct err *err) {
  struct buf *body = &batch->body;
  size_t len = body->len;
  size_t end_bytes = 0;
  int rc = 0;

  switch (batch->protocol) {
  case PROTOCOL_JSON:
    end_bytes = sizeof("]}") - 1;
    if (batch->n_data > 0)
      buf_putc(body, ',');
    buf_put(body, text.p, text.len);
    break;
  case PROTOCOL_QUERY:
    rc = encode_query_datum(body, batch->n_data + 1, text, err);
    break;
  }
  if (rc != 0)
    return -1;
  if (!buf_ok(body))
    return err_set(err, "no memory for a request's body");
  if (body->len + end_bytes > CW_BODY_MAX) {
    size_t bytes = body->len - len;
    buf_cut(body, len);
    return err_set(err,
                   "a datum of %zu bytes does not fit into the %d bytes of a "
                   "request, %zu of which are in use",
                   bytes, CW_BODY_MAX, len);
  }
  return 0;
}

size_t batch_add(struct batch *batch, struct parcel *parcel, struct err *err) {
  size_t n = 0;
  if (batch->n_parts == BATCH_PARCELS_MAX || !buf_ok(&batch->body))
    return 0;

  while (n < parcel->n_data && batch->n_data < batch->max_data &&
         batch->n_data < CW_DATA_MAX &&
         put(batch, parcel_text(parcel, n), err) == 0) {
    batch->n_data++;
    n++;
  }
  if (n > 0)
    batch->parts[batch->n_parts++] = (struct batch_part){parcel, n};
  return n;
}

int batch_end(struct batch *batch, struct err *err) {
  if (buf_ok(&batch->body) && batch->n_data == 0)
    return err_set(err, "a request without data");

  switch (batch->protocol) {
  case PROTOCOL_JSON:
    encode_json_close(&batch->body);
    break;
  case PROTOCOL_QUERY:
    break;
  }
  if (!buf_ok(&batch->body))
    return err_set(err, "no memory for a request's body");
  return 0;
}

bool batch_where(const struct batch *batch, size_t i, struct parcel **parcel,
                 size_t *datum) {
  for (size_t part = 0; part < batch->n_parts; part++) {
    if (i < batch->parts[part].n) {
      *parcel = batch->parts[part].parcel;
      *datum = i;
      return true;
    }
    i -= batch->parts[part].n;
  }
  return false;
}

void batch_clear(struct batch *batch) {
  buf_clear(&batch->body);
  batch->n_data = 0;
  batch->n_parts = 0;
}
