/* Any two texts are read or refused with a sentence.  The input is the config
 * file, a NUL, and the credentials file. */
#include "aws/cred.h"
#include "aws/ini.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct err err = {""};
  struct cred cred = {0};
  const char *text = (const char *)data;
  const char *nul = size > 0 ? memchr(text, '\0', size) : NULL;
  size_t len = nul != NULL ? (size_t)(nul - text) : size;
  struct str config = {text, len};
  struct str credentials = {nul, 0};
  if (nul != NULL)
    credentials = (struct str){nul + 1, size - len - 1};

  struct ini *ini = ini_parse(config, credentials, &err);
  if (ini == NULL) {
    if (strstr(err.text, " file, line ") == NULL)
      abort();
    return 0;
  }
  const char *region = ini_get(ini, "default", "region");
  const char *url = ini_service(ini, "local", "cloudwatch", "endpoint_url");
  if ((region != NULL && (*region == '\0' || strlen(region) > size)) ||
      (url != NULL && (*url == '\0' || strlen(url) > size)) ||
      (region != NULL && !ini_has_profile(ini, "default")))
    abort();
  if (cred_from_profile(ini, "default", &cred, &err) == CRED_FAILED &&
      err.text[0] == '\0')
    abort();
  cred_wipe(&cred);
  ini_wipe(ini);
  return 0;
}
