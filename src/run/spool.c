/* The folder holds one file for each parcel (its name: run/resting.h; what is
 * in it: metric/record.c), and NAME.damaged for what was set aside.  All files
 * count against SpoolLimit, whoever made them. */
#include "run/spool.h"

#include "metric/record.h"
#include "run/clock.h"
#include "run/folder.h"
#include "run/log.h"
#include "run/resting.h"

#include <stdlib.h>

#define DAMAGED ".damaged"
#define PAUSE_MS 10000 /* after a failure, nothing is tried for so long */

struct spool {
  struct spool_options options;
  struct folder folder;
  bool is_open;
  bool is_unsynced; /* something was written since the last spool_sync() */
  unsigned epoch;   /* of the folder: another once it had to be opened anew */
  uint32_t number;  /* of the next file */
  int64_t retry_ms; /* steady; nothing is tried before */

  struct resting_list rest;
  int64_t bytes;      /* of all files */
  uint64_t n_dropped; /* data, ever */
  uint64_t n_damaged; /* files, ever */
  struct buf record;  /* of the file that is read or written */

  struct log_state trouble; /* it cannot be used */
  struct log_state full;    /* SpoolLimit drops what waits */
  struct log_state damaged; /* files were set aside */
};

/* ---- trouble ------------------------------------------------------------ */

static void close_folder(struct spool *s) {
  folder_close(&s->folder);
  s->is_open = false;
  resting_clear(&s->rest);
  s->bytes = 0;
}

static void fail(struct spool *s, const struct err *err) {
  int64_t now_ms = clock_steady_ms();

  s->retry_ms = now_ms + PAUSE_MS;
  log_state_bad(&s->trouble, SAY_WARNING, s->options.node, now_ms, err->text,
                "the spool cannot be used: %s; what waits stays in memory only",
                err->text);
  if (s->is_open && folder_is_gone(&s->folder)) {
    s->n_dropped += s->rest.n_data; /* with the folder */
    close_folder(s);
  }
}

static bool may_try(const struct spool *s) {
  return s->options.directory != NULL && clock_steady_ms() >= s->retry_ms;
}

/* Puts a file where it is in nobody's way, for somebody to look at. */
static void set_aside(struct spool *s, const char *name, const char *why) {
  char room[128];
  struct buf other = BUF_OVER(room);
  struct err err = {""};

  buf_printf(&other, "%s%s", name, DAMAGED);
  bool is_moved = folder_rename(&s->folder, name, buf_str(&other), &err) == 0;
  s->n_damaged++;
  log_state_bad(&s->damaged, SAY_ERROR, s->options.node, clock_steady_ms(),
                name, "%s/%s cannot be sent: %s; it is kept as %s",
                s->folder.path, name, why, is_moved ? buf_str(&other) : name);
}

/* ---- opening ------------------------------------------------------------ */

/* What is told the names in the folder. */
struct taking {
  struct spool *spool;
  bool no_memory;
};

static void take_up(void *context, const char *name) {
  struct taking *taking = context;
  struct spool *s = taking->spool;
  struct resting found;
  char room[RECORD_HEAD_BYTES + 1];
  struct buf head = BUF_OVER(room);
  struct err err = {""};
  int64_t size = 0;
  size_t n_data = 0;

  if (folder_peek(&s->folder, name, &head, &size, &err) != 0)
    return; /* a folder or the like: not ours */
  int64_t bytes = folder_space(&s->folder, size);
  s->bytes += bytes; /* of what was set aside, too */
  if (!resting_of_name(name, &found))
    return;
  if (record_count(str_of_buf(&head), &n_data, &err) != RECORD_WHOLE) {
    set_aside(s, name, err.text);
    return;
  }
  found.n_data = (uint32_t)n_data;
  found.bytes = bytes;
  if (resting_push(&s->rest, &found) != 0)
    taking->no_memory = true;
  if (found.number >= s->number)
    s->number = (found.number + 1) % RESTING_NUMBERS;
}

static void say_found(struct spool *s) {
  if (s->rest.n_data > 0)
    log_say(SAY_INFO, s->options.node,
            "%zu data of earlier flushes wait in %s (%lld KiB) and are sent "
            "after what is new",
            s->rest.n_data, s->folder.path, (long long)(s->bytes >> 10));
  (void)log_state_good(&s->trouble, s->options.node, clock_steady_ms(),
                       "the spool in %s is used again", s->folder.path);
}

/* 0, or -1 with *err set and nothing taken up. */
static int open_folder(struct spool *s, struct err *err) {
  struct taking taking = {.spool = s};

  if (folder_open(&s->folder, s->options.directory, s->options.node, err) != 0)
    return -1;
  s->is_open = true;
  s->epoch++;
  int rc = folder_list(&s->folder, take_up, &taking, err);
  if (rc == 0 && taking.no_memory)
    rc = err_set(err, "no memory for the list of its files");
  if (rc != 0)
    close_folder(s);
  resting_sort(&s->rest);
  return rc;
}

void spool_open(struct spool *s) {
  struct err err = {""};

  if (s->is_open || !may_try(s))
    return;
  if (open_folder(s, &err) != 0) {
    fail(s, &err);
    return;
  }
  say_found(s);
}

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
  folder_close(&s->folder);
  buf_clear(&s->record);
  resting_clear(&s->rest);
  free(s);
}

bool spool_is_open(const struct spool *s) { return s->is_open; }

/* ---- keeping ------------------------------------------------------------ */

static bool has_file(const struct spool *s, const struct parcel *parcel) {
  return s->is_open && parcel->file.epoch == s->epoch;
}

bool spool_has(const struct spool *s, const struct parcel *parcel) {
  return has_file(s, parcel) && !parcel->file.is_old;
}

static void remove_file(struct spool *s, int64_t flush, uint32_t number) {
  struct resting_name name = resting_name(flush, number);
  struct err err = {""};

  if (folder_remove(&s->folder, name.text, &err) != 0)
    log_state_bad(&s->trouble, SAY_WARNING, s->options.node, clock_steady_ms(),
                  "remove", "%s; its data would be sent again after a restart",
                  err.text);
}

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

/* Removes the n oldest files that rest; returns how many data. */
static size_t remove_oldest(struct spool *s, size_t n) {
  size_t n_data = s->rest.n_data;

  for (size_t i = 0; i < n; i++) {
    remove_file(s, s->rest.file[i].flush, s->rest.file[i].number);
    s->bytes -= s->rest.file[i].bytes;
  }
  resting_remove(&s->rest, 0, n);
  return n_data - s->rest.n_data;
}

static bool find_room(struct spool *s, const struct parcel *parcel,
                      int64_t bytes) {
  size_t n = count_in_the_way(s, parcel, bytes);

  if (n == SIZE_MAX)
    return false;
  size_t n_dropped = remove_oldest(s, n);
  s->n_dropped += n_dropped;
  if (n_dropped > 0)
    log_state_bad(&s->full, SAY_ERROR, s->options.node, clock_steady_ms(), "",
                  "SpoolLimit is reached; the oldest data are dropped while "
                  "more come than leave");
  return true;
}

static enum spool_kept write_parcel(struct spool *s, struct parcel *parcel,
                                    int64_t bytes) {
  struct err err = {""};
  bool is_new = !has_file(s, parcel);
  uint32_t number = is_new ? s->number : parcel->file.number;
  struct resting_name name = resting_name(parcel->flush, number);

  if (folder_write(&s->folder, name.text, str_of_buf(&s->record), &err) != 0) {
    fail(s, &err);
    return SPOOL_FAILED;
  }
  if (is_new)
    s->number = (s->number + 1) % RESTING_NUMBERS;
  else
    s->bytes -= parcel->file.bytes;
  s->bytes += bytes;
  s->is_unsynced = true;
  parcel->file = (struct parcel_file){s->epoch, number, bytes, false};
  return SPOOL_KEPT;
}

enum spool_kept spool_keep(struct spool *s, struct parcel *parcel) {
  if (spool_has(s, parcel))
    return SPOOL_KEPT;
  if (!s->is_open || !may_try(s))
    return SPOOL_FAILED;

  buf_reset(&s->record);
  if (record_put(parcel, &s->record) != 0) {
    fail(s, &(struct err){"there is no memory to write a file"});
    return SPOOL_FAILED;
  }
  int64_t bytes = folder_space(&s->folder, (int64_t)s->record.len);
  if (!find_room(s, parcel, bytes))
    return SPOOL_FULL;
  return write_parcel(s, parcel, bytes);
}

void spool_sync(struct spool *s) {
  struct err err = {""};

  if (!s->is_open || !s->is_unsynced)
    return;
  s->is_unsynced = false;
  if (folder_sync(&s->folder, &err) != 0)
    fail(s, &err);
  else
    (void)log_state_good(&s->trouble, s->options.node, clock_steady_ms(),
                         "the spool in %s is used again", s->folder.path);
  if (s->bytes < s->options.limit_bytes / 2)
    (void)log_state_good(&s->full, s->options.node, clock_steady_ms(),
                         "the spool is within SpoolLimit again; %llu data were "
                         "dropped so far",
                         (unsigned long long)s->n_dropped);
}

void spool_remove(struct spool *s, struct parcel *parcel) {
  if (!has_file(s, parcel))
    return;
  remove_file(s, parcel->flush, parcel->file.number);
  s->bytes -= parcel->file.bytes;
  parcel->file = (struct parcel_file){0};
}

/* ---- resting ------------------------------------------------------------ */

int spool_rest(struct spool *s, struct parcel *parcel) {
  struct resting rest = {.flush = parcel->flush,
                         .number = parcel->file.number,
                         .n_data = (uint32_t)parcel->n_data,
                         .bytes = parcel->file.bytes};

  if (resting_add(&s->rest, &rest) != 0)
    return -1;
  parcel_free(parcel);
  return 0;
}

int64_t spool_newest(const struct spool *s) {
  return s->rest.n > 0 ? s->rest.file[s->rest.n - 1].flush : INT64_MIN;
}

static void say_missing(struct spool *s, const struct resting *rest,
                        const char *name) {
  s->n_dropped += rest->n_data;
  s->bytes -= rest->bytes;
  log_state_bad(&s->damaged, SAY_ERROR, s->options.node, clock_steady_ms(),
                name, "%s/%s is not there any more; its %u data are lost",
                s->folder.path, name, (unsigned)rest->n_data);
}

/* Reads the file of what rests.  NULL when it cannot be sent: then it was set
 * aside, or *again is true, as there is no memory now. */
static struct parcel *read_parcel(struct spool *s, const struct resting *rest,
                                  bool *again) {
  struct resting_name name = resting_name(rest->flush, rest->number);
  struct parcel *parcel = NULL;
  struct err err = {""};

  /* So that lack of memory is not taken for a fault of the file. */
  buf_reset(&s->record);
  buf_reserve(&s->record, (size_t)rest->bytes < RECORD_BYTES_MAX
                              ? (size_t)rest->bytes
                              : RECORD_BYTES_MAX);
  if (!buf_ok(&s->record)) {
    *again = true;
    return NULL;
  }
  switch (folder_read(&s->folder, name.text, &s->record, &err)) {
  case FILE_FOUND:
    break;
  case FILE_ABSENT:
    say_missing(s, rest, name.text);
    return NULL;
  case FILE_FAILED:
    set_aside(s, name.text, err.text);
    return NULL;
  }
  switch (record_read(str_of_buf(&s->record), &parcel, &err)) {
  case RECORD_WHOLE:
    parcel->flush = rest->flush;
    parcel->file =
        (struct parcel_file){s->epoch, rest->number, rest->bytes, false};
    return parcel;
  case RECORD_DAMAGED:
    set_aside(s, name.text, err.text);
    return NULL;
  case RECORD_NO_MEMORY:
    *again = true;
    return NULL;
  }
  return NULL;
}

struct parcel *spool_wake(struct spool *s, int64_t room_bytes) {
  while (s->rest.n > 0) {
    struct resting newest = s->rest.file[s->rest.n - 1];
    bool again = false;

    if (newest.bytes > room_bytes)
      return NULL;
    struct parcel *parcel = read_parcel(s, &newest, &again);
    if (again)
      return NULL;
    resting_remove(&s->rest, s->rest.n - 1, 1);
    if (parcel != NULL)
      return parcel;
  }
  return NULL;
}

size_t spool_expire(struct spool *s, int64_t number) {
  size_t n = 0;

  while (n < s->rest.n && s->rest.file[n].flush < number)
    n++;
  return remove_oldest(s, n);
}

struct spool_sum spool_sum(const struct spool *s) {
  return (struct spool_sum){.n_data = s->rest.n_data,
                            .bytes = s->bytes,
                            .n_dropped = s->n_dropped,
                            .n_damaged = s->n_damaged};
}
