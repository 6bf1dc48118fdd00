/* cred: one set of AWS credentials.
 *
 * A secret has one type and one way to die: cred_wipe().  There is no function
 * that turns a struct cred into text, so that none can reach a log. */
#ifndef AWS_CRED_H
#define AWS_CRED_H

#include "aws/ini.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct cred {
  char *access_key_id;     /* owned; not secret */
  char *secret_access_key; /* owned */
  char *session_token;     /* owned; NULL when these are long-term keys */
  int64_t expires_s;       /* since 1970 UTC; CRED_NEVER when unknown */
};

#define CRED_NEVER INT64_MAX

/* Copies the three texts; token may be empty.  *out must be empty or wiped.
 * 0; or -1 with *err set and *out empty when one is missing, holds a control
 * character, or memory ran out.  origin names the source in the sentence, for
 * example "environment". */
int cred_set(struct cred *out, struct str access_key_id,
             struct str secret_access_key, struct str session_token,
             int64_t expires_s, const char *origin, struct err *err);

/* The static keys of a profile (aws_access_key_id, aws_secret_access_key,
 * aws_session_token or the older aws_security_token).
 *
 * CRED_ABSENT: the profile has no static keys, *err untouched.  CRED_FAILED:
 * half a pair, or no memory, *err set.  *out is empty unless CRED_FOUND. */
enum cred_found { CRED_FOUND, CRED_ABSENT, CRED_FAILED };
enum cred_found cred_from_profile(const struct ini *ini, const char *profile,
                                  struct cred *out, struct err *err);

/* Credentials as a JSON document, as four kinds of source give them.
 *
 *   CRED_OF_PROCESS    what a credential_process prints: Version 1,
 *                      AccessKeyId, SecretAccessKey, SessionToken, Expiration
 *   CRED_OF_CONTAINER  ECS, EKS: AccessKeyId, SecretAccessKey, Token,
 *                      Expiration; an error is code and message
 *   CRED_OF_INSTANCE   IMDS: the same and Code, which is "Success"; else an
 *                      error with Message, though the status was 200
 *   CRED_OF_STS        the object Credentials in its answer: AccessKeyId,
 *                      SecretAccessKey, SessionToken, and Expiration, which
 *                      may be a number of seconds; all four must be there
 *
 * Without Expiration they never end.  0; or -1 with *err set and *out empty.
 * The sentence begins with origin and never holds a secret, nor a word of a
 * document that could not be read. */
enum cred_shape {
  CRED_OF_PROCESS,
  CRED_OF_CONTAINER,
  CRED_OF_INSTANCE,
  CRED_OF_STS,
};
int cred_from_json(struct str text, enum cred_shape shape, const char *origin,
                   struct cred *out, struct err *err);

/* The same of an object that has been parsed. */
int cred_from_object(const struct json *object, enum cred_shape shape,
                     const char *origin, struct cred *out, struct err *err);

/* Whether *cred has keys and more than margin_s are left until its end. */
bool cred_is_fresh(const struct cred *cred, int64_t now_s, int64_t margin_s);

/* *to is wiped first; *from is empty afterwards. */
void cred_move(struct cred *to, struct cred *from);

/* Overwrites and frees all texts; *cred is empty and may be used again. */
void cred_wipe(struct cred *cred);

#endif
