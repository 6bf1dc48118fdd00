#include "run/clock.h"

#include "base/str.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static int64_t ask(clockid_t which) {
  struct timespec now = {0};
  (void)clock_gettime(which, &now); /* cannot fail for the two used here */
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void) { return ask(CLOCK_REALTIME); }

/* The time of the last tick, which costs a fifth of the exact one. */
int64_t clock_wall_s(void) {
#ifdef CLOCK_REALTIME_COARSE
  return ask(CLOCK_REALTIME_COARSE) / 1000;
#else
  return ask(CLOCK_REALTIME) / 1000;
#endif
}

int64_t clock_steady_ms(void) { return ask(CLOCK_MONOTONIC); }

/* Without /dev/urandom (a bare chroot) what differs between processes and
 * moments has to do: the numbers spread requests, they guard nothing. */
static uint64_t guess(void) {
  struct {
    struct timespec wall, steady;
    pid_t pid;
    const void *place;
  } seed;
  /* Padding is hashed with the rest. */
  for (size_t i = 0; i < sizeof(seed); i++)
    ((unsigned char *)&seed)[i] = 0;
  (void)clock_gettime(CLOCK_REALTIME, &seed.wall);
  (void)clock_gettime(CLOCK_MONOTONIC, &seed.steady);
  seed.pid = getpid();
  seed.place = &seed;
  return str_hash(STR_HASH_SEED, &seed, sizeof(seed));
}

uint64_t clock_random(void) {
  uint64_t number = 0;
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return guess();
  if (read(fd, &number, sizeof(number)) != (ssize_t)sizeof(number))
    number = guess();
  (void)close(fd);
  return number;
}

double clock_dice(void) {
  /* The 53 bits that a double holds exactly, as multiples of 2^-53. */
  return (double)(clock_random() >> 11) * (1.0 / 9007199254740992.0);
}
