#include "run/flush.h"

#include "metric/encode_json.h"
#include "metric/refuse.h"
#include "run/clock.h"

#include <string.h>

#define TEXT_MAX (1 << 18) /* far above 30 dimensions and 150 values */
#define NAMESPACES_MAX 8   /* parcels that are open side by side */

int flush_init(struct flush *flush, const struct ec2_keys *keys,
               const char *node, struct delivery *to) {
  *flush = (struct flush){.text = BUF_INIT(TEXT_MAX),
                          .fill = FILL_INIT,
                          .json = json_out_new(),
                          .keys = keys,
                          .node = node,
                          .to = to};
  return flush->json != NULL ? 0 : -1;
}

void flush_clear(struct flush *flush) {
  cut_clear(&flush->cut);
  buf_clear(&flush->text);
  fill_clear(&flush->fill);
  json_out_free(flush->json);
  flush->json = NULL;
}

/* A flush under way: one open parcel for each of a few namespaces. */
struct filling {
  struct flush *flush;
  struct tally *tally;
  int64_t number;
  const struct ec2_values *values;
  struct parcel *open[NAMESPACES_MAX];
  size_t next; /* of open, to make room in turn */
};

static void close_parcel(struct filling *f, size_t i) {
  struct flush *flush = f->flush;

  if (f->open[i] == NULL)
    return;
  flush->n_data += f->open[i]->n_data;
  flush->n_parcels++;
  delivery_put(flush->to, f->open[i]);
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

/* ---- the instance's values ----------------------------------------------- */

static void say_lacking(struct flush *flush, size_t number) {
  const char *key = flush->keys->key[number];

  log_state_bad(
      &flush->lacking[number], SAY_WARNING, flush->node, clock_steady_ms(), key,
      "%%{ec2:%s} has no value, so what names it without a text after "
      "\"|\" is not published: %s",
      key,
      ec2_tag_of(key) != NULL
          ? "see that the instance metadata service answers, allow tags in "
            "instance metadata (aws ec2 "
            "modify-instance-metadata-options --instance-metadata-tags "
            "enabled) and see that the instance has the tag, or write such "
            "a text"
          : "see that the daemon can ask the instance metadata service, or "
            "write such a text");
}

/* Says of values that were not there that they have come. */
static void say_found(struct flush *flush, const struct ec2_values *values) {
  for (size_t i = 0; i < values->n; i++)
    if (values->value[i].state == EC2_KNOWN)
      (void)log_state_good(&flush->lacking[i], flush->node, clock_steady_ms(),
                           "%%{ec2:%s} has a value now; what names it is "
                           "published",
                           flush->keys->key[i]);
}

static void say_changed(struct flush *flush) {
  const struct series_name *name = &flush->fill.name;

  if (flush->said_changed)
    return;
  flush->said_changed = true;
  log_say(SAY_WARNING, flush->node,
          "CloudWatch takes printable ASCII of limited length; where a text "
          "with a value of the instance (%%{ec2:...}) is not so, it is "
          "published changed, with a hash at its end, as for metric \"%s\" of "
          "\"%s\"",
          name->name, name->namespace);
}

/* The name to publish under; NULL when it must not be, which is counted. */
static const struct series_name *find_name(struct filling *f,
                                           const struct datum *datum) {
  struct fill *fill = &f->flush->fill;

  if (f->values->n == 0)
    return datum->series;
  switch (fill_name(fill, datum->series, f->values)) {
  case FILLED:
    if (fill->is_changed)
      say_changed(f->flush);
    return &fill->name;
  case FILL_LACKING:
    say_lacking(f->flush, fill->number);
    tally_add_text(f->tally, REASON_LACKING, 1, datum->identifier);
    return NULL;
  case FILL_REFUSED:
    tally_add_text(f->tally, REASON_UNFIT, 1, datum->identifier);
    return NULL;
  case FILL_NO_MEMORY:
    tally_add_text(f->tally, REASON_MEMORY, 1, datum->identifier);
    return NULL;
  }
  return NULL;
}

/* ---- data ------------------------------------------------------------------
 */

/* Whether the datum, whose text is ready, is kept back, which is counted. */
static bool is_quarantined(struct filling *f, const struct datum *datum) {
  if (!delivery_is_quarantined(f->flush->to, datum->series->namespace,
                               str_of_buf(&f->flush->text)))
    return false;
  tally_add_text(f->tally, REASON_QUARANTINED, 1, datum->identifier);
  return true;
}

/* For people who want to see it. */
static void show(const struct flush *flush, const struct datum *datum) {
  struct str text = str_of_buf(&flush->text);

  if (flush->status == NULL && flush->dry_run == NULL)
    return;
  uint64_t key = refuse_key(datum->series->namespace, encode_json_series(text));
  const char *metric = rules_label(flush->rules, datum->rule);
  if (flush->status != NULL)
    status_datum(flush->status, datum, key, metric);
  if (flush->dry_run != NULL)
    dry_run_datum(flush->dry_run, datum, key, metric, text);
}

static void add_datum(void *context, const struct datum *marked) {
  struct filling *f = context;
  struct buf *text = &f->flush->text;
  struct parcel *parcel = NULL;
  struct datum named = *marked;
  const struct datum *datum = &named;

  named.series = find_name(f, marked);
  if (named.series == NULL)
    return;
  buf_reset(text);
  if (encode_json_datum(f->flush->json, datum, text) == 0) {
    if (is_quarantined(f, datum))
      return;
    parcel = parcel_for(f, datum->series->namespace, text->len);
  }
  if (parcel != NULL && parcel_add(parcel, str_of_buf(text), datum->identifier,
                                   datum->time_s) == 0)
    show(f->flush, datum);
  else
    tally_add_text(f->tally, REASON_MEMORY, 1, datum->identifier);
}

void flush_run(struct flush *flush, const struct horizon *horizon,
               int64_t number, const struct ec2_values *values,
               struct tally *tally) {
  struct filling filling = {
      .flush = flush, .tally = tally, .number = number, .values = values};

  flush->number++;
  flush->at_s = clock_wall_ms() / 1000;
  flush->n_data = flush->n_parcels = 0;
  fill_reset(&flush->fill);
  say_found(flush, values);
  cut_run(&flush->cut, horizon, tally, add_datum, &filling);
  for (size_t i = 0; i < NAMESPACES_MAX; i++)
    close_parcel(&filling, i);
}
