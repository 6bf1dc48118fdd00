#include "secret_file.h"

#include "base/buf.h"
#include "base/str.h"
#include "run/file.h"

#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 64
#define FILE_BYTES_MAX (1u << 20)
#define DEPTH_MAX 8
#define PATH_BYTES_MAX 4095

struct search {
  const char *text;
  secret_file_fn found;
  size_t n_files; /* read so far */
  int depth;
};

static void search_path(struct search *search, const char *path,
                        const char *filter);

/* Takes the next word of a line, with or without quotes; NULL at its end.  The
 * caller frees it. */
static char *take_word(struct str *rest) {
  struct str word;
  *rest = str_trim(*rest);
  if (rest->len == 0)
    return NULL;
  if (rest->p[0] == '"') {
    rest->p++, rest->len--;
    str_split(rest, '"', &word);
    return str_dup(word);
  }
  size_t n = 0;
  while (n < rest->len && strchr(" \t>", rest->p[n]) == NULL)
    n++;
  word = (struct str){rest->p, n};
  rest->p += n, rest->len -= n;
  return n > 0 ? str_dup(word) : NULL;
}

/* If the line begins with the option, takes it and its argument. */
static char *take_option(struct str line, struct str name) {
  line = str_trim(line);
  struct str key = {line.p, name.len};
  if (line.len <= name.len || !str_eq_nocase(key, name) ||
      strchr(" \t\"", line.p[name.len]) == NULL)
    return NULL;
  line.p += name.len, line.len -= name.len;
  return take_word(&line);
}

/* Follows the Include lines and blocks of a file. */
static void follow(struct search *search, struct str text) {
  char *block = NULL, *filter = NULL;
  struct str line;
  while (str_split(&text, '\n', &line)) {
    char *path = take_option(line, STR("Include"));
    if (path != NULL)
      search_path(search, path, NULL);
    free(path);
    if (block == NULL)
      block = take_option(line, STR("<Include"));
    else if (filter == NULL)
      filter = take_option(line, STR("Filter"));
    if (block != NULL && str_has_prefix(str_trim(line), STR("</"))) {
      search_path(search, block, filter);
      free(block), free(filter);
      block = filter = NULL;
    }
  }
  free(block), free(filter);
}

static void search_file(struct search *search, const char *path) {
  struct buf text = BUF_INIT(FILE_BYTES_MAX);
  if (search->n_files == FILES_MAX)
    return;
  search->n_files++;
  if (file_read(path, &text, NULL) == FILE_FOUND) {
    if (file_is_world_readable(path) &&
        strstr(buf_str(&text), search->text) != NULL)
      search->found(path);
    follow(search, str_of_buf(&text));
  }
  buf_wipe(&text);
}

static void search_folder(struct search *search, const char *folder,
                          const char *filter) {
  DIR *entries = opendir(folder);
  struct dirent *entry;
  while (entries != NULL && (entry = readdir(entries)) != NULL) {
    struct buf path = BUF_INIT(PATH_BYTES_MAX);
    buf_printf(&path, "%s/%s", folder, entry->d_name);
    if (entry->d_name[0] != '.' && buf_ok(&path))
      search_path(search, buf_str(&path), filter);
    buf_clear(&path);
  }
  if (entries != NULL)
    closedir(entries);
}

/* One match of a pattern: a file, or a folder with files whose names match the
 * filter. */
static void search_match(struct search *search, const char *path,
                         const char *filter) {
  struct stat status;
  if (stat(path, &status) != 0)
    return;
  if (S_ISDIR(status.st_mode)) {
    search_folder(search, path, filter);
    return;
  }
  const char *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  if (filter == NULL || fnmatch(filter, name, FNM_PERIOD) == 0)
    search_file(search, path);
}

static void search_path(struct search *search, const char *path,
                        const char *filter) {
  glob_t matches = {0};
  if (search->depth == DEPTH_MAX)
    return;
  search->depth++;
  if (glob(path, 0, NULL, &matches) == 0)
    for (size_t i = 0; i < matches.gl_pathc; i++)
      search_match(search, matches.gl_pathv[i], filter);
  globfree(&matches);
  search->depth--;
}

/* The arguments of this process, each ended with NUL, cut if they are too long;
 * not by file_read(), because such a file has no size.  Returns the length. */
static size_t read_command_line(char *out, size_t size) {
  FILE *file = fopen("/proc/self/cmdline", "re");
  if (file == NULL)
    return 0;
  size_t len = fread(out, 1, size - 1, file);
  out[len] = '\0';
  (void)fclose(file);
  return len;
}

/* The argument of -C among those of the daemon, whose options with an argument
 * are -C and -P; NULL when there is none.  Borrowed from line. */
static const char *main_file(const char *line, size_t len) {
  const char *found = NULL;
  char waiting = '\0'; /* the option whose argument comes next */

  for (const char *argument = line + strlen(line) + 1; argument < line + len;
       argument += strlen(argument) + 1) {
    if (waiting == 'C')
      found = argument;
    bool is_options = waiting == '\0' && argument[0] == '-';
    waiting = '\0';
    for (const char *p = argument + 1; is_options && *p != '\0'; p++) {
      if (*p != 'C' && *p != 'P')
        continue;
      if (p[1] == '\0')
        waiting = *p;
      else if (*p == 'C')
        found = p + 1;
      break;
    }
  }
  return found;
}

void secret_file_find(const char *text, secret_file_fn found) {
  static const char *const usual[] = {
      "/etc/collectd/collectd.conf",
      "/etc/collectd.conf",
      "/opt/collectd/etc/collectd.conf",
      "/usr/local/etc/collectd.conf",
  };
  struct search search = {.text = text, .found = found};
  char line[4096] = "";
  size_t len = read_command_line(line, sizeof(line));
  const char *path = len > 0 ? main_file(line, len) : NULL;

  if (path != NULL)
    search_file(&search, path);
  for (size_t i = 0; path == NULL && i < sizeof(usual) / sizeof(usual[0]); i++)
    search_file(&search, usual[i]);
}
