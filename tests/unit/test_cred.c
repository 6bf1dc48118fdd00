#include "aws/cred.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void expect_empty(const char *label, const struct cred *cred) {
  static const struct cred empty = {0};
  if (memcmp(cred, &empty, sizeof(empty)) != 0)
    fail_msg("%s: not empty", label);
}

static const struct {
  const char *label;
  struct str id, secret, token;
  const char *words; /* of the sentence; NULL: accepted */
} sets[] = {
    {"long-term", STR("AKID"), STR("s3cr/et+="), STR(""), NULL},
    {"temporary", STR("ASIA"), STR("s3cr/et+="), STR("t0ken=="), NULL},
    {"no id", STR(""), STR("PRIVATE"), STR(""), "access key id is missing"},
    {"no secret", STR("AKID"), STR(""), STR("PRIVATE"),
     "secret access key is missing"},
    {"line end in the secret", STR("AKID"), STR("PRIVATE\n"), STR(""),
     "secret access key holds"},
    {"carriage return in the id", STR("PRIVATE\r"), STR("s"), STR(""),
     "access key id holds"},
    {"NUL in the token", STR("AKID"), STR("s"), STR("PRIVATE\0x"),
     "session token holds"},
    {"DEL in the token", STR("AKID"), STR("s"), STR("PRIVATE\x7f"),
     "session token holds"},
    {"tab in the secret", STR("AKID"), STR("PRIV\tATE"), STR(""),
     "secret access key holds"},
};

static void sets_or_says_why_not(void **state) {
  (void)state;
  for (size_t i = 0; i < N(sets); i++) {
    struct cred cred = {0};
    struct err err = {""};
    int rc = cred_set(&cred, sets[i].id, sets[i].secret, sets[i].token, 77,
                      "environment", &err);
    if (rc != (sets[i].words == NULL ? 0 : -1))
      fail_msg("%s: %d", sets[i].label, rc);
    if (rc == 0) {
      assert_string_equal(cred.access_key_id, sets[i].id.p);
      assert_string_equal(cred.secret_access_key, sets[i].secret.p);
      if (sets[i].token.len == 0)
        assert_null(cred.session_token);
      else
        assert_string_equal(cred.session_token, sets[i].token.p);
      assert_true(cred.expires_s == 77);
      cred_wipe(&cred);
      expect_empty(sets[i].label, &cred);
      continue;
    }
    expect_empty(sets[i].label, &cred);
    if (strstr(err.text, sets[i].words) == NULL ||
        strstr(err.text, "environment") == NULL)
      fail_msg("%s: %s", sets[i].label, err.text);
    if (strstr(err.text, "PRIV") != NULL)
      fail_msg("%s: told a secret", sets[i].label);
  }
}

static const struct {
  const char *label;
  const char *text; /* of the credentials file */
  enum cred_found want;
  const char *token;
} profiles[] = {
    {"both keys", "[p]\naws_access_key_id=A\naws_secret_access_key=PRIVATE\n",
     CRED_FOUND, NULL},
    {"and a token",
     "[p]\naws_access_key_id=A\naws_secret_access_key=PRIVATE\n"
     "aws_session_token=new\naws_security_token=old\n",
     CRED_FOUND, "new"},
    {"the older token",
     "[p]\naws_access_key_id=A\naws_secret_access_key=PRIVATE\n"
     "aws_security_token=old\n",
     CRED_FOUND, "old"},
    {"no such profile",
     "[q]\naws_access_key_id=A\naws_secret_access_key=PRIVATE\n", CRED_ABSENT,
     NULL},
    {"no keys", "[p]\nregion=x\naws_session_token=PRIVATE\n", CRED_ABSENT,
     NULL},
    {"no secret", "[p]\naws_access_key_id=A\n", CRED_FAILED, NULL},
    {"an empty secret", "[p]\naws_access_key_id=A\naws_secret_access_key=\n",
     CRED_FAILED, NULL},
    {"no id", "[p]\naws_secret_access_key=PRIVATE\n", CRED_FAILED, NULL},
    {"a secret of two lines",
     "[p]\naws_access_key_id=A\naws_secret_access_key=PRIVATE\n more\n",
     CRED_FAILED, NULL},
};

static void finds_static_keys_of_a_profile(void **state) {
  (void)state;
  for (size_t i = 0; i < N(profiles); i++) {
    struct err err = {""};
    struct cred cred = {0};
    struct ini *ini = ini_parse(STR(""), str_of(profiles[i].text), &err);
    assert_non_null(ini);
    if (cred_from_profile(ini, "p", &cred, &err) != profiles[i].want)
      fail_msg("%s: %s", profiles[i].label, err.text);
    if (profiles[i].want == CRED_FOUND) {
      assert_string_equal(cred.access_key_id, "A");
      assert_string_equal(cred.secret_access_key, "PRIVATE");
      assert_true(cred.expires_s == CRED_NEVER);
      if (profiles[i].token == NULL)
        assert_null(cred.session_token);
      else
        assert_string_equal(cred.session_token, profiles[i].token);
    } else {
      expect_empty(profiles[i].label, &cred);
    }
    bool told = err.text[0] != '\0';
    if (told != (profiles[i].want == CRED_FAILED))
      fail_msg("%s: \"%s\"", profiles[i].label, err.text);
    if (told && strstr(err.text, "profile \"p\"") == NULL)
      fail_msg("%s: which profile? %s", profiles[i].label, err.text);
    if (strstr(err.text, "PRIVATE") != NULL)
      fail_msg("%s: told a secret", profiles[i].label);
    cred_wipe(&cred);
    ini_wipe(ini);
  }
}

static const struct {
  const char *label;
  int64_t expires_s, now_s, margin_s;
  bool want;
} ends[] = {
    {"never", CRED_NEVER, INT64_MAX, INT64_MAX, true},
    {"far away", 1000, 100, 300, true},
    {"just away enough", 401, 100, 300, true},
    {"one second too near", 400, 100, 300, false},
    {"over", 99, 100, 0, false},
    {"over long ago", 1, 100, 300, false},
    {"margin beyond all time", 1000, 100, INT64_MAX, false},
};

static void knows_when_it_ends(void **state) {
  (void)state;
  char id[] = "A", secret[] = "s";
  struct cred none = {.expires_s = CRED_NEVER};
  assert_false(cred_is_fresh(&none, 0, 0));
  for (size_t i = 0; i < N(ends); i++) {
    struct cred cred = {id, secret, NULL, ends[i].expires_s};
    if (cred_is_fresh(&cred, ends[i].now_s, ends[i].margin_s) != ends[i].want)
      fail_msg("%s", ends[i].label);
  }
}

static void moves(void **state) {
  (void)state;
  struct cred a = {0}, b = {0};
  assert_int_equal(cred_set(&a, STR("A"), STR("s"), STR("t"), 5, "x", NULL), 0);
  assert_int_equal(cred_set(&b, STR("B"), STR("u"), STR(""), 6, "x", NULL), 0);

  cred_move(&b, &a);
  expect_empty("moved away", &a);
  assert_string_equal(b.access_key_id, "A");
  assert_string_equal(b.secret_access_key, "s");
  assert_string_equal(b.session_token, "t");
  assert_true(b.expires_s == 5);
  cred_move(&b, &b);
  assert_string_equal(b.session_token, "t");

  cred_wipe(&b);
  expect_empty("wiped", &b);
  cred_wipe(&b);
}

/* ---- JSON ---------------------------------------------------------------- */

#define PAIR "\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"PRIVATE\""
#define V1 "\"Version\":1,"
#define T0 INT64_C(1900000000) /* 2030-03-17T17:46:40Z */

static const struct {
  const char *label;
  enum cred_shape shape;
  const char *text;
  const char *token;
  int64_t expires_s;
} documents[] = {
    {"a process", CRED_OF_PROCESS,
     "{" V1 PAIR ",\"SessionToken\":\"t=\",\"Expiration\":"
     "\"2030-03-17T17:46:40Z\"}",
     "t=", T0},
    {"a process, all on lines of their own", CRED_OF_PROCESS,
     "\n {\n \"Version\": 1,\r\n \"AccessKeyId\": \"A\",\n"
     " \"SecretAccessKey\": \"PRIVATE\"\n }\n\n",
     NULL, CRED_NEVER},
    {"one written as 1.0", CRED_OF_PROCESS, "{\"Version\":1.0," PAIR "}", NULL,
     CRED_NEVER},
    {"no token, no end, said with null", CRED_OF_PROCESS,
     "{" V1 PAIR ",\"SessionToken\":null,\"Expiration\":null}", NULL,
     CRED_NEVER},
    {"an empty token", CRED_OF_PROCESS, "{" V1 PAIR ",\"SessionToken\":\"\"}",
     NULL, CRED_NEVER},
    {"what else is there", CRED_OF_PROCESS,
     "{" V1 PAIR ",\"AccountId\":7,\"Token\":8}", NULL, CRED_NEVER},
    {"an offset and a fraction", CRED_OF_PROCESS,
     "{" V1 PAIR ",\"Expiration\":\"2030-03-17T18:46:40.999+01:00\"}", NULL,
     T0},
    {"ECS", CRED_OF_CONTAINER,
     "{\"RoleArn\":\"r\"," PAIR ",\"Token\":\"t\",\"Expiration\":"
     "\"2030-03-17T17:46:40Z\"}",
     "t", T0},
    {"EKS", CRED_OF_CONTAINER,
     "{" PAIR ",\"Token\":\"t\",\"AccountId\":\"1\",\"Expiration\":"
     "\"2030-03-17T17:46:40Z\"}",
     "t", T0},
    {"a container that has not read the manual", CRED_OF_CONTAINER,
     "{\"Code\":\"Success\",\"Message\":\"\"," PAIR "}", NULL, CRED_NEVER},
    {"IMDS", CRED_OF_INSTANCE,
     "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : "
     "\"2030-03-17T11:00:00Z\",\n  \"Type\" : \"AWS-HMAC\",\n " PAIR
     ",\n  \"Token\" : \"t\",\n  \"Expiration\" : "
     "\"2030-03-17T17:46:40Z\"\n}",
     "t", T0},
    {"IMDS without a code", CRED_OF_INSTANCE, "{" PAIR ",\"Token\":\"t\"}", "t",
     CRED_NEVER},
    {"STS, seconds", CRED_OF_STS,
     "{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":1900000000}", "t", T0},
    {"STS, seconds with an exponent", CRED_OF_STS,
     "{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":1.9E9}", "t", T0},
    {"STS, with a fraction", CRED_OF_STS,
     "{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":1.9000000005e+9}", "t",
     T0},
    {"STS, in words", CRED_OF_STS,
     "{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":"
     "\"2030-03-17T17:46:40Z\"}",
     "t", T0},
};

static void reads_json(void **state) {
  (void)state;
  for (size_t i = 0; i < N(documents); i++) {
    struct cred cred;
    struct err err = {""};
    if (cred_from_json(str_of(documents[i].text), documents[i].shape, "x",
                       &cred, &err) != 0)
      fail_msg("%s: %s", documents[i].label, err.text);
    assert_string_equal(cred.access_key_id, "A");
    assert_string_equal(cred.secret_access_key, "PRIVATE");
    if (documents[i].token == NULL)
      assert_null(cred.session_token);
    else
      assert_string_equal(cred.session_token, documents[i].token);
    if (cred.expires_s != documents[i].expires_s)
      fail_msg("%s: %lld", documents[i].label, (long long)cred.expires_s);
    cred_wipe(&cred);
  }
}

#define LONG                                                                   \
  "a23456789 b23456789 c23456789 d23456789 e23456789 f23456789 g23456789 "     \
  "h23456789 i23456789 j23456789 k23456789 l23456789 m23456789 n23456789 "     \
  "o23456789 p23456789 q23456789 r23456789 s23456789 t23456789 u23456789 "     \
  "v23456789 w23456789 x23456789 PRIVATE"

static const struct {
  const char *label;
  enum cred_shape shape;
  struct str text;
  const char *words; /* of the sentence */
} refused[] = {
    {"nothing", CRED_OF_PROCESS, STR(""), "is empty"},
    {"a line end", CRED_OF_PROCESS, STR(" \r\n"), "is empty"},
    {"HTML", CRED_OF_CONTAINER, STR("\n<!DOCTYPE html><html>PRIVATE</html>"),
     "is HTML or XML, not JSON"},
    {"text", CRED_OF_PROCESS, STR("PRIVATE"), "not readable as JSON"},
    {"cut off", CRED_OF_PROCESS, STR("{" V1 "\"SecretAccessKey\":\"PRIVATE"),
     "not readable as JSON"},
    {"cut off before the end", CRED_OF_PROCESS, STR("{" V1 PAIR),
     "not readable as JSON"},
    {"two documents", CRED_OF_PROCESS, STR("{" V1 PAIR "}{" V1 PAIR "}"),
     "not readable as JSON"},
    {"a NUL behind it", CRED_OF_PROCESS, STR("{" V1 PAIR "}\0"),
     "not readable as JSON"},
    {"a list", CRED_OF_PROCESS, STR("[{" V1 PAIR "}]"), "no JSON object"},
    {"a text of JSON", CRED_OF_INSTANCE, STR("\"PRIVATE\""), "no JSON object"},
    {"null", CRED_OF_CONTAINER, STR("null"), "no JSON object"},

    {"no version", CRED_OF_PROCESS, STR("{" PAIR "}"),
     "Version is missing; it must be the number 1"},
    {"version 2", CRED_OF_PROCESS, STR("{\"Version\":2," PAIR "}"),
     "Version is not the number 1"},
    {"version 1 in quotes", CRED_OF_PROCESS,
     STR("{\"Version\":\"1\"," PAIR "}"), "Version is not the number 1"},
    {"a version nearly 1", CRED_OF_PROCESS, STR("{\"Version\":1.5," PAIR "}"),
     "Version is not the number 1"},
    {"version true", CRED_OF_PROCESS, STR("{\"Version\":true," PAIR "}"),
     "Version is not the number 1"},
    {"version null", CRED_OF_PROCESS, STR("{\"Version\":null," PAIR "}"),
     "Version is not the number 1"},
    {"a huge version", CRED_OF_PROCESS, STR("{\"Version\":1e999," PAIR "}"),
     "Version is not the number 1"},
    {"a version of many digits", CRED_OF_PROCESS,
     STR("{\"Version\":99999999999999999999999999," PAIR "}"),
     "Version is not the number 1"},

    {"no key id", CRED_OF_PROCESS,
     STR("{" V1 "\"SecretAccessKey\":\"PRIVATE\"}"),
     "access key id is missing"},
    {"an empty key id", CRED_OF_PROCESS,
     STR("{" V1 "\"AccessKeyId\":\"\",\"SecretAccessKey\":\"PRIVATE\"}"),
     "access key id is missing"},
    {"a key id of null", CRED_OF_INSTANCE,
     STR("{\"AccessKeyId\":null,\"SecretAccessKey\":\"PRIVATE\"}"),
     "access key id is missing"},
    {"a number for a key id", CRED_OF_PROCESS,
     STR("{" V1 "\"AccessKeyId\":1,\"SecretAccessKey\":\"PRIVATE\"}"),
     "AccessKeyId is not text"},
    {"names without capitals", CRED_OF_CONTAINER,
     STR("{\"accessKeyId\":\"A\",\"secretAccessKey\":\"PRIVATE\"}"),
     "access key id is missing"},
    {"no secret", CRED_OF_CONTAINER,
     STR("{\"AccessKeyId\":\"A\",\"Token\":\"PRIVATE\"}"),
     "secret access key is missing"},
    {"a list for a secret", CRED_OF_CONTAINER,
     STR("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":[\"PRIVATE\"]}"),
     "SecretAccessKey is not text"},
    {"a number for a token", CRED_OF_PROCESS,
     STR("{" V1 PAIR ",\"SessionToken\":5}"), "SessionToken is not text"},
    {"and of a container", CRED_OF_CONTAINER, STR("{" PAIR ",\"Token\":{}}"),
     "Token is not text"},
    {"a line break in the token", CRED_OF_INSTANCE,
     STR("{" PAIR ",\"Token\":\"PRIVATE\\nx\"}"),
     "session token holds a line break"},
    {"a NUL in the secret", CRED_OF_INSTANCE,
     STR("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"PRIVATE\\u0000x\"}"),
     "secret access key holds a line break"},

    {"an end in words", CRED_OF_PROCESS,
     STR("{" V1 PAIR ",\"Expiration\":\"tomorrow\"}"), "Expiration is no time"},
    {"an empty end", CRED_OF_PROCESS, STR("{" V1 PAIR ",\"Expiration\":\"\"}"),
     "Expiration is no time"},
    {"an end of year 1", CRED_OF_PROCESS,
     STR("{" V1 PAIR ",\"Expiration\":\"0001-01-01T00:00:00Z\"}"),
     "Expiration is no time from 1970 to 9999"},
    {"a number for an end", CRED_OF_PROCESS,
     STR("{" V1 PAIR ",\"Expiration\":1900000000}"), "Expiration is no time"},
    {"true for an end", CRED_OF_INSTANCE, STR("{" PAIR ",\"Expiration\":true}"),
     "Expiration is no time"},
    {"STS, milliseconds", CRED_OF_STS,
     STR("{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":1900000000000}"),
     "Expiration is no time"},
    {"STS, a huge number", CRED_OF_STS,
     STR("{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":1e308}"),
     "Expiration is no time"},
    {"STS, a greater one", CRED_OF_STS,
     STR("{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":1e400}"),
     "Expiration is no time"},
    {"STS, before 1970", CRED_OF_STS,
     STR("{" PAIR ",\"SessionToken\":\"t\",\"Expiration\":-1}"),
     "Expiration is no time"},
    {"STS, no end", CRED_OF_STS, STR("{" PAIR ",\"SessionToken\":\"t\"}"),
     "Expiration is missing"},
    {"STS, no token", CRED_OF_STS, STR("{" PAIR ",\"Expiration\":1900000000}"),
     "session token is missing"},

    {"a role that EC2 may not assume", CRED_OF_INSTANCE,
     STR("{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot "
         "assume the role r.\",\"LastUpdated\":\"2030-03-17T17:46:40Z\"}"),
     "no credentials, but AssumeRoleUnauthorizedAccess: EC2 cannot assume the "
     "role r."},
    {"a code beside keys", CRED_OF_INSTANCE,
     STR("{\"Code\":\"Failed\"," PAIR "}"), "no credentials, but Failed"},
    {"a container that refuses", CRED_OF_CONTAINER,
     STR("{\"code\":\"InvalidToken\",\"message\":\"no\\nsuch\\ttoken\"}"),
     "no credentials, but InvalidToken: no such token"},
    {"a message alone", CRED_OF_CONTAINER, STR("{\"message\":\"not now\"}"),
     "no credentials, but an error: not now"},
    {"a message of letters that no log takes", CRED_OF_CONTAINER,
     STR("{\"code\":\"\\u001b[31m\",\"message\":\"\\u00e9\\u0007x\"}"),
     "no credentials, but ?[31m: ???x"},
    {"a message without an end", CRED_OF_INSTANCE,
     STR("{\"Code\":\"C\",\"Message\":\"" LONG "\"}"),
     "no credentials, but C: a23456789 b23456789"},
};

static void says_why_json_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < N(refused); i++) {
    struct cred cred;
    struct err err = {""};
    if (cred_from_json(refused[i].text, refused[i].shape, "the helper", &cred,
                       &err) != -1)
      fail_msg("%s: was taken", refused[i].label);
    expect_empty(refused[i].label, &cred);
    if (strstr(err.text, "the helper: ") != err.text ||
        strstr(err.text, refused[i].words) == NULL)
      fail_msg("%s: %s", refused[i].label, err.text);
    if (strstr(err.text, "PRIV") != NULL)
      fail_msg("%s: told a secret: %s", refused[i].label, err.text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_or_says_why_not),
      cmocka_unit_test(finds_static_keys_of_a_profile),
      cmocka_unit_test(knows_when_it_ends),
      cmocka_unit_test(reads_json),
      cmocka_unit_test(says_why_json_is_refused),
      cmocka_unit_test(moves),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
