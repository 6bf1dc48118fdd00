/* diff_endpoint: the endpoints that we find for regions.
 *
 * Reads regions, one a line, and prints for each of them, with and without
 * FIPS, dual stack and the legacy endpoint of STS, a line of
 *
 *   region fips dualstack legacy endpoint sts sts-region
 *
 * separated by tabs, the three switches as 0 or 1.  Region and switches come as
 * options, the last as a variable; AWS variables must be absent otherwise. */
#include "base/str.h"
#include "run/place.h"
#include "run/session.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t no_deadline_ms = INT64_MAX;
static const struct http_options no_http_options = HTTP_OPTIONS_INIT;

static struct session *open_session(bool legacy) {
  static const struct profile_options none = {0};
  if (setenv("AWS_STS_REGIONAL_ENDPOINTS", legacy ? "legacy" : "regional", 1) !=
      0)
    abort();
  struct session *session =
      session_new(&none, &no_http_options, &no_deadline_ms);
  if (session == NULL)
    abort();
  return session;
}

static int print_place(struct session *session, char *region, unsigned bits) {
  struct place place = {0};
  struct err err = {""};
  const struct place_options options = {
      .region = region,
      .use_fips = (bits & 1) != 0 ? PLACE_YES : PLACE_NO,
      .use_dual_stack = (bits & 2) != 0 ? PLACE_YES : PLACE_NO,
  };

  if (place_find(session, &options, &place, &err) != 0) {
    (void)fprintf(stderr, "diff_endpoint: %s: %s\n", region, err.text);
    return -1;
  }
  printf("%s\t%u\t%u\t%u\t%s\t%s\t%s\n", region, bits & 1, bits >> 1 & 1,
         bits >> 2, place.endpoint.url, place.sts.url, place.sts_region);
  place_clear(&place);
  return 0;
}

int main(void) {
  struct session *sessions[] = {open_session(false), open_session(true)};
  char line[256];
  int rc = 0;

  while (rc == 0 && fgets(line, sizeof(line), stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    for (unsigned bits = 0; rc == 0 && bits < 8; bits++)
      rc = print_place(sessions[bits >> 2], line, bits);
  }
  session_free(sessions[0]);
  session_free(sessions[1]);
  return rc == 0 ? 0 : 1;
}
