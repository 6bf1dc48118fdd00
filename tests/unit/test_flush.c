/* flush: what is handed to the delivery, and what is said, with values of the
 * instance in names. */
#include "run/flush.h"

#include "metric/encode_json.h"

#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* In place of the real one: writes "namespace|name{A=x}@second" of each datum,
 * in the order of the parcels. */
struct delivery {
  struct buf out;
  const char *quarantined; /* "namespace|text of the series"; NULL: none */
};

bool delivery_is_quarantined(const struct delivery *delivery,
                             const char *namespace, struct str text) {
  struct buf series = BUF_INIT(4096);
  struct str begin = encode_json_series(text);
  buf_printf(&series, "%s|", namespace);
  buf_put(&series, begin.p, begin.len);
  bool is_equal = str_eq(str_of_buf(&series), str_of(delivery->quarantined));
  buf_clear(&series);
  return is_equal;
}

static void put_text(struct buf *out, const struct json *json) {
  struct str text = json_text(json);
  buf_put(out, text.p, text.len);
}

void delivery_put(struct delivery *delivery, struct parcel *parcel) {
  struct buf *out = &delivery->out;
  for (size_t i = 0; i < parcel->n_data; i++) {
    struct json *datum = json_parse(parcel_text(parcel, i), NULL);
    const struct json *dimensions = json_get(datum, "Dimensions");
    buf_printf(out, "%s%s|", out->len > 0 ? " " : "", parcel->namespace);
    put_text(out, json_get(datum, "MetricName"));
    for (size_t k = 0; k < json_count(dimensions); k++) {
      buf_puts(out, k == 0 ? "{" : ",");
      put_text(out, json_get(json_at(dimensions, k), "Name"));
      buf_putc(out, '=');
      put_text(out, json_get(json_at(dimensions, k), "Value"));
    }
    buf_printf(out, "%s@%lld", json_count(dimensions) > 0 ? "}" : "",
               (long long)(parcel->data[i].time_s - EPOCH));
    json_free(datum);
  }
  parcel_free(parcel);
}

/* ---- what is said ------------------------------------------------------- */

static struct buf said = BUF_INIT(65536);
static size_t n_warnings, n_notices;

static void hear(enum log_level level, const char *message) {
  n_warnings += level == SAY_WARNING;
  n_notices += level == SAY_NOTICE;
  buf_printf(&said, "%s\n", message);
}

/* ---- one node ----------------------------------------------------------- */

struct node {
  struct stream s;
  struct flush flush;
  struct delivery delivery;
  struct ec2_values values;
};

static void open_node(struct node *node, const char *blocks) {
  *node = (struct node){.delivery = {.out = BUF_INIT(65536)}};
  stream_open(&node->s, blocks, 100);
  const struct ec2_keys *keys = rules_ec2_keys(node->s.rules);
  assert_int_equal(flush_init(&node->flush, keys, "", &node->delivery), 0);
  node->flush.cut.limit_bytes = 1 << 20;
  node->flush.cut.period_s = 60;
  node->values.n = keys->n;
  buf_reset(&said);
  n_warnings = n_notices = 0;
}

static void close_node(struct node *node) {
  flush_clear(&node->flush);
  ec2_values_clear(&node->values);
  buf_clear(&node->delivery.out);
  stream_close(&node->s);
}

/* Value number i is known as text; NULL: it is missing. */
static void set(struct node *node, size_t i, const char *text) {
  free(node->values.value[i].text);
  node->values.value[i].text = text != NULL ? str_dup(str_of(text)) : NULL;
  node->values.value[i].state = text != NULL ? EC2_KNOWN : EC2_MISSING;
}

/* A value of one minute after EPOCH, and the flush at its end; what came out
 * of it. */
static const char *flush_minute(struct node *node, int minute) {
  struct stream *s = &node->s;
  struct horizon horizon = {.until_s = EPOCH + minute * 60 + 60,
                            .latest_s = EPOCH + minute * 60 + 120,
                            .period_s = 60,
                            .awaited = ec2_awaited(&node->values)};
  stream_gauge(s, "a", minute, minute * 60 + 5, 60);
  agg_take(&s->agg, &s->taken);
  cut_put(&node->flush.cut, &s->taken, &s->tally);
  buf_reset(&node->delivery.out);
  flush_run(&node->flush, &horizon, minute + 1, &node->values, &s->tally);
  return buf_str(&node->delivery.out);
}

static void contains(const char *text, const char *what) {
  if (strstr(text, what) == NULL)
    fail_msg("\"%s\" lacks \"%s\"", text, what);
}

/* ---- tests -------------------------------------------------------------- */

#define GROUPS                                                                 \
  "Dimension 'Group' '%{ec2:tag:Team}'\nDimension 'Host' '%{host}'\n"          \
  "DimensionSet 'Host' 'Group'\nDimensionSet 'Group'\nDimensionSet ''\n"       \
  "Metric 'm'"

/* The promise: group and host series of a missing tag are nowhere, and the
 * fleet series has one datum each minute, never their data beside it. */
static void a_group_never_falls_into_the_fleet(void **state) {
  (void)state;
  struct node node;
  open_node(&node, GROUPS);
  set(&node, 0, NULL);
  assert_string_equal(flush_minute(&node, 0), "collectd|m@0");
  assert_string_equal(flush_minute(&node, 1), "collectd|m@60");
  assert_int_equal(stream_lost(&node.s, REASON_LACKING), 4);
  assert_int_equal(n_warnings, 1);
  contains(buf_str(&said), "%{ec2:tag:Team} has no value");
  contains(buf_str(&said), "is not published");
  contains(buf_str(&said), "--instance-metadata-tags enabled");
  contains(buf_str(&said), "after \"|\"");

  set(&node, 0, "blue");
  assert_string_equal(flush_minute(&node, 2),
                      "collectd|m@120 collectd|m{Group=blue}@120 "
                      "collectd|m{Group=blue,Host=a}@120");
  assert_int_equal(n_warnings, 1);
  assert_int_equal(n_notices, 1);
  contains(buf_str(&said), "%{ec2:tag:Team} has a value now");

  set(&node, 0, NULL);
  assert_string_equal(flush_minute(&node, 3), "collectd|m@180");
  assert_int_equal(n_warnings, 2);
  assert_int_equal(stream_lost(&node.s, REASON_LACKING), 6);
  close_node(&node);
}

static void all_periods_come_when_it_is_known(void **state) {
  (void)state;
  struct node node;
  open_node(&node, GROUPS);
  assert_string_equal(flush_minute(&node, 0), "collectd|m@0");
  assert_string_equal(flush_minute(&node, 1), "collectd|m@60");
  set(&node, 0, "blue");
  assert_string_equal(
      flush_minute(&node, 2),
      "collectd|m@120 collectd|m{Group=blue}@0 collectd|m{Group=blue}@60 "
      "collectd|m{Group=blue}@120 collectd|m{Group=blue,Host=a}@0 "
      "collectd|m{Group=blue,Host=a}@60 collectd|m{Group=blue,Host=a}@120");
  assert_string_equal(buf_str(&said), "");
  assert_int_equal(stream_lost(&node.s, REASON_LACKING), 0);
  close_node(&node);
}

static void the_text_stands_when_the_wait_ends(void **state) {
  (void)state;
  struct node node;
  open_node(&node, "Metric 'm'\nDimension 'G' '%{ec2:tag:Team|none}'");
  assert_string_equal(flush_minute(&node, 0), "");
  set(&node, 0, NULL);
  assert_string_equal(flush_minute(&node, 1),
                      "collectd|m{G=none}@0 collectd|m{G=none}@60");
  assert_string_equal(buf_str(&said), "");
  close_node(&node);
}

static void a_tag_changes_between_two_flushes(void **state) {
  (void)state;
  struct node node;
  open_node(&node, "Namespace 'N%{/ec2:tag:Team}'\nMetric 'm'");
  set(&node, 0, "blue");
  assert_string_equal(flush_minute(&node, 0), "N/blue|m@0");
  set(&node, 0, "red");
  assert_string_equal(flush_minute(&node, 1), "N/red|m@60");
  close_node(&node);
}

static void each_value_is_said_with_its_own_remedy(void **state) {
  (void)state;
  struct node node;
  open_node(&node, "Metric 'm'\nDimension 'I' '%{ec2:instance_id}'\n"
                   "Metric 'n'\nDimension 'G' '%{ec2:autoscaling_group}'");
  set(&node, 0, NULL);
  set(&node, 1, NULL);
  assert_string_equal(flush_minute(&node, 0), "");
  assert_string_equal(flush_minute(&node, 1), "");
  assert_int_equal(n_warnings, 2);
  const char *id = strstr(buf_str(&said), "%{ec2:instance_id} has no value");
  const char *group =
      strstr(buf_str(&said), "%{ec2:autoscaling_group} has no value");
  assert_non_null(id);
  assert_non_null(group);
  assert_true(id < group);
  assert_null(strstr(group, "ask the instance metadata service"));
  contains(id, "ask the instance metadata service");
  contains(group, "--instance-metadata-tags enabled");
  close_node(&node);
}

static void what_cloudwatch_refuses_is_not_sent(void **state) {
  (void)state;
  struct node node;
  open_node(&node, "Namespace '%{ec2:tag:Team}/x'\nMetric 'm'");
  set(&node, 0, "AWS");
  assert_string_equal(flush_minute(&node, 0), "");
  assert_int_equal(stream_lost(&node.s, REASON_UNFIT), 1);
  close_node(&node);
}

static void a_changed_text_is_said_once(void **state) {
  (void)state;
  struct node node;
  open_node(&node, "Metric 'm%{.ec2:tag:Team}'\nMetric 'n%{.ec2:tag:Team}'");
  set(&node, 0, "blue");
  (void)flush_minute(&node, 0);
  assert_string_equal(buf_str(&said), "");
  set(&node, 0, "K\xc3\xb6ln");
  contains(flush_minute(&node, 1), "collectd|m.K__ln-");
  (void)flush_minute(&node, 2);
  assert_int_equal(n_warnings, 1);
  contains(buf_str(&said), "as for metric \"m.K__ln-");
  close_node(&node);
}

static void values_of_nobody_cost_nothing(void **state) {
  (void)state;
  struct node node;
  open_node(&node, "Metric 'm'\nDimension 'Host' '%{host}'");
  assert_int_equal(node.values.n, 0);
  assert_string_equal(flush_minute(&node, 0), "collectd|m{Host=a}@0");
  close_node(&node);
}

/* Under the name that it is published by, and in its own namespace alone. */
static void what_is_quarantined_is_counted(void **state) {
  (void)state;
  struct node node;
  open_node(&node, "Dimension 'Host' '%{host}%{.ec2:tag:Team}'\n"
                   "DimensionSet 'Host'\nDimensionSet ''\n"
                   "Metric 'm'\nMetric 'n'\n"
                   "Metric 'm'\nNamespace 'Other'");
  set(&node, 0, "blue");
  node.delivery.quarantined =
      "collectd|{\"Dimensions\":[{\"Name\":\"Host\",\"Value\":\"a.blue\"}],"
      "\"MetricName\":\"m\"";
  assert_string_equal(flush_minute(&node, 0),
                      "collectd|m@0 collectd|n@0 collectd|n{Host=a.blue}@0 "
                      "Other|m@0 Other|m{Host=a.blue}@0");
  assert_int_equal(stream_lost(&node.s, REASON_QUARANTINED), 1);
  assert_string_equal(node.s.tally.row[REASON_QUARANTINED].example, "a/p/t");

  node.delivery.quarantined = "collectd|{\"MetricName\":\"m\"";
  (void)flush_minute(&node, 1);
  assert_int_equal(stream_lost(&node.s, REASON_QUARANTINED), 2);

  node.delivery.quarantined = NULL;
  assert_string_equal(flush_minute(&node, 2),
                      "collectd|m@120 collectd|n@120 "
                      "collectd|m{Host=a.blue}@120 collectd|n{Host=a.blue}@120 "
                      "Other|m@120 Other|m{Host=a.blue}@120");
  assert_int_equal(stream_lost(&node.s, REASON_QUARANTINED), 2);
  close_node(&node);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_group_never_falls_into_the_fleet),
      cmocka_unit_test(all_periods_come_when_it_is_known),
      cmocka_unit_test(the_text_stands_when_the_wait_ends),
      cmocka_unit_test(a_tag_changes_between_two_flushes),
      cmocka_unit_test(each_value_is_said_with_its_own_remedy),
      cmocka_unit_test(what_cloudwatch_refuses_is_not_sent),
      cmocka_unit_test(a_changed_text_is_said_once),
      cmocka_unit_test(values_of_nobody_cost_nothing),
      cmocka_unit_test(what_is_quarantined_is_counted),
  };
  log_set_sink(hear);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  buf_clear(&said);
  return failed;
}
