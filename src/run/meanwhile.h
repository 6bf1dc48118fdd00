/* meanwhile: what the node's thread does while it waits for an answer, or for a
 * program: it is called about every 200 ms, by whatever waits. */
#ifndef RUN_MEANWHILE_H
#define RUN_MEANWHILE_H

#include <stddef.h>

struct meanwhile {
  void (*act)(void *context); /* NULL: nothing */
  void *context;
};

/* meanwhile may be NULL. */
static inline void meanwhile_act(const struct meanwhile *meanwhile) {
  if (meanwhile != NULL && meanwhile->act != NULL)
    meanwhile->act(meanwhile->context);
}

#endif
