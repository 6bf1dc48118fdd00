/* The folder holds one file for each parcel (its name: run/resting.h; what is
 * in it: metric/record.c), and NAME.damaged for what was set aside.  All files
 * count against SpoolLimit, whoever made them.
 *
 * A file that cannot be removed, as the disk is ill or read-only, would be sent
 * again by the next start: it is removed as soon as it can be. */
#include "run/spool.h"

#include "metric/record.h"
#include "run/clock.h"
#include "run/spool_inner.h"

#include <stdlib.h>

struct spool *spool_new(const struct spool_options *options) {
  struct spool *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return NULL;
  s->options = *options;
  s->record = (struct buf)BUF_INIT(RECORD_BYTES_MAX);
  s->folder.fd = s->folder.lock_fd = -1;
  return s;
}

void spool_free(struct spool *s) {
  if (s == NULL)
    return;
  if (s->is_open && s->rest.n_data > 0)
    log_say(SAY_INFO, s->options.node, "%zu data wait in %s for the next start",
            s->rest.n_data, s->folder.path);
  spool_close(s);
  buf_clear(&s->record);
  free(s);
}

/* ---- removing ----------------------------------------------------------- */

static bool has_file(const struct spool *s, const struct parcel *parcel) {
  return s->is_open && parcel->file.epoch == s->epoch;
}

bool spool_has(const struct spool *s, const struct parcel *parcel) {
  return has_file(s, parcel) && !parcel->file.is_old;
}

static struct resting file_of(const struct parcel *parcel) {
  return (struct resting){.flush = parcel->flush,
                          .number = parcel->file.number,
                          .n_data = (uint32_t)parcel->n_data,
                          .bytes = parcel->file.bytes};
}

/* 0; or -1 with *err set, and it is removed later. */
static int remove_file(struct spool *s, const struct resting *file,
                       struct err *err) {
  s->is_unsynced = true;
  if (spool_file_remove(&s->folder, file, err) == 0) {
    s->bytes -= file->bytes;
    return 0;
  }
  (void)resting_push(&s->ended, file); /* without memory, it is sent again */
  return -1;
}

/* Removes what could not be before.  0, or -1 with *err set. */
static int remove_ended(struct spool *s, struct err *err) {
  while (s->ended.n > 0) {
    const struct resting *file = &s->ended.file[s->ended.n - 1];
    if (spool_file_remove(&s->folder, file, err) != 0)
      return -1;
    s->bytes -= file->bytes;
    resting_remove(&s->ended, s->ended.n - 1, 1);
  }
  return 0;
}

/* Removes the n oldest files that rest, up to the first that cannot be.
 *
 * n_data  how many data they had, and that one
 * 0, or -1 with *err set */
static int remove_oldest(struct spool *s, size_t n, size_t *n_data,
                         struct err *err) {
  size_t before = s->rest.n_data, i = 0;
  int rc = 0;

  for (; i < n && rc == 0; i++)
    rc = remove_file(s, &s->rest.file[i], err);
  resting_remove(&s->rest, 0, i);
  *n_data = before - s->rest.n_data;
  return rc;
}

void spool_remove(struct spool *s, struct parcel *parcel) {
  struct resting file = file_of(parcel);
  struct err err = {""};

  if (!has_file(s, parcel))
    return;
  if (remove_file(s, &file, &err) != 0)
    spool_fail(s, &err);
  parcel->file = (struct parcel_file){0};
}

size_t spool_expire(struct spool *s, int64_t number) {
  struct err err = {""};
  size_t n = 0, n_data = 0;

  while (n < s->rest.n && s->rest.file[n].flush < number)
    n++;
  if (remove_oldest(s, n, &n_data, &err) != 0)
    spool_fail(s, &err);
  return n_data;
}

/* ---- keeping ------------------------------------------------------------ */

/* How many of the oldest files have to go so that one of so many bytes has room
 * beside the others; SIZE_MAX when one of them would be newer than it. */
static size_t count_in_the_way(const struct spool *s,
                               const struct parcel *parcel, int64_t bytes) {
  int64_t own = has_file(s, parcel) ? parcel->file.bytes : 0;
  int64_t over = s->bytes - own + bytes - s->options.limit_bytes;
  size_t n = 0;

  for (; over > 0; n++) {
    if (n == s->rest.n || s->rest.file[n].flush >= parcel->flush)
      return SIZE_MAX;
    over -= s->rest.file[n].bytes;
  }
  return n;
}

static enum spool_kept find_room(struct spool *s, const struct parcel *parcel,
                                 int64_t bytes) {
  struct err err = {""};
  size_t n_dropped = 0;

  if (remove_ended(s, &err) != 0) {
    spool_fail(s, &err);
    return SPOOL_FAILED;
  }
  size_t n = count_in_the_way(s, parcel, bytes);
  if (n == SIZE_MAX) {
    log_state_bad(&s->full, SAY_WARNING, s->options.node, clock_steady_ms(),
                  "memory",
                  "SpoolLimit is reached; what has no room in the "
                  "spool waits in memory only");
    return SPOOL_FULL;
  }
  int rc = remove_oldest(s, n, &n_dropped, &err);
  s->n_dropped += n_dropped;
  if (n_dropped > 0)
    log_state_bad(&s->full, SAY_ERROR, s->options.node, clock_steady_ms(),
                  "dropped",
                  "SpoolLimit is reached; the oldest data are dropped while "
                  "more come than leave");
  if (rc == 0)
    return SPOOL_KEPT;
  spool_fail(s, &err);
  return SPOOL_FAILED;
}

static uint32_t take_number(struct spool *s) {
  uint32_t number = s->number;
  s->number = (number + 1) % RESTING_NUMBERS;
  return number;
}

/* Writes the parcel's file anew.  Where the disk has no room for both, the old
 * one makes it: what was accepted of it would be sent again. */
static int write_anew(struct spool *s, struct parcel *parcel,
                      struct resting *file, struct err *err) {
  if (spool_file_write(&s->folder, file, &s->record, err) == 0) {
    s->bytes -= parcel->file.bytes;
    return 0;
  }
  spool_remove(s, parcel);
  file->number = take_number(s); /* the old one may be removed later only */
  return spool_file_write(&s->folder, file, &s->record, err);
}

static enum spool_kept write_parcel(struct spool *s, struct parcel *parcel,
                                    int64_t bytes) {
  struct err err = {""};
  bool is_new = !has_file(s, parcel);
  struct resting file = file_of(parcel);

  if (is_new)
    file.number = take_number(s);
  int rc = is_new ? spool_file_write(&s->folder, &file, &s->record, &err)
                  : write_anew(s, parcel, &file, &err);
  if (rc != 0) {
    spool_fail(s, &err);
    return SPOOL_FAILED;
  }
  s->bytes += bytes;
  s->is_unsynced = true;
  parcel->file = (struct parcel_file){s->epoch, file.number, bytes, false};
  return SPOOL_KEPT;
}

enum spool_kept spool_keep(struct spool *s, struct parcel *parcel) {
  if (spool_has(s, parcel))
    return SPOOL_KEPT;
  if (!s->is_open || !spool_may_try(s))
    return SPOOL_FAILED;

  buf_reset(&s->record);
  if (record_put(parcel, &s->record) != 0) {
    spool_fail(s, &(struct err){"there is no memory to write a file"});
    return SPOOL_FAILED;
  }
  int64_t bytes = folder_space(&s->folder, (int64_t)s->record.len);
  enum spool_kept room = find_room(s, parcel, bytes);
  return room == SPOOL_KEPT ? write_parcel(s, parcel, bytes) : room;
}

void spool_sync(struct spool *s) {
  struct err err = {""};

  if (!s->is_open || !s->is_unsynced || !spool_may_try(s))
    return;
  if (remove_ended(s, &err) != 0 || folder_sync(&s->folder, &err) != 0) {
    spool_fail(s, &err);
    return;
  }
  s->is_unsynced = false;
  spool_recover(s);
  if (s->bytes < s->options.limit_bytes / 2)
    (void)log_state_good(&s->full, s->options.node, clock_steady_ms(),
                         "the spool is within SpoolLimit again; %llu data were "
                         "dropped so far",
                         (unsigned long long)s->n_dropped);
}

/* ---- resting ------------------------------------------------------------ */

int spool_rest(struct spool *s, struct parcel *parcel) {
  struct resting file = file_of(parcel);

  if (resting_add(&s->rest, &file) != 0)
    return -1;
  parcel_free(parcel);
  return 0;
}

int64_t spool_newest(const struct spool *s) {
  return s->rest.n > 0 ? s->rest.file[s->rest.n - 1].flush : INT64_MIN;
}

static void say_missing(struct spool *s, const struct resting *file) {
  struct resting_name name = resting_name(file->flush, file->number);

  s->n_dropped += file->n_data;
  s->bytes -= file->bytes;
  log_state_bad(&s->damaged, SAY_ERROR, s->options.node, clock_steady_ms(),
                name.text, "%s/%s is not there any more; its %u data are lost",
                s->folder.path, name.text, (unsigned)file->n_data);
}

/* Whether the file rests no longer: then *out is its parcel, or NULL as there
 * is none in it. */
static bool has_ended_rest(struct spool *s, const struct resting *file,
                           struct parcel **out) {
  struct err err = {""};
  enum spool_file kind =
      spool_file_read(&s->folder, file, &s->record, out, &err);

  switch (kind) {
  case SPOOL_FILE_WHOLE:
    (*out)->file =
        (struct parcel_file){s->epoch, file->number, file->bytes, false};
    return true;
  case SPOOL_FILE_ABSENT:
    say_missing(s, file);
    return true;
  case SPOOL_FILE_DAMAGED:
  case SPOOL_FILE_UNREADABLE:
    if (spool_set_aside(s, file, kind, &err))
      return true;
    break;
  case SPOOL_FILE_LATER:
    break;
  }
  spool_fail(s, &err);
  return false;
}

struct parcel *spool_wake(struct spool *s, int64_t room_bytes,
                          size_t *n_known) {
  struct parcel *parcel = NULL;

  while (parcel == NULL && s->rest.n > 0) {
    struct resting newest = s->rest.file[s->rest.n - 1];
    if (newest.bytes > room_bytes || !has_ended_rest(s, &newest, &parcel))
      return NULL;
    resting_remove(&s->rest, s->rest.n - 1, 1);
    *n_known = newest.n_data;
  }
  return parcel;
}

struct spool_sum spool_sum(const struct spool *s) {
  return (struct spool_sum){.n_data = s->rest.n_data,
                            .oldest = s->rest.n > 0 ? s->rest.file[0].flush
                                                    : INT64_MAX,
                            .bytes = s->bytes,
                            .n_dropped = s->n_dropped,
                            .n_damaged = s->n_damaged};
}

const struct log_state *spool_trouble(const struct spool *s) {
  return s->trouble.bad ? &s->trouble : NULL;
}

const struct err *spool_why(const struct spool *s) { return &s->why; }
