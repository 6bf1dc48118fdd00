#include "run/identity.h"

#include "base/json.h"
#include "base/str.h"
#include "run/clock.h"
#include "run/imds.h"
#include "run/log.h"

#include <stdlib.h>
#include <string.h>

#define DOCUMENT "/latest/dynamic/instance-identity/document"
#define TAGS "/latest/meta-data/tags/instance/"

#define AGAIN_MS INT64_C(300000)     /* a tag that is there is read again */
#define LOOK_AGAIN_MS INT64_C(60000) /* what is not there may appear */
#define SPREAD_MS 5000               /* on top, by dice */
#define RETRY_MS INT64_C(1000)       /* after the first failure */
#define RETRY_DOUBLINGS 7            /* until it is the next */
#define RETRY_MAX_MS INT64_C(60000)
#define ROUND_MS 2000 /* then the thread has other work */

#define VALUE_MAX 1024 /* bytes: a tag has 256 characters at most */
#define NAMED_MAX 3    /* values that a message names */

/* What the document calls the values. */
static const struct {
  const char *key, *member;
} members[] = {
    {"instance_id", "instanceId"}, {"instance_type", "instanceType"},
    {"image_id", "imageId"},       {"availability_zone", "availabilityZone"},
    {"region", "region"},          {"account_id", "accountId"},
};

/* One thing to ask for: the document, or one tag. */
struct item {
  int64_t ask_ms;    /* steady time; INT64_MAX: never again */
  unsigned n_failed; /* in a row, RETRY_DOUBLINGS at most */
  bool is_answered;  /* once, found or not: nobody waits for it any more */
};

struct identity {
  const struct ec2_keys *keys;
  struct session *session;
  const char *node;
  int64_t wait_until_ms;
  int64_t rest_ms;   /* after a failure nothing is asked before */
  unsigned n_failed; /* likewise, whatever was asked */
  /* item[i] for the tag of key i; the last one, item[keys->n], for the
   * document, which several keys share */
  struct item item[EC2_KEYS_MAX + 1];
  struct ec2_values values;
  struct log_state awaited;
};

/* ---- what there is to ask ----------------------------------------------- */

static const char *find_tag(const struct identity *identity, size_t i) {
  return i < identity->keys->n ? ec2_tag_of(identity->keys->key[i]) : NULL;
}

static struct item *find_item(struct identity *identity, size_t i) {
  return &identity->item[find_tag(identity, i) != NULL ? i : identity->keys->n];
}

struct identity *identity_new(const struct ec2_keys *keys,
                              struct session *session, const char *node,
                              int64_t wait_ms) {
  static const struct item nothing = {.ask_ms = INT64_MAX, .is_answered = true};
  struct identity *identity = calloc(1, sizeof(*identity));
  if (identity == NULL)
    return NULL;

  identity->keys = keys;
  identity->session = session;
  identity->node = node;
  identity->wait_until_ms = clock_steady_ms() + wait_ms;
  identity->values.n = keys->n;
  for (size_t i = 0; i <= keys->n; i++)
    identity->item[i] = nothing;
  for (size_t i = 0; i < keys->n; i++) {
    *find_item(identity, i) = (struct item){.ask_ms = 0};
    identity->values.value[i].state = EC2_AWAITED;
  }
  return identity;
}

void identity_free(struct identity *identity) {
  if (identity == NULL)
    return;
  ec2_values_clear(&identity->values);
  free(identity);
}

/* The number of the item that has been due for longest. */
static size_t find_next(const struct identity *identity) {
  size_t next = 0;
  for (size_t i = 1; i <= identity->keys->n; i++)
    if (identity->item[i].ask_ms < identity->item[next].ask_ms)
      next = i;
  return next;
}

int64_t identity_wake_ms(const struct identity *identity) {
  int64_t ask_ms = identity->item[find_next(identity)].ask_ms;
  return ask_ms > identity->rest_ms ? ask_ms : identity->rest_ms;
}

/* ---- answers ------------------------------------------------------------ */

static void forget(struct identity *identity, size_t i) {
  free(identity->values.value[i].text);
  identity->values.value[i].text = NULL;
  identity->values.value[i].state = EC2_MISSING;
}

/* 0; or -1 for lack of memory, with what was known unchanged.  A NUL byte ends
 * the text. */
static int learn(struct identity *identity, size_t i, struct str text,
                 struct err *err) {
  const char *nul = text.len > 0 ? memchr(text.p, '\0', text.len) : NULL;
  if (nul != NULL)
    text.len = (size_t)(nul - text.p);
  if (str_trim(text).len == 0) {
    forget(identity, i);
    return 0;
  }
  char *copy = str_dup(text);
  if (copy == NULL)
    return err_set(err, "no memory");
  forget(identity, i);
  identity->values.value[i].text = copy;
  identity->values.value[i].state = EC2_KNOWN;
  return 0;
}

static struct str find_member(const struct json *document, const char *key) {
  for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
    if (strcmp(members[i].key, key) == 0)
      return json_text(json_get(document, members[i].member));
  return (struct str){0};
}

static int read_document(struct identity *identity, struct str text,
                         struct err *err) {
  struct err why = {""};
  struct json *document = json_parse(text, &why);
  int rc = 0;

  if (document == NULL || json_kind(document) != JSON_OBJECT)
    rc = err_set(err, "the instance identity document cannot be read: %s",
                 document == NULL ? why.text : "it is no JSON object");
  for (size_t i = 0; rc == 0 && i < identity->keys->n; i++)
    if (find_tag(identity, i) == NULL)
      rc = learn(identity, i, find_member(document, identity->keys->key[i]),
                 err);
  json_free(document);
  return rc;
}

/* The document never changes; but what stands in for the real service may give
 * one that is not whole. */
static bool is_document_whole(const struct identity *identity) {
  for (size_t i = 0; i < identity->keys->n; i++)
    if (find_tag(identity, i) == NULL &&
        identity->values.value[i].state != EC2_KNOWN)
      return false;
  return true;
}

static int read_found(struct identity *identity, size_t number, struct str text,
                      struct err *err) {
  struct item *item = &identity->item[number];

  item->ask_ms = clock_steady_ms() + AGAIN_MS;
  if (number == identity->keys->n) {
    int rc = read_document(identity, text, err);
    if (rc == 0 && is_document_whole(identity))
      item->ask_ms = INT64_MAX;
    return rc;
  }
  if (text.len > VALUE_MAX)
    return err_set(err,
                   "the instance metadata service gave more for tag %s than a "
                   "tag can hold",
                   find_tag(identity, number));
  return learn(identity, number, text, err);
}

/* It is certain that there is none of it. */
static void miss(struct identity *identity, size_t number, int64_t ask_ms) {
  for (size_t i = 0; i < identity->keys->n; i++)
    if (find_item(identity, i) == &identity->item[number])
      forget(identity, i);
  identity->item[number].ask_ms = ask_ms;
}

/* ---- asking ------------------------------------------------------------- */

/* 0 with an answer, even that there is none; or -1. */
static int ask(struct identity *identity, size_t number, struct err *err) {
  struct buf path = BUF_INIT(512), body = BUF_INIT(IMDS_ANSWER_MAX);
  const char *tag = find_tag(identity, number);
  int rc = -1;

  buf_printf(&path, "%s%s", tag != NULL ? TAGS : DOCUMENT,
             tag != NULL ? tag : "");
  if (!buf_ok(&path)) {
    err_set(err, "no memory");
    goto out;
  }
  switch (imds_get(identity->session, buf_str(&path), &body, err)) {
  case IMDS_FOUND:
    rc = read_found(identity, number, str_of_buf(&body), err);
    break;
  case IMDS_ABSENT:
    miss(identity, number, clock_steady_ms() + LOOK_AGAIN_MS);
    rc = 0;
    break;
  case IMDS_OFF: /* the environment never changes */
    for (size_t i = 0; i <= identity->keys->n; i++)
      miss(identity, i, INT64_MAX);
    rc = 0;
    break;
  case IMDS_FAILED:
    break;
  }
out:
  buf_wipe(&body);
  buf_clear(&path);
  return rc;
}

/* Puts off one item and what comes after it, since mostly it is the service
 * that is in trouble.  Should it be this item alone, the others come first when
 * that time is over. */
static void put_off(struct identity *identity, size_t number) {
  struct item *item = &identity->item[number];
  if (item->n_failed < RETRY_DOUBLINGS)
    item->n_failed++;
  if (identity->n_failed < item->n_failed)
    identity->n_failed = item->n_failed;
  else if (identity->n_failed < RETRY_DOUBLINGS)
    identity->n_failed++;

  int64_t longest_ms = identity->n_failed < RETRY_DOUBLINGS
                           ? RETRY_MS << (identity->n_failed - 1)
                           : RETRY_MAX_MS;
  double half_ms = (double)longest_ms / 2;
  item->ask_ms =
      clock_steady_ms() + (int64_t)(half_ms + clock_dice() * half_ms);
  identity->rest_ms = item->ask_ms;
}

/* ---- what is said ------------------------------------------------------- */

/* The values that nobody has said anything about yet: true if there are any.
 */
static bool put_unanswered(struct buf *out, struct identity *identity) {
  size_t n = 0;
  for (size_t i = 0; i < identity->keys->n; i++) {
    if (find_item(identity, i)->is_answered)
      continue;
    if (n++ < NAMED_MAX)
      buf_printf(out, "%s%%{ec2:%s}", n > 1 ? ", " : "",
                 identity->keys->key[i]);
  }
  if (n > NAMED_MAX)
    buf_printf(out, " and %zu more", n - NAMED_MAX);
  return n > 0;
}

/* A tag that cannot be read again is not worth a line: what was known
 * stays. */
static void say_failure(struct identity *identity, const struct err *why) {
  struct buf names = BUF_INIT(1024);
  int64_t now_ms = clock_steady_ms();

  bool is_stopping = atomic_load(identity->session->deadline_ms) != INT64_MAX;
  if (is_stopping || !put_unanswered(&names, identity))
    goto out;
  if (now_ms < identity->wait_until_ms)
    log_state_bad(&identity->awaited, SAY_WARNING, identity->node, now_ms,
                  "awaited",
                  "waiting for the instance's identity (%s): %s; metrics that "
                  "name it wait until MetadataWait has passed",
                  buf_str(&names), why->text);
  else
    log_state_bad(&identity->awaited, SAY_WARNING, identity->node, now_ms,
                  "not awaited",
                  "the instance's identity (%s) is not known: %s; until it is, "
                  "metrics that name it without a fallback text are not "
                  "published",
                  buf_str(&names), why->text);
out:
  buf_clear(&names);
}

static void say_answered(struct identity *identity) {
  int64_t now_ms = clock_steady_ms();
  for (size_t i = 0; i <= identity->keys->n; i++)
    if (!identity->item[i].is_answered)
      return;
  (void)log_state_good(&identity->awaited, identity->node, now_ms,
                       "the instance's identity was read after %lld s",
                       (long long)(now_ms - identity->awaited.since_ms) / 1000);
}

void identity_tend(struct identity *identity) {
  int64_t now_ms = clock_steady_ms();

  while (identity_wake_ms(identity) <= now_ms &&
         clock_steady_ms() - now_ms < ROUND_MS) {
    struct err err = {""};
    size_t number = find_next(identity);
    struct item *item = &identity->item[number];
    if (ask(identity, number, &err) != 0) {
      put_off(identity, number);
      say_failure(identity, &err);
      return;
    }
    if (item->ask_ms != INT64_MAX)
      item->ask_ms += (int64_t)(clock_dice() * SPREAD_MS);
    item->n_failed = identity->n_failed = 0;
    item->is_answered = true;
    say_answered(identity);
  }
}

const struct ec2_values *identity_values(struct identity *identity,
                                         int64_t now_ms) {
  if (now_ms >= identity->wait_until_ms)
    for (size_t i = 0; i < identity->keys->n; i++)
      if (identity->values.value[i].state == EC2_AWAITED)
        identity->values.value[i].state = EC2_MISSING;
  return &identity->values;
}
