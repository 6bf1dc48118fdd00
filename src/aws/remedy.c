#include "aws/remedy.h"

#include <stddef.h>

static bool holds(struct str text, const char *what) {
  return str_find(text, str_of(what)) < text.len;
}

/* ---- what a sentence tells ---------------------------------------------- */

bool remedy_is_clock(struct str message) {
  return holds(message, "Signature expired") ||
         holds(message, "Signature not yet current");
}

static const struct {
  const char *says, *remedy;
} sentences[] = {
    {"scoped to a valid region", "the host that answered is of another region: "
                                 "correct Region, or the URL of the endpoint"},
    {"scoped to correct service",
     "the host that answered is another service's: correct the URL of the "
     "endpoint"},
};

const char *remedy_of_message(struct str message) {
  if (remedy_is_clock(message))
    return REMEDY_CLOCK;
  for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
    if (holds(message, sentences[i].says))
      return sentences[i].remedy;
  return NULL;
}

/* ---- denials ------------------------------------------------------------- */

#define ACTION_MAX 128
#define RESOURCE_MAX 256

/* What AWS calls a policy, in small letters, and whose it is. */
static const struct {
  const char *says, *where;
} policies[] = {
    {"identity-based policy", "a policy of this identity"},
    {"permissions boundary", "the permissions boundary of this identity"},
    {"session policy", "the session policy that the role was assumed with"},
    {"sessions policy", "the session policy that the role was assumed with"},
    {"service control policy", "the organization's service control policies"},
    {"resource control policy", "the organization's resource control policies"},
    {"vpc endpoint policy", "the policy of the VPC endpoint"},
    {"trust policy", "the trust policy of the role"},
    {"resource-based policy", "the policy of the resource (of a role, its "
                              "trust policy)"},
};

/* NULL: the message names none. */
static const char *find_policy(struct str message) {
  struct buf small = BUF_INIT(message.len);
  const char *where = NULL;

  str_put_lower(&small, message);
  for (size_t i = 0;
       where == NULL && i < sizeof(policies) / sizeof(policies[0]); i++)
    if (holds(str_of_buf(&small), policies[i].says))
      where = policies[i].where;
  buf_clear(&small);
  return where;
}

/* The word behind a text and its colon, without the end of a sentence; "" when
 * there is none of at most max bytes. */
static struct str word_behind(struct str message, const char *what,
                              size_t max) {
  struct str behind = str_of(what), word = {0};
  size_t at = str_find(message, behind);

  if (at == message.len)
    return word;
  message = str_from(message, at + behind.len);
  while (message.len > 0 && (message.p[0] == ':' || message.p[0] == ' '))
    message = str_from(message, 1);
  (void)str_split(&message, ' ', &word);
  while (word.len > 0 &&
         (word.p[word.len - 1] == '.' || word.p[word.len - 1] == ','))
    word.len--;
  return word.len <= max ? word : (struct str){0};
}

/* "service:Operation", not any other word that stands there. */
static bool is_action(struct str word) {
  return str_find(word, STR(":")) < word.len;
}

void remedy_put_denied(struct buf *out, struct str message,
                       const struct remedy_asked *asked) {
  bool is_explicit = holds(message, "explicit deny");
  struct str action = word_behind(message, "authorized to perform", ACTION_MAX);
  struct str resource = word_behind(message, "on resource", RESOURCE_MAX);
  const char *where = find_policy(message);

  if (!is_action(action))
    action = str_of(asked->action);
  if (resource.len == 0)
    resource = str_of(asked->resource);
  if (resource.len > RESOURCE_MAX)
    resource.len = RESOURCE_MAX;
  if (where == NULL)
    where = is_explicit ? "a policy of this identity, its permissions "
                          "boundary, the organization or a VPC endpoint"
                        : asked->where;
  buf_printf(out,
             is_explicit ? "have %.*s on resource %.*s excepted from the Deny "
                           "in %s"
                         : "allow %.*s on resource %.*s in %s",
             (int)action.len, action.p, (int)resource.len, resource.p, where);
  if (!is_explicit)
    buf_puts(out, asked->besides);
}
