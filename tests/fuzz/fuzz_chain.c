/* Any files lead to a chain that can be gone, or to a sentence.  The input is
 * the config file, a NUL, and the credentials file; the profile is "p". */
#include "aws/chain.h"
#include "aws/cred.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What each kind of beginning must have. */
static void check_base(const struct ini *ini, const struct chain *chain) {
  struct cred cred;
  if (chain->profile == NULL ||
      (chain->command != NULL) != (chain->base == CHAIN_PROCESS) ||
      (chain->token_file != NULL) != (chain->base == CHAIN_WEB_IDENTITY) ||
      (chain->web.arn != NULL) != (chain->base == CHAIN_WEB_IDENTITY))
    abort();
  if (chain->base == CHAIN_WEB_IDENTITY && role_check(&chain->web, NULL) != 0)
    abort();
  if (chain->base == CHAIN_NOTHING && chain->n_roles > 0)
    abort();
  if (chain->base == CHAIN_KEYS) {
    if (cred_from_profile(ini, chain->profile, &cred, NULL) == CRED_ABSENT)
      abort();
    cred_wipe(&cred);
  }
}

static void check_roles(const struct chain *chain) {
  if (chain->n_roles > CHAIN_ROLES_MAX)
    abort();
  for (size_t i = 0; i < chain->n_roles; i++)
    if (role_check(&chain->roles[i], NULL) != 0)
      abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str text = {(const char *)data, size}, config = {NULL, 0};
  struct chain chain;
  struct err err = {""};

  str_split(&text, '\0', &config);
  struct ini *ini = ini_parse(config, text, NULL);
  if (ini == NULL)
    return 0;
  if (chain_find(ini, "p", &chain, &err) == 0) {
    check_base(ini, &chain);
    check_roles(&chain);
  } else if (strncmp(err.text, "profile \"", 9) != 0 ||
             str_has_control(str_of(err.text)) || chain.n_roles != 0 ||
             chain.base != CHAIN_NOTHING) {
    abort();
  }
  ini_wipe(ini);
  return 0;
}
