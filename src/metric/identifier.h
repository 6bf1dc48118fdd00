/* identifier: the five texts of a collectd identifier, as one key and as one
 * line for people. */
#ifndef METRIC_IDENTIFIER_H
#define METRIC_IDENTIFIER_H

#include "metric/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A hash of the five texts and of n_meta meta data values. */
uint64_t identifier_hash(const struct input *in, size_t n_meta, uint64_t seed);

/* Bytes of the key: all texts one after the other, each with its NUL. */
size_t identifier_key_bytes(const struct input *in, size_t n_meta);
void identifier_key_write(const struct input *in, size_t n_meta, char *key);
bool identifier_key_matches(const struct input *in, size_t n_meta,
                            const char *key);

/* Writes "host/plugin-instance/type-instance" into to, cut to fit, and ends it
 * with a NUL. */
void identifier_print(char *to, size_t size, const struct input *in);

#endif
