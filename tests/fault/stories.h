/* stories: what a destination may live through while memory lacks, for
 * oom_send.c. */
#ifndef TESTS_STORIES_H
#define TESTS_STORIES_H

#include "run/sender.h"

#include "service.h"

#include <stdbool.h>
#include <stddef.h>

/* Each value is a datum of its own. */
#define PLAIN "Metric 'm%{type_instance}'\nStorageResolution '1'"
#define NAMED                                                                  \
  "Metric 'm%{type_instance}-%{ec2:instance_id}-%{ec2:tag:Group}'\n"           \
  "StorageResolution '1'"
#define TEN "-123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG                                                                   \
  "Dimension 'A' 'a" HUNDRED HUNDRED "'\nDimension 'B' 'b" HUNDRED HUNDRED     \
  "'\nDimension 'C' 'c" HUNDRED HUNDRED "'\nDimension 'D' 'd" HUNDRED HUNDRED  \
  "'\n" PLAIN
#define MEMBERS PLAIN "\nCombine 'sum'"
#define KEYS "[default]\naws_access_key_id = AK\naws_secret_access_key = hush\n"
#define IMDS "AWS_EC2_METADATA_DISABLED=false"
#define ARN "arn:aws:iam::123456789012:role/r"
#define POD "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1/container"

enum keeping {
  NO_SPOOL,
  SPOOL,
  SPOOL_SMALL, /* and little memory before it */
  SPOOL_STOP,  /* the service is down until the next start */
  SPOOL_START, /* likewise, and memory lacks at that start */
};

static const struct story {
  const char *label;
  enum act script[SCRIPT_MAX];
  unsigned bad;
  bool is_named;
  size_t most;
  enum protocol protocol;
  bool compression;
  const char *blocks;      /* NULL: PLAIN */
  const char *environment; /* NULL: keys are in the options */
  const char *config;      /* the shared file; NULL: none */
  int each;                /* values in a batch; 0: EACH */
  bool has_role;           /* RoleArn */
  bool has_token;          /* of a web identity */
  bool has_no_region;      /* Region */
  enum keeping spool;
  bool has_status; /* StatusFile */
} stories[] = {
    {.label = "accepted"},
    {.label = "accepted, Query",
     .script = {WELL_XML, WELL_XML, WELL_XML, WELL_XML},
     .protocol = PROTOCOL_QUERY},
    {.label = "accepted, with a document",
     .script = {WELL_JSON, WELL_JSON, WELL_JSON, WELL_JSON}},
    {.label = "compressed", .compression = true, .blocks = LONG, .each = 12},
    {.label = "broken twice", .script = {BROKEN, BROKEN}},
    {.label = "throttled", .script = {THROTTLED, WELL, THROTTLED}},
    {.label = "token expired", .script = {EXPIRED, WELL, EXPIRED}},
    {.label = "clock is wrong", .script = {SKEWED}},
    {.label = "forbidden", .script = {FORBIDDEN}},
    {.label = "captive portal", .script = {PORTAL}},
    {.label = "nobody there", .script = {NO_ANSWER, WELL, NO_ANSWER}},
    {.label = "answer lost", .script = {ANSWER_LOST}},
    {.label = "one refused by name", .bad = 7, .is_named = true},
    {.label = "one refused without", .bad = 7, .each = 5},
    {.label = "too large", .most = 1},
    {.label = "names of the instance",
     .blocks = NAMED,
     .environment = IMDS,
     .config = KEYS},
    {.label = "keys of a profile",
     .environment = "A=b",
     .config = KEYS,
     .script = {EXPIRED}},
    {.label = "keys of the instance", .environment = IMDS, .script = {EXPIRED}},
    {.label = "keys of a container", .environment = POD, .script = {EXPIRED}},
    {.label = "keys of a program",
     .each = 1,
     .environment = "A=b",
     .script = {EXPIRED},
     .config = "[default]\ncredential_process = printf '{\"Version\":1,"
               "\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"hush\"}'\n"},
    {.label = "a role", .has_role = true, .script = {EXPIRED}},
    {.label = "a role, at an address that is given",
     .environment = "AWS_ENDPOINT_URL_STS=https://sts.example",
     .config = KEYS,
     .has_role = true},
    {.label = "a role by a token",
     .environment = "AWS_ROLE_ARN=" ARN,
     .has_token = true,
     .script = {EXPIRED}},
    {.label = "region of the instance",
     .environment = IMDS,
     .config = KEYS,
     .has_no_region = true},
    {.label = "spool", .spool = SPOOL, .script = {BROKEN, WELL, BROKEN}},
    {.label = "spool, refused", .spool = SPOOL, .bad = 7, .is_named = true},
    {.label = "spool and stop", .spool = SPOOL_STOP},
    {.label = "spool and start", .spool = SPOOL_START},
    {.label = "spool and little memory",
     .spool = SPOOL_SMALL,
     .script = {BROKEN, BROKEN}},
    {.label = "status file", .has_status = true, .script = {BROKEN}},
    {.label = "status file, and members of a Combine",
     .has_status = true,
     .blocks = MEMBERS,
     .script = {FORBIDDEN}},
};
#define N_STORIES (sizeof(stories) / sizeof(stories[0]))

#endif
