#include "options.h"
#include "options_table.h"

#include "aws/role.h"
#include "base/digest.h"
#include "base/str.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---------------------------------------------------------- */

#define LEVEL(member) .at_level = offsetof(struct target, member)
#define SENDER(member) LEVEL(node.sender.member)
#define METRIC(member) .in_metric = offsetof(struct rule_spec, member)
#define SELECTOR(part)                                                         \
  .where = IN_METRIC, .repeats = true, .kind = WORD, .n_arguments = 1,         \
  .set = add_selector, METRIC(select[part])
#define RANGE(from, to, of) .least = (from), .most = (to), .unit = (of)

/* In the order of the manual. */
static const struct option table[] = {
    /* Where to. */
    {"Namespace", .fallback = "collectd", .where = LEVELS | IN_METRIC,
     .kind = TEXT, .n_arguments = 1, .example = "\"MyApp\"",
     .set = set_template, LEVEL(node.what.where.namespace),
     METRIC(where.namespace)},
    {"Region", .where = LEVELS, .group = PLACE, .kind = TEXT, .n_arguments = 1,
     .example = "\"eu-west-1\"", .set = set_region, SENDER(place.region)},
    {"Endpoint", .where = LEVELS, .group = PLACE, .kind = TEXT,
     .n_arguments = 1, .example = "\"https://cloudwatch.example.com\"",
     .set = set_endpoint, SENDER(place.endpoint)},
    {"UseFIPS", .where = LEVELS, .group = PLACE, .kind = TRUTH,
     .n_arguments = 1, .set = set_choice, SENDER(place.use_fips)},
    {"UseDualStack", .where = LEVELS, .group = PLACE, .kind = TRUTH,
     .n_arguments = 1, .set = set_choice, SENDER(place.use_dual_stack)},
    {"Protocol", .fallback = "json", .where = LEVELS, .kind = TEXT,
     .n_arguments = 1, .set = set_word, SENDER(protocol),
     .words = {[PROTOCOL_JSON] = "json", [PROTOCOL_QUERY] = "query"}},
    {"Compression", .fallback = "true", .where = LEVELS, .kind = TRUTH,
     .n_arguments = 1, .set = set_truth, SENDER(compression)},
    {"Proxy", .where = LEVELS, .secret = true, .kind = TEXT, .n_arguments = 1,
     .example = "\"http://proxy.example.com:3128\"", .set = set_text,
     SENDER(http.proxy)},
    {"NoProxy", .where = LEVELS, .kind = TEXT, .n_arguments = 1,
     .example = "\"localhost,.example.com\"", .set = set_text,
     SENDER(http.no_proxy)},
    {"CACert", .where = LEVELS, .kind = TEXT, .n_arguments = 1, .set = set_path,
     SENDER(http.ca_cert)},
    {"CAPath", .where = LEVELS, .kind = TEXT, .n_arguments = 1, .set = set_path,
     SENDER(http.ca_path)},
    {"VerifyPeer", .fallback = "true", .where = LEVELS, .kind = TRUTH,
     .n_arguments = 1, .set = set_truth, SENDER(http.verify_peer)},
    {"ConnectTimeout", .fallback = "5", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_milliseconds, RANGE(0.001, 3600, "seconds"),
     SENDER(http.connect_timeout_ms)},
    {"Timeout", .fallback = "20", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_milliseconds, RANGE(0.001, 3600, "seconds"),
     SENDER(http.timeout_ms)},

    /* As whom. */
    {"AccessKeyId", .where = LEVELS, .group = CREDENTIALS, .kind = TEXT,
     .n_arguments = 1, .set = set_key, SENDER(who.access_key_id)},
    {"SecretAccessKey", .where = LEVELS, .secret = true, .group = CREDENTIALS,
     .kind = TEXT, .n_arguments = 1, .set = set_key,
     SENDER(who.secret_access_key)},
    {"SessionToken", .where = LEVELS, .secret = true, .group = CREDENTIALS,
     .kind = TEXT, .n_arguments = 1, .set = set_key, SENDER(who.session_token)},
    {"Profile", .where = LEVELS, .group = CREDENTIALS, .kind = TEXT,
     .n_arguments = 1, .set = set_text, SENDER(who.profile)},
    {"CredentialsFile", .where = LEVELS, .group = CREDENTIALS, .kind = TEXT,
     .n_arguments = 1, .set = set_path, SENDER(who.credentials_file)},
    {"ConfigFile", .where = LEVELS, .group = CREDENTIALS, .kind = TEXT,
     .n_arguments = 1, .set = set_path, SENDER(who.config_file)},
    {"RoleArn", .where = LEVELS, .group = CREDENTIALS, .kind = TEXT,
     .n_arguments = 1, .example = "\"arn:aws:iam::123456789012:role/metrics\"",
     .set = set_text, SENDER(who.role_arn)},
    {"ExternalId", .where = LEVELS, .group = CREDENTIALS, .kind = TEXT,
     .n_arguments = 1, .set = set_text, SENDER(who.external_id)},
    {"RoleSessionName", .where = LEVELS, .group = CREDENTIALS, .kind = TEXT,
     .n_arguments = 1, .set = set_text, SENDER(who.role_session_name)},
    {"RoleDuration", .where = LEVELS, .group = CREDENTIALS, .kind = NUMBER,
     .n_arguments = 1, .set = set_whole,
     RANGE(ROLE_DURATION_MIN_S, ROLE_DURATION_MAX_S, "seconds"),
     SENDER(who.role_duration_s)},

    /* What. */
    {"Metric", .where = LEVELS, .repeats = true, .group = METRICS, .kind = TEXT,
     .n_arguments = 1, .example = "\"Memory Available\""},
    {"Host", SELECTOR(PART_HOST)},
    {"Plugin", SELECTOR(PART_PLUGIN)},
    {"PluginInstance", SELECTOR(PART_PLUGIN_INSTANCE)},
    {"Type", SELECTOR(PART_TYPE)},
    {"TypeInstance", SELECTOR(PART_TYPE_INSTANCE)},
    {"DataSource", SELECTOR(SELECT_DATA_SOURCE)},
    {"Enabled", .fallback = "true", .where = IN_METRIC, .kind = TRUTH,
     .n_arguments = 1, .set = set_truth, METRIC(enabled)},
    {"Unit", .where = IN_METRIC, .kind = TEXT, .n_arguments = 1,
     .example = "\"Bytes/Second\"", .set = set_unit, METRIC(unit)},
    {"OnNaN", .fallback = "drop", .where = IN_METRIC, .kind = TEXT,
     .n_arguments = 1, .set = set_either, METRIC(nan_is_zero),
     .words = {"drop", "zero"}},
    {"Counters", .fallback = "rate", .where = IN_METRIC, .kind = TEXT,
     .n_arguments = 1, .set = set_word, METRIC(counters),
     .words = {[COUNTERS_RATE] = "rate",
               [COUNTERS_DELTA] = "delta",
               [COUNTERS_RAW] = "raw"}},
    {"Combine", .where = IN_METRIC, .kind = TEXT, .n_arguments = 1,
     .set = set_word, METRIC(combine),
     .words = {[COMBINE_SUM] = "sum",
               [COMBINE_AVERAGE] = "average",
               [COMBINE_MIN] = "min",
               [COMBINE_MAX] = "max",
               [COMBINE_COUNT] = "count"}},
    {"Scale", .fallback = "1", .where = IN_METRIC, .kind = NUMBER,
     .n_arguments = 1, .set = set_number, METRIC(scale)},
    {"Offset", .fallback = "0", .where = IN_METRIC, .kind = NUMBER,
     .n_arguments = 1, .set = set_number, METRIC(offset)},
    {"Round", .where = IN_METRIC, .kind = TEXT, .n_arguments = 1,
     .set = set_word, METRIC(rounding),
     .words = {[ROUND_CEIL] = "ceil",
               [ROUND_FLOOR] = "floor",
               [ROUND_NEAREST] = "nearest"}},
    {"Statistics", .fallback = "values", .where = IN_METRIC, .kind = TEXT,
     .n_arguments = 1, .set = set_word, METRIC(statistics),
     .words = {[STATISTICS_VALUES] = "values",
               [STATISTICS_SET] = "set",
               [STATISTICS_LAST] = "last",
               [STATISTICS_AVERAGE] = "average",
               [STATISTICS_MAX] = "max",
               [STATISTICS_MIN] = "min"}},
    {"StorageResolution", .fallback = "60", .where = IN_METRIC, .kind = NUMBER,
     .n_arguments = 1, .set = set_resolution, METRIC(resolution_s)},
    {"Dimension", .where = LEVELS | IN_METRIC, .repeats = true,
     .group = DIMENSIONS, .kind = TEXT, .n_arguments = 2,
     .example = "\"Host\" \"%{host}\"", .set = add_dimension,
     LEVEL(node.what.where), METRIC(where)},
    {"DimensionSet", .where = LEVELS | IN_METRIC, .repeats = true,
     .group = DIMENSIONS, .kind = TEXT, .n_arguments = AT_LEAST_ONE,
     .example = "\"Host\"", .set = add_dimension_set, LEVEL(node.what.where),
     METRIC(where)},

    /* Time. */
    {"FlushInterval", .where = LEVELS, .kind = NUMBER, .n_arguments = 1,
     .set = set_whole, RANGE(1, 86400, "seconds"), SENDER(flush_interval_s)},
    {"FlushJitter", .where = LEVELS, .kind = NUMBER, .n_arguments = 1,
     .set = set_number, RANGE(0, 86400, "seconds"), SENDER(flush_jitter_s)},

    /* Limits. */
    {"MaxMetrics", .fallback = "1000", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_whole, RANGE(1, 1000000, "metrics"),
     SENDER(max_metrics)},
    {"MetadataWait", .fallback = "300", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_whole, RANGE(0, 86400, "seconds"),
     SENDER(metadata_wait_s)},
    {"BufferLimit", .fallback = "32", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_mebibytes, RANGE(1, 1048576, "MiB"),
     SENDER(buffer_limit_bytes)},
    {"SpoolDirectory", .where = LEVELS, .kind = TEXT, .n_arguments = 1,
     .example = "\"/var/lib/collectd/write_cloudwatch\"", .set = set_path,
     SENDER(spool_directory)},
    {"SpoolLimit", .fallback = "512", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_mebibytes, RANGE(1, 1048576, "MiB"),
     SENDER(spool_limit_bytes)},
    {"BufferAge", .fallback = "1206000", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_whole, RANGE(1, CW_PAST_S, "seconds"),
     SENDER(buffer_age_s)},
    {"BackfillRate", .fallback = "1", .where = LEVELS, .kind = NUMBER,
     .n_arguments = 1, .set = set_number, RANGE(0, 1000, "requests a second"),
     SENDER(backfill_rate)},
    {"ShutdownTimeout", .fallback = "5", .where = IN_PLUGIN, .kind = NUMBER,
     .n_arguments = 1, .set = set_milliseconds, RANGE(0, 3600, "seconds"),
     LEVEL(shutdown_timeout_ms)},

    /* Seeing what happens. */
    {"LogPublished", .fallback = "false", .where = LEVELS, .kind = TRUTH,
     .n_arguments = 1, .set = set_truth, SENDER(log_published)},
    {"DryRun", .fallback = "false", .where = LEVELS, .kind = TRUTH,
     .n_arguments = 1, .set = set_truth, SENDER(dry_run)},
    {"StatusFile", .where = LEVELS, .kind = TEXT, .n_arguments = 1,
     .example = "\"/var/lib/collectd/write_cloudwatch.json\"", .set = set_path,
     SENDER(status_file)},
    {"ReportStats", .fallback = "false", .where = LEVELS, .kind = TRUTH,
     .n_arguments = 1, .set = set_truth, SENDER(report_stats)},

    /* Destinations. */
    {"Node", .where = IN_PLUGIN, .repeats = true, .kind = TEXT,
     .n_arguments = 1, .example = "\"prod\""},
};
#define N_OPTIONS (sizeof(table) / sizeof(table[0]))
static_assert(N_OPTIONS <= 64, "struct level.given has a bit for each");

const struct option *option_at(size_t i) {
  return i < N_OPTIONS ? &table[i] : NULL;
}

size_t option_index(const struct option *option) {
  return (size_t)(option - table);
}

const struct option *option_find(const char *name) {
  for (size_t i = 0; i < N_OPTIONS; i++)
    if (str_eq_nocase(str_of(table[i].name), str_of(name)))
      return &table[i];
  return NULL;
}

const struct option *option_nearest(const char *name, unsigned where) {
  const struct option *best = NULL;
  size_t least = strlen(name) / 3 + 2;
  for (size_t i = 0; i < N_OPTIONS; i++) {
    size_t distance = str_distance(str_of(table[i].name), str_of(name));
    bool fits_better = best != NULL && distance == least &&
                       (table[i].where & where) != 0 &&
                       (best->where & where) == 0;
    if (distance < least || fits_better) {
      least = distance;
      best = &table[i];
    }
  }
  return best;
}

/* ---- the reader --------------------------------------------------------- */

struct options_reader *options_reader_new(void) {
  return calloc(1, sizeof(struct options_reader));
}

static void clear_level(struct level *level) {
  for (size_t i = 0; i < level->n_items; i++)
    item_clear(&level->items[i]);
  free(level->items);
  free(level->node);
  target_clear(&level->trial);
}

void options_reader_clear(struct options_reader *reader) {
  for (size_t i = 0; i < reader->n_nodes; i++)
    clear_level(&reader->nodes[i]);
  free(reader->nodes);
  clear_level(&reader->plugin);
  *reader = (struct options_reader){0};
}

void options_reader_free(struct options_reader *reader) {
  if (reader == NULL)
    return;
  options_reader_clear(reader);
  free(reader);
}

void item_clear(struct item *item) {
  for (size_t i = 0; i < item->n_children; i++)
    item_clear(&item->children[i]);
  free(item->children);
  for (size_t i = 0; i < item->n_arguments; i++) {
    char *text = item->arguments[i].text;
    if (text != NULL)
      digest_wipe(text, strlen(text));
    free(text);
  }
  free(item->arguments);
  *item = (struct item){0};
}
