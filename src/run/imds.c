#include "run/imds.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

void imds_wipe(struct imds *imds) {
  if (imds->token != NULL)
    digest_wipe(imds->token, strlen(imds->token));
  free(imds->token);
  *imds = (struct imds){0};
}
