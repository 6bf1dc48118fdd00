#include "options.h"

#include "config_text.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Everything that was said, one sentence a line. */
static struct buf said = BUF_INIT(1 << 20);

static void hear(const char *sentence) {
  buf_puts(&said, sentence);
  buf_putc(&said, '\n');
}

/* Reads up to two blocks and finishes.  0 or -1; what was said is in said. */
static int read_blocks(const char *const blocks[2], double interval_s,
                       struct options *out) {
  struct options_reader *reader = options_reader_new();
  struct err err = {""};
  int rc = 0;

  assert_non_null(reader);
  buf_reset(&said);
  for (size_t i = 0; i < 2 && blocks[i] != NULL; i++) {
    oconfig_item_t tree = config_parse(blocks[i]);
    if (options_read(reader, &tree, hear) != 0)
      rc = -1;
    config_clear(&tree);
  }
  if (rc == 0 && options_finish(reader, interval_s, out, hear, &err) != 0) {
    hear(err.text);
    rc = -1;
  }
  options_reader_free(reader);
  return rc;
}

static int read_one(const char *block, struct options *out) {
  const char *const blocks[2] = {block, NULL};
  return read_blocks(blocks, 10, out);
}

/* ---- what is refused ---------------------------------------------------- */

#define M "<Metric \"m\">\n</Metric>\n"
#define IN_M(line) "<Metric \"Memory Available\">\n" line "\n</Metric>"
#define ROLE "RoleArn \"arn:aws:iam::123456789012:role/metrics\"\n"
#define PLUGIN "<Plugin write_cloudwatch>: "
#define METRIC "<Metric \"Memory Available\">: "

static const struct {
  const char *label;
  const char *blocks[2];
  const char *want; /* a whole line, or its beginning */
} refused[] = {
    {"unknown option",
     {"Regoin \"eu-west-1\"\n" M},
     PLUGIN "Regoin: unknown option; did you mean Region?"},
    {"unknown option, like no other",
     {"FavouriteColour \"blue\"\n" M},
     PLUGIN "FavouriteColour: unknown option; collectd-write_cloudwatch(5)"},
    {"a secret under a wrong name is not shown",
     {"SecretAcessKey \"wJalr\"\n" M},
     PLUGIN "SecretAcessKey: unknown option; did you mean SecretAccessKey?"},
    {"status file without a folder",
     {"StatusFile \"status.json\"\n" M},
     PLUGIN "StatusFile \"status.json\": write the whole path, beginning with "
            "/"},
    {"unit in the wrong case",
     {IN_M("Unit \"MegaBytes\"")},
     METRIC "Unit \"MegaBytes\": CloudWatch has no such unit; did you mean "
            "\"Megabytes\"?"},
    {"unit like no other",
     {IN_M("Unit \"Parsec\"")},
     METRIC "Unit \"Parsec\": CloudWatch has no such unit; write one of"},
    {"region without quotes",
     {"Region us-east-1\n" M},
     PLUGIN "Region \"us\" \"east\" -1: arrived as 3 values; put it in quotes: "
            "Region \"us-east-1\""},
    {"region in China without quotes",
     {"Region cn-northwest-1\n" M},
     PLUGIN "Region \"cn\" \"northwest\" -1: arrived as 3 values; put it in "
            "quotes: Region \"cn-northwest-1\""},
    {"region with a dot",
     {"Region \"us.east\"\n" M},
     PLUGIN "Region \"us.east\": cannot be a region"},
    {"number with an exponent",
     {IN_M("Scale 1e-3")},
     METRIC "Scale \"1e\" -3: collectd knows no numbers with an exponent; "
            "write 0.001"},
    {"negative number with an exponent",
     {IN_M("Scale -1.5e-3")},
     METRIC "Scale -1.5 \"e\" -3: collectd knows no numbers with an exponent; "
            "write -0.0015"},
    {"large number with an exponent",
     {IN_M("Scale 1E6")},
     METRIC "Scale \"1E6\": collectd knows no numbers with an exponent; write "
            "1000000"},
    {"number with an exponent that stays between its digits",
     {IN_M("Scale \"12.345e1\"")},
     METRIC "Scale \"12.345e1\": collectd knows no numbers with an exponent; "
            "write 123.45"},
    {"bad regular expression",
     {IN_M("Type \"/mem(/\"")},
     METRIC "Type \"/mem(/\": "},
    {"unknown template name in a metric",
     {"<Metric \"%{plugni}\">\n</Metric>"},
     PLUGIN "Metric \"%{plugni}\": "},
    {"unknown template name in a dimension",
     {"Dimension \"Host\" \"%{hots}\"\n" M},
     PLUGIN "Dimension \"Host\" \"%{hots}\": "},
    {"unknown template name in a namespace",
     {"Namespace \"%{hots}\"\n" M},
     PLUGIN "Namespace \"%{hots}\": "},
    {"resolution 5",
     {IN_M("StorageResolution 5")},
     METRIC "StorageResolution 5: CloudWatch knows 1 and 60 seconds only"},
    {"key without secret",
     {"AccessKeyId \"AKIDEXAMPLE\"\n" M},
     PLUGIN "AccessKeyId \"AKIDEXAMPLE\" stands without SecretAccessKey; write "
            "both or neither"},
    {"secret without key",
     {"SecretAccessKey \"wJalr\"\n" M},
     PLUGIN "SecretAccessKey stands without AccessKeyId; write both"},
    {"token without keys",
     {"SessionToken \"wJalr\"\n" M},
     PLUGIN "SessionToken stands without AccessKeyId and SecretAccessKey"},
    {"key in <Plugin>, secret in a node",
     {"AccessKeyId \"AKID\"\n<Node \"a\">\nSecretAccessKey \"wJalr\"\n" M
      "</Node>"},
     "<Node \"a\">: SecretAccessKey stands without AccessKeyId"},
    {"external id without a role",
     {"ExternalId \"42\"\n" M},
     PLUGIN "ExternalId stands without RoleArn; write RoleArn "
            "\"arn:aws:iam::ACCOUNT:role/NAME\" beside it, or remove the line"},
    {"session name without a role",
     {"RoleSessionName \"web\"\n" M},
     PLUGIN "RoleSessionName stands without RoleArn; write RoleArn"},
    {"duration without a role",
     {"RoleDuration 900\n" M},
     PLUGIN "RoleDuration stands without RoleArn; write RoleArn"},
    {"role in <Plugin>, external id in a node",
     {ROLE "<Node \"a\">\nExternalId \"42\"\n" M "</Node>"},
     "<Node \"a\">: ExternalId stands without RoleArn"},
    {"role by its name alone",
     {"RoleArn \"metrics\"\n" M},
     PLUGIN "role ARN \"metrics\": names no role; write arn:aws:iam::"},
    {"a user instead of a role",
     {"RoleArn \"arn:aws:iam::123456789012:user/metrics\"\n" M},
     PLUGIN "role ARN \"arn:aws:iam::123456789012:user/metrics\": names no "
            "role"},
    {"external id with a blank",
     {ROLE "ExternalId \"4 2\"\n" M},
     PLUGIN "external id \"4 2\": STS takes letters, digits and"},
    {"session name of one letter",
     {ROLE "RoleSessionName \"w\"\n" M},
     PLUGIN "role session name \"w\": 1 characters; STS takes 2 to 64"},
    {"role for too short a time",
     {ROLE "RoleDuration 899\n" M},
     PLUGIN "RoleDuration 899: is out of range; write a number from 900 to "
            "43200 seconds"},
    {"role for too long a time",
     {ROLE "RoleDuration 43201\n" M},
     PLUGIN "RoleDuration 43201: is out of range"},
    {"role for part of a second",
     {ROLE "RoleDuration 900.5\n" M},
     PLUGIN "RoleDuration 900.5: must be a whole number of seconds"},
    {"role without a name",
     {"RoleArn \"\"\n" M},
     PLUGIN "RoleArn \"\": is empty"},
    {"waiting for the instance below zero",
     {"MetadataWait -1\n" M},
     PLUGIN "MetadataWait -1: is out of range; write a number from 0 to 86400 "
            "seconds"},
    {"waiting for the instance for more than a day",
     {"MetadataWait 86401\n" M},
     PLUGIN "MetadataWait 86401: is out of range"},
    {"waiting for the instance for part of a second",
     {"MetadataWait 0.5\n" M},
     PLUGIN "MetadataWait 0.5: must be a whole number of seconds"},
    {"secret that is no text",
     {"AccessKeyId \"AKID\"\nSecretAccessKey 12345\n" M},
     PLUGIN "SecretAccessKey (value not shown): is no text; put it in quotes"},
    {"secret twice as many",
     {"AccessKeyId \"AKID\"\nSecretAccessKey \"wJalr\" \"wJalr\"\n" M},
     PLUGIN "SecretAccessKey (value not shown): takes exactly one value"},
    {"two nodes of one name",
     {"<Node \"a\">\n" M "</Node>\n<Node \"A\">\n" M "</Node>"},
     PLUGIN "Node \"A\": there are two nodes of this name; rename one"},
    {"two nodes that write one status file",
     {"<Node \"a.b\">\nStatusFile \"/f\"\n" M "</Node>\n"
      "<Node \"b\">\nStatusFile \"/f.a\"\n" M "</Node>"},
     "<Node \"a.b\"> and <Node \"b\"> would both write the StatusFile /f.a.b; "
     "write another path"},
    {"two nodes of one name in two blocks",
     {"<Node \"a\">\n" M "</Node>", "<Node \"a\">\n" M "</Node>"},
     PLUGIN "Node \"a\": there are two nodes of this name; rename one"},
    {"node with a slash",
     {"<Node \"a/b\">\n" M "</Node>"},
     PLUGIN "Node \"a/b\": a node's name has no \"/\""},
    {"node with a line break",
     {"<Node \"a\nb\">\n" M "</Node>"},
     PLUGIN "Node \"a?b\": a node's name has no \"/\" and no control"},
    {"node without a name",
     {"<Node \"\">\n" M "</Node>"},
     PLUGIN "Node \"\": a node's name has 1 to 64 characters"},
    {"node with a file name of its own",
     {"<Node \"..\">\n" M "</Node>"},
     PLUGIN "Node \"..\": this cannot be a file's name"},
    {"node without an argument",
     {"<Node>\n" M "</Node>"},
     PLUGIN "Node: a block needs exactly one name; write <Node \"prod\">"},
    {"node in a node",
     {"<Node \"a\">\n<Node \"b\">\n</Node>\n</Node>"},
     "<Node \"a\">: Node \"b\": cannot stand in this block; move it to "
     "<Plugin write_cloudwatch>"},
    {"an option twice in one block",
     {"Region \"eu-west-1\"\nregion \"eu-west-2\"\n" M},
     PLUGIN "Region \"eu-west-2\": Region stands twice here"},
    {"an option twice in two blocks",
     {"Timeout 5\n" M, "Timeout 5\n"},
     PLUGIN "Timeout 5: Timeout stands twice here (several <Plugin> blocks are "
            "read as one); keep one line"},
    {"an option twice in a metric",
     {IN_M("Unit \"Count\"\nUnit \"Count\"")},
     METRIC "Unit \"Count\": Unit stands twice here"},
    {"an option twice in a node",
     {"<Node \"a\">\nMaxMetrics 1\nMaxMetrics 2\n" M "</Node>"},
     "<Node \"a\">: MaxMetrics 2: MaxMetrics stands twice here"},
    {"metric without an argument",
     {"<Metric>\n</Metric>"},
     PLUGIN "Metric: a block needs exactly one name; write <Metric \"Memory "
            "Available\">"},
    {"metric without a name",
     {"<Metric \"\">\n</Metric>"},
     PLUGIN "Metric \"\": a metric needs a name; write one"},
    {"metric with two names",
     {"<Metric \"a\" \"b\">\n</Metric>"},
     PLUGIN "Metric \"a\" \"b\": a block needs exactly one name"},
    {"metric in a metric",
     {IN_M("<Metric \"b\">\n</Metric>")},
     METRIC "Metric \"b\": cannot stand in this block; move it to <Plugin "
            "write_cloudwatch> or a <Node> block"},
    {"no metric", {""}, PLUGIN "there is no enabled <Metric> block"},
    {"no metric in a node",
     {"<Node \"a\">\n</Node>"},
     "<Node \"a\">: there is no enabled <Metric> block"},
    {"no enabled metric",
     {IN_M("Enabled false")},
     PLUGIN "there is no enabled <Metric> block, so nothing would be "
            "published; write Enabled true in one"},
    {"no block at all",
     {NULL},
     "no <Plugin write_cloudwatch> block was seen; write one after the "
     "LoadPlugin line"},
    {"negative duration",
     {"Timeout -5\n" M},
     PLUGIN "Timeout -5: is out of range; write a number from 0.001 to 3600 "
            "seconds"},
    {"duration 0",
     {"ConnectTimeout 0\n" M},
     PLUGIN "ConnectTimeout 0: is out of range"},
    {"duration as a text",
     {"FlushInterval \"sixty\"\n" M},
     PLUGIN "FlushInterval \"sixty\": is no number; write digits only"},
    {"duration with a unit",
     {"FlushInterval 60s\n" M},
     PLUGIN "FlushInterval \"60s\": is no number; write digits only, without a "
            "unit"},
    {"duration in quotes",
     {"FlushInterval \"60\"\n" M},
     PLUGIN "FlushInterval \"60\": write the number without quotes"},
    {"number as a truth value",
     {"MaxMetrics true\n" M},
     PLUGIN "MaxMetrics true: is no number; write one"},
    {"interval of a fraction",
     {"FlushInterval 1.5\n" M},
     PLUGIN "FlushInterval 1.5: must be a whole number of seconds"},
    {"interval 0",
     {"FlushInterval 0\n" M},
     PLUGIN "FlushInterval 0: is out of range; write a number from 1 to 86400 "
            "seconds"},
    {"jitter above the interval",
     {"FlushInterval 60\nFlushJitter 61.5\n" M},
     PLUGIN "FlushJitter 61.5 is above FlushInterval, which is 60 s; write a "
            "smaller one"},
    {"jitter above the daemon's interval",
     {"FlushJitter 11\n" M},
     PLUGIN "FlushJitter 11 is above FlushInterval, which is 10 s (collectd's "
            "interval for this plugin); write a smaller one"},
    {"age above CloudWatch's window",
     {"BufferAge 1209601\n" M},
     PLUGIN "BufferAge 1209601: is out of range; write a number from 1 to "
            "1209600 seconds"},
    {"a spool at a relative path",
     {"SpoolDirectory \"spool\"\n" M},
     PLUGIN "SpoolDirectory \"spool\": write the whole path, beginning with /"},
    {"a spool without room",
     {"SpoolLimit 0\n" M},
     PLUGIN "SpoolLimit 0: is out of range; write a number from 1 to 1048576 "
            "MiB"},
    {"a rate that is none",
     {"BackfillRate -0.5\n" M},
     PLUGIN "BackfillRate -0.5: is out of range; write a number from 0 to 1000 "
            "requests a second"},
    {"a rate beyond the account's",
     {"BackfillRate 1001\n" M},
     PLUGIN "BackfillRate 1001: is out of range"},
    {"no metrics allowed",
     {"MaxMetrics 0\n" M},
     PLUGIN "MaxMetrics 0: is out of range"},
    {"buffer of nothing",
     {"BufferLimit 0\n" M},
     PLUGIN "BufferLimit 0: is out of range; write a number from 1 to 1048576 "
            "MiB"},
    {"timeout of one node",
     {"<Node \"a\">\nShutdownTimeout 5\n" M "</Node>"},
     "<Node \"a\">: ShutdownTimeout 5: cannot stand in this block; move it to "
     "<Plugin write_cloudwatch>"},
    {"endpoint without scheme",
     {"Endpoint \"localhost:8000\"\n" M},
     PLUGIN "Endpoint \"localhost:8000\": "},
    {"endpoint with a password",
     {"Endpoint \"http://me:hunter2@localhost\"\n" M},
     PLUGIN "Endpoint \"(not shown)\": "},
    {"endpoint and FIPS",
     {"Endpoint \"https://localhost\"\nUseFIPS true\n" M},
     PLUGIN "UseFIPS true stands together with Endpoint \"https://localhost\""},
    {"endpoint and dual stack",
     {"Endpoint \"https://localhost\"\nUseDualStack true\n" M},
     PLUGIN "UseDualStack true stands together with Endpoint"},
    {"empty text", {"Profile \"\"\n" M}, PLUGIN "Profile \"\": is empty;"},
    {"empty namespace",
     {"Namespace \"\"\n" M},
     PLUGIN "Namespace \"\": is empty; write a value or remove the line"},
    {"relative path",
     {"CACert \"ca.pem\"\n" M},
     PLUGIN "CACert \"ca.pem\": write the whole path, beginning with /"},
    {"path in a home",
     {"CredentialsFile \"~/.aws/credentials\"\n" M},
     PLUGIN "CredentialsFile \"~/.aws/credentials\": write the whole path"},
    {"key with a blank",
     {"AccessKeyId \"AKID \"\nSecretAccessKey \"x\"\n" M},
     PLUGIN "AccessKeyId \"AKID \": holds a blank"},
    {"text without quotes that is a truth value",
     {"Profile on\n" M},
     PLUGIN "Profile true: is no text; put it in quotes"},
    {"text without quotes that is a number",
     {"Profile 007\n" M},
     PLUGIN "Profile 7: is no text; put it in quotes"},
    {"no value",
     {"Region\n" M},
     PLUGIN "Region: no values; write it like Region \"eu-west-1\""},
    {"no value, no example",
     {"Timeout\n" M},
     PLUGIN "Timeout: takes exactly one value, and there are 0"},
    {"a line as a block",
     {"<Region \"eu-west-1\">\nUnit \"x\"\n</Region>\n" M},
     PLUGIN "Region \"eu-west-1\": is a line, no block; write Region"},
    {"metric's option outside",
     {"Unit \"Count\"\n" M},
     PLUGIN "Unit \"Count\": cannot stand in this block; move it to a <Metric> "
            "block"},
    {"node's option in a metric",
     {"<Node \"a\">\n" IN_M("Region \"eu-west-1\"") "\n</Node>"},
     "<Node \"a\"> " METRIC "Region \"eu-west-1\": cannot stand in this block; "
     "move it to <Plugin write_cloudwatch> or a <Node> block"},
    {"truth that is none",
     {"Compression \"maybe\"\n" M},
     PLUGIN "Compression \"maybe\": is neither true nor false"},
    {"truth as a number",
     {"Compression 1\n" M},
     PLUGIN "Compression 1: is neither true nor false; write one of them"},
    {"protocol like no other",
     {"Protocol \"xml\"\n" M},
     PLUGIN "Protocol \"xml\": is not known; write json or query"},
    {"statistics like no other",
     {IN_M("Statistics \"median\"")},
     METRIC "Statistics \"median\": is not known; write values, set, last, "
            "average, max or min"},
    {"combine none",
     {IN_M("Combine \"none\"")},
     METRIC "Combine \"none\": is not known; write sum, average, min, max or "
            "count"},
    {"dimension without template",
     {"Dimension \"Host\"\n" M},
     PLUGIN "Dimension \"Host\": too few values; write it like Dimension "
            "\"Host\" \"%{host}\""},
    {"dimension without name",
     {"Dimension \"\" \"x\"\n" M},
     PLUGIN "Dimension \"\" \"x\": the dimension has no name; write one"},
    {"dimension twice",
     {"Dimension \"A\" \"x\"\n" M, "Dimension \"A\" \"y\"\n"},
     PLUGIN "Dimension \"A\" \"y\": this dimension is defined twice here"},
    {"set without names",
     {"DimensionSet\n" M},
     PLUGIN "DimensionSet: no values; write it like DimensionSet \"Host\""},
    {"set with an empty name among others",
     {"Dimension \"A\" \"x\"\nDimensionSet \"A\" \"\"\n" M},
     PLUGIN "DimensionSet \"A\" \"\": an empty name among others"},
};

static void says_what_is_wrong(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    struct options options = {0};
    int rc = read_blocks(refused[i].blocks, 10, &options);
    const char *line = strstr(buf_str(&said), refused[i].want);
    if (rc == 0 || line == NULL || (line != buf_str(&said) && line[-1] != '\n'))
      fail_msg("%s: %d\nwant %s\nsaid %s", refused[i].label, rc,
               refused[i].want, buf_str(&said));
    if (strstr(buf_str(&said), "wJalr") != NULL ||
        strstr(buf_str(&said), "hunter2") != NULL)
      fail_msg("%s: tells a secret: %s", refused[i].label, buf_str(&said));
    options_clear(&options);
  }
}

static void says_all_that_is_wrong(void **state) {
  struct options options = {0};
  (void)state;
  assert_int_equal(
      read_one("Regoin \"a\"\nTimeout -1\n" IN_M("Unit \"X\"\nScale \"a\""),
               &options),
      -1);
  assert_non_null(strstr(buf_str(&said), "Regoin"));
  assert_non_null(strstr(buf_str(&said), "Timeout -1"));
  assert_non_null(strstr(buf_str(&said), "Unit \"X\""));
  assert_non_null(strstr(buf_str(&said), "Scale \"a\""));
}

/* ---- what is warned about ----------------------------------------------- */

static const struct {
  const char *label;
  const char *block;
  const char *want; /* "": nothing is said */
} warned[] = {
    {"nothing to say", "Endpoint \"https://example.com\"\n" M, ""},
    {"no encryption", "Endpoint \"http://example.com\"\n" M,
     PLUGIN "Endpoint \"http://example.com\" is sent to without encryption"},
    {"no encryption on loopback", "Endpoint \"http://127.0.0.1:80\"\n" M, ""},
    {"anybody may be the service", "VerifyPeer false\n" M,
     PLUGIN "VerifyPeer false"},
    {"data that are too old at once", "BufferAge 119\nFlushInterval 60\n" M,
     PLUGIN "BufferAge 119 leaves no time between a flush and the next"},
    {"data that are young enough", "BufferAge 120\nFlushInterval 60\n" M, ""},
    {"more metrics than have room", "MaxMetrics 1025\nBufferLimit 1\n" M,
     PLUGIN "BufferLimit 1 may not hold one flush of MaxMetrics 1025; write "
            "BufferLimit 2, or select less"},
    {"as many metrics as have room", "MaxMetrics 1024\nBufferLimit 1\n" M, ""},
    {"seconds that come late", "FlushInterval 60\n" IN_M("StorageResolution 1"),
     METRIC "StorageResolution 1 with a FlushInterval of 60 s"},
    {"seconds in time", "FlushInterval 10\n" IN_M("StorageResolution 1"), ""},
    {"seconds of a metric that is not enabled",
     "FlushInterval 60\n" M IN_M("StorageResolution 1\nEnabled false"), ""},
    {"in a node",
     "<Node \"a\">\nFlushInterval 60\n" IN_M("StorageResolution 1") "\n</Node>",
     "<Node \"a\"> " METRIC "StorageResolution 1 with"},
};

static void warns(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(warned) / sizeof(warned[0]); i++) {
    struct options options = {0};
    size_t n = strlen(warned[i].want);
    int rc = read_one(warned[i].block, &options);
    if (rc != 0 || strncmp(buf_str(&said), warned[i].want, n) != 0 ||
        (n == 0) != (said.len == 0))
      fail_msg("%s: %d, said %s", warned[i].label, rc, buf_str(&said));
    options_clear(&options);
  }
}

/* ---- what is read ------------------------------------------------------- */

static void reads_each_option_of_a_destination(void **state) {
  struct options options = {0};
  (void)state;
  assert_int_equal(read_one("namespace \"MyApp\"\n"
                            "Region \"eu-west-1\"\n"
                            "USEFIPS \"Yes\"\n"
                            "UseDualStack on\n"
                            "Protocol \"query\"\n"
                            "Compression \"false\"\n"
                            "Proxy \"http://me:pw@proxy:3128\"\n"
                            "NoProxy \"localhost\"\n"
                            "CACert \"/ca.pem\"\n"
                            "CAPath \"/ca\"\n"
                            "VerifyPeer false\n"
                            "ConnectTimeout 0.25\n"
                            "Timeout 7\n"
                            "AccessKeyId \"AKID\"\n"
                            "SecretAccessKey \"wJalr\"\n"
                            "SessionToken \"token\"\n"
                            "Profile \"p\"\n"
                            "CredentialsFile \"/c\"\n"
                            "ConfigFile \"/f\"\n" ROLE "ExternalId \"42\"\n"
                            "RoleSessionName \"web-1\"\n"
                            "RoleDuration 43200\n"
                            "FlushInterval 60\n"
                            "FlushJitter 1.5\n"
                            "MaxMetrics 50\n"
                            "MetadataWait 0\n"
                            "BufferLimit 8\n"
                            "SpoolDirectory \"/var/spool/cw\"\n"
                            "SpoolLimit 3\n"
                            "BufferAge 3600\n"
                            "BackfillRate 0.1\n"
                            "ShutdownTimeout 0.5\n"
                            "LogPublished true\n" M,
                            &options),
                   0);
  assert_int_equal(options.n_nodes, 1);
  assert_int_equal(options.shutdown_timeout_ms, 500);
  const struct sender_options *sender = &options.nodes[0].sender;
  assert_string_equal(options.nodes[0].what.where.namespace, "MyApp");
  assert_string_equal(sender->node, "");
  assert_string_equal(sender->place.region, "eu-west-1");
  assert_int_equal(sender->place.use_fips, PLACE_YES);
  assert_int_equal(sender->place.use_dual_stack, PLACE_YES);
  assert_int_equal(sender->protocol, PROTOCOL_QUERY);
  assert_false(sender->compression);
  assert_string_equal(sender->http.proxy, "http://me:pw@proxy:3128");
  assert_string_equal(sender->http.no_proxy, "localhost");
  assert_string_equal(sender->http.ca_cert, "/ca.pem");
  assert_string_equal(sender->http.ca_path, "/ca");
  assert_false(sender->http.verify_peer);
  assert_int_equal(sender->http.connect_timeout_ms, 250);
  assert_int_equal(sender->http.timeout_ms, 7000);
  assert_string_equal(sender->who.access_key_id, "AKID");
  assert_string_equal(sender->who.secret_access_key, "wJalr");
  assert_string_equal(sender->who.session_token, "token");
  assert_string_equal(sender->who.profile, "p");
  assert_string_equal(sender->who.credentials_file, "/c");
  assert_string_equal(sender->who.config_file, "/f");
  assert_string_equal(sender->who.role_arn,
                      "arn:aws:iam::123456789012:role/metrics");
  assert_string_equal(sender->who.external_id, "42");
  assert_string_equal(sender->who.role_session_name, "web-1");
  assert_int_equal(sender->who.role_duration_s, 43200);
  assert_int_equal(sender->flush_interval_s, 60);
  assert_true(sender->flush_jitter_s == 1.5);
  assert_int_equal(sender->max_metrics, 50);
  assert_int_equal(sender->metadata_wait_s, 0);
  assert_int_equal(sender->buffer_limit_bytes, 8 << 20);
  assert_string_equal(sender->spool_directory, "/var/spool/cw");
  assert_int_equal(sender->spool_limit_bytes, 3 << 20);
  assert_int_equal(sender->buffer_age_s, 3600);
  assert_true(sender->backfill_rate == 0.1);
  assert_true(sender->log_published);
  options_clear(&options);
}

static void reads_each_option_of_a_metric(void **state) {
  struct options options = {0};
  (void)state;
  assert_int_equal(read_one("<Metric \"%{plugin}\">\n"
                            "Host \"h\"\n"
                            "Plugin \"/^mem/\"\n"
                            "Plugin \"!swap\"\n"
                            "PluginInstance 0\n"
                            "Type \"memory\"\n"
                            "TypeInstance \"\"\n"
                            "DataSource \"value\"\n"
                            "Unit \"Megabytes\"\n"
                            "OnNaN \"zero\"\n"
                            "Counters \"delta\"\n"
                            "Combine \"count\"\n"
                            "Scale 0.5\n"
                            "Offset -3\n"
                            "Round \"nearest\"\n"
                            "Statistics \"min\"\n"
                            "StorageResolution 1\n"
                            "Namespace \"Other\"\n"
                            "Dimension \"Host\" \"%{host}\"\n"
                            "DimensionSet \"Host\" \"Group\"\n"
                            "DimensionSet \"\"\n"
                            "</Metric>\n",
                            &options),
                   0);
  const struct rules_spec *what = &options.nodes[0].what;
  assert_int_equal(what->n_rules, 1);
  const struct rule_spec *rule = &what->rules[0];
  assert_string_equal(rule->name, "%{plugin}");
  assert_string_equal(rule->select[PART_HOST].text[0], "h");
  assert_int_equal(rule->select[PART_PLUGIN].n, 2);
  assert_string_equal(rule->select[PART_PLUGIN].text[0], "/^mem/");
  assert_string_equal(rule->select[PART_PLUGIN].text[1], "!swap");
  assert_string_equal(rule->select[PART_PLUGIN_INSTANCE].text[0], "0");
  assert_string_equal(rule->select[PART_TYPE].text[0], "memory");
  assert_string_equal(rule->select[PART_TYPE_INSTANCE].text[0], "");
  assert_string_equal(rule->select[SELECT_DATA_SOURCE].text[0], "value");
  assert_true(rule->enabled);
  assert_string_equal(rule->unit, "Megabytes");
  assert_true(rule->nan_is_zero);
  assert_int_equal(rule->counters, COUNTERS_DELTA);
  assert_int_equal(rule->combine, COMBINE_COUNT);
  assert_true(rule->scale == 0.5);
  assert_true(rule->offset == -3);
  assert_int_equal(rule->rounding, ROUND_NEAREST);
  assert_int_equal(rule->statistics, STATISTICS_MIN);
  assert_int_equal(rule->resolution_s, 1);
  assert_string_equal(rule->where.namespace, "Other");
  assert_int_equal(rule->where.n_dimensions, 1);
  assert_string_equal(rule->where.dimensions[0].template, "%{host}");
  assert_int_equal(rule->where.n_sets, 2);
  assert_int_equal(rule->where.sets[0].n, 2);
  assert_string_equal(rule->where.sets[0].text[1], "Group");
  assert_int_equal(rule->where.sets[1].n, 0);
  options_clear(&options);
}

static void has_the_defaults_of_the_design(void **state) {
  struct options options = {0};
  (void)state;
  assert_int_equal(read_one(M, &options), 0);
  assert_int_equal(options.shutdown_timeout_ms, 5000);
  const struct sender_options *sender = &options.nodes[0].sender;
  assert_string_equal(options.nodes[0].what.where.namespace, "collectd");
  assert_null(sender->place.region);
  assert_null(sender->place.endpoint);
  assert_int_equal(sender->place.use_fips, PLACE_UNSAID);
  assert_int_equal(sender->place.use_dual_stack, PLACE_UNSAID);
  assert_int_equal(sender->protocol, PROTOCOL_JSON);
  assert_true(sender->compression);
  assert_true(sender->http.verify_peer);
  assert_int_equal(sender->http.connect_timeout_ms, 5000);
  assert_int_equal(sender->http.timeout_ms, 20000);
  assert_null(sender->who.access_key_id);
  assert_null(sender->who.role_arn);
  assert_int_equal(sender->who.role_duration_s, 0);
  assert_int_equal(sender->flush_interval_s, 10);
  assert_true(sender->flush_jitter_s < 0);
  assert_int_equal(sender->max_metrics, 1000);
  assert_int_equal(sender->metadata_wait_s, 300);
  assert_int_equal(sender->buffer_limit_bytes, 32 << 20);
  assert_null(sender->spool_directory);
  assert_int_equal(sender->spool_limit_bytes, 512 << 20);
  assert_int_equal(sender->buffer_age_s, 1209600 - 3600);
  assert_true(sender->backfill_rate == 1);
  assert_false(sender->log_published);

  /* The table and RULE_SPEC_INIT say the same. */
  const struct rule_spec *rule = &options.nodes[0].what.rules[0];
  const struct rule_spec init = RULE_SPEC_INIT;
  assert_int_equal(rule->enabled, init.enabled);
  assert_null(rule->unit);
  assert_int_equal(rule->nan_is_zero, init.nan_is_zero);
  assert_int_equal(rule->counters, init.counters);
  assert_int_equal(rule->combine, init.combine);
  assert_true(rule->scale == init.scale && rule->offset == init.offset);
  assert_int_equal(rule->rounding, init.rounding);
  assert_int_equal(rule->statistics, init.statistics);
  assert_int_equal(rule->resolution_s, init.resolution_s);
  assert_null(rule->where.namespace);
  options_clear(&options);
}

static void flushes_with_the_daemon_unless_told(void **state) {
  static const struct {
    double interval_s;
    int64_t want_s;
  } cases[] = {{0.1, 1}, {1, 1}, {2.5, 3}, {60, 60}, {1e6, 86400}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *const blocks[2] = {M, NULL};
    struct options options = {0};
    assert_int_equal(read_blocks(blocks, cases[i].interval_s, &options), 0);
    assert_int_equal(options.nodes[0].sender.flush_interval_s, cases[i].want_s);
    options_clear(&options);
  }
}

static const char *text_or_none(const char *text) {
  return text != NULL ? text : "none";
}

/* ---- nodes -------------------------------------------------------------- */

/* What stands in <Plugin> in the cases below. */
#define OUTSIDE                                                                \
  "Region \"r0\"\nUseDualStack true\nNamespace \"n0\"\nTimeout 3\n"            \
  "AccessKeyId \"k0\"\nSecretAccessKey \"s0\"\n"                               \
  "Dimension \"D0\" \"x\"\nDimensionSet \"\"\n"                                \
  "<Metric \"m0\">\nUnit \"Count\"\n</Metric>\n"

static const struct {
  const char *label;
  const char *inside;
  const char *want; /* region dual namespace timeout key profile metrics
                       dimensions sets */
} inherited[] = {
    {"everything", "", "r0 yes n0 3000 k0 none m0 D0 1"},
    {"singly", "Namespace \"n1\"\n", "r0 yes n1 3000 k0 none m0 D0 1"},
    {"the place is one thing", "Region \"r1\"\n",
     "r1 unsaid n0 3000 k0 none m0 D0 1"},
    {"the place, by any option of it", "UseDualStack false\n",
     "none no n0 3000 k0 none m0 D0 1"},
    {"credentials are one thing", "Profile \"p1\"\n",
     "r0 yes n0 3000 none p1 m0 D0 1"},
    {"credentials, by a role alone", ROLE, "r0 yes n0 3000 none none m0 D0 1"},
    {"metrics are one thing", "<Metric \"m1\">\n</Metric>\n",
     "r0 yes n0 3000 k0 none m1 D0 1"},
    {"dimensions with their sets", "Dimension \"D1\" \"y\"\n",
     "r0 yes n0 3000 k0 none m0 D1 0"},
    {"sets with their dimensions", "DimensionSet \"\"\n",
     "r0 yes n0 3000 k0 none m0 none 1"},
    {"what stands in both", "Timeout 4\n", "r0 yes n0 4000 k0 none m0 D0 1"},
};

static void put_node(struct buf *out, const struct node_options *node) {
  static const char *const choices[] = {
      [PLACE_UNSAID] = "unsaid", [PLACE_NO] = "no", [PLACE_YES] = "yes"};
  const struct sender_options *sender = &node->sender;
  const struct where_spec *where = &node->what.where;
  assert_true(node->what.n_rules == 1 && where->n_dimensions <= 1);
  buf_printf(out, "%s %s %s %lld %s %s %s %s %zu",
             text_or_none(sender->place.region),
             choices[sender->place.use_dual_stack], where->namespace,
             (long long)sender->http.timeout_ms,
             text_or_none(sender->who.access_key_id),
             text_or_none(sender->who.profile), node->what.rules[0].name,
             where->n_dimensions > 0 ? where->dimensions[0].name : "none",
             where->n_sets);
}

/* Whatever the order: the node before and after what it inherits, and what it
 * inherits in another block. */
static void nodes_inherit(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
    struct buf node = BUF_INIT(4096), before = BUF_INIT(4096),
               after = BUF_INIT(4096);
    buf_printf(&node, "<Node \"a\">\n%s</Node>\n", inherited[i].inside);
    buf_printf(&before, "%s%s", buf_str(&node), OUTSIDE);
    buf_printf(&after, "%s%s", OUTSIDE, buf_str(&node));
    const char *const orders[][2] = {{buf_str(&before), NULL},
                                     {buf_str(&after), NULL},
                                     {buf_str(&node), OUTSIDE}};
    for (size_t k = 0; k < 3; k++) {
      struct options options = {0};
      struct buf got = BUF_INIT(4096);
      assert_int_equal(read_blocks(orders[k], 10, &options), 0);
      assert_int_equal(options.n_nodes, 1);
      assert_string_equal(options.nodes[0].sender.node, "a");
      put_node(&got, &options.nodes[0]);
      if (strcmp(buf_str(&got), inherited[i].want) != 0)
        fail_msg("%s, order %zu: %s", inherited[i].label, k, buf_str(&got));
      buf_clear(&got);
      options_clear(&options);
    }
    buf_clear(&node), buf_clear(&before), buf_clear(&after);
  }
}

/* Inherited settings are each node's own: freeing them is no double free, which
 * the sanitizers and valgrind see. */
static void nodes_share_nothing(void **state) {
  struct options options = {0};
  (void)state;
  assert_int_equal(read_one(OUTSIDE
                            "<Node \"a\">\n</Node>\n<Node \"b\">\n</Node>\n",
                            &options),
                   0);
  assert_int_equal(options.n_nodes, 2);
  assert_ptr_not_equal(options.nodes[0].what.rules,
                       options.nodes[1].what.rules);
  assert_ptr_not_equal(options.nodes[0].sender.who.secret_access_key,
                       options.nodes[1].sender.who.secret_access_key);
  options_clear(&options);
  options_clear(&options);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_what_is_wrong),
      cmocka_unit_test(says_all_that_is_wrong),
      cmocka_unit_test(warns),
      cmocka_unit_test(reads_each_option_of_a_destination),
      cmocka_unit_test(reads_each_option_of_a_metric),
      cmocka_unit_test(has_the_defaults_of_the_design),
      cmocka_unit_test(flushes_with_the_daemon_unless_told),
      cmocka_unit_test(nodes_inherit),
      cmocka_unit_test(nodes_share_nothing),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  buf_clear(&said);
  return failed;
}
