#include "run/spool_file.h"

#include "metric/record.h"

static struct resting_name name_of(const struct resting *file) {
  return resting_name(file->flush, file->number);
}

/* What is known when reading has ended so; SPOOL_FILE_WHOLE: look at it. */
static enum spool_file judge_reading(enum folder_found found) {
  switch (found) {
  case FOLDER_FOUND:
    return SPOOL_FILE_WHOLE;
  case FOLDER_ABSENT:
    return SPOOL_FILE_ABSENT;
  case FOLDER_LATER:
    return SPOOL_FILE_LATER;
  case FOLDER_FAILED:
    return SPOOL_FILE_UNREADABLE;
  }
  return SPOOL_FILE_UNREADABLE;
}

static enum spool_file judge_record(enum record_kind kind, struct err *err) {
  switch (kind) {
  case RECORD_WHOLE:
    return SPOOL_FILE_WHOLE;
  case RECORD_DAMAGED:
    return SPOOL_FILE_DAMAGED;
  case RECORD_NO_MEMORY:
    (void)err_set(err, "there is no memory to read a file");
    return SPOOL_FILE_LATER;
  }
  return SPOOL_FILE_DAMAGED;
}

enum spool_file spool_file_count(const struct folder *folder,
                                 const struct resting *file, size_t *n_data,
                                 struct err *err) {
  char room[RECORD_HEAD_BYTES + 1];
  struct buf head = BUF_OVER(room);
  struct resting_name name = name_of(file);
  enum spool_file kind =
      judge_reading(folder_read(folder, name.text, &head, err));

  if (kind != SPOOL_FILE_WHOLE)
    return kind;
  return judge_record(record_count(str_of_buf(&head), n_data, err), err);
}

enum spool_file spool_file_read(const struct folder *folder,
                                const struct resting *file, struct buf *record,
                                struct parcel **out, struct err *err) {
  struct resting_name name = name_of(file);
  enum spool_file kind =
      judge_reading(folder_read(folder, name.text, record, err));

  *out = NULL;
  if (kind != SPOOL_FILE_WHOLE)
    return kind;
  kind = judge_record(record_read(str_of_buf(record), out, err), err);
  if (kind == SPOOL_FILE_WHOLE)
    (*out)->flush = file->flush;
  return kind;
}

int spool_file_write(struct folder *folder, const struct resting *file,
                     const struct buf *record, struct err *err) {
  struct resting_name name = name_of(file);
  return folder_write(folder, name.text, str_of_buf(record), err);
}

int spool_file_remove(struct folder *folder, const struct resting *file,
                      struct err *err) {
  struct resting_name name = name_of(file);
  return folder_remove(folder, name.text, err);
}

int spool_file_set_aside(struct folder *folder, const struct resting *file,
                         struct err *err) {
  char room[128];
  struct buf other = BUF_OVER(room);
  struct resting_name name = name_of(file);

  buf_printf(&other, "%s%s", name.text, SPOOL_FILE_ASIDE);
  return folder_rename(folder, name.text, buf_str(&other), err);
}
