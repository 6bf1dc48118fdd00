/* The output of a credential_process.
 *
 * Its command line is run as it stands: without a shell, and "~" means nothing.
 * Of the line only the program is ever named, as what follows may be secret. */
#include "run/source_list.h"

#include "aws/fault.h"
#include "aws/words.h"
#include "base/digest.h"
#include "run/process.h"

#include <stdlib.h>
#include <string.h>

/* The AWS SDKs have a minute or no limit at all.  Data wait meanwhile, but are
 * kept; and such a helper may itself ask over a network. */
#define TIMEOUT_MS 60000

#define OUTPUT_MAX 65536

/* The words are copies of a line that may hold secrets. */
static void wipe_words(char **words) {
  for (char **word = words; word != NULL && *word != NULL; word++)
    digest_wipe(*word, strlen(*word));
  free(words);
}

enum source_found source_process(struct source *source, const char *command,
                                 const char *profile, struct found *out,
                                 struct err *err) {
  const struct process_limits limits = {
      .timeout_ms = TIMEOUT_MS,
      .deadline_ms = source->session->deadline_ms,
      .meanwhile = &source->session->meanwhile};
  enum source_found found = SOURCE_FAILED;
  struct buf text = BUF_INIT(OUTPUT_MAX);
  struct err why = {""};
  char shown[160];
  struct buf program = BUF_OVER(shown);

  char **words = words_split(command, &why);
  if (words == NULL) {
    err_set(err, "profile %s: credential_process: %s", profile, why.text);
    goto out;
  }
  fault_put_line(str_of(words[0]), false, &program);
  if (process_run(words, &limits, &text, &why) != 0) {
    err_set(err, "profile %s: credential_process %s %s", profile,
            buf_str(&program), why.text);
    goto out;
  }
  buf_printf(&out->origin, "credential_process %s of profile %s",
             buf_str(&program), profile);
  if (cred_from_json((struct str){buf_str(&text), text.len}, CRED_OF_PROCESS,
                     buf_str(&out->origin), &out->cred, err) != 0)
    goto out;
  found = SOURCE_FOUND;
out:
  if (found != SOURCE_FOUND)
    found_wipe(out);
  buf_wipe(&text);
  wipe_words(words);
  return found;
}
