/* corpus: what a fleet reports: the values of memory, tcpconns, cpu, df and
 * interface of up to 50 web servers, as the plugins of collectd 5 dispatch
 * them.
 *
 * It is written by rules (corpus.c) and chance from a fixed seed, so that it is
 * the same on every machine and in every year. */
#ifndef BENCH_CORPUS_H
#define BENCH_CORPUS_H

#include "host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORPUS_HOSTS 50

/* <Metric> for all of it, under the names that collectd-cloudwatch gives. */
#define CORPUS_METRIC                                                          \
  "<Metric \"%{plugin}.%{type}%{.type_instance}%{.ds}\">\n"                    \
  "Dimension \"Host\" \"%{host}\"\n"                                           \
  "Dimension \"PluginInstance\" \"%{plugin_instance}\"\n"                      \
  "</Metric>\n"

struct corpus;

/* A fleet that is read every interval_s; its time begins on a full minute. */
struct corpus *corpus_new(size_t n_hosts, int64_t interval_s);
void corpus_free(struct corpus *corpus);

/* Numbers that CloudWatch will have of one interval, and of the first, in which
 * nothing that is counted up has a rate yet. */
size_t corpus_numbers(const struct corpus *corpus, bool is_first);

/* Dispatches one interval after the other. */
void corpus_play(struct corpus *corpus, const struct writer *writer,
                 size_t n_intervals);

#endif
