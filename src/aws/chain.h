/* chain: what a profile of the shared files says about credentials: where the
 * first ones come from, and the roles that are assumed one after the other.
 *
 * Rules: AWS SDKs and Tools Reference Guide, "Assume role credential provider"
 * and "Process credential provider".  Pure: nothing is fetched here. */
#ifndef AWS_CHAIN_H
#define AWS_CHAIN_H

#include "aws/ini.h"
#include "aws/role.h"
#include "base/err.h"

#include <stddef.h>

#define CHAIN_ROLES_MAX 8 /* roles assumed one after the other */

enum chain_base {
  CHAIN_NOTHING,      /* no such profile, or nothing in it gives credentials */
  CHAIN_KEYS,         /* its static keys: cred_from_profile() */
  CHAIN_WEB_IDENTITY, /* web and token_file */
  CHAIN_PROCESS,      /* command */
  CHAIN_ENVIRONMENT,  /* credential_source = Environment */
  CHAIN_INSTANCE,     /* credential_source = Ec2InstanceMetadata */
  CHAIN_CONTAINER,    /* credential_source = EcsContainer */
};

/* All texts are borrowed of the ini; profile may be the one that was asked
 * for. */
struct chain {
  enum chain_base base;
  const char *profile;    /* the one that the first credentials come from */
  const char *command;    /* CHAIN_PROCESS: credential_process */
  const char *token_file; /* CHAIN_WEB_IDENTITY: web_identity_token_file */
  struct role web;        /* CHAIN_WEB_IDENTITY: exchanged for the token */
  struct role roles[CHAIN_ROLES_MAX]; /* in the order of assuming */
  size_t n_roles;
};

/* Follows a profile to its first credentials.
 *
 * 0 with *out filled, which may say CHAIN_NOTHING; or -1 with *out empty and
 * *err set, naming profile, key and remedy: half a key pair, role_arn with
 * neither or both of source_profile and credential_source, a source_profile
 * that does not exist or has no credentials, a loop, too many roles, an unknown
 * credential_source, a value that STS would refuse, or what a daemon cannot do
 * (MFA, SSO, login: what to use instead). */
int chain_find(const struct ini *ini, const char *profile, struct chain *out,
               struct err *err);

#endif
