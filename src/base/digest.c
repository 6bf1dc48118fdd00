#include "base/digest.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

int digest_set_up(void) {
  unsigned char out[DIGEST_BYTES];
  return digest_sha256("", 0, out) == 0 && digest_hmac("", 0, "", 0, out) == 0
             ? 0
             : -1;
}

int digest_sha256(const void *data, size_t len,
                  unsigned char out[DIGEST_BYTES]) {
  if (EVP_Digest(len > 0 ? data : "", len, out, NULL, EVP_sha256(), NULL) == 1)
    return 0;
  memset(out, 0, DIGEST_BYTES);
  return -1;
}

int digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
                unsigned char out[DIGEST_BYTES]) {
  /* Into memory of our own: whether the library has read the whole key before
   * it writes is its own affair, and out may be key. */
  unsigned char mac[EVP_MAX_MD_SIZE] = {0};
  int rc = -1;

  if (key_len <= INT_MAX &&
      HMAC(EVP_sha256(), key_len > 0 ? key : "", (int)key_len,
           len > 0 ? data : (const void *)"", len, mac, NULL) != NULL)
    rc = 0;
  else
    memset(mac, 0, sizeof(mac));
  memcpy(out, mac, DIGEST_BYTES);
  digest_wipe(mac, sizeof(mac)); /* it may be a signing key */
  return rc;
}

void digest_put_hex(struct buf *out, const unsigned char *bytes, size_t len) {
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < len; i++) {
    const char pair[] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
    buf_put(out, pair, sizeof(pair));
  }
}

void digest_wipe(void *data, size_t len) {
  if (len > 0)
    OPENSSL_cleanse(data, len);
}
