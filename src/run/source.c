/* The chain.  A further source is a function in a source_*.c file, a line in
 * source_list.h, and a row in the table below, at its place in the order. */
#include "run/source.h"

#include "aws/retry.h"
#include "base/digest.h"
#include "run/clock.h"
#include "run/source_list.h"

#include <stdlib.h>
#include <string.h>

/* Fetched anew this long before they end, as the AWS SDKs do; credentials of a
 * short life at half of it. */
#define MARGIN_S (15 * 60)

/* At most one refresh in this time, so that credentials that AWS never accepts,
 * or a source that is broken, do not become a request storm. */
#define RETRY_S 60

/* When an instance's credentials have ended and no new ones can be had, the
 * fault is at the service, and a fleet must not make it worse. */
#define STABLE_RETRY_S (10 * 60)
#define STABLE_SPREAD_S (5 * 60)

static const struct {
  source_fn ask;
  bool by_environment; /* not asked where an option names the shared files */
  bool after_files;    /* to be asked anew when those have changed */
} chain[] = {
    {source_option, false, false},      {source_environment, true, false},
    {source_web_identity, true, false}, {source_profile, false, true},
    {source_container, false, true},    {source_instance, false, true},
};

/* ---- options ------------------------------------------------------------ */

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
  wipe_text(&options->role_arn);
  wipe_text(&options->external_id);
  wipe_text(&options->role_session_name);
}

/* ---- what was found ----------------------------------------------------- */

void found_wipe(struct found *found) {
  cred_wipe(&found->cred);
  buf_clear(&found->origin);
  *found = (struct found)FOUND_INIT;
}

static void move(struct found *to, struct found *from) {
  found_wipe(to);
  cred_move(&to->cred, &from->cred);
  buf_move(&to->origin, &from->origin);
  to->of_files = from->of_files;
  to->is_stable = from->is_stable;
}

bool source_learn_clock(struct source *source, enum skew_cause cause,
                        const struct http_answer *answer) {
  if (!session_learn_clock(source->session, cause, answer))
    return false;
  source->now_s = session_now_s(source->session);
  return true;
}

struct source *source_new(const struct source_options *options,
                          struct session *session, const struct place *place) {
  struct source *source = calloc(1, sizeof(*source));
  if (source == NULL)
    return NULL;
  source->options = options;
  source->session = session;
  source->place = place;
  source->held = (struct found)FOUND_INIT;
  return source;
}

void source_free(struct source *source) {
  if (source == NULL)
    return;
  found_wipe(&source->held);
  free(source);
}

/* ---- fetching ----------------------------------------------------------- */

/* Whether the plugin's options choose the shared files: then what the
 * environment holds is not asked, as with a profile given to an AWS SDK. */
static bool is_by_file(const struct source *source) {
  return source->options->profile != NULL ||
         source->options->credentials_file != NULL;
}

/* instance  why that has none */
static void say_none(const struct source *source, const char *instance,
                     struct err *err) {
  const struct profile *profile = &source->session->profile;
  const char *config = profile->config.path;
  const char *credentials = profile->credentials.path;
  err_set(err,
          "no credentials found: no AccessKeyId in the configuration, no "
          "AWS_ACCESS_KEY_ID in the environment, none for profile %s in %s "
          "or %s, no container's, and %s",
          profile->name,
          credentials != NULL ? credentials : "~/.aws/credentials",
          config != NULL ? config : "~/.aws/config", instance);
}

/* Asks one source after the other.
 *
 * rank  told which one has given them */
static int ask(struct source *source, struct found *found, size_t *rank,
               struct err *err) {
  struct err why = {""};
  for (size_t i = 0; i < sizeof(chain) / sizeof(chain[0]); i++) {
    if (chain[i].by_environment && is_by_file(source))
      continue;
    switch (chain[i].ask(source, found, &why)) {
    case SOURCE_ABSENT:
      continue;
    case SOURCE_FAILED:
      if (chain[i].ask == source_instance)
        say_none(source, why.text, err);
      else
        err_set(err, "%s", why.text);
      return -1;
    case SOURCE_FOUND:
      found->of_files = chain[i].after_files;
      *rank = i;
      return 0;
    }
  }
  say_none(source,
           "the instance metadata service is switched off "
           "(AWS_EC2_METADATA_DISABLED); provide one of these",
           err);
  return -1;
}

/* On top of any of them, the role of the configuration. */
static int assume(struct source *source, struct found *found, struct err *err) {
  const struct source_options *options = source->options;
  const struct role role = {.arn = options->role_arn,
                            .external_id = options->external_id,
                            .session_name = options->role_session_name,
                            .duration_s = options->role_duration_s};

  if (options->role_arn == NULL)
    return 0;
  return source_assume(source, &role, found, err);
}

/* A file that is being rewritten is empty for a moment, and those of a later
 * source are another identity, which nobody asked for: so what is held goes on
 * until its own source has had none for a while. */
static bool is_too_early(struct source *source, const struct found *found,
                         size_t rank, struct err *err) {
  if (!source_is_usable(source, source->now_s) || rank <= source->rank)
    return false;
  if (source->gone_s == 0)
    source->gone_s = source->now_s;
  int64_t since_s = source->now_s - source->gone_s;
  if (since_s < 0 || since_s >= RETRY_S) /* below 0: the clock was set back */
    return false;
  err_set(err,
          "%s has none any more; should that last for a minute, those of %s "
          "are used",
          buf_str(&source->held.origin), buf_str(&found->origin));
  return true;
}

/* 0 with new credentials held; or -1 with *err set and what was held
 * unchanged. */
static int fetch(struct source *source, int64_t now_s, struct err *err) {
  struct found found = FOUND_INIT;
  int64_t end_s = source->held.cred.expires_s;
  size_t rank = 0;
  int rc = -1;

  source->now_s = now_s;
  if (ask(source, &found, &rank, err) != 0 ||
      is_too_early(source, &found, rank, err) ||
      assume(source, &found, err) != 0)
    goto out;
  if (strcmp(buf_str(&source->held.origin), buf_str(&found.origin)) != 0)
    source->n_moves++;
  move(&source->held, &found);
  source->rank = rank;
  source->gone_s = 0;
  source->n_read = source->session->profile.n_read;
  source->fetched_s = source->now_s;
  /* Who gives the same again has a cache; half of what is left would become
   * ever less. */
  source->retry_s =
      source->held.cred.expires_s == end_s ? source->now_s + RETRY_S : 0;
  source->must_fetch = source->is_outdated = false;
  /* Those that have ended when they are given show a wrong clock, here or
   * there: AWS decides, and its answer tells the time. */
  if (!cred_is_fresh(&source->held.cred, source->now_s, 0))
    source->held.is_stable = true;
  rc = 0;
out:
  found_wipe(&found);
  return rc;
}

/* ---- freshness ---------------------------------------------------------- */

static bool is_held(const struct source *source) {
  return source->held.cred.access_key_id != NULL;
}

bool source_is_usable(const struct source *source, int64_t now_s) {
  if (!is_held(source))
    return false;
  if (source->held.is_stable)
    return true;
  return !source->must_fetch && cred_is_fresh(&source->held.cred, now_s, 0);
}

/* Whether the shared files, if the credentials are of them, were read anew
 * since the last fetch.  *err is set when they cannot be understood. */
static bool are_files_new(struct source *source, struct err *err) {
  struct profile *profile = &source->session->profile;

  if (!source->held.of_files || profile_refresh(profile, err) != 0 ||
      profile->n_read == source->n_read)
    return false;
  source->n_read = profile->n_read;
  source->is_outdated = true;
  return true;
}

/* Seconds from now_s until then; a clock that was set back since is no reason
 * to wait for longer than anything here ever does. */
static int64_t left_s(int64_t then_s, int64_t now_s) {
  int64_t s = then_s - now_s;

  return s > 0 && s <= STABLE_RETRY_S + STABLE_SPREAD_S ? s : 0;
}

/* When the next refresh may be tried, if this one failed. */
static void put_off(struct source *source, int64_t now_s) {
  bool has_ended = !cred_is_fresh(&source->held.cred, now_s, 0);

  source->retry_s = now_s + RETRY_S;
  if (has_ended && source->held.is_stable)
    source->retry_s =
        now_s + STABLE_RETRY_S + (int64_t)(clock_dice() * STABLE_SPREAD_S);
}

/* When a refresh begins. */
static int64_t refresh_s(const struct source *source) {
  int64_t end_s = source->held.cred.expires_s;
  int64_t life_s = end_s - source->fetched_s;

  if (end_s == CRED_NEVER)
    return INT64_MAX;
  return end_s - (life_s >= 2 * MARGIN_S ? MARGIN_S : life_s / 2);
}

int64_t source_due_s(const struct source *source, int64_t now_s) {
  int64_t begin_s = refresh_s(source);

  if (!is_held(source))
    return 0;
  if (begin_s == INT64_MAX)
    return INT64_MAX;
  int64_t wait_s = begin_s > now_s ? begin_s - now_s : 0;
  int64_t retry_s = left_s(source->retry_s, now_s);
  return wait_s > retry_s ? wait_s : retry_s;
}

/* A refresh that is not urgent, as what is held can be used. */
static int refresh(struct source *source, int64_t now_s, struct err *err) {
  int64_t begun_ms = clock_steady_ms();

  source->failure.text[0] = '\0';
  if (fetch(source, now_s, &source->failure) == 0) {
    if (cred_is_fresh(&source->held.cred, source->now_s, 0))
      return 0;
    /* An instance whose service cannot make new ones answers with the old. */
    err_set(&source->failure, "%s gives credentials that have ended",
            buf_str(&source->held.origin));
  }
  /* One that hangs to its time limit must not be all that the thread does. */
  put_off(source, source->now_s + (clock_steady_ms() - begun_ms) / 1000);
  return err_set(err, "%s", source->failure.text);
}

int source_tend(struct source *source, int64_t now_s, struct err *err) {
  return source_due_s(source, now_s) > 0 ? 0 : refresh(source, now_s, err);
}

const struct cred *source_get(struct source *source, int64_t now_s,
                              struct err *err) {
  struct err files = {""};
  bool is_new = are_files_new(source, &files);
  bool is_wanted = source->must_fetch || source->is_outdated;
  bool may_wait = !is_wanted || left_s(source->retry_s, now_s) > 0;

  if (source_is_usable(source, now_s) && !is_new && may_wait) {
    bool is_read = files.text[0] == '\0';
    err_set(err, "%s", is_read ? source->failure.text : files.text);
    return &source->held.cred;
  }
  (void)refresh(source, now_s, err);
  return source_is_usable(source, source->now_s) ? &source->held.cred : NULL;
}

/* Whether the last time was a minute ago; then this is the last time. */
static bool may_fetch_again(struct source *source, int64_t now_s) {
  int64_t since_s = now_s - source->refused_s;

  if (source->refused_s != 0 && since_s >= 0 && since_s < RETRY_S)
    return false; /* a negative one: the clock was stepped */
  source->refused_s = now_s;
  source->retry_s = 0;
  return true;
}

void source_forget(struct source *source, int64_t now_s) {
  if (may_fetch_again(source, now_s))
    source->must_fetch = true;
}

void source_doubt(struct source *source, int64_t now_s) {
  if (may_fetch_again(source, now_s))
    source->is_outdated = true;
}

const char *source_origin(const struct source *source) {
  return buf_str(&source->held.origin);
}

unsigned source_n_moves(const struct source *source) { return source->n_moves; }

int64_t source_expires_s(const struct source *source) {
  return source->held.cred.expires_s;
}
