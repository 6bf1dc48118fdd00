/* ini: the profiles of shared AWS credentials and config files.
 *
 * Reads the text of one or two files by the grammar that the AWS SDKs share
 * (AWS SDKs and Tools Reference Guide, "Shared config and credentials files")
 * and answers by profile and key.  Values are copied out of the text, which
 * may hold secrets: ini_wipe() ends them. */
#ifndef AWS_INI_H
#define AWS_INI_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct ini; /* profiles, services and other sections, merged of both files */

/* config_text       of ~/.aws/config ("" when there is no such file)
 * credentials_text  of ~/.aws/credentials (likewise)
 * For one key in both, the credentials file wins; "[profile default]" beats
 * "[default]" completely.  Sections with an invalid name are skipped.
 *
 * NULL with *err set (file kind and line number, never the line's text) on a
 * syntax error or for lack of memory. */
struct ini *ini_parse(struct str config_text, struct str credentials_text,
                      struct err *err);
void ini_wipe(struct ini *ini); /* NULL is fine */

bool ini_has_profile(const struct ini *ini, const char *profile);

/* The value of a key (lower case) of a profile, borrowed; NULL when absent or
 * empty. */
const char *ini_get(const struct ini *ini, const char *profile,
                    const char *key);

/* The value of a sub-property in [services NAME], for example
 * ini_service(ini, "local", "cloudwatch", "endpoint_url"); NULL when absent. */
const char *ini_service(const struct ini *ini, const char *services,
                        const char *service, const char *key);

#endif
