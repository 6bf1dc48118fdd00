#include "metric/number.h"

#include "metric/metric.h"

#include <math.h>

double number_convert(const struct rule *rule, double value) {
  value = value * rule->scale + rule->offset;
  switch (rule->rounding) {
  case ROUND_NOT:
    return value;
  case ROUND_CEIL:
    return ceil(value);
  case ROUND_FLOOR:
    return floor(value);
  case ROUND_NEAREST:
    return round(value);
  }
  return value;
}

enum number_check number_check(double *value) {
  if (!isfinite(*value))
    return NUMBER_INFINITE;
  if (fabs(*value) > CW_VALUE_MAX)
    return NUMBER_OUT_OF_RANGE;
  if (fabs(*value) < CW_VALUE_MIN)
    *value = 0; /* also turns -0 into 0 */
  return NUMBER_OK;
}
