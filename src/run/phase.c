#include "run/phase.h"

#include "base/digest.h"
#include "run/file.h"

#define MACHINE_ID "/etc/machine-id"

/* By SHA-256, because the names of a fleet differ in little. */
int64_t phase_ms(const char *host, double jitter_s) {
  struct buf id = BUF_INIT(4096), machine = BUF_INIT(256);
  unsigned char digest[DIGEST_BYTES] = {0};
  struct err err;
  double share = 0;

  buf_puts(&id, host);
  if (file_read(MACHINE_ID, &machine, &err) == FILE_FOUND)
    buf_puts(&id, buf_str(&machine));
  (void)digest_sha256(buf_str(&id), id.len, digest);
  for (size_t i = 4; i-- > 0;)
    share = (share + digest[i]) / 256;
  buf_clear(&machine);
  buf_clear(&id);
  return (int64_t)(jitter_s * 1000 * share);
}
