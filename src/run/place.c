#include "run/place.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* A setting and who gave it. */
struct given {
  const char *value; /* borrowed; NULL: nobody */
  const char *name;  /* of the option, variable or key */
  const char *of;    /* after the name: whose key it is; or "" */
};

/* Something that is on or off. */
struct setting {
  const char *option; /* NULL: there is none */
  enum env_name variable;
  const char *key; /* in the profile */
};

static const struct setting fips = {"UseFIPS", ENV_USE_FIPS,
                                    "use_fips_endpoint"};
static const struct setting dual_stack = {"UseDualStack", ENV_USE_DUAL_STACK,
                                          "use_dualstack_endpoint"};
static const struct setting ignore_urls = {NULL, ENV_IGNORE_ENDPOINT_URLS,
                                           "ignore_configured_endpoint_urls"};

/* Where the endpoint of a service may be given, and its own host. */
struct service {
  const char *prefix; /* of the host */
  enum env_name variable;
  const char *section; /* in a services section of the config file */
};

static const struct service cloudwatch = {
    "monitoring", ENV_ENDPOINT_URL_CLOUDWATCH, "cloudwatch"};
static const struct service sts = {"sts", ENV_ENDPOINT_URL_STS, "sts"};

/* What holds for both services; value NULL: off. */
struct modes {
  struct given fips, dual_stack, ignore_urls;
};

void place_options_clear(struct place_options *options) {
  free(options->region);
  free(options->endpoint);
  *options = (struct place_options){0};
}

void place_clear(struct place *place) {
  free(place->region);
  endpoint_clear(&place->endpoint);
  endpoint_clear(&place->sts);
  *place = (struct place){0};
}

/* ---- who gives what ------------------------------------------------------ */

static bool take_option(const char *value, const char *name,
                        struct given *out) {
  *out = (struct given){value, name, ""};
  return value != NULL;
}

static bool take_env(const struct session *session, enum env_name name,
                     struct given *out) {
  return take_option(env_get(&session->env, name), env_str(name), out);
}

static bool take_profile(const struct session *session, const char *key,
                         struct given *out) {
  *out = (struct given){profile_get(&session->profile, key), key,
                        " of the profile"};
  return out->value != NULL;
}

static bool take_services(const struct session *session,
                          const struct service *service, struct given *out) {
  const char *key = "endpoint_url";
  const char *services = profile_get(&session->profile, "services");
  const char *url = NULL;

  if (services != NULL)
    url = ini_service(session->profile.ini, services, service->section, key);
  *out = (struct given){url, key, " of the profile's services section"};
  return url != NULL;
}

/* The shared files, as they are or as they last were understood.  An error
 * only when neither is there: until they can be read, nobody knows whether
 * they say where to send. */
static int look_at_files(struct session *session, struct err *err) {
  if (profile_refresh(&session->profile, err) == 0)
    return 0;
  return session->profile.ini != NULL ? 0 : -1;
}

/* Whether a setting is on, and who says so.  A word that is neither true nor
 * false is refused: to send elsewhere than over FIPS because "yes" is no
 * "true" would be found out late. */
static int find_setting(const struct session *session,
                        const struct setting *setting, enum place_choice said,
                        struct given *out, struct err *err) {
  *out = (struct given){NULL, setting->option, ""};
  if (said != PLACE_UNSAID) {
    out->value = said == PLACE_YES ? "true" : NULL;
    return 0;
  }
  if (!take_env(session, setting->variable, out) &&
      !take_profile(session, setting->key, out))
    return 0;
  struct str word = str_trim(str_of(out->value));
  if (str_eq_nocase(word, STR("true"))) {
    out->value = "true"; /* the file's own may go while a region is sought */
    return 0;
  }
  if (!str_eq_nocase(word, STR("false")))
    return err_set(err, "%s%s is \"%s\"; write true or false", out->name,
                   out->of, out->value);
  out->value = NULL;
  return 0;
}

static int find_modes(const struct session *session,
                      const struct place_options *options, struct modes *out,
                      struct err *err) {
  if (find_setting(session, &fips, options->use_fips, &out->fips, err) != 0 ||
      find_setting(session, &dual_stack, options->use_dual_stack,
                   &out->dual_stack, err) != 0 ||
      find_setting(session, &ignore_urls, PLACE_UNSAID, &out->ignore_urls,
                   err) != 0)
    return -1;
  return 0;
}

/* ---- the region ---------------------------------------------------------- */

/* An instance knows where it is.  Its answer may be a stranger's text, so the
 * sentence does not repeat it. */
static int ask_instance(struct session *session, char **region,
                        struct err *err) {
  struct buf answer = BUF_INIT(IMDS_ANSWER_MAX);
  struct str text;
  int rc = -1;

  switch (
      imds_get(session, "/latest/meta-data/placement/region", &answer, err)) {
  case IMDS_FOUND:
    text = str_trim(str_of(buf_str(&answer)));
    if (!endpoint_region_ok(text)) {
      err_set(err, "the instance metadata service answered what cannot be a "
                   "region");
      break;
    }
    *region = str_dup(text);
    rc = *region != NULL ? 0 : err_set(err, "no memory");
    break;
  case IMDS_ABSENT:
    err_set(err, "the instance metadata service knows none");
    break;
  case IMDS_OFF:
  case IMDS_FAILED:
    break;
  }
  buf_clear(&answer);
  return rc;
}

static int find_region(struct session *session,
                       const struct place_options *options, char **region,
                       struct err *err) {
  struct given found;
  struct err why = {""};

  if (take_option(options->region, "Region", &found) ||
      take_env(session, ENV_REGION, &found) ||
      take_env(session, ENV_DEFAULT_REGION, &found) ||
      take_profile(session, "region", &found)) {
    if (!endpoint_region_ok(str_of(found.value)))
      return err_set(
          err, "%s%s: \"%s\" is not a region (letters, digits and hyphens)",
          found.name, found.of, found.value);
    *region = str_dup(str_of(found.value));
    return *region != NULL ? 0 : err_set(err, "no memory");
  }
  if (ask_instance(session, region, &why) == 0)
    return 0;
  return err_set(err,
                 "no region found: no Region in the configuration, no "
                 "AWS_REGION or AWS_DEFAULT_REGION in the environment, no "
                 "region in profile %s, none from the instance; write Region "
                 "\"us-east-1\", for example (%s)",
                 session->profile.name, why.text);
}

/* ---- endpoints ----------------------------------------------------------- */

/* The URL that somebody gives for a service; value NULL: nobody does. */
static void find_url(const struct session *session,
                     const struct service *service, const struct modes *modes,
                     struct given *out) {
  *out = (struct given){0};
  if (modes->ignore_urls.value != NULL)
    return;
  if (!take_env(session, service->variable, out) &&
      !take_env(session, ENV_ENDPOINT_URL, out) &&
      !take_services(session, service, out))
    (void)take_profile(session, "endpoint_url", out);
}

/* The partition's own endpoint. */
static int derive(const struct service *service, const char *region,
                  const struct modes *modes, struct endpoint *out,
                  struct err *err) {
  struct buf url = BUF_INIT(1024);
  buf_puts(&url, "https://");
  endpoint_put_host(&url, service->prefix, region, modes->fips.value != NULL,
                    modes->dual_stack.value != NULL);
  int rc = buf_ok(&url) ? endpoint_parse(out, str_of(buf_str(&url)), err)
                        : err_set(err, "no memory");
  buf_clear(&url);
  return rc;
}

/* Whether an endpoint given by URL can be used: 0 or -1.  It names one host:
 * which other one would serve FIPS or dual stack nobody knows. */
static int check_url(const struct given *url, const struct modes *modes,
                     struct err *err) {
  const struct given *mode =
      modes->fips.value != NULL ? &modes->fips : &modes->dual_stack;
  struct err why = {""};

  if (mode->value != NULL)
    return err_set(err,
                   "%s%s cannot be used with an endpoint given by %s%s; remove "
                   "one of them",
                   mode->name, mode->of, url->name, url->of);
  if (endpoint_check(str_of(url->value), &why) != 0)
    return err_set(err, "%s%s: %s", url->name, url->of, why.text);
  return 0;
}

static int find_cloudwatch(const struct session *session, const char *endpoint,
                           const struct modes *modes, struct place *place,
                           struct err *err) {
  struct given url;
  if (!take_option(endpoint, "Endpoint", &url))
    find_url(session, &cloudwatch, modes, &url);
  if (url.value == NULL)
    return derive(&cloudwatch, place->region, modes, &place->endpoint, err);
  if (check_url(&url, modes, err) != 0)
    return -1;
  return endpoint_parse(&place->endpoint, str_of(url.value), err);
}

/* Whether STS is to be reached as it was before there were regional ones. */
static bool is_legacy(const struct session *session, const char *region,
                      const struct modes *modes) {
  struct given kind;
  if (modes->fips.value != NULL || modes->dual_stack.value != NULL)
    return false;
  if (!take_env(session, ENV_STS_REGIONAL, &kind) &&
      !take_profile(session, "sts_regional_endpoints", &kind))
    return false;
  return str_eq_nocase(str_trim(str_of(kind.value)), STR("legacy")) &&
         endpoint_sts_is_legacy(region);
}

/* 0, also when what is given cannot be used, as only who assumes a role needs
 * it; -1 for lack of memory. */
static int find_sts(const struct session *session, const struct modes *modes,
                    struct place *place, struct err *err) {
  struct given url;
  place->sts_region = place->region;
  find_url(session, &sts, modes, &url);
  if (url.value != NULL && check_url(&url, modes, &place->sts_error) != 0)
    return 0;
  if (url.value != NULL)
    return endpoint_parse(&place->sts, str_of(url.value), err);
  if (!is_legacy(session, place->region, modes))
    return derive(&sts, place->region, modes, &place->sts, err);
  place->sts_region = "us-east-1";
  return endpoint_parse(&place->sts, STR("https://sts.amazonaws.com"), err);
}

int place_find(struct session *session, const struct place_options *options,
               struct place *out, struct err *err) {
  struct modes modes;
  place_clear(out);
  if (look_at_files(session, err) == 0 &&
      find_modes(session, options, &modes, err) == 0 &&
      find_region(session, options, &out->region, err) == 0 &&
      find_cloudwatch(session, options->endpoint, &modes, out, err) == 0 &&
      find_sts(session, &modes, out, err) == 0)
    return 0;
  place_clear(out);
  return -1;
}
