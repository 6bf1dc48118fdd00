/* What a profile says, in the order of asking, as botocore does:
 *
 *   role_arn without web_identity_token_file   a role, on top of what its
 *                                              source_profile or
 *                                              credential_source gives; in a
 *                                              source_profile, static keys win
 *   web_identity_token_file                    the end of the chain
 *   aws_access_key_id, aws_secret_access_key   likewise
 *   credential_process                         likewise
 *   SSO, a login session                       no help to a daemon
 *
 * Other than botocore, static keys of the config file win over
 * credential_process, too: both files are read as one.  And SSO comes last,
 * because a profile that also has what a daemon can use is of use. */
#include "aws/chain.h"

#include "aws/fault.h"
#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define INSTEAD                                                                \
  "use an instance role, a role with credential_source, access keys, or "      \
  "credential_process with a helper that needs nobody"

struct reader {
  const struct ini *ini;
  struct chain *out;
  struct err *err;
  const char *visited[CHAIN_ROLES_MAX + 1];
  size_t n_visited;
};

static const char *get(const struct reader *r, const char *profile,
                       const char *key) {
  return ini_get(r->ini, profile, key);
}

static bool has_keys(const struct reader *r, const char *profile) {
  return get(r, profile, "aws_access_key_id") != NULL ||
         get(r, profile, "aws_secret_access_key") != NULL;
}

/* what  a clause that says what is wrong and what to do, without a value */
static int fail(struct reader *r, const char *profile, const char *what) {
  return err_set(r->err, "profile \"%.128s\": %s", profile, what);
}

/* The same with a key and its value, made fit for a line. */
static int fail_value(struct reader *r, const char *profile, const char *key,
                      const char *value, const char *what) {
  char shown[100];
  struct buf line = BUF_OVER(shown);
  fault_put_line(str_of(value), false, &line);
  return err_set(r->err, "profile \"%.128s\": %s \"%s\" %s", profile, key,
                 buf_str(&line), what);
}

/* ---- roles --------------------------------------------------------------- */

static int read_role(struct reader *r, const char *profile, struct role *role) {
  const char *duration = get(r, profile, "duration_seconds");
  struct err why = {""};
  uint64_t seconds = 0;

  *role = (struct role){.arn = get(r, profile, "role_arn"),
                        .external_id = get(r, profile, "external_id"),
                        .session_name = get(r, profile, "role_session_name")};
  if (duration != NULL) {
    if (str_to_u64(str_of(duration), &seconds) != 0 ||
        seconds < ROLE_DURATION_MIN_S || seconds > ROLE_DURATION_MAX_S)
      return fail_value(r, profile, "duration_seconds", duration,
                        "is no number of seconds from 900 to 43200");
    role->duration_s = (int64_t)seconds;
  }
  if (role_check(role, &why) != 0)
    return fail(r, profile, why.text);
  return 0;
}

static int add_role(struct reader *r, const char *profile) {
  struct chain *chain = r->out;
  if (get(r, profile, "mfa_serial") != NULL)
    return fail(r, profile,
                "its role needs a code of an MFA device (mfa_serial), and "
                "nobody is there to type it: " INSTEAD);
  if (chain->n_roles == CHAIN_ROLES_MAX)
    return err_set(r->err,
                   "profile \"%.128s\": more than %d roles follow one "
                   "another by source_profile",
                   profile, CHAIN_ROLES_MAX);
  if (read_role(r, profile, &chain->roles[chain->n_roles]) != 0)
    return -1;
  chain->n_roles++;
  return 0;
}

/* ---- where the first credentials come from ------------------------------- */

static int end_with_source(struct reader *r, const char *profile,
                           const char *source) {
  static const struct {
    const char *name;
    enum chain_base base;
  } sources[] = {{"Environment", CHAIN_ENVIRONMENT},
                 {"Ec2InstanceMetadata", CHAIN_INSTANCE},
                 {"EcsContainer", CHAIN_CONTAINER}};
  for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
    if (strcmp(sources[i].name, source) == 0) {
      r->out->base = sources[i].base;
      r->out->profile = profile;
      return 0;
    }
  return fail_value(r, profile, "credential_source", source,
                    "is unknown; write Environment, Ec2InstanceMetadata or "
                    "EcsContainer, with these capitals");
}

static int end_with_web_identity(struct reader *r, const char *profile,
                                 const char *token_file) {
  struct chain *chain = r->out;
  if (get(r, profile, "role_arn") == NULL)
    return fail(r, profile,
                "web_identity_token_file needs a role_arn beside it");
  if (read_role(r, profile, &chain->web) != 0)
    return -1;
  chain->web.external_id = NULL; /* that request has none */
  chain->token_file = token_file;
  chain->base = CHAIN_WEB_IDENTITY;
  return 0;
}

static int end_with_keys(struct reader *r, const char *profile) {
  if (get(r, profile, "aws_access_key_id") == NULL)
    return fail(r, profile,
                "aws_secret_access_key needs an aws_access_key_id beside it");
  if (get(r, profile, "aws_secret_access_key") == NULL)
    return fail(r, profile,
                "aws_access_key_id needs an aws_secret_access_key beside it");
  r->out->base = CHAIN_KEYS;
  return 0;
}

/* The end of the chain, or nothing. */
static int end_with_profile(struct reader *r, const char *profile) {
  const char *token_file = get(r, profile, "web_identity_token_file");
  const char *command = get(r, profile, "credential_process");

  r->out->profile = profile;
  if (token_file != NULL)
    return end_with_web_identity(r, profile, token_file);
  if (has_keys(r, profile))
    return end_with_keys(r, profile);
  if (command != NULL) {
    r->out->command = command;
    r->out->base = CHAIN_PROCESS;
    return 0;
  }
  if (get(r, profile, "sso_account_id") != NULL ||
      get(r, profile, "sso_role_name") != NULL)
    return fail(r, profile,
                "SSO (IAM Identity Center) needs somebody who signs in, and is "
                "not supported: " INSTEAD);
  if (get(r, profile, "login_session") != NULL)
    return fail(r, profile,
                "a login session needs somebody who signs in, and is not "
                "supported: " INSTEAD);
  return 0;
}

/* ---- from profile to profile --------------------------------------------- */

static bool is_visited(const struct reader *r, const char *profile) {
  for (size_t i = 0; i < r->n_visited; i++)
    if (strcmp(r->visited[i], profile) == 0)
      return true;
  return false;
}

/* Whether the chain may go from profile to source. */
static int check_source(struct reader *r, const char *profile,
                        const char *source) {
  bool own_keys = strcmp(source, profile) == 0 && has_keys(r, source);
  if (!ini_has_profile(r->ini, source))
    return fail_value(r, profile, "source_profile", source,
                      "does not exist: name a profile that has credentials");
  if (is_visited(r, source) && !own_keys)
    return fail_value(r, profile, "source_profile", source,
                      "leads back to a profile that was asked before: name one "
                      "that has credentials of its own");
  return 0;
}

/* One role of the chain.  *next is the profile that its credentials come from;
 * NULL: a credential_source, where the chain ends. */
static int follow(struct reader *r, const char *profile, const char **next) {
  const char *source_profile = get(r, profile, "source_profile");
  const char *source = get(r, profile, "credential_source");
  *next = NULL;
  if (source_profile != NULL && source != NULL)
    return fail(r, profile,
                "role_arn has source_profile and credential_source beside "
                "it: take one out");
  if (source_profile == NULL && source == NULL)
    return fail(r, profile,
                "role_arn needs source_profile or credential_source beside "
                "it, where the credentials come from that assume the role");
  if (add_role(r, profile) != 0)
    return -1;
  if (source != NULL)
    return end_with_source(r, profile, source);
  if (check_source(r, profile, source_profile) != 0)
    return -1;
  *next = source_profile;
  return 0;
}

static bool is_role(const struct reader *r, const char *profile) {
  return get(r, profile, "role_arn") != NULL &&
         get(r, profile, "web_identity_token_file") == NULL;
}

static int walk(struct reader *r, const char *profile) {
  const char *parent = NULL;
  while (is_role(r, profile) && (parent == NULL || !has_keys(r, profile))) {
    const char *next;
    r->visited[r->n_visited++] = profile;
    if (follow(r, profile, &next) != 0)
      return -1;
    if (next == NULL)
      return 0;
    parent = profile;
    profile = next;
  }
  if (end_with_profile(r, profile) != 0)
    return -1;
  if (r->out->base == CHAIN_NOTHING && parent != NULL)
    return fail_value(r, parent, "source_profile", profile,
                      "has no credentials: it needs access keys, "
                      "credential_process or a role");
  return 0;
}

int chain_find(const struct ini *ini, const char *profile, struct chain *out,
               struct err *err) {
  *out = (struct chain){.profile = profile};
  struct reader r = {.ini = ini, .out = out, .err = err};
  if (walk(&r, profile) != 0) {
    *out = (struct chain){0};
    return -1;
  }

  /* They were met from the last to the first. */
  for (size_t i = 0, j = out->n_roles; i + 1 < j; i++) {
    struct role last = out->roles[--j];
    out->roles[j] = out->roles[i];
    out->roles[i] = last;
  }
  return 0;
}
