/* From all that was read to complete settings: defaults, inheritance, and the
 * checks that need the whole. */
#include "options.h"
#include "options_table.h"

#include "aws/endpoint.h"
#include "aws/role.h"
#include "base/str.h"
#include "run/status.h"

#include "liboconfig/oconfig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- applying ----------------------------------------------------------- */

/* The setter's target for this option: in a <Metric> if rule is not NULL. */
static int apply(const struct item *item, struct target *level,
                 struct rule_spec *rule, struct err *err) {
  const struct option *option = item->option;
  void *to = rule != NULL ? (char *)rule + option->in_metric
                          : (char *)level + option->at_level;
  return option->set(option, to, item->arguments, item->n_arguments, err);
}

/* Sets the options that have a default and may stand at one of the places. */
static int set_defaults(struct target *level, struct rule_spec *rule,
                        unsigned where, struct err *err) {
  for (size_t i = 0; option_at(i) != NULL; i++) {
    const struct option *option = option_at(i);
    struct argument argument = {0};
    struct item item = {option, &argument, 1, NULL, 0};
    double number = 0;
    if (option->fallback == NULL || (option->where & where) == 0)
      continue;
    if (rule != NULL && (option->where & LEVELS) != 0)
      continue; /* its default is that of the level */

    char *text = str_dup(str_of(option->fallback));
    if (text == NULL)
      return err_set(err, "out of memory");
    str_to_double(str_of(text), &number);
    argument = (struct argument){text, number, strcmp(text, "true") == 0};
    int rc = apply(&item, level, rule, err);
    free(text);
    if (rc != 0)
      return -1;
  }
  return 0;
}

int target_set_defaults(struct target *target, struct err *err) {
  target->node.sender.flush_jitter_s = -1;
  return set_defaults(target, NULL, LEVELS, err);
}

int item_apply_in_metric(const struct item *item, struct rule_spec *to,
                         struct err *err) {
  return apply(item, NULL, to, err);
}

/* Adds the rule that a <Metric> block describes. */
static int apply_metric(const struct item *item, struct rules_spec *to,
                        struct err *err) {
  const char *name = item->arguments[0].text;
  struct rule_spec rule = RULE_SPEC_INIT;
  int rc = -1;

  if (name[0] == '\0')
    return err_set(err, "a metric needs a name; write one");
  if (template_check(name, err) != 0)
    return -1;
  rule.name = str_dup(str_of(name));
  struct rule_spec *grown =
      realloc(to->rules, (to->n_rules + 1) * sizeof(*grown));
  if (grown != NULL)
    to->rules = grown;
  if (rule.name == NULL || grown == NULL) {
    err_set(err, "out of memory");
    goto out;
  }
  if (set_defaults(NULL, &rule, IN_METRIC, err) != 0)
    goto out;
  for (size_t i = 0; i < item->n_children; i++)
    if (item_apply_in_metric(&item->children[i], &rule, err) != 0)
      goto out;
  to->rules[to->n_rules++] = rule;
  rule = (struct rule_spec){0};
  rc = 0;
out:
  rule_spec_clear(&rule);
  return rc;
}

int item_apply(const struct item *item, struct target *to, struct err *err) {
  if (item->option->set == NULL)
    return apply_metric(item, &to->node.what, err);
  return apply(item, to, NULL, err);
}

/* ---- inheritance -------------------------------------------------------- */

/* Whether an option of <Plugin> is hidden by what stands in the node: the same
 * option, or for a group any option of it. */
static bool is_hidden(const struct option *option, const struct level *node) {
  if (option->group == ALONE)
    return (node->given >> option_index(option) & 1) != 0;
  for (size_t i = 0; option_at(i) != NULL; i++)
    if (option_at(i)->group == option->group && (node->given >> i & 1) != 0)
      return true;
  return false;
}

/* Applies defaults, <Plugin>, and the node if there is one, in this order. */
static int fill(const struct level *plugin, const struct level *node,
                struct target *out, struct err *err) {
  if (target_set_defaults(out, err) != 0)
    return -1;
  for (size_t i = 0; i < plugin->n_items; i++) {
    const struct item *item = &plugin->items[i];
    if ((node == NULL || !is_hidden(item->option, node)) &&
        item_apply(item, out, err) != 0)
      return -1;
  }
  for (size_t i = 0; node != NULL && i < node->n_items; i++)
    if (item_apply(&node->items[i], out, err) != 0)
      return -1;
  const char *name = node != NULL ? node->node : "";
  out->node.sender.node = str_dup(str_of(name));
  return out->node.sender.node != NULL ? 0 : err_set(err, "out of memory");
}

/* ---- checks of the whole ------------------------------------------------ */

/* Half of a pair is never meant. */
static int check_credentials(const struct source_options *who,
                             struct err *err) {
  bool has_id = who->access_key_id != NULL;
  bool has_secret = who->secret_access_key != NULL;
  if (has_id && !has_secret)
    return err_set(err,
                   "AccessKeyId \"%s\" stands without SecretAccessKey; write "
                   "both or neither",
                   who->access_key_id);
  if (has_secret && !has_id)
    return err_set(err, "SecretAccessKey stands without AccessKeyId; write "
                        "both or neither");
  if (who->session_token != NULL && !has_id)
    return err_set(err, "SessionToken stands without AccessKeyId and "
                        "SecretAccessKey; write all three or none");
  return 0;
}

/* How a role is assumed says nothing without the role. */
static int check_role(const struct source_options *who, struct err *err) {
  const struct role role = {who->role_arn, who->external_id,
                            who->role_session_name, who->role_duration_s};
  const struct {
    const char *option;
    bool is_given;
  } parts[] = {
      {"ExternalId", who->external_id != NULL},
      {"RoleSessionName", who->role_session_name != NULL},
      {"RoleDuration", who->role_duration_s != 0},
  };

  if (who->role_arn != NULL)
    return role_check(&role, err);
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    if (parts[i].is_given)
      return err_set(err,
                     "%s stands without RoleArn; write RoleArn "
                     "\"arn:aws:iam::ACCOUNT:role/NAME\" beside it, or remove "
                     "the line",
                     parts[i].option);
  return 0;
}

static int check_place(const struct place_options *place, struct err *err) {
  bool is_fips = place->use_fips == PLACE_YES;

  if (place->endpoint == NULL ||
      (!is_fips && place->use_dual_stack != PLACE_YES))
    return 0;
  return err_set(err,
                 "%s true stands together with Endpoint \"%s\", which names "
                 "the host already; remove one of them",
                 is_fips ? "UseFIPS" : "UseDualStack", place->endpoint);
}

/* FlushInterval follows the daemon unless it is written. */
static int settle_flush(struct sender_options *sender, double interval_s,
                        struct err *err) {
  bool is_given = sender->flush_interval_s > 0;
  if (!is_given && interval_s >= 86400)
    sender->flush_interval_s = 86400;
  else if (!is_given)
    sender->flush_interval_s = interval_s > 1 ? (int64_t)ceil(interval_s) : 1;

  if (sender->flush_jitter_s <= (double)sender->flush_interval_s)
    return 0;
  char room[64];
  struct buf jitter = BUF_OVER(room);
  str_put_double(&jitter, sender->flush_jitter_s);
  return err_set(err,
                 "FlushJitter %s is above FlushInterval, which is %lld s%s; "
                 "write a smaller one",
                 buf_str(&jitter), (long long)sender->flush_interval_s,
                 is_given ? "" : " (collectd's interval for this plugin)");
}

static int check_metrics(const struct rules_spec *what, struct err *err) {
  for (size_t i = 0; i < what->n_rules; i++)
    if (what->rules[i].enabled)
      return 0;
  return err_set(err,
                 "there is no enabled <Metric> block, so nothing would be "
                 "published; %s",
                 what->n_rules > 0 ? "write Enabled true in one"
                                   : "write one, such as <Metric \"Memory "
                                     "Available\">");
}

static int check_node(struct node_options *node, double interval_s,
                      struct err *err) {
  if (check_credentials(&node->sender.who, err) != 0 ||
      check_role(&node->sender.who, err) != 0 ||
      check_place(&node->sender.place, err) != 0 ||
      settle_flush(&node->sender, interval_s, err) != 0 ||
      check_metrics(&node->what, err) != 0)
    return -1;
  return 0;
}

/* ---- finish ------------------------------------------------------------- */

/* Puts the block's name before the sentence. */
static int fail_in(const char *node, const struct err *why, struct err *err) {
  char room[256];
  struct buf block = BUF_OVER(room);
  block_put(&block, node, NULL);
  return err_set(err, "%s: %s", buf_str(&block), why->text);
}

static int finish_node(const struct options_reader *reader,
                       const struct level *node, double interval_s,
                       struct options *out, struct err *err) {
  struct target target = {0};
  struct err why = {""};
  int rc = -1;

  if (fill(&reader->plugin, node, &target, &why) != 0 ||
      check_node(&target.node, interval_s, &why) != 0) {
    fail_in(node != NULL ? node->node : NULL, &why, err);
    goto out;
  }
  out->nodes[out->n_nodes++] = target.node;
  out->shutdown_timeout_ms = target.shutdown_timeout_ms;
  target = (struct target){0};
  rc = 0;
out:
  target_clear(&target);
  return rc;
}

/* Whether two nodes would write one file: "F.b" of node "a" is that of node
 * "a.b" with "F".  True with *err set; lack of memory shows later. */
static bool share_status_file(const struct sender_options *a,
                              const struct sender_options *b, struct err *err) {
  if (a->status_file == NULL || b->status_file == NULL)
    return false;
  char *path = status_path(a), *other = status_path(b);
  bool is_shared = path != NULL && other != NULL && strcmp(path, other) == 0;
  if (is_shared)
    (void)err_set(err,
                  "<Node \"%s\"> and <Node \"%s\"> would both write the "
                  "StatusFile %s; write another path in one of them",
                  a->node, b->node, path);
  free(path);
  free(other);
  return is_shared;
}

static int check_status_files(const struct options *options, struct err *err) {
  for (size_t i = 0; i < options->n_nodes; i++)
    for (size_t k = 0; k < i; k++)
      if (share_status_file(&options->nodes[k].sender,
                            &options->nodes[i].sender, err))
        return -1;
  return 0;
}

/* Everything of options_finish() but the end of the reader. */
static int finish(const struct options_reader *reader, double interval_s,
                  struct options *out, struct err *err) {
  size_t n = reader->n_nodes > 0 ? reader->n_nodes : 1;

  if (reader->n_blocks == 0)
    return err_set(err, "no <Plugin write_cloudwatch> block was seen; write "
                        "one after the LoadPlugin line, and look above for a "
                        "file that collectd could not parse");
  if (reader->bad)
    return err_set(err, "the configuration has mistakes, see above");
  out->nodes = calloc(n, sizeof(*out->nodes));
  if (out->nodes == NULL)
    return err_set(err, "out of memory");
  for (size_t i = 0; i < n; i++)
    if (finish_node(reader, reader->n_nodes > 0 ? &reader->nodes[i] : NULL,
                    interval_s, out, err) != 0)
      return -1;
  return check_status_files(out, err);
}

int options_finish(struct options_reader *reader, double interval_s,
                   struct options *out, options_say_fn warn, struct err *err) {
  *out = (struct options){0};
  int rc = finish(reader, interval_s, out, err);
  if (rc != 0)
    options_clear(out);
  for (size_t i = 0; i < out->n_nodes; i++)
    options_warn(&out->nodes[i], warn);
  options_reader_clear(reader);
  return rc;
}

void options_clear(struct options *options) {
  for (size_t i = 0; i < options->n_nodes; i++) {
    sender_options_clear(&options->nodes[i].sender);
    rules_spec_clear(&options->nodes[i].what);
  }
  free(options->nodes);
  *options = (struct options){0};
}

void target_clear(struct target *target) {
  if (target == NULL)
    return;
  sender_options_clear(&target->node.sender);
  rules_spec_clear(&target->node.what);
}
