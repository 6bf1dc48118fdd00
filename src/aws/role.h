/* role: one role to assume, and what STS takes of it (API reference of
 * AssumeRole). */
#ifndef AWS_ROLE_H
#define AWS_ROLE_H

#include "base/err.h"

#include <stdint.h>

#define ROLE_DURATION_MIN_S 900
#define ROLE_DURATION_MAX_S 43200
#define ROLE_DURATION_DEFAULT_S 3600

struct role {
  const char *arn;          /* all borrowed */
  const char *external_id;  /* NULL: none */
  const char *session_name; /* NULL: to be made up */
  int64_t duration_s;       /* 0: ROLE_DURATION_DEFAULT_S */
};

/* Whether STS can take the role: ARN of 20 to 2048 characters that names a
 * role, ExternalId of 2 to 1224 of [A-Za-z0-9_+=,.@:/-], session name of 2 to
 * 64 of [A-Za-z0-9_+=,.@-], duration of ROLE_DURATION_MIN_S to
 * ROLE_DURATION_MAX_S.  0; or -1 with *err saying which is wrong, as "external
 * id \"x\": ..." with a remedy. */
int role_check(const struct role *role, struct err *err);

#endif
