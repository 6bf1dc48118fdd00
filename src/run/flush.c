#include "run/flush.h"

#include "metric/encode_json.h"

#include <string.h>

#define TEXT_MAX (1 << 18) /* far above 30 dimensions and 150 values */
#define NAMESPACES_MAX 8   /* parcels that are open side by side */

int flush_init(struct flush *flush, size_t limit_bytes) {
  *flush = (struct flush){.text = BUF_INIT(TEXT_MAX), .json = json_out_new()};
  flush->cut.limit_bytes = limit_bytes;
  return flush->json != NULL ? 0 : -1;
}

void flush_clear(struct flush *flush) {
  cut_clear(&flush->cut);
  buf_clear(&flush->text);
  json_out_free(flush->json);
  flush->json = NULL;
}

/* A flush under way: one open parcel for each of a few namespaces. */
struct filling {
  struct flush *flush;
  struct delivery *to;
  struct tally *tally;
  int64_t number;
  struct parcel *open[NAMESPACES_MAX];
  size_t next; /* of open, to make room in turn */
};

static void close_parcel(struct filling *f, size_t i) {
  if (f->open[i] != NULL)
    delivery_put(f->to, f->open[i]);
  f->open[i] = NULL;
}

/* The open parcel of a namespace with room for the text; NULL is lack of
 * memory. */
static struct parcel *parcel_for(struct filling *f, const char *namespace,
                                 size_t text_bytes) {
  for (size_t i = 0; i < NAMESPACES_MAX; i++) {
    if (f->open[i] == NULL || strcmp(f->open[i]->namespace, namespace) != 0)
      continue;
    if (parcel_has_room(f->open[i], text_bytes))
      return f->open[i];
    close_parcel(f, i);
    break;
  }

  size_t i = f->next++ % NAMESPACES_MAX;
  close_parcel(f, i);
  f->open[i] = parcel_new(namespace, f->number);
  return f->open[i];
}

static void add_datum(void *context, const struct datum *datum) {
  struct filling *f = context;
  struct buf *text = &f->flush->text;
  struct parcel *parcel = NULL;

  buf_reset(text);
  if (encode_json_datum(f->flush->json, datum, text) == 0)
    parcel = parcel_for(f, datum->series->namespace, text->len);
  if (parcel == NULL ||
      parcel_add(parcel, (struct str){buf_str(text), text->len},
                 datum->identifier, datum->time_s) != 0)
    tally_add_text(f->tally, REASON_MEMORY, 1, datum->identifier);
}

void flush_run(struct flush *flush, const struct horizon *horizon,
               int64_t number, struct tally *tally, struct delivery *to) {
  struct filling filling = {flush, to, tally, number, {NULL}, 0};

  cut_run(&flush->cut, horizon, tally, add_datum, &filling);
  for (size_t i = 0; i < NAMESPACES_MAX; i++)
    close_parcel(&filling, i);
}
