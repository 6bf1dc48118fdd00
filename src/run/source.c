/* The chain.  A further source is a function in a source_*.c file, a line in
 * source_list.h, and a row in the table below, at its place in the order; an
 * instance role comes last. */
#include "run/source.h"

#include "base/digest.h"
#include "run/source_list.h"

#include <stdlib.h>
#include <string.h>

#define ORIGIN_MAX_BYTES 16384

/* Fetched anew this long before they end; AWS SDKs take 10 to 15 minutes. */
#define MARGIN_S (15 * 60)

/* At most one forced fetch in this time, so that credentials that AWS never
 * accepts do not become a request storm. */
#define FORGET_EVERY_S 60

static const struct {
  source_fn ask;
  bool of_files; /* to be asked again when the shared files change */
} chain[] = {
    {source_option, false},       {source_environment, false},
    {source_web_identity, false}, {source_profile, true},
    {source_container, false},
};

static void wipe_text(char **text) {
  if (*text != NULL)
    digest_wipe(*text, strlen(*text));
  free(*text);
  *text = NULL;
}

void source_options_wipe(struct source_options *options) {
  wipe_text(&options->access_key_id);
  wipe_text(&options->secret_access_key);
  wipe_text(&options->session_token);
  wipe_text(&options->profile);
  wipe_text(&options->credentials_file);
  wipe_text(&options->config_file);
}

struct source *source_new(const struct source_options *options) {
  struct source *source = calloc(1, sizeof(*source));
  if (source == NULL)
    return NULL;
  source->options = options;
  source->origin = (struct buf)BUF_INIT(ORIGIN_MAX_BYTES);

  const struct profile_options profile = {
      .name = options->profile,
      .config_file = options->config_file,
      .credentials_file = options->credentials_file,
  };
  if (env_init(&source->env) != 0 ||
      profile_init(&source->profile, &profile, &source->env) != 0) {
    source_free(source);
    return NULL;
  }
  return source;
}

void source_free(struct source *source) {
  if (source == NULL)
    return;
  cred_wipe(&source->cred);
  buf_clear(&source->origin);
  profile_wipe(&source->profile);
  env_wipe(&source->env);
  free(source);
}

bool source_is_by_file(const struct source *source) {
  return source->options->profile != NULL ||
         source->options->credentials_file != NULL;
}

static void say_none(const struct source *source, struct err *err) {
  const struct profile *profile = &source->profile;
  const char *config = profile->config.path;
  const char *credentials = profile->credentials.path;
  err_set(err,
          "no credentials found: no AccessKeyId in the configuration, no "
          "AWS_ACCESS_KEY_ID in the environment, no keys for profile %s in %s "
          "or %s; write them in one of these places (this version does not "
          "use the instance's role)",
          profile->name,
          credentials != NULL ? credentials : "~/.aws/credentials",
          config != NULL ? config : "~/.aws/config");
}

/* Asks one source after the other.  0 with the credentials held; or -1 with
 * *err set and what was held unchanged. */
static int fetch(struct source *source, struct err *err) {
  struct cred found = {0};
  struct buf origin = BUF_INIT(ORIGIN_MAX_BYTES);
  int rc = -1;

  for (size_t i = 0; i < sizeof(chain) / sizeof(chain[0]); i++) {
    switch (chain[i].ask(source, &found, &origin, err)) {
    case SOURCE_ABSENT:
      continue;
    case SOURCE_FAILED:
      goto out;
    case SOURCE_FOUND:
      cred_wipe(&source->cred);
      cred_move(&source->cred, &found);
      buf_move(&source->origin, &origin);
      source->of_files = chain[i].of_files;
      rc = 0;
      goto out;
    }
  }
  say_none(source, err);
out:
  cred_wipe(&found);
  buf_clear(&origin);
  return rc;
}

const struct cred *source_get(struct source *source, int64_t now_s,
                              struct err *err) {
  bool is_due = !cred_is_fresh(&source->cred, now_s, MARGIN_S) ||
                (source->of_files && profile_has_changed(&source->profile));
  if (!is_due || fetch(source, err) == 0)
    return &source->cred;

  /* A failed fetch takes nothing away: what is held goes on until it ends or
   * AWS refuses it. */
  return cred_is_fresh(&source->cred, now_s, 0) ? &source->cred : NULL;
}

void source_forget(struct source *source, int64_t now_s) {
  int64_t wait_s = source->may_forget_s - now_s;
  if (wait_s > 0 && wait_s <= FORGET_EVERY_S) /* else the clock was stepped */
    return;
  source->may_forget_s = now_s + FORGET_EVERY_S;
  cred_wipe(&source->cred);
}

const char *source_origin(const struct source *source) {
  return buf_str(&source->origin);
}
