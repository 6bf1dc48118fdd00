/* http_drive: run/http at the end of a pipe, for test_http.py.
 *
 * Arguments are options (timeout=MS connect=MS proxy=URL no_proxy=LIST ca=FILE
 * ca_path=DIR verify=0).  Each line of standard input is a command:
 *
 *   send METHOD URL BODY-BYTES [NAME=VALUE ...]   prints one line of the answer
 *   sleep MS
 *   deadline MS                            from now on; another thread sets it
 *   rest                                   http_rest()
 */
#include "run/http.h"

#include "run/clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADERS_MAX 8

static _Atomic int64_t deadline_ms = INT64_MAX;
static int64_t deadline_after_ms;
static int64_t slow_at_ms; /* steady; when http_on_slow() told so */

static void pause_ms(int64_t ms) {
  struct timespec wait = {.tv_sec = (time_t)(ms / 1000),
                          .tv_nsec = (long)(ms % 1000) * 1000000};
  (void)nanosleep(&wait, NULL);
}

static void *set_deadline(void *arg) {
  (void)arg;
  pause_ms(deadline_after_ms);
  atomic_store(&deadline_ms, clock_steady_ms());
  return NULL;
}

static void note_slow(void *n_told) {
  slow_at_ms = clock_steady_ms();
  ++*(int *)n_told;
}

/* For values that the protocol of this program could not hold. */
static struct str unescape(char *text) {
  char *to = text;
  for (const char *p = text; *p != '\0'; p++) {
    bool is_escape = p[0] == '\\' && p[1] != '\0';
    char c = is_escape ? *++p : *p;
    *to++ = is_escape && c == 'n' ? '\n' : is_escape && c == 's' ? ' ' : c;
  }
  *to = '\0';
  return str_of(text);
}

static void print_answer(const struct http_answer *answer, int64_t took_ms,
                         int n_slow, int64_t slow_ms) {
  printf("status=%d\tambiguous=%d\tsilent=%d\tcut=%d\tbody=%zu\troom=%"
         "zu\tretry=%" PRId64 "\ttook=%" PRId64 "\tslow=%d\tslow_after=%" PRId64
         "\tquery_error=%s\terror_type=%s\trequest_id=%s\tdate=%s\terror=%s\n",
         answer->status, answer->ambiguous ? 1 : 0, answer->is_silent ? 1 : 0,
         answer->is_cut ? 1 : 0, answer->body.len, answer->body.cap,
         answer->retry_after_ms, took_ms, n_slow, slow_ms,
         buf_str(&answer->query_error), buf_str(&answer->error_type),
         buf_str(&answer->request_id), buf_str(&answer->date),
         answer->error.text);
  (void)fflush(stdout);
}

static void send_one(struct http *http, char *words) {
  struct http_header headers[HEADERS_MAX];
  struct http_request request = {.headers = headers};
  struct http_answer answer = HTTP_ANSWER_INIT;
  char *rest = NULL, *body = NULL;

  request.method = strtok_r(words, " \n", &rest);
  request.url = strtok_r(NULL, " \n", &rest);
  const char *bytes = strtok_r(NULL, " \n", &rest);
  if (bytes == NULL)
    exit(2);
  request.body.len = (size_t)strtoul(bytes, NULL, 10);
  body = malloc(request.body.len + 1);
  if (body == NULL)
    exit(2);
  memset(body, 'x', request.body.len);
  request.body.p = body;
  for (char *word = strtok_r(NULL, " \n", &rest); word != NULL;
       word = strtok_r(NULL, " \n", &rest)) {
    char *value = strchr(word, '=');
    if (value == NULL || request.n_headers == HEADERS_MAX)
      exit(2);
    *value = '\0';
    headers[request.n_headers].name = word;
    headers[request.n_headers++].value = unescape(value + 1);
  }

  int n_slow = 0;
  http_on_slow(http, note_slow, &n_slow);
  int64_t start_ms = clock_steady_ms();
  http_send(http, &request, &answer);
  print_answer(&answer, clock_steady_ms() - start_ms, n_slow,
               n_slow > 0 ? slow_at_ms - start_ms : 0);
  http_on_slow(http, NULL, NULL);
  http_answer_clear(&answer);
  free(body);
}

static void set_option(struct http_options *options, char *word) {
  char *value = strchr(word, '=');
  if (value == NULL)
    exit(2);
  *value++ = '\0';
  const struct {
    const char *name;
    char **text;
    int64_t *ms;
  } known[] = {
      {"proxy", &options->proxy, NULL},
      {"no_proxy", &options->no_proxy, NULL},
      {"ca", &options->ca_cert, NULL},
      {"ca_path", &options->ca_path, NULL},
      {"timeout", NULL, &options->timeout_ms},
      {"connect", NULL, &options->connect_timeout_ms},
  };
  if (strcmp(word, "nearby") == 0)
    options->is_nearby = true;
  if (strcmp(word, "verify") == 0)
    options->verify_peer = strcmp(value, "0") != 0;
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    if (strcmp(word, known[i].name) != 0)
      continue;
    if (known[i].text != NULL)
      *known[i].text = str_dup(str_of(value));
    else
      *known[i].ms = strtoll(value, NULL, 10);
  }
}

int main(int argc, char **argv) {
  struct http_options options = HTTP_OPTIONS_INIT;
  pthread_t threads[64];
  size_t n_threads = 0;
  char line[65536];

  if (http_global_init() != 0)
    return 2;
  for (int i = 1; i < argc; i++)
    set_option(&options, argv[i]);
  struct http *http = http_new(&options, &deadline_ms);
  if (http == NULL)
    return 2;

  while (fgets(line, sizeof(line), stdin) != NULL) {
    if (strncmp(line, "send ", 5) == 0) {
      send_one(http, line + 5);
    } else if (strncmp(line, "sleep ", 6) == 0) {
      pause_ms(strtoll(line + 6, NULL, 10));
    } else if (strncmp(line, "rest", 4) == 0) {
      http_rest(http);
    } else if (strncmp(line, "deadline ", 9) == 0 && n_threads < 64) {
      deadline_after_ms = strtoll(line + 9, NULL, 10);
      if (pthread_create(&threads[n_threads++], NULL, set_deadline, NULL) != 0)
        return 2;
    } else {
      return 2;
    }
  }
  for (size_t i = 0; i < n_threads; i++)
    (void)pthread_join(threads[i], NULL);
  http_free(http);
  http_options_clear(&options);
  return 0;
}
