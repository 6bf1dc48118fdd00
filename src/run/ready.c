/* What a request needs besides data: a region and an endpoint, and credentials.
 * Both may come late, and change; until they are there, data wait. */
#include "run/clock.h"
#include "run/delivery.h"

#include <string.h>

#define TEND_MAX_MS 60000

/* An explicit http: endpoint is the operator's word, but not a thing to do
 * quietly: names, values and identity cross the network in the clear.  Of the
 * option Endpoint the door has warned at the start. */
static void warn_of_plain_http(const struct delivery *d,
                               const struct place *place) {
  if (d->options->place.endpoint == NULL && !place->endpoint.tls &&
      !place->endpoint.loopback)
    log_say(SAY_WARNING, d->options->node,
            "%s is sent to without encryption; write https:// unless the way "
            "there is trusted",
            place->endpoint.url);
}

/* Whether what is known of the place is of the files as they are; or they give
 * none, which was found out less than a minute ago. */
static bool is_settled(const struct delivery *d) {
  unsigned n_read = d->session->profile.n_read;

  if (d->place.region == NULL)
    return false;
  return d->place_n_read == n_read ||
         (d->misplaced_n_read == n_read && clock_steady_ms() < d->misplaced_ms);
}

/* The files have changed, and by them there is no place: the one of before
 * serves.  The metadata service, asked for a region, may hang, so this is not
 * found out anew for each request. */
static void stay(struct delivery *d, unsigned n_read, const struct err *why) {
  int64_t now_ms = clock_steady_ms();

  delivery_remember(d, why);
  d->misplaced_n_read = n_read;
  d->misplaced_ms = now_ms + TEND_MAX_MS;
  log_state_bad(&d->misplaced, SAY_WARNING, d->options->node, now_ms, why->text,
                "the shared AWS files have changed, but cannot be followed: "
                "%s; requests go on to %s in region %s",
                why->text, d->place.endpoint.authority, d->place.region);
}

/* Finds the place, again when the shared files have changed.  What was found
 * before goes on while nothing better can be had. */
static bool has_place(struct delivery *d, struct err *err) {
  struct profile *profile = &d->session->profile;
  struct place place = {0};
  bool is_known = d->place.region != NULL;

  (void)profile_refresh(profile, NULL);
  if (is_settled(d))
    return true;
  unsigned n_read = profile->n_read; /* they may change meanwhile */
  if (place_find(d->session, &d->options->place, &place, err) != 0) {
    if (is_known)
      stay(d, n_read, err);
    return is_known;
  }
  if (!is_known || strcmp(place.endpoint.url, d->place.endpoint.url) != 0)
    warn_of_plain_http(d, &place);
  place_clear(&d->place);
  d->place = place;
  d->place_n_read = n_read;
  (void)log_state_good(&d->misplaced, d->options->node, clock_steady_ms(),
                       "the shared AWS files are followed again: requests go "
                       "to %s in region %s",
                       d->place.endpoint.authority, d->place.region);
  return true;
}

static void say_ready(struct delivery *d, const struct err *why) {
  const char *node = d->options->node;
  int64_t now_ms = clock_steady_ms();

  delivery_say_clock(d);
  (void)log_state_good(&d->awaited, node, now_ms,
                       "there are credentials (%s) and a region (%s) after "
                       "%lld s",
                       source_origin(d->source), d->place.region,
                       (long long)((now_ms - d->awaited.since_ms) / 1000));
  /* That they are there is said with the first data that are accepted. */
  if (d->has_accepted && d->n_moves != source_n_moves(d->source))
    log_say(SAY_NOTICE, node, "the credentials are those of %s now",
            source_origin(d->source));
  d->n_moves = source_n_moves(d->source);
  if (why->text[0] == '\0') {
    (void)log_state_good(&d->renewal, node, now_ms,
                         "the credentials are renewed (%s)",
                         source_origin(d->source));
    return;
  }
  delivery_remember(d, why);
  log_state_bad(&d->renewal, SAY_WARNING, node, now_ms, why->text,
                "the credentials could not be renewed: %s; those of before "
                "are used as long as AWS takes them",
                why->text);
}

/* Asks for what is missing ever more rarely, but often enough that a metadata
 * service that comes minutes after boot is soon noticed. */
static void put_off(struct delivery *d) {
  int64_t now_ms = clock_steady_ms();
  int64_t next_ms =
      retry_next(&d->tend, now_ms, RETRY_BASE_MS, 0, clock_dice());

  d->tend_ms = next_ms < now_ms + TEND_MAX_MS ? next_ms : now_ms + TEND_MAX_MS;
}

const struct cred *delivery_ready(struct delivery *d) {
  struct err err = {""};
  int64_t now_s = session_now_s(d->session);
  const struct cred *cred = NULL;

  if (clock_steady_ms() < d->tend_ms)
    return NULL;
  bool has_region = has_place(d, &err);
  if (has_region) {
    err.text[0] = '\0';
    cred = source_get(d->source, now_s, &err);
  }
  if (cred != NULL) {
    retry_reset(&d->tend);
    say_ready(d, &err);
    return cred;
  }
  put_off(d);
  delivery_remember(d, &err);
  log_state_bad(&d->awaited, SAY_WARNING, d->options->node, clock_steady_ms(),
                err.text,
                "waiting for %s: %s; the data are kept and sent later",
                has_region ? "credentials" : "region and endpoint", err.text);
  return NULL;
}

void delivery_tend(struct delivery *d) {
  int64_t now_s = session_now_s(d->session);
  struct err err = {""};

  if (d->options->dry_run)
    return;
  delivery_open_spool(d);
  http_rest(d->session->aws);
  http_rest(d->session->nearby);
  if (clock_steady_ms() < d->tend_ms || source_due_s(d->source, now_s) > 0)
    return;
  if (d->place.region == NULL || !source_is_usable(d->source, now_s)) {
    (void)delivery_ready(d);
    return;
  }
  (void)source_tend(d->source, now_s, &err);
  say_ready(d, &err);
}
