#include "aws/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define ARN "arn:aws:iam::123456789012:role/"
#define KEYS(x) "aws_access_key_id=" x "\naws_secret_access_key=PRIVATE\n"
#define ROLE(x) "role_arn=" ARN x "\n"
#define FROM(x) "source_profile=" x "\n"
#define SOURCE(x) "credential_source=" x "\n"

static void put_role(struct buf *out, const struct role *role) {
  buf_printf(out, " %s",
             strncmp(role->arn, ARN, strlen(ARN)) == 0 ? role->arn + strlen(ARN)
                                                       : role->arn);
  if (role->external_id != NULL)
    buf_printf(out, " id=%s", role->external_id);
  if (role->session_name != NULL)
    buf_printf(out, " as=%s", role->session_name);
  if (role->duration_s != 0)
    buf_printf(out, " for=%lld", (long long)role->duration_s);
}

/* "KIND PROFILE what, ROLE, ROLE" in the order of assuming. */
static void put_chain(struct buf *out, const struct chain *chain) {
  static const char *const kinds[] = {"nothing",  "keys",        "web",
                                      "process",  "environment", "instance",
                                      "container"};
  buf_printf(out, "%s %s", kinds[chain->base], chain->profile);
  if (chain->command != NULL)
    buf_printf(out, " <%s>", chain->command);
  if (chain->token_file != NULL)
    buf_printf(out, " <%s>", chain->token_file);
  if (chain->web.arn != NULL)
    put_role(out, &chain->web);
  for (size_t i = 0; i < chain->n_roles; i++) {
    buf_putc(out, ',');
    put_role(out, &chain->roles[i]);
  }
}

/* The profile asked for is "p". */
static const struct {
  const char *label;
  const char *config, *credentials;
  const char *want;
} good[] = {
    {"no files", "", "", "nothing p"},
    {"another profile", "", "[q]\n" KEYS("A"), "nothing p"},
    {"a profile with a region", "[profile p]\nregion=x\n", "", "nothing p"},
    {"static keys", "", "[p]\n" KEYS("A"), "keys p"},
    {"static keys of both files", "[profile p]\naws_secret_access_key=s\n",
     "[p]\naws_access_key_id=A\n", "keys p"},
    {"a process", "[profile p]\ncredential_process=/x y\n", "",
     "process p </x y>"},
    {"static keys win over a process", "[profile p]\ncredential_process=/x\n",
     "[p]\n" KEYS("A"), "keys p"},
    {"those of the config file, too",
     "[profile p]\ncredential_process=/x\n" KEYS("A"), "", "keys p"},
    {"static keys win over SSO",
     "[profile p]\nsso_account_id=1\nsso_role_name=r\n", "[p]\n" KEYS("A"),
     "keys p"},
    {"a process wins over SSO",
     "[profile p]\nsso_account_id=1\nsso_role_name=r\ncredential_process=/x\n",
     "", "process p </x>"},
    {"an SSO session alone gives a token, no credentials",
     "[profile p]\nsso_session=s\n", "", "nothing p"},

    {"web identity", "[profile p]\n" ROLE("w") "web_identity_token_file=/t\n",
     "", "web p </t> w"},
    {"web identity with all of it",
     "[profile p]\n" ROLE(
         "w") "web_identity_token_file=/t\n"
              "role_session_name=me\nduration_seconds=900\nexternal_id=xx\n",
     "", "web p </t> w as=me for=900"},
    {"web identity wins over a source_profile",
     "[profile p]\n" ROLE("w") "web_identity_token_file=/t\n" FROM("gone"), "",
     "web p </t> w"},
    {"web identity wins over static keys",
     "[profile p]\n" ROLE("w") "web_identity_token_file=/t\n",
     "[p]\n" KEYS("A"), "web p </t> w"},
    {"web identity needs no MFA code",
     "[profile p]\n" ROLE("w") "web_identity_token_file=/t\nmfa_serial=m\n", "",
     "web p </t> w"},

    {"a role on the environment",
     "[profile p]\n" ROLE("a") SOURCE("Environment"), "", "environment p, a"},
    {"a role on the instance",
     "[profile p]\n" ROLE("a") SOURCE("Ec2InstanceMetadata"), "",
     "instance p, a"},
    {"a role on the container",
     "[profile p]\n" ROLE("a") SOURCE("EcsContainer"), "", "container p, a"},
    {"a role with all of it",
     "[profile p]\n" ROLE("a") SOURCE(
         "Environment") "external_id=x:/1\n"
                        "role_session_name=me@host\nduration_seconds=43200\n",
     "", "environment p, a id=x:/1 as=me@host for=43200"},
    {"a role on keys", "[profile p]\n" ROLE("a") FROM("base"),
     "[base]\n" KEYS("A"), "keys base, a"},
    {"two roles, one after the other",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b") FROM("c"),
     "[c]\n" KEYS("A"), "keys c, b, a"},
    {"three roles on the instance",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b")
         FROM("c") "[profile c]\n" ROLE("c") SOURCE("Ec2InstanceMetadata"),
     "", "instance c, c, b, a"},
    {"a role on a process",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\ncredential_process=/x\n",
     "", "process b </x>, a"},
    {"a role on web identity",
     "[profile p]\n" ROLE("a")
         FROM("b") "[profile b]\n" ROLE("w") "web_identity_token_file=/t\n",
     "", "web b </t> w, a"},
    {"a role with keys of its own", "[profile p]\n" ROLE("a") FROM("p"),
     "[p]\n" KEYS("A"), "keys p, a"},
    {"a role whose own keys are not asked for",
     "[profile p]\n" ROLE("a") FROM("b"), "[p]\n" KEYS("A") "[b]\n" KEYS("B"),
     "keys b, a"},
    {"a role whose own keys are not asked for, nor whole",
     "[profile p]\n" ROLE("a") SOURCE("EcsContainer"),
     "[p]\naws_access_key_id=A\n", "container p, a"},
    {"keys of a source_profile end the chain",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b") FROM("c"),
     "[b]\n" KEYS("B") "[c]\n" KEYS("C"), "keys b, a"},
    {"though what it names does not exist",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b") FROM("gone"),
     "[b]\n" KEYS("B"), "keys b, a"},
    {"though it would need an MFA code",
     "[profile p]\n" ROLE("a")
         FROM("b") "[profile b]\n" ROLE("b") "mfa_serial=m\n",
     "[b]\n" KEYS("B"), "keys b, a"},
    {"the default profile as a source",
     "[profile p]\n" ROLE("a") FROM("default"), "[default]\n" KEYS("A"),
     "keys default, a"},
    {"source_profile without a role says nothing", "[profile p]\n" FROM("b"),
     "[b]\n" KEYS("B"), "nothing p"},
    {"credential_source without a role says nothing",
     "[profile p]\n" SOURCE("Nowhere"), "", "nothing p"},
    {"an MFA device without a role", "[profile p]\nmfa_serial=m\n",
     "[p]\n" KEYS("A"), "keys p"},
    {"an empty source_profile is none",
     "[profile p]\n" ROLE("a") "source_profile=\n" SOURCE("Environment"), "",
     "environment p, a"},
};

static void follows_profiles(void **state) {
  (void)state;
  for (size_t i = 0; i < N(good); i++) {
    struct err err = {""};
    struct chain chain;
    struct buf text = BUF_INIT(1000);
    struct ini *ini =
        ini_parse(str_of(good[i].config), str_of(good[i].credentials), &err);
    assert_non_null(ini);
    if (chain_find(ini, "p", &chain, &err) != 0)
      fail_msg("%s: %s", good[i].label, err.text);
    put_chain(&text, &chain);
    if (strcmp(buf_str(&text), good[i].want) != 0)
      fail_msg("%s: %s", good[i].label, buf_str(&text));
    assert_string_equal(err.text, "");
    buf_clear(&text);
    ini_wipe(ini);
  }
}

static const struct {
  const char *label;
  const char *config, *credentials;
  const char *profile, *words; /* of the sentence */
} bad[] = {
    {"no secret key", "", "[p]\naws_access_key_id=A\n", "p",
     "aws_access_key_id needs an aws_secret_access_key"},
    {"no key id", "", "[p]\naws_secret_access_key=PRIVATE\n", "p",
     "aws_secret_access_key needs an aws_access_key_id"},
    {"an empty key id", "",
     "[p]\naws_access_key_id=\naws_secret_access_key=PRIVATE\n", "p",
     "needs an aws_access_key_id"},
    {"half a pair and a process", "[profile p]\ncredential_process=/x\n",
     "[p]\naws_access_key_id=A\n", "p", "needs an aws_secret_access_key"},
    {"half a pair in the source", "[profile p]\n" ROLE("a") FROM("b"),
     "[b]\naws_access_key_id=A\n", "b", "needs an aws_secret_access_key"},
    {"half a pair in itself", "[profile p]\n" ROLE("a") FROM("p"),
     "[p]\naws_access_key_id=A\n", "p", "needs an aws_secret_access_key"},

    {"a role on nothing", "[profile p]\n" ROLE("a"), "", "p",
     "role_arn needs source_profile or credential_source"},
    {"a role beside keys that nobody names", "[profile p]\n" ROLE("a"),
     "[p]\n" KEYS("A"), "p", "role_arn needs source_profile"},
    {"a role on both",
     "[profile p]\n" ROLE("a") FROM("b") SOURCE("Environment"),
     "[b]\n" KEYS("A"), "p", "take one out"},
    {"an unknown source", "[profile p]\n" ROLE("a") SOURCE("Imds"), "", "p",
     "credential_source \"Imds\" is unknown; write Environment"},
    {"a source without its capitals",
     "[profile p]\n" ROLE("a") SOURCE("ec2InstanceMetadata"), "", "p",
     "with these capitals"},
    {"a source of two lines",
     "[profile p]\n" ROLE("a") "credential_source=Environment\n x\n", "", "p",
     "\"Environment x\" is unknown"},

    {"a source that does not exist", "[profile p]\n" ROLE("a") FROM("gone"),
     "[b]\n" KEYS("A"), "p", "source_profile \"gone\" does not exist"},
    {"a source without credentials",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\nregion=x\n", "", "p",
     "source_profile \"b\" has no credentials"},
    {"a source that names a source alone",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" FROM("c"),
     "[c]\n" KEYS("A"), "p", "source_profile \"b\" has no credentials"},
    {"a loop of one", "[profile p]\n" ROLE("a") FROM("p"), "", "p",
     "source_profile \"p\" leads back"},
    {"a loop of two",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b") FROM("p"),
     "", "b", "source_profile \"p\" leads back"},
    {"a loop of two, though one has keys",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b") FROM("p"),
     "[p]\n" KEYS("A"), "b", "source_profile \"p\" leads back"},
    {"a loop behind the first",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b")
         FROM("c") "[profile c]\n" ROLE("c") FROM("b"),
     "", "c", "source_profile \"b\" leads back"},
    {"a loop of one behind the first",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b") FROM("b"),
     "", "b", "source_profile \"b\" leads back"},

    {"an ARN that is none", "[profile p]\nrole_arn=r\n" SOURCE("Environment"),
     "", "p", "role ARN \"r\": names no role"},
    {"an external id with a blank",
     "[profile p]\n" ROLE("a") SOURCE("Environment") "external_id=a b\n", "",
     "p", "external id \"a b\": STS takes"},
    {"a session name with a colon",
     "[profile p]\n" ROLE("a") SOURCE("Environment") "role_session_name=a:b\n",
     "", "p", "role session name \"a:b\""},
    {"a duration in words",
     "[profile p]\n" ROLE("a")
         SOURCE("Environment") "duration_seconds=1 hour\n",
     "", "p", "duration_seconds \"1 hour\" is no number of seconds"},
    {"a duration of minutes",
     "[profile p]\n" ROLE("a") SOURCE("Environment") "duration_seconds=60\n",
     "", "p", "from 900 to 43200"},
    {"no duration at all",
     "[profile p]\n" ROLE("a") SOURCE("Environment") "duration_seconds=0\n", "",
     "p", "from 900 to 43200"},
    {"an endless duration",
     "[profile p]\n" ROLE("a")
         SOURCE("Environment") "duration_seconds=99999999999999999999\n",
     "", "p", "from 900 to 43200"},
    {"a bad role in the source",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\n" ROLE("b")
         SOURCE("Environment") "external_id=x\n",
     "", "b", "external id"},
    {"web identity without a role", "[profile p]\nweb_identity_token_file=/t\n",
     "", "p", "web_identity_token_file needs a role_arn"},
    {"web identity with a bad role",
     "[profile p]\nrole_arn=x\nweb_identity_token_file=/t\n", "", "p",
     "names no role"},

    {"a role that needs an MFA code",
     "[profile p]\n" ROLE("a") FROM("b") "mfa_serial=arn:m\n",
     "[b]\n" KEYS("A"), "p", "mfa_serial"},
    {"what to use instead",
     "[profile p]\n" ROLE("a") FROM("b") "mfa_serial=arn:m\n",
     "[b]\n" KEYS("A"), "p",
     "use an instance role, a role with "
     "credential_source, access keys, or credential_process"},
    {"SSO", "[profile p]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n",
     "", "p", "is not supported: use an instance role"},
    {"SSO, the old way", "[profile p]\nsso_start_url=u\nsso_account_id=1\n", "",
     "p", "SSO"},
    {"SSO in the source",
     "[profile p]\n" ROLE("a") FROM("b") "[profile b]\nsso_role_name=r\n", "",
     "b", "SSO"},
    {"a login session", "[profile p]\nlogin_session=arn:x\n", "", "p",
     "a login session needs somebody who signs in, and is not supported: use "
     "an instance role"},
};

static void says_what_is_wrong(void **state) {
  (void)state;
  for (size_t i = 0; i < N(bad); i++) {
    struct err err = {""};
    struct chain chain;
    struct ini *ini =
        ini_parse(str_of(bad[i].config), str_of(bad[i].credentials), &err);
    assert_non_null(ini);
    if (chain_find(ini, "p", &chain, &err) != -1)
      fail_msg("%s: was taken", bad[i].label);
    char begin[40];
    struct buf text = BUF_OVER(begin);
    buf_printf(&text, "profile \"%s\": ", bad[i].profile);
    if (strstr(err.text, begin) != err.text ||
        strstr(err.text, bad[i].words) == NULL)
      fail_msg("%s: %s", bad[i].label, err.text);
    if (strstr(err.text, "PRIVATE") != NULL)
      fail_msg("%s: told a secret", bad[i].label);
    assert_int_equal(chain.base, CHAIN_NOTHING);
    assert_int_equal(chain.n_roles, 0);
    ini_wipe(ini);
  }
}

/* n roles on keys, one on top of the other. */
static int find_long(size_t n, struct buf *found, struct err *err) {
  struct buf config = BUF_INIT(10000);
  for (size_t i = 0; i < n; i++)
    buf_printf(&config,
               "[profile p%zu]\nrole_arn=" ARN "%zu\nsource_profile=p%zu\n", i,
               i, i + 1);
  buf_printf(&config, "[profile p%zu]\n" KEYS("A"), n);
  struct ini *ini = ini_parse(str_of(buf_str(&config)), STR(""), err);
  assert_non_null(ini);
  struct chain chain;
  int rc = chain_find(ini, "p0", &chain, err);
  if (rc == 0)
    put_chain(found, &chain);
  buf_clear(&config);
  ini_wipe(ini);
  return rc;
}

static void follows_so_many_roles(void **state) {
  (void)state;
  struct err err = {""};
  struct buf found = BUF_INIT(1000);
  assert_int_equal(find_long(CHAIN_ROLES_MAX, &found, &err), 0);
  assert_string_equal(buf_str(&found), "keys p8, 7, 6, 5, 4, 3, 2, 1, 0");
  assert_int_equal(find_long(CHAIN_ROLES_MAX + 1, &found, &err), -1);
  assert_non_null(strstr(err.text, "profile \"p8\": more than 8 roles"));
  buf_clear(&found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(follows_profiles),
      cmocka_unit_test(says_what_is_wrong),
      cmocka_unit_test(follows_so_many_roles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
