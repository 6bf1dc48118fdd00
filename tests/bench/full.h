/* full: the data of a full body of PutMetricData, read back from its JSON. */
#ifndef BENCH_FULL_H
#define BENCH_FULL_H

#include "metric/metric.h"

#define FULL_DIMENSIONS 2 /* at most, as the corpus has them */
#define FULL_VALUES 6     /* in a period */

struct full {
  char *namespace; /* owned, as all texts here but units */
  struct full_datum {
    struct series_name series;
    struct dimension dimensions[FULL_DIMENSIONS];
    double values[FULL_VALUES], counts[FULL_VALUES];
    struct datum datum;
  } data[CW_DATA_MAX];
};

/* Ends the program when it is no such body. */
void full_read(struct full *full, const char *body);
void full_clear(struct full *full);

#endif
