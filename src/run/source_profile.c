/* A profile of the shared files.  What is configured but cannot be used is an
 * error, never skipped: going on would send with an identity that nobody asked
 * for. */
#include "run/source_list.h"

#include "aws/chain.h"
#include "base/str.h"

/* How often the files may change while credentials are fetched by them. */
#define TRIES_MAX 3

static void put_files(struct buf *out, const struct profile *profile) {
  bool config = profile->config.found, credentials = profile->credentials.found;
  if (credentials)
    buf_puts(out, profile->credentials.path);
  if (credentials && config)
    buf_puts(out, " and ");
  if (config)
    buf_puts(out, profile->config.path);
}

/* The sentence with the files that it is about. */
static enum source_found fail(const struct profile *profile, const char *why,
                              struct err *err) {
  struct buf files = BUF_INIT(SOURCE_ORIGIN_MAX);
  put_files(&files, profile);
  err_set(err, "%s (in %s)", why, buf_str(&files));
  buf_clear(&files);
  return SOURCE_FAILED;
}

/* The profile gives nothing, and others may be asked; but one that somebody
 * named must exist. */
static enum source_found say_absent(const struct source *source,
                                    struct err *err) {
  const struct profile *profile = &source->session->profile;
  bool exists = ini_has_profile(profile->ini, profile->name);
  if (exists || !profile->is_named)
    return SOURCE_ABSENT;

  struct buf files = BUF_INIT(SOURCE_ORIGIN_MAX);
  put_files(&files, profile);
  if (files.len > 0)
    err_set(err, "there is no profile %s in %s", profile->name,
            buf_str(&files));
  else
    err_set(
        err, "there is no profile %s: neither %s nor %s exists", profile->name,
        profile->credentials.path != NULL ? profile->credentials.path
                                          : "~/.aws/credentials",
        profile->config.path != NULL ? profile->config.path : "~/.aws/config");
  buf_clear(&files);
  return SOURCE_FAILED;
}

/* ---- the first credentials ---------------------------------------------- */

static enum source_found take_keys(const struct profile *profile,
                                   const struct chain *chain, struct found *out,
                                   struct err *err) {
  struct err why = {""};
  if (cred_from_profile(profile->ini, chain->profile, &out->cred, &why) !=
      CRED_FOUND)
    return fail(profile, why.text, err);
  buf_printf(&out->origin, "profile %s in ", chain->profile);
  put_files(&out->origin, profile);
  return SOURCE_FOUND;
}

/* What a credential_source names must be there. */
static enum source_found take_source(struct source *source, source_fn ask,
                                     const char *name, const char *absent,
                                     struct found *out, struct err *err) {
  const char *profile = source->session->profile.name;
  struct err why = {""};

  switch (ask(source, out, &why)) {
  case SOURCE_FOUND:
    return SOURCE_FOUND;
  case SOURCE_ABSENT:
    err_set(err, "profile %s: credential_source %s gives none: %s", profile,
            name, absent);
    return SOURCE_FAILED;
  case SOURCE_FAILED:
    break;
  }
  err_set(err, "profile %s: credential_source %s: %s", profile, name, why.text);
  return SOURCE_FAILED;
}

static enum source_found take_base(struct source *source,
                                   const struct chain *chain, struct found *out,
                                   struct err *err) {
  switch (chain->base) {
  case CHAIN_NOTHING:
    return say_absent(source, err);
  case CHAIN_KEYS:
    return take_keys(&source->session->profile, chain, out, err);
  case CHAIN_WEB_IDENTITY:
    return source_exchange(source, &chain->web, chain->token_file, out, err);
  case CHAIN_PROCESS:
    return source_process(source, chain->command, chain->profile, out, err);
  case CHAIN_ENVIRONMENT:
    return take_source(source, source_environment, "Environment",
                       "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for "
                       "the daemon",
                       out, err);
  case CHAIN_INSTANCE:
    return take_source(source, source_instance, "Ec2InstanceMetadata",
                       "the instance metadata service is switched off "
                       "(AWS_EC2_METADATA_DISABLED)",
                       out, err);
  case CHAIN_CONTAINER:
    return take_source(source, source_container, "EcsContainer",
                       "this is no container of ECS or EKS "
                       "(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set)",
                       out, err);
  }
  return SOURCE_FAILED;
}

/* ---- the chain ---------------------------------------------------------- */

/* Follows the chain as the files now have it.
 *
 * has_changed  the files were read anew meanwhile, which a source may do that
 *              asks for a setting: the chain points into what is gone */
static enum source_found follow(struct source *source, struct found *out,
                                bool *has_changed, struct err *err) {
  struct profile *profile = &source->session->profile;
  struct chain chain = {0};
  struct err why = {""};

  *has_changed = false;
  if (profile_refresh(profile, err) != 0)
    return SOURCE_FAILED;
  unsigned n_read = profile->n_read;
  if (chain_find(profile->ini, profile->name, &chain, &why) != 0)
    return fail(profile, why.text, err);
  enum source_found found = take_base(source, &chain, out, err);
  *has_changed = profile->n_read != n_read;
  if (found != SOURCE_FOUND || *has_changed)
    return found;

  for (size_t i = 0; i < chain.n_roles; i++)
    if (source_assume(source, &chain.roles[i], out, err) != 0)
      return SOURCE_FAILED;
  return SOURCE_FOUND;
}

enum source_found source_profile(struct source *source, struct found *out,
                                 struct err *err) {
  bool has_changed = false;

  for (int i = 0; i < TRIES_MAX; i++) {
    enum source_found found = follow(source, out, &has_changed, err);
    if (!has_changed)
      return found;
    found_wipe(out);
  }
  err_set(err, "the shared AWS files change all the time; they are tried again "
               "soon");
  return SOURCE_FAILED;
}
