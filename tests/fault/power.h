/* power: what may be left on disk when the power goes, of what was told to it
 * (written.h), on a file system that keeps nothing but what POSIX promises:
 *
 *   - what was written to a file since its last fsync() may be there, or only
 *     the first bytes of it, with zeros behind them or not, or nothing;
 *   - files made, renamed and removed since the last fsync() of the folder may
 *     each be so or not: none, all, all up to one of them, or any choice;
 *   - a folder that was made may be gone with all that is in it, unless an
 *     fsync() of the one above has followed.
 *
 * What is not modelled: a disk that says it has written what it has not, and
 * one that changes what it wrote long ago. */
#ifndef TESTS_POWER_H
#define TESTS_POWER_H

#include <sys/stat.h>

#include "disk.h"
#include "wire_random.h"
#include "written.h"

#define NAMES_MAX 64

/* A folder as it may be found: names, and the files that they lead to. */
struct names {
  struct {
    char name[64];
    int inode;
  } entry[NAMES_MAX];
  size_t n;
};

static int inode_of(const struct names *names, const char *name) {
  for (size_t i = 0; i < names->n; i++)
    if (strcmp(names->entry[i].name, name) == 0)
      return names->entry[i].inode;
  return -1;
}

/* inode -1 takes the name away. */
static void set_name(struct names *names, const char *name, int inode) {
  size_t i = 0;
  while (i < names->n && strcmp(names->entry[i].name, name) != 0)
    i++;
  if (inode < 0 && i < names->n)
    names->entry[i] = names->entry[--names->n];
  if (inode < 0)
    return;
  if (i == names->n)
    name_it(names->entry[names->n++].name, name);
  names->entry[i].inode = inode;
  if (names->n == NAMES_MAX)
    abort();
}

/* now: as the child saw it, which knows what a name leads to. */
static void apply(struct names *names, const struct event *event,
                  const struct names *now) {
  if (event->what == MADE)
    set_name(names, event->name, event->inode);
  if (event->what == REMOVED)
    set_name(names, event->name, -1);
  if (event->what == RENAMED) {
    set_name(names, event->to, inode_of(now, event->name));
    set_name(names, event->name, -1);
  }
}

static bool changes_names(const struct event *event) {
  return event->what == MADE || event->what == RENAMED ||
         event->what == REMOVED;
}

/* The number of the last event of this kind about the inode or level, from 1;
 * 0: there is none. */
static size_t last(enum what what, int inode) {
  size_t i = told->n_events;
  while (i > 0 && (told->events[i - 1].what != what ||
                   told->events[i - 1].inode != inode))
    i--;
  return i;
}

/* What may be left of the names in the spool's folder. */
static struct names lose_names(struct wire_random *random) {
  size_t synced = last(SYNCED_FOLDER, 0), way = wire_below(random, 4);
  size_t cut = synced + wire_below(random, told->n_events - synced + 1);
  struct names names = {.n = 0}, now = {.n = 0};

  for (size_t i = 0; i < told->n_events; i++) {
    const struct event *event = &told->events[i];
    bool survives = i < synced || way == 0 || (way == 1 && i < cut) ||
                    (way == 2 && wire_often(random, 50));
    if (!changes_names(event))
      continue;
    if (survives)
      apply(&names, event, &now);
    apply(&now, event, &now);
  }
  return names;
}

/* What may be left of a file. */
static void lose_bytes(struct wire_random *random, int inode,
                       const char *path) {
  char bytes[FILE_MAX];
  size_t n = count_written(inode);
  memcpy(bytes, told->bytes[inode], n);
  if (last(SYNCED, inode) < last(WROTE, inode) || n == 0) {
    size_t known = wire_below(random, n + 1);
    memset(bytes + known, 0, n - known);
    n = wire_often(random, 50) ? known : n;
  }
  put_bytes(path, bytes, n);
}

static bool is_folder_lost(struct wire_random *random, int level) {
  return last(MADE_FOLDER, level) > last(SYNCED_FOLDER, level) &&
         wire_often(random, 50);
}

/* Makes the folder, and the node's in it, as they may be found. */
static void lose_power(struct wire_random *random, const char *directory) {
  char path[200];

  if (is_folder_lost(random, 2) || last(MADE_FOLDER, 2) == 0)
    return;
  assert_int_equal(mkdir(directory, 0700), 0);
  if (is_folder_lost(random, 1) || last(MADE_FOLDER, 1) == 0)
    return;
  (void)snprintf(path, sizeof(path), "%s/node", directory);
  assert_int_equal(mkdir(path, 0700), 0);
  struct names names = lose_names(random);
  for (size_t i = 0; i < names.n; i++) {
    (void)snprintf(path, sizeof(path), "%s/node/%s", directory,
                   names.entry[i].name);
    lose_bytes(random, names.entry[i].inode, path);
  }
}

#endif
