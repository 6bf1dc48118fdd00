#include "aws/cred.h"

#include "base/buf.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

static int check(struct str text, bool required, const char *what,
                 const char *origin, struct err *err) {
  if (required && text.len == 0)
    return err_set(err, "%s: the %s is missing", origin, what);
  /* Control characters have no place in a header, and a key or token that holds
   * one was read wrongly: a file with a stray line end, usually. */
  if (str_has_control(text))
    return err_set(err,
                   "%s: the %s holds a line break or another control "
                   "character",
                   origin, what);
  return 0;
}

int cred_set(struct cred *out, struct str access_key_id,
             struct str secret_access_key, struct str session_token,
             int64_t expires_s, const char *origin, struct err *err) {
  *out = (struct cred){0};
  /* It stands in a list of words when it is sent. */
  if (access_key_id.len > 0 && !str_has_control(access_key_id) &&
      !str_is_word(access_key_id))
    return err_set(err, "%s: the access key id holds a blank; write it without",
                   origin);
  if (check(access_key_id, true, "access key id", origin, err) != 0 ||
      check(secret_access_key, true, "secret access key", origin, err) != 0 ||
      check(session_token, false, "session token", origin, err) != 0)
    return -1;

  out->access_key_id = str_dup(access_key_id);
  out->secret_access_key = str_dup(secret_access_key);
  if (session_token.len > 0)
    out->session_token = str_dup(session_token);
  out->expires_s = expires_s;

  if (out->access_key_id == NULL || out->secret_access_key == NULL ||
      (session_token.len > 0 && out->session_token == NULL)) {
    cred_wipe(out);
    return err_set(err, "%s: out of memory", origin);
  }
  return 0;
}

enum cred_found cred_from_profile(const struct ini *ini, const char *profile,
                                  struct cred *out, struct err *err) {
  *out = (struct cred){0};
  const char *id = ini_get(ini, profile, "aws_access_key_id");
  const char *secret = ini_get(ini, profile, "aws_secret_access_key");
  const char *token = ini_get(ini, profile, "aws_session_token");
  if (token == NULL)
    token = ini_get(ini, profile, "aws_security_token");

  if (id == NULL && secret == NULL)
    return CRED_ABSENT;

  char text[160];
  struct buf origin = BUF_OVER(text);
  buf_printf(&origin, "profile \"%.128s\"", profile);
  int rc = cred_set(out, str_of(id), str_of(secret), str_of(token), CRED_NEVER,
                    buf_str(&origin), err);
  return rc == 0 ? CRED_FOUND : CRED_FAILED;
}

bool cred_is_fresh(const struct cred *cred, int64_t now_s, int64_t margin_s) {
  if (cred->access_key_id == NULL || cred->secret_access_key == NULL)
    return false;
  if (cred->expires_s == CRED_NEVER)
    return true;
  if (margin_s > 0 && now_s > INT64_MAX - margin_s)
    return false;
  return now_s + margin_s < cred->expires_s;
}

void cred_move(struct cred *to, struct cred *from) {
  if (to == from)
    return;
  cred_wipe(to);
  *to = *from;
  *from = (struct cred){0};
}

static void wipe_text(char *text) {
  if (text == NULL)
    return;
  digest_wipe(text, strlen(text));
  free(text);
}

void cred_wipe(struct cred *cred) {
  wipe_text(cred->access_key_id);
  wipe_text(cred->secret_access_key);
  wipe_text(cred->session_token);
  *cred = (struct cred){0};
}
