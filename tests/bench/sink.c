#include "sink.h"

#include "host.h"

#include "metric/metric.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define PATIENCE_S 60
#define CONNECTIONS_MAX 15
#define HEAD_MAX 16384
#define BODY_MAX (1 << 20) /* above what CloudWatch takes */

static struct {
  struct pollfd fds[1 + CONNECTIONS_MAX]; /* the first is the listener */
  size_t n_fds;
  z_stream zip;
  char head[HEAD_MAX + BODY_MAX], plain[BODY_MAX + 1];

  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct sink_count count; /* guarded */
  char full[BODY_MAX + 1]; /* guarded; a full body */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

/* ---- what is in a body --------------------------------------------------- */

/* The numbers of an array, up to its bracket. */
static uint64_t n_elements(const char *p) {
  uint64_t n = 1;
  for (; *p != ']' && *p != '\0'; p++)
    n += *p == ',';
  return n;
}

static uint64_t sum_elements(const char *p) {
  uint64_t sum = 0;
  do {
    char *end;
    sum += (uint64_t)strtoull(p, &end, 10);
    p = end;
  } while (*p++ == ',');
  return sum;
}

/* A name that holds a quotation mark holds a backslash before it, so these
 * words are members' names wherever they stand. */
static void count_body(const char *p, struct sink_count *count) {
  uint64_t n_values = 0;

  while ((p = strchr(p, '"')) != NULL) {
    if (strncmp(p, "\"MetricName\":", 13) == 0) {
      count->data++;
      count->samples += n_values;
      n_values = 0;
    } else if (strncmp(p, "\"Value\":", 8) == 0 && p[8] != '"') {
      n_values = 1; /* not that of a dimension */
    } else if (strncmp(p, "\"Values\":[", 10) == 0) {
      n_values = n_elements(p + 10);
    } else if (strncmp(p, "\"Counts\":[", 10) == 0) {
      n_values = sum_elements(p + 10);
    }
    p++;
  }
  count->samples += n_values;
}

static size_t unzip(const char *body, size_t len) {
  (void)inflateReset(&sink.zip);
  sink.zip.next_in = (Bytef *)(uintptr_t)body;
  sink.zip.avail_in = (uInt)len;
  sink.zip.next_out = (Bytef *)sink.plain;
  sink.zip.avail_out = BODY_MAX;
  if (inflate(&sink.zip, Z_FINISH) != Z_STREAM_END)
    fail("a body is no gzip, or too long");
  return BODY_MAX - sink.zip.avail_out;
}

static void take_body(const char *body, size_t len, bool is_gzip) {
  struct sink_count came = {.requests = 1, .body_bytes = len};
  size_t plain_len = len;

  if (is_gzip)
    plain_len = unzip(body, len);
  else
    memcpy(sink.plain, body, len);
  sink.plain[plain_len] = '\0';
  came.plain_bytes = plain_len;
  count_body(sink.plain, &came);

  pthread_mutex_lock(&sink.lock);
  sink.count.requests += came.requests;
  sink.count.data += came.data;
  sink.count.samples += came.samples;
  sink.count.body_bytes += came.body_bytes;
  sink.count.plain_bytes += came.plain_bytes;
  if (came.data == CW_DATA_MAX)
    memcpy(sink.full, sink.plain, plain_len + 1);
  pthread_cond_broadcast(&sink.changed);
  pthread_mutex_unlock(&sink.lock);
}

/* ---- a connection -------------------------------------------------------- */

static const char *header(const char *name) {
  const char *at = strcasestr(sink.head, name);
  return at != NULL ? at + strlen(name) : "";
}

/* One request; false when the connection is at its end. */
static bool serve(int fd) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  size_t len = 0, head_len = 0, body_len = 0;
  bool is_gzip = false;

  while (head_len == 0 || len < head_len + body_len) {
    size_t room = head_len == 0 ? HEAD_MAX - 1 - len : sizeof(sink.head) - len;
    ssize_t n = recv(fd, sink.head + len, room, 0);
    if (n <= 0)
      return false;
    len += (size_t)n;
    if (head_len > 0)
      continue;
    sink.head[len] = '\0';
    const char *end = strstr(sink.head, "\r\n\r\n");
    if (end == NULL)
      continue;
    head_len = (size_t)(end - sink.head) + 4;
    sink.head[head_len - 1] = '\0'; /* what the headers are looked for in */
    body_len = strtoull(header("\r\nContent-Length:"), NULL, 10);
    is_gzip = header("\r\nContent-Encoding: gzip")[0] != '\0';
    if (body_len > BODY_MAX)
      fail("a body of %zu bytes", body_len);
  }
  take_body(sink.head + head_len, body_len, is_gzip);
  return send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) ==
         (ssize_t)(sizeof(answer) - 1);
}

static void *work(void *argument) {
  int on = 1;
  (void)argument;

  for (;;) {
    if (poll(sink.fds, sink.n_fds, -1) < 0)
      fail("poll() failed");
    for (size_t i = sink.n_fds; i-- > 1;)
      if (sink.fds[i].revents != 0 && !serve(sink.fds[i].fd)) {
        (void)close(sink.fds[i].fd);
        sink.fds[i] = sink.fds[--sink.n_fds];
      }
    if (sink.fds[0].revents == 0 || sink.n_fds > CONNECTIONS_MAX)
      continue;
    int fd = accept(sink.fds[0].fd, NULL, NULL);
    if (fd < 0)
      continue;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sink.fds[sink.n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
  }
  return NULL;
}

/* ---- from outside -------------------------------------------------------- */

int sink_start(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  pthread_t thread;
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
      listen(fd, CONNECTIONS_MAX) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
      inflateInit2(&sink.zip, 15 + 16) != Z_OK)
    fail("the sink cannot listen on 127.0.0.1");
  sink.fds[sink.n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
  if (pthread_create(&thread, NULL, work, NULL) != 0)
    fail("no thread for the sink");
  pthread_detach(thread);
  return ntohs(address.sin_port);
}

struct sink_count sink_count(void) {
  pthread_mutex_lock(&sink.lock);
  struct sink_count count = sink.count;
  pthread_mutex_unlock(&sink.lock);
  return count;
}

void sink_wait(uint64_t samples) {
  struct timespec until;
  int rc = 0;

  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_S;
  pthread_mutex_lock(&sink.lock);
  while (sink.count.samples < samples && rc == 0)
    rc = pthread_cond_timedwait(&sink.changed, &sink.lock, &until);
  uint64_t came = sink.count.samples;
  pthread_mutex_unlock(&sink.lock);
  if (came != samples)
    fail("%llu samples were written, %llu came", (unsigned long long)samples,
         (unsigned long long)came);
}

char *sink_full_body(void) {
  pthread_mutex_lock(&sink.lock);
  char *copy = sink.full[0] != '\0' ? strdup(sink.full) : NULL;
  pthread_mutex_unlock(&sink.lock);
  return copy;
}
