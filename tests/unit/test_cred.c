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
    {"just away enough", 400, 100, 300, true},
    {"one second too near", 399, 100, 300, false},
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_or_says_why_not),
      cmocka_unit_test(finds_static_keys_of_a_profile),
      cmocka_unit_test(knows_when_it_ends),
      cmocka_unit_test(moves),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
