#include "run/session.h"

#include "run/clock.h"

#include <stdlib.h>

/* A metadata service is one hop away: it answers within milliseconds, or there
 * is none.  The AWS SDKs take one second for each. */
#define NEARBY_CONNECT_MS 1000
#define NEARBY_MS 2000

static char no_proxy[] = ""; /* none, whatever the environment says */

struct session *session_new(const struct profile_options *profile,
                            const struct http_options *http,
                            const _Atomic int64_t *deadline_ms) {
  struct session *session = calloc(1, sizeof(*session));
  if (session == NULL)
    return NULL;

  session->deadline_ms = deadline_ms;
  session->nearby_options = *http; /* an endpoint in TLS is trusted alike */
  session->nearby_options.proxy = no_proxy;
  session->nearby_options.is_nearby = true;
  session->nearby_options.connect_timeout_ms = NEARBY_CONNECT_MS;
  session->nearby_options.timeout_ms = NEARBY_MS;
  if (env_init(&session->env) == 0 &&
      profile_init(&session->profile, profile, &session->env) == 0) {
    session->aws = http_new(http, deadline_ms);
    session->nearby = http_new(&session->nearby_options, deadline_ms);
  }
  if (session->aws == NULL || session->nearby == NULL) {
    session_free(session);
    return NULL;
  }
  http_on_wait(session->aws, &session->meanwhile);
  http_on_wait(session->nearby, &session->meanwhile);
  return session;
}

void session_free(struct session *session) {
  if (session == NULL)
    return;
  imds_wipe(&session->imds);
  http_free(session->nearby);
  http_free(session->aws);
  profile_wipe(&session->profile);
  env_wipe(&session->env);
  free(session);
}

int64_t session_offset_s(const struct session *session) {
  struct clocks now = clock_both();
  return skew_offset_s(&session->skew, &now);
}

int64_t session_now_s(const struct session *session) {
  return clock_wall_ms() / 1000 + session_offset_s(session);
}

bool session_learn_clock(struct session *session, enum skew_cause cause,
                         const struct http_answer *answer) {
  int64_t date_s = http_answer_date_s(answer);
  return date_s > 0 &&
         skew_learn(&session->skew, cause, date_s, &answer->received);
}

const char *session_setting(struct session *session, enum env_name variable,
                            const char *key) {
  const char *value = env_get(&session->env, variable);
  if (value != NULL)
    return value;
  (void)profile_refresh(&session->profile, NULL);
  return profile_get(&session->profile, key);
}
