/* names: what CloudWatch takes as a namespace, a name, a dimension (API
 * reference, PutMetricData, MetricDatum, Dimension). */
#ifndef METRIC_NAMES_H
#define METRIC_NAMES_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether text is empty or holds only blanks; CloudWatch refuses both alike. */
bool names_is_blank(struct str text);

/* Whether CloudWatch keeps this namespace for itself: one that begins with
 * ":" or "AWS/". */
bool names_is_reserved(struct str namespace);

/* Whether text can be sent as it is: 1 to max characters, printable ASCII, not
 * all blank.  0, or -1 with *err set to what is wrong and what to do, to stand
 * after the text. */
int names_check(struct str text, size_t max, struct err *err);

/* The same for a namespace, and for the name of a dimension. */
int names_check_namespace(struct str text, struct err *err);
int names_check_dimension(struct str text, struct err *err);

#endif
