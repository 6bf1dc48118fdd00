/* The role of the instance, from its metadata service. */
#include "run/source_list.h"

#include "base/str.h"
#include "run/imds.h"

#include <string.h>

#define ROLES "/latest/meta-data/iam/security-credentials/"
#define ROLE_MAX 256 /* bytes; AWS allows 64 */

#define NO_ROLE                                                                \
  "the instance has no role; attach an instance profile to it (aws ec2 "       \
  "associate-iam-instance-profile)"

/* What names of roles are made of; "/" is of services that stand in for the
 * real one.  All of it may stand in a path as it is. */
static bool is_role(struct str name) {
  for (size_t i = 0; i < name.len; i++)
    if (!str_is_alnum(name.p[i]) &&
        (name.p[i] == '\0' || strchr("_+=,.@-/", name.p[i]) == NULL))
      return false;
  return name.len <= ROLE_MAX;
}

/* Asks for one item; what is not there is a failure, said as absent. */
static enum source_found get(struct source *source, const char *path,
                             struct buf *out, const char *absent,
                             struct err *err) {
  struct err why = {""};

  switch (imds_get(source->session, path, out, &why)) {
  case IMDS_FOUND:
    return SOURCE_FOUND;
  case IMDS_ABSENT:
    err_set(err, "%s", absent);
    return SOURCE_FAILED;
  case IMDS_OFF:
    return SOURCE_ABSENT;
  case IMDS_FAILED:
    break;
  }
  err_set(err, "%s", why.text);
  return SOURCE_FAILED;
}

/* Asked anew each time: another instance profile may have been attached. */
static enum source_found find_role(struct source *source, struct buf *path,
                                   struct str *role, struct buf *body,
                                   struct err *err) {
  enum source_found found = get(source, ROLES, body, NO_ROLE, err);
  if (found != SOURCE_FOUND)
    return found;

  struct str rest = str_of_buf(body), line = {0};
  (void)str_split(&rest, '\n', &line);
  line = str_trim(line);
  if (line.len == 0) {
    err_set(err, NO_ROLE);
    return SOURCE_FAILED;
  }
  if (!is_role(line)) {
    err_set(err, "the instance metadata service gave a role's name that cannot "
                 "be one; does something else answer in its place?");
    return SOURCE_FAILED;
  }
  buf_puts(path, ROLES);
  buf_put(path, line.p, line.len);
  *role = str_from(str_of_buf(path), strlen(ROLES));
  return SOURCE_FOUND;
}

enum source_found source_instance(struct source *source, struct found *out,
                                  struct err *err) {
  struct buf path = BUF_INIT(sizeof(ROLES) + ROLE_MAX);
  struct buf body = BUF_INIT(IMDS_ANSWER_MAX);
  struct str role = {0};

  enum source_found found = find_role(source, &path, &role, &body, err);
  if (found != SOURCE_FOUND)
    goto out;
  buf_printf(&out->origin, "the instance's role %.*s", (int)role.len, role.p);
  found = get(source, buf_str(&path), &body,
              "the instance's role was taken away while it was asked for", err);
  if (found != SOURCE_FOUND)
    goto out;
  if (cred_from_json(str_of_buf(&body), CRED_OF_INSTANCE, buf_str(&out->origin),
                     &out->cred, err) != 0) {
    found = SOURCE_FAILED;
    goto out;
  }
  out->is_stable = true;
out:
  if (found != SOURCE_FOUND)
    found_wipe(out);
  buf_wipe(&body);
  buf_clear(&path);
  return found;
}
