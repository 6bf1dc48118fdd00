/* identity: what %{ec2:...} in templates stands for, asked of the instance
 * metadata service and asked again.
 *
 * Six values come from the instance identity document, tags and the Auto
 * Scaling group from the instance's tags in metadata, so no IAM permission is
 * needed.  What is not known is awaited for MetadataWait; a definite answer
 * ends that at once.  Tags and group are read again every 5 minutes; what was
 * known stays while the service does not answer.
 *
 * Belongs to the node's thread. */
#ifndef RUN_IDENTITY_H
#define RUN_IDENTITY_H

#include "metric/ec2.h"
#include "run/session.h"

#include <stdint.h>

struct identity;

/* keys     what templates name, borrowed; none: nothing is ever asked
 * session  borrowed
 * node     for messages, borrowed
 * wait_ms  MetadataWait, from now on
 * NULL is lack of memory. */
struct identity *identity_new(const struct ec2_keys *keys,
                              struct session *session, const char *node,
                              int64_t wait_ms);
void identity_free(struct identity *identity);

/* Steady time at which there is something to ask; INT64_MAX for never. */
int64_t identity_wake_ms(const struct identity *identity);

/* Asks what is to be asked now; may block for some seconds.  Says once what is
 * awaited, and once that it came. */
void identity_tend(struct identity *identity);

/* What is known at steady time now_ms: values that are awaited for too long
 * have become EC2_MISSING.  Borrowed. */
const struct ec2_values *identity_values(struct identity *identity,
                                         int64_t now_ms);

#endif
