/* number: a value made fit for CloudWatch. */
#ifndef METRIC_NUMBER_H
#define METRIC_NUMBER_H

#include "metric/rule.h"

/* value x Scale + Offset, then Round. */
double number_convert(const struct rule *rule, double value);

enum number_check { NUMBER_OK, NUMBER_INFINITE, NUMBER_OUT_OF_RANGE };

/* Whether CloudWatch takes the number (MetricDatum: -2^360 to 2^360).  One
 * nearer to 0 than 2^-360, which the service refuses although it is harmless,
 * becomes 0.  *value must not be NaN. */
enum number_check number_check(double *value);

#endif
