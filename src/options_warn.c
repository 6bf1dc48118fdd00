/* What is no mistake, but hardly meant. */
#include "options.h"
#include "options_table.h"

#include "aws/endpoint.h"
#include "base/str.h"

#define MIB (1024 * 1024)

/* Room that a metric takes in one flush, at the most but for long texts: its
 * samples, and its datum until it is sent. */
#define METRIC_BYTES 1024

static void warn_about(options_say_fn warn, const char *node,
                       const char *metric, const char *sentence) {
  char room[1024];
  struct buf text = BUF_OVER(room);
  block_put(&text, node[0] != '\0' ? node : NULL, metric);
  buf_puts(&text, ": ");
  buf_puts(&text, sentence);
  warn(buf_ok(&text) ? buf_str(&text) : sentence);
}

void options_warn(const struct node_options *node, options_say_fn warn) {
  const struct sender_options *sender = &node->sender;
  struct endpoint endpoint = {0};
  struct err sentence = {""};

  if (sender->place.endpoint != NULL &&
      endpoint_parse(&endpoint, str_of(sender->place.endpoint), NULL) == 0 &&
      !endpoint.tls && !endpoint.loopback) {
    err_set(&sentence,
            "Endpoint \"%s\" is sent to without encryption; write https:// "
            "unless the way there is trusted",
            sender->place.endpoint);
    warn_about(warn, sender->node, NULL, sentence.text);
  }
  endpoint_clear(&endpoint);
  if (sender->buffer_age_s < sender->flush_interval_s + 60) {
    err_set(&sentence,
            "BufferAge %lld leaves no time between a flush and the next, every "
            "%lld s: data may be too old before they are first sent",
            (long long)sender->buffer_age_s,
            (long long)sender->flush_interval_s);
    warn_about(warn, sender->node, NULL, sentence.text);
  }
  if (sender->max_metrics > sender->buffer_limit_bytes / METRIC_BYTES) {
    err_set(&sentence,
            "BufferLimit %lld may not hold one flush of MaxMetrics %lld; write "
            "BufferLimit %lld, or select less",
            (long long)(sender->buffer_limit_bytes / MIB),
            (long long)sender->max_metrics,
            (long long)((sender->max_metrics * METRIC_BYTES + MIB - 1) / MIB));
    warn_about(warn, sender->node, NULL, sentence.text);
  }
  if (!sender->http.verify_peer)
    warn_about(warn, sender->node, NULL,
               "VerifyPeer false: anybody on the way can pretend to be "
               "CloudWatch; name the authority with CACert instead");
  for (size_t i = 0; i < node->what.n_rules; i++) {
    const struct rule_spec *rule = &node->what.rules[i];
    if (!rule->enabled || rule->resolution_s != 1 ||
        sender->flush_interval_s <= 10)
      continue;
    err_set(&sentence,
            "StorageResolution 1 with a FlushInterval of %lld s: alarms see "
            "the seconds late; write FlushInterval 10 or less",
            (long long)sender->flush_interval_s);
    warn_about(warn, sender->node, rule->name, sentence.text);
  }
}
