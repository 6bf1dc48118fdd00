/* resting: which parcels lie in the spool and not in memory, oldest first, and
 * what their files are called. */
#ifndef RUN_RESTING_H
#define RUN_RESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESTING_NUMBERS 1000000 /* that files of one flush may have */

/* One file. */
struct resting {
  int64_t flush;   /* its number, not below 0 */
  uint32_t number; /* within the flush, below RESTING_NUMBERS */
  uint32_t n_data;
  int64_t bytes; /* on the disk */
};

/* 24 bytes a file: a fortnight of one a minute is half a megabyte. */
struct resting_list {
  struct resting *file; /* owned; ascending by flush and number */
  size_t n, cap;
  size_t n_data; /* of all */
};

void resting_clear(struct resting_list *list);

/* Puts a file in its place.  0, or -1 for lack of memory. */
int resting_add(struct resting_list *list, const struct resting *file);

/* The same for many in any order: each is put at the end, and resting_sort()
 * called when all are there. */
int resting_push(struct resting_list *list, const struct resting *file);
void resting_sort(struct resting_list *list);

/* Takes n files out, from number first on. */
void resting_remove(struct resting_list *list, size_t first, size_t n);

/* FLUSH-NUMBER.parcel, digits with zeros before them, so that a list of the
 * folder is in the order of flushes. */
struct resting_name {
  char text[64];
};
struct resting_name resting_name(int64_t flush, uint32_t number);

/* Reads such a name into flush and number, the rest being 0; false when it is
 * none. */
bool resting_of_name(const char *name, struct resting *out);

#endif
