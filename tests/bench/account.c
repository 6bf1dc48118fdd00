/* account: a library to be preloaded into the daemon (small_host.py): says
 * whose the blocks on the heap are.
 *
 * ACCOUNT_FILE names a file of struct account, which the benchmark maps, too.
 * A block is of the first object on the stack that is not the C library: of
 * what write_cloudwatch.so asks for by malloc(), strdup() or regcomp(), but not
 * of what libcurl and libcrypto ask for on its behalf.  Bytes are those of the
 * whole chunk.  Needs glibc. */
#define _GNU_SOURCE
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define N_OWNERS 64
#define N_BLOCKS (1 << 20) /* a power of 2, never half full */
#define DEPTH 12
#define CHUNK_HEAD 8 /* of glibc, before each block */

struct owner {
  char name[56]; /* of the file; "" ends the list; the first is of all others */
  int64_t bytes;
};

struct account {
  struct owner owner[N_OWNERS];
};

struct block {
  uintptr_t address; /* 0: never used; stays when the block is freed */
  uint32_t bytes;    /* 0: freed */
  uint32_t owner;
};

static struct account *account;
static struct block *blocks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* What finds an owner asks for memory itself. */
static _Thread_local bool is_busy __attribute__((tls_model("initial-exec")));

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

__attribute__((constructor)) static void open_file(void) {
  const char *path = getenv("ACCOUNT_FILE");
  int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

  if (fd < 0)
    return;
  void *map =
      mmap(NULL, sizeof(*account), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  (void)close(fd);
  void *table = mmap(NULL, N_BLOCKS * sizeof(*blocks), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || table == MAP_FAILED)
    abort();
  blocks = table;
  account = map;
}

/* ---- whose a block is ---------------------------------------------------- */

struct search {
  uintptr_t address;
  const char *name; /* of the object that holds it */
};

static int find_object(struct dl_phdr_info *info, size_t size, void *arg) {
  struct search *search = arg;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    uintptr_t begin = info->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_LOAD && search->address >= begin &&
        search->address < begin + part->p_memsz) {
      const char *slash = strrchr(info->dlpi_name, '/');
      search->name = slash != NULL ? slash + 1 : info->dlpi_name;
      return 1;
    }
  }
  return 0;
}

static bool is_passed_over(const char *name) {
  return strncmp(name, "libc.so", 7) == 0 ||
         strncmp(name, "ld-linux", 8) == 0 ||
         strncmp(name, "account.so", 10) == 0;
}

/* Its number; the caller has the lock. */
static uint32_t number_of(const char *name) {
  for (uint32_t i = 1; i < N_OWNERS; i++) {
    struct owner *owner = &account->owner[i];
    if (owner->name[0] == '\0')
      (void)snprintf(owner->name, sizeof(owner->name), "%s", name);
    if (strcmp(owner->name, name) == 0)
      return i;
  }
  return 0;
}

static uint32_t find_owner(void) {
  void *stack[DEPTH];
  int n = backtrace(stack, DEPTH);

  for (int i = 0; i < n; i++) {
    struct search search = {(uintptr_t)stack[i], NULL};
    (void)dl_iterate_phdr(find_object, &search);
    if (search.name == NULL || is_passed_over(search.name))
      continue;
    pthread_mutex_lock(&lock);
    uint32_t number = number_of(search.name[0] ? search.name : "the daemon");
    pthread_mutex_unlock(&lock);
    return number;
  }
  return 0;
}

/* ---- blocks -------------------------------------------------------------- */

/* The entry of an address, or one for it; the caller has the lock. */
static struct block *entry_of(const void *p) {
  size_t at = ((uintptr_t)p >> 4) * 0x9E3779B1u % N_BLOCKS;

  while (blocks[at].address != 0 && blocks[at].address != (uintptr_t)p)
    at = (at + 1) % N_BLOCKS;
  return &blocks[at];
}

static void forget(void *p) {
  if (account == NULL || p == NULL)
    return;
  pthread_mutex_lock(&lock);
  struct block *block = entry_of(p);
  account->owner[block->owner].bytes -= block->bytes;
  block->bytes = 0;
  pthread_mutex_unlock(&lock);
}

static void *note(void *p) {
  if (account == NULL || p == NULL || is_busy)
    return p;
  is_busy = true;
  uint32_t owner = find_owner();
  is_busy = false;
  pthread_mutex_lock(&lock);
  struct block *block = entry_of(p);
  *block = (struct block){
      (uintptr_t)p, (uint32_t)(malloc_usable_size(p) + CHUNK_HEAD), owner};
  account->owner[owner].bytes += block->bytes;
  pthread_mutex_unlock(&lock);
  return p;
}

EXPORT void *malloc(size_t size) { return note(__libc_malloc(size)); }

EXPORT void *calloc(size_t n, size_t size) {
  return note(__libc_calloc(n, size));
}

/* What is refused keeps its block, which is then missing here. */
EXPORT void *realloc(void *p, size_t size) {
  forget(p);
  return note(__libc_realloc(p, size));
}

EXPORT void *memalign(size_t alignment, size_t size) {
  return note(__libc_memalign(alignment, size));
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) {
  return note(__libc_memalign(alignment, size));
}

EXPORT int posix_memalign(void **p, size_t alignment, size_t size) {
  *p = note(__libc_memalign(alignment, size));
  return *p != NULL ? 0 : 12; /* ENOMEM */
}

EXPORT void free(void *p) {
  forget(p);
  __libc_free(p);
}
