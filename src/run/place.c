#include "run/place.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* A setting and who gave it. */
struct given {
  const char *value; /* borrowed; NULL: nobody */
  const char *by;
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

static bool take_env(const struct session *session, enum env_name name,
                     struct given *out) {
  out->value = env_get(&session->env, name);
  out->by = env_str(name);
  return out->value != NULL;
}

/* The shared files, as they are or as they last were understood.  An error
 * only when neither is there: until they can be read, nobody knows whether
 * they say where to send. */
static int look_at_files(struct session *session, struct err *err) {
  if (profile_refresh(&session->profile, err) == 0)
    return 0;
  return session->profile.ini != NULL ? 0 : -1;
}

static bool take_profile(const struct session *session, const char *key,
                         struct given *out) {
  out->value = profile_get(&session->profile, key);
  out->by = "the profile";
  return out->value != NULL;
}

static int find_region(struct session *session,
                       const struct place_options *options, char **region,
                       struct err *err) {
  struct given found = {options->region, "Region"};
  if (found.value == NULL && !take_env(session, ENV_REGION, &found) &&
      !take_env(session, ENV_DEFAULT_REGION, &found)) {
    if (look_at_files(session, err) != 0)
      return -1;
    if (!take_profile(session, "region", &found))
      return err_set(err,
                     "no region found: no Region in the configuration, no "
                     "AWS_REGION or AWS_DEFAULT_REGION in the environment, no "
                     "region in profile %s; write Region \"us-east-1\", for "
                     "example",
                     session->profile.name);
  }
  if (!endpoint_region_ok(str_of(found.value)))
    return err_set(err,
                   "%s: \"%s\" is not a region (letters, digits and hyphens)",
                   found.by, found.value);
  *region = str_dup(str_of(found.value));
  return *region != NULL ? 0 : err_set(err, "no memory");
}

static bool is_true(const char *text) {
  return str_eq_nocase(str_trim(str_of(text)), STR("true"));
}

/* Looks for an endpoint's URL: 0 with *out, whose value is NULL when nobody
 * gives one; or -1 with *err set. */
static int find_url(struct session *session,
                    const struct place_options *options, struct given *out,
                    struct err *err) {
  *out = (struct given){options->endpoint, "Endpoint"};
  if (out->value != NULL)
    return 0;

  const char *ignore = env_get(&session->env, ENV_IGNORE_ENDPOINT_URLS);
  if (ignore == NULL) {
    if (look_at_files(session, err) != 0)
      return -1;
    ignore = profile_get(&session->profile, "ignore_configured_endpoint_urls");
  }
  if (ignore != NULL && is_true(ignore))
    return 0;

  if (take_env(session, ENV_ENDPOINT_URL_CLOUDWATCH, out) ||
      take_env(session, ENV_ENDPOINT_URL, out))
    return 0;
  if (look_at_files(session, err) != 0)
    return -1;
  const char *services = profile_get(&session->profile, "services");
  if (services != NULL) {
    out->value = ini_service(session->profile.ini, services, "cloudwatch",
                             "endpoint_url");
    out->by = "the profile's services section";
    if (out->value != NULL)
      return 0;
  }
  (void)take_profile(session, "endpoint_url", out);
  return 0;
}

/* The partition's own endpoint. */
static int derive(const struct place_options *options, struct place *place,
                  struct err *err) {
  struct buf url = BUF_INIT(1024);
  buf_puts(&url, "https://");
  endpoint_put_host(&url, "monitoring", place->region,
                    options->use_fips == PLACE_YES,
                    options->use_dual_stack == PLACE_YES);
  int rc = buf_ok(&url)
               ? endpoint_parse(&place->endpoint, str_of(buf_str(&url)), err)
               : err_set(err, "no memory");
  buf_clear(&url);
  return rc;
}

static int find_endpoint(struct session *session,
                         const struct place_options *options,
                         struct place *place, struct err *err) {
  struct given url;
  if (find_url(session, options, &url, err) != 0)
    return -1;
  if (url.value == NULL)
    return derive(options, place, err);

  if (options->use_fips == PLACE_YES || options->use_dual_stack == PLACE_YES)
    return err_set(err, "%s cannot be used with an endpoint given by %s",
                   options->use_fips == PLACE_YES ? "UseFIPS" : "UseDualStack",
                   url.by);
  struct err why = {0};
  if (endpoint_parse(&place->endpoint, str_of(url.value), &why) != 0)
    return err_set(err, "%s: %s", url.by, why.text);
  return 0;
}

int place_find(struct session *session, const struct place_options *options,
               struct place *out, struct err *err) {
  place_clear(out);
  if (find_region(session, options, &out->region, err) == 0 &&
      find_endpoint(session, options, out, err) == 0)
    return 0;
  place_clear(out);
  return -1;
}
