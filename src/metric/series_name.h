/* series_name: names of series compared and copied.
 *
 * The rules lend a name for a call; who keeps it copies it, with its dimensions
 * and all its texts, into one block of memory of its own. */
#ifndef METRIC_SERIES_NAME_H
#define METRIC_SERIES_NAME_H

#include "metric/metric.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether both are the same CloudWatch metric: namespace, name, dimensions. */
bool series_name_eq(const struct series_name *a, const struct series_name *b);

/* Bytes that a copy needs beside the struct. */
size_t series_name_bytes(const struct series_name *name);

/* A copy whose dimensions and texts lie in block; unit is static and shared.
 *
 * block  series_name_bytes() of the caller's, aligned for struct dimension; the
 *        copy lives as long as it */
struct series_name series_name_copy(const struct series_name *name,
                                    void *block);

#endif
