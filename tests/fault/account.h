/* account: what became of values that are numbers from 1 on, by what a sender
 * counts, what it says at the stop, and what the service has. */
#ifndef TESTS_ACCOUNT_H
#define TESTS_ACCOUNT_H

#include "run/delivery.h"
#include "run/node.h"

#include "heard.h"
#include "service.h"

/* Over all senders of a story. */
static struct {
  uint64_t accepted, refused;
  uint64_t lost;      /* and counted */
  uint64_t ambiguous; /* may have been accepted again */
} became;

static void account_begin(void) { memset(&became, 0, sizeof(became)); }

/* Before a sender is freed. */
static void account_add(const struct sender *s) {
  struct delivery_count count = delivery_count(s->delivery);

  became.accepted += count.accepted;
  became.refused += count.refused;
  became.ambiguous += count.ambiguous;
  became.lost += count.dropped + count.spool_dropped + count.aged +
                 report_total(&s->tally);
}

/* Afterwards: what it said is lost. */
static void account_add_said(void) {
  const char *words = strstr(said, " data could not be sent before the stop");

  if (words == NULL)
    return;
  while (words > said && words[-1] >= '0' && words[-1] <= '9')
    words--;
  became.lost += strtoull(words, NULL, 10);
}

__attribute__((format(printf, 2, 3))) static void
wrong(const char *label, const char *format, ...) {
  char text[256];
  va_list args;

  va_start(args, format);
  (void)vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  fail_msg("%s, allocation %zu: %s\n%s", label, fault.at, text, said);
}

/* Each of the values from 1 to n is known to be accepted, refused or lost, and
 * that agrees with what the service has. */
static void account_check(const char *label, unsigned n) {
  uint64_t known = became.accepted + became.refused + became.lost;
  uint64_t n_there = 0, n_again = 0;

  for (unsigned i = 1; i <= n; i++) {
    n_there += service.accepted[i] > 0;
    n_again += service.accepted[i] > 1 ? service.accepted[i] - 1 : 0;
  }
  if (known != n)
    wrong(label, "of %u values %llu were accepted, %llu refused, %llu lost", n,
          (unsigned long long)became.accepted,
          (unsigned long long)became.refused, (unsigned long long)became.lost);
  if (became.refused > (service.bad != 0 ? 1 : 0))
    wrong(label, "%llu data are said to be refused",
          (unsigned long long)became.refused);
  if (n_again > became.ambiguous)
    wrong(label, "%llu data were accepted again", (unsigned long long)n_again);
  /* What was accepted and lost its answer may be dropped afterwards. */
  if (n_there < became.accepted || n_there > became.accepted + became.ambiguous)
    wrong(label, "the service has %llu data", (unsigned long long)n_there);
}

/* The values from first to last were accepted. */
static void account_check_accepted(const char *label, unsigned first,
                                   unsigned last) {
  for (unsigned i = first; i <= last; i++)
    if (service.accepted[i] == 0)
      wrong(label, "%u is lost though there is memory", i);
}

#endif
