/* answers: an HTTP server on loopback that gives what a table says, for tests
 * of what asks the metadata service and the like.
 *
 * One connection at a time, closed after each answer.  Rules are tried in their
 * order; the first that fits answers; none: 404.  All requests are kept, "GET
 * /path " one after the other, and the head and body of the last one. */
#ifndef TESTS_ANSWERS_H
#define TESTS_ANSWERS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWERS_MAX 16
#define SILENCE                                                                \
  "silence" /* as a status: nothing, until the client hangs up                 \
             */

struct answer {
  const char *request; /* "GET /path"; NULL: the end of the list */
  const char *head;   /* stands in the request's head or body; NULL: anything */
  const char *status; /* "200 OK" */
  const char *body;   /* NULL: empty */
  size_t repeated;    /* the body so often; 0: once */
  const char *header; /* one more line, "Name: value\r\n"; NULL: none */
};

struct answers {
  int fd;
  int port;
  pthread_t thread;
  pthread_mutex_t lock;
  const struct answer *list; /* borrowed */
  char asked[4096];
  char head[8192];
  char seen[8192]; /* of the test's thread */
};

static void answers_use(struct answers *answers, const struct answer *list) {
  pthread_mutex_lock(&answers->lock);
  answers->list = list;
  answers->asked[0] = '\0';
  pthread_mutex_unlock(&answers->lock);
}

/* What was asked since the last call. */
static inline const char *answers_asked(struct answers *answers) {
  pthread_mutex_lock(&answers->lock);
  (void)snprintf(answers->seen, sizeof(answers->seen), "%s", answers->asked);
  answers->asked[0] = '\0';
  pthread_mutex_unlock(&answers->lock);
  return answers->seen;
}

static inline const char *answers_head(struct answers *answers) {
  pthread_mutex_lock(&answers->lock);
  (void)snprintf(answers->seen, sizeof(answers->seen), "%s", answers->head);
  pthread_mutex_unlock(&answers->lock);
  return answers->seen;
}

static const struct answer *answers_find(struct answers *answers,
                                         const char *head) {
  static const struct answer none = {.status = "404 Not Found"};
  const char *version = strstr(head, " HTTP/1.1\r\n");
  size_t len = version != NULL ? (size_t)(version - head) : 0;
  const struct answer *found = &none;

  pthread_mutex_lock(&answers->lock);
  (void)snprintf(answers->head, sizeof(answers->head), "%s", head);
  size_t n = strlen(answers->asked);
  (void)snprintf(answers->asked + n, sizeof(answers->asked) - n, "%.*s ",
                 (int)len, head);
  for (const struct answer *a = answers->list; a->request != NULL; a++)
    if (strlen(a->request) == len && strncmp(a->request, head, len) == 0 &&
        (a->head == NULL || strstr(head, a->head) != NULL)) {
      found = a;
      break;
    }
  pthread_mutex_unlock(&answers->lock);
  return found;
}

static void answers_send(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    data += n;
    len -= (size_t)n;
  }
}

/* Whether head and body are there: what is not read would break the
 * connection before its answer arrives. */
static bool answers_is_whole(const char *head, size_t len) {
  const char *body = strstr(head, "\r\n\r\n");
  const char *length = strstr(head, "Content-Length: ");

  if (body == NULL)
    return false;
  size_t body_len =
      length != NULL && length < body ? strtoul(length + 16, NULL, 10) : 0;
  return len >= (size_t)(body + 4 - head) + body_len;
}

static void answers_serve(struct answers *answers, int fd) {
  char head[8192], line[1024];
  size_t len = 0;

  head[0] = '\0';
  while (!answers_is_whole(head, len) && len < sizeof(head) - 1) {
    ssize_t n = recv(fd, head + len, sizeof(head) - 1 - len, 0);
    if (n <= 0)
      return;
    len += (size_t)n;
    head[len] = '\0';
  }
  const struct answer *a = answers_find(answers, head);
  if (strcmp(a->status, SILENCE) == 0) {
    (void)recv(fd, line, 1, 0);
    return;
  }
  const char *body = a->body != NULL ? a->body : "";
  size_t times = a->repeated > 0 ? a->repeated : 1;
  int n = snprintf(line, sizeof(line),
                   "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%sConnection: "
                   "close\r\n\r\n",
                   a->status, strlen(body) * times,
                   a->header != NULL ? a->header : "");
  answers_send(fd, line, (size_t)n);
  for (size_t i = 0; i < times; i++)
    answers_send(fd, body, strlen(body));
}

static void *answers_run(void *arg) {
  struct answers *answers = arg;

  for (;;) {
    int fd = accept(answers->fd, NULL, NULL);
    if (fd < 0)
      return NULL; /* answers_stop() */
    answers_serve(answers, fd);
    (void)close(fd);
  }
}

static int answers_listen(struct answers *answers,
                          const struct sockaddr *address, socklen_t len) {
  struct sockaddr_in6 bound; /* both kinds have the port at one place */
  socklen_t bound_len = sizeof(bound);

  answers->fd = socket(address->sa_family, SOCK_STREAM, 0);
  if (answers->fd < 0)
    return -1;
  if (bind(answers->fd, address, len) != 0 || listen(answers->fd, 16) != 0 ||
      getsockname(answers->fd, (struct sockaddr *)&bound, &bound_len) != 0) {
    (void)close(answers->fd);
    return -1;
  }
  answers->port = ntohs(bound.sin6_port);
  return 0;
}

/* The URL of where it listens goes to url: on 127.0.0.1, or, with wants_v6 and
 * if this host has it, on ::1. */
static void answers_start(struct answers *answers, bool wants_v6,
                          char url[64]) {
  static const struct answer none[] = {{.request = NULL}};
  struct sockaddr_in v4 = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                            .sin6_addr = in6addr_loopback};

  memset(answers, 0, sizeof(*answers));
  answers->list = none;
  bool is_v6 = wants_v6 &&
               answers_listen(answers, (struct sockaddr *)&v6, sizeof(v6)) == 0;
  if ((!is_v6 &&
       answers_listen(answers, (struct sockaddr *)&v4, sizeof(v4)) != 0) ||
      pthread_mutex_init(&answers->lock, NULL) != 0 ||
      pthread_create(&answers->thread, NULL, answers_run, answers) != 0)
    abort();
  (void)snprintf(url, 64, "http://%s:%d", is_v6 ? "[::1]" : "127.0.0.1",
                 answers->port);
}

static void answers_stop(struct answers *answers) {
  (void)shutdown(answers->fd, SHUT_RDWR);
  (void)pthread_join(answers->thread, NULL);
  (void)close(answers->fd);
  (void)pthread_mutex_destroy(&answers->lock);
}

#endif
