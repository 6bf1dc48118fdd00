/* published: one line for each datum that CloudWatch accepted (LogPublished).
 */
#ifndef RUN_PUBLISHED_H
#define RUN_PUBLISHED_H

#include "metric/batch.h"

void published_log(const char *node, const struct batch *batch);

#endif
