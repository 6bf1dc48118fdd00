/* lack: a library to be preloaded into the daemon (lack.py): refuses memory to
 * write_cloudwatch.so, and to nobody else.
 *
 * LACK_FILE names a file that the test maps, too: a struct lack.  While it is
 * armed, allocations that the module asks for itself are counted, and, with
 * of_thread, all that its own threads ask for, through whatever library; those
 * from first to last are refused.  Needs glibc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct lack {
  _Atomic uint64_t is_armed;
  _Atomic uint64_t of_thread;
  _Atomic uint64_t first, last; /* from 1 */
  _Atomic uint64_t n;           /* asked for so far */
};

static struct lack *lack;
static _Atomic uintptr_t module_begin, module_end;
/* Not made by malloc() when it is first used. */
static _Thread_local bool is_of_module
    __attribute__((tls_model("initial-exec")));

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

__attribute__((constructor)) static void open_file(void) {
  const char *path = getenv("LACK_FILE");
  int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

  if (fd < 0)
    return;
  void *map =
      mmap(NULL, sizeof(*lack), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  (void)close(fd);
  if (map != MAP_FAILED)
    lack = map;
}

static int find_module(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size;
  (void)arg;
  if (info->dlpi_name == NULL ||
      strstr(info->dlpi_name, "/write_cloudwatch.so") == NULL)
    return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
      continue;
    uintptr_t begin = info->dlpi_addr + part->p_vaddr;
    atomic_store(&module_end, begin + part->p_memsz);
    atomic_store(&module_begin, begin);
  }
  return 1;
}

static bool is_in_module(const void *address) {
  if (atomic_load(&module_begin) == 0)
    (void)dl_iterate_phdr(find_module, NULL);
  return (uintptr_t)address >= atomic_load(&module_begin) &&
         (uintptr_t)address < atomic_load(&module_end);
}

static bool is_refused(const void *caller) {
  if (lack == NULL || atomic_load(&lack->is_armed) == 0)
    return false;
  if (!(is_of_module && atomic_load(&lack->of_thread) != 0) &&
      !is_in_module(caller))
    return false;
  uint64_t n = atomic_fetch_add(&lack->n, 1) + 1;
  if (n < atomic_load(&lack->first) || n > atomic_load(&lack->last))
    return false;
  errno = ENOMEM;
  return true;
}

EXPORT void *malloc(size_t size) {
  return is_refused(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size) {
  return is_refused(__builtin_return_address(0)) ? NULL
                                                 : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size) {
  return is_refused(__builtin_return_address(0)) ? NULL
                                                 : __libc_realloc(p, size);
}

/* ---- the module's own threads -------------------------------------------- */

struct start {
  void *(*run)(void *argument);
  void *argument;
};

static void *run_of_module(void *argument) {
  struct start start = *(struct start *)argument;

  free(argument);
  is_of_module = true;
  return start.run(start.argument);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *argument) {
  static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                     void *);
  union {
    void *object;
    int (*function)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                    void *);
  } found;
  struct start *start = NULL;

  if (next == NULL) {
    found.object = dlsym(RTLD_NEXT, "pthread_create");
    next = found.function;
  }
  if (is_of_module || is_in_module(__builtin_return_address(0)))
    start = __libc_malloc(sizeof(*start));
  if (start == NULL)
    return next(thread, attr, run, argument);
  *start = (struct start){run, argument};
  return next(thread, attr, run_of_module, start);
}
