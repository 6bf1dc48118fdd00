#include "run/clock.h"
#include "run/spool_inner.h"

#define PAUSE_MS 10000 /* after a failure, nothing is tried for so long */

static const char no_memory[] = "there is no memory for the list of files";

/* ---- trouble ------------------------------------------------------------ */

void spool_close(struct spool *s) {
  folder_close(&s->folder);
  s->is_open = false;
  resting_clear(&s->rest);
  resting_clear(&s->ended);
  s->bytes = 0;
}

void spool_fail(struct spool *s, const struct err *err) {
  int64_t now_ms = clock_steady_ms();
  /* An ill disk refuses one thing and then another; who mends a folder wants to
   * know what is still wrong with it. */
  const char *key = s->is_open ? "" : err->text;

  s->why = *err;
  s->retry_ms = now_ms + PAUSE_MS;
  log_state_bad(&s->trouble, SAY_WARNING, s->options.node, now_ms, key,
                "the spool cannot be used: %s; what waits stays in memory only",
                err->text);
  if (s->is_open && folder_is_gone(&s->folder)) {
    s->n_dropped += s->rest.n_data; /* with the folder */
    spool_close(s);
  }
}

void spool_recover(struct spool *s) {
  (void)log_state_good(&s->trouble, s->options.node, clock_steady_ms(),
                       "the spool in %s is used again", s->folder.path);
}

bool spool_may_try(const struct spool *s) {
  return s->options.directory != NULL && clock_steady_ms() >= s->retry_ms;
}

bool spool_set_aside(struct spool *s, const struct resting *file,
                     enum spool_file kind, struct err *err) {
  struct resting_name name = resting_name(file->flush, file->number);
  struct err why = *err;
  bool is_moved = spool_file_set_aside(&s->folder, file, err) == 0;

  if (!is_moved && kind == SPOOL_FILE_UNREADABLE)
    return false;
  s->n_damaged++;
  log_state_bad(&s->damaged, SAY_ERROR, s->options.node, clock_steady_ms(),
                name.text, "%s/%s cannot be sent: %s; it is kept as %s%s",
                s->folder.path, name.text, why.text, name.text,
                is_moved ? SPOOL_FILE_ASIDE : "");
  return true;
}

/* ---- opening ------------------------------------------------------------ */

/* What is told the names in the folder. */
struct taking {
  struct spool *spool;
  struct resting_list found; /* their data are not counted yet */
  bool no_memory;
};

static void take_up(void *context, const char *name, int64_t size) {
  struct taking *taking = context;
  struct spool *s = taking->spool;
  int64_t bytes = folder_space(&s->folder, size);
  struct resting file;

  s->bytes += bytes; /* of what was set aside, too */
  if (!resting_of_name(name, &file))
    return;
  file.bytes = bytes;
  if (resting_push(&taking->found, &file) != 0)
    taking->no_memory = true;
}

/* Has the file rest if its beginning is right.  -1 with *err set when that
 * cannot be known, or remembered, now. */
static int look_at(struct spool *s, const struct resting *found,
                   struct err *err) {
  struct resting file = *found;
  size_t n_data = 0;
  enum spool_file kind = spool_file_count(&s->folder, found, &n_data, err);

  switch (kind) {
  case SPOOL_FILE_WHOLE:
    file.n_data = (uint32_t)n_data;
    if (resting_push(&s->rest, &file) != 0)
      return err_set(err, "%s", no_memory);
    if (file.number >= s->number)
      s->number = (file.number + 1) % RESTING_NUMBERS;
    return 0;
  case SPOOL_FILE_ABSENT:
    s->bytes -= file.bytes;
    return 0;
  case SPOOL_FILE_DAMAGED:
  case SPOOL_FILE_UNREADABLE:
    return spool_set_aside(s, found, kind, err) ? 0 : -1;
  case SPOOL_FILE_LATER:
    return -1;
  }
  return -1;
}

/* 0, or -1 with *err set. */
static int take_up_all(struct spool *s, struct err *err) {
  struct taking taking = {.spool = s};
  int rc = folder_list(&s->folder, take_up, &taking, err);

  if (rc == 0 && taking.no_memory)
    rc = err_set(err, "%s", no_memory);
  resting_sort(&taking.found);
  for (size_t i = 0; i < taking.found.n && rc == 0; i++)
    rc = look_at(s, &taking.found.file[i], err);
  resting_clear(&taking.found);
  return rc;
}

/* 0, or -1 with *err set and nothing taken up. */
static int open_folder(struct spool *s, struct err *err) {
  if (folder_open(&s->folder, s->options.directory, s->options.node, err) != 0)
    return -1;
  s->is_open = true;
  s->epoch++;
  if (take_up_all(s, err) == 0)
    return 0;
  spool_close(s);
  return -1;
}

void spool_open(struct spool *s) {
  struct err err = {""};

  if (s->is_open || !spool_may_try(s))
    return;
  if (open_folder(s, &err) != 0) {
    spool_fail(s, &err);
    return;
  }
  if (s->rest.n_data > 0)
    log_say(SAY_INFO, s->options.node,
            "%zu data of earlier flushes wait in %s (%lld KiB) and are sent "
            "after what is new",
            s->rest.n_data, s->folder.path, (long long)(s->bytes >> 10));
  spool_recover(s);
}

bool spool_is_open(const struct spool *s) { return s->is_open; }

void spool_hurry(struct spool *s) { s->retry_ms = 0; }
