/* sts: the two requests to AWS STS that give credentials, and their answers.
 *
 * STS speaks the Query protocol (API version 2011-06-15).  With "Accept:
 * application/json" it may answer JSON; both are read.  Pure. */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "aws/cred.h"
#include "aws/role.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

#define STS_CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define STS_TOKEN_MAX 20000 /* characters of a web identity token */
#define STS_BODY_MAX (4 * STS_TOKEN_MAX)

/* Appends the body of AssumeRole, to be signed for service "sts".
 *
 * session_name  used when the role has none */
void sts_put_assume_role(struct buf *out, const struct role *role,
                         const char *session_name);

/* Appends the body of AssumeRoleWithWebIdentity, which is not signed.  token
 * is a secret: out, whose limit is STS_BODY_MAX or more, gets that much room at
 * once, and is to be wiped. */
void sts_put_web_identity(struct buf *out, const struct role *role,
                          const char *session_name, struct str token);

/* Reads the credentials out of an answer of status 200, JSON or XML, told
 * apart by its first byte.  0; or -1 with *err set, which goes on after "the
 * answer" ("is no ...", "holds no ..."), never with a word of the answer, and
 * *out empty. */
int sts_read(struct str body, struct cred *out, struct err *err);

/* What went wrong, by STS's own words: its error code and message, cut to fit;
 * "" when the answer has none.  The XML ErrorResponse or the JSON of it. */
struct sts_fault {
  char code[128];
  char message[512];
};
void sts_read_fault(struct str body, struct sts_fault *out);

enum sts_action { STS_ASSUME_ROLE, STS_WEB_IDENTITY };

/* Appends what to do about it, one clause without a full stop, of less than
 * REMEDY_MAX bytes (aws/remedy.h); nothing when there is nothing to add.
 *
 * action, role  what was asked for: the ARN of the role */
void sts_put_hint(struct buf *out, const struct sts_fault *fault,
                  enum sts_action action, const char *role);

/* Whether the code says that our clock is wrong. */
bool sts_is_skewed(const char *code);

#endif
