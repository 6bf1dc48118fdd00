/* Feeds stored inputs to a fuzz target, with any compiler:
 *
 *   replay_X FILE-OR-FOLDER...
 *
 * Of a folder, each regular file in it.  Says how many inputs it fed and fails
 * when there were none, or one could not be read. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
  size_t fed, failed;
};

static void feed(const char *path, size_t size, struct tally *tally) {
  /* Of just the size, so that a sanitizer sees a byte read beyond it. */
  uint8_t *data = malloc(size > 0 ? size : 1);
  FILE *file = fopen(path, "rb");

  if (data == NULL || file == NULL || fread(data, 1, size, file) != size) {
    perror(path);
    tally->failed++;
  } else {
    LLVMFuzzerTestOneInput(data, size);
    tally->fed++;
  }
  if (file != NULL)
    fclose(file);
  free(data);
}

static void feed_folder(const char *folder, struct tally *tally) {
  DIR *entries = opendir(folder);
  if (entries == NULL) {
    perror(folder);
    tally->failed++;
    return;
  }
  for (struct dirent *e = readdir(entries); e != NULL; e = readdir(entries)) {
    char path[4096];
    struct stat about;
    int n = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
    if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &about) != 0) {
      perror(path);
      tally->failed++;
    } else if (S_ISREG(about.st_mode)) {
      feed(path, (size_t)about.st_size, tally);
    }
  }
  closedir(entries);
}

int main(int argc, char **argv) {
  struct tally tally = {0};

  for (int i = 1; i < argc; i++) {
    struct stat about;
    if (stat(argv[i], &about) != 0) {
      perror(argv[i]);
      tally.failed++;
    } else if (S_ISDIR(about.st_mode)) {
      feed_folder(argv[i], &tally);
    } else {
      feed(argv[i], (size_t)about.st_size, &tally);
    }
  }
  printf("%zu inputs replayed, %zu unreadable\n", tally.fed, tally.failed);
  return tally.fed > 0 && tally.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
