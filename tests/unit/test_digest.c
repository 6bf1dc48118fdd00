#include "base/digest.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const char *label, const unsigned char *bytes,
                       const char *want) {
  struct buf hex = BUF_INIT(64);
  digest_put_hex(&hex, bytes, DIGEST_BYTES);
  if (strcmp(buf_str(&hex), want) != 0)
    fail_msg("%s: %s", label, buf_str(&hex));
  buf_clear(&hex);
}

/* FIPS 180-4, examples as published by NIST, and the empty text. */
static void knows_sha256(void **state) {
  (void)state;
  static const struct {
    const char *text, *want;
  } cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb924"
           "27ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223"
              "b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039"
       "a33ce45964ff2167f6ecedd419db06c1"},
  };
  unsigned char out[DIGEST_BYTES];
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_int_equal(digest_sha256(cases[i].text, strlen(cases[i].text), out),
                     0);
    assert_hex(cases[i].text, out, cases[i].want);
  }
  assert_int_equal(digest_sha256(NULL, 0, out), 0);
  assert_hex("NULL", out, cases[0].want);
}

/* RFC 4231, section 4; a key or text of one repeated byte is given as such. */
static const struct {
  const char *label;
  const char *key;
  size_t key_len;
  unsigned char key_byte;
  const char *data;
  size_t data_len;
  unsigned char data_byte;
  const char *want;
} macs[] = {
    {"case 1", NULL, 20, 0x0b, "Hi There", 8, 0,
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"case 2", "Jefe", 4, 0, "what do ya want for nothing?", 28, 0,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"case 3", NULL, 20, 0xaa, NULL, 50, 0xdd,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"case 4",
     "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d"
     "\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19",
     25, 0, NULL, 50, 0xcd,
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"case 6", NULL, 131, 0xaa,
     "Test Using Larger Than Block-Size Key - Hash Key First", 54, 0,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"case 7", NULL, 131, 0xaa,
     "This is a test using a larger than block-size key and a larger than "
     "block-size data. The key needs to be hashed before being used by the "
     "HMAC algorithm.",
     152, 0,
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static void knows_hmac_sha256(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++) {
    unsigned char key[256], data[256], out[DIGEST_BYTES];
    memset(key, macs[i].key_byte, sizeof(key));
    memset(data, macs[i].data_byte, sizeof(data));
    if (macs[i].key != NULL)
      memcpy(key, macs[i].key, macs[i].key_len);
    if (macs[i].data != NULL)
      memcpy(data, macs[i].data, macs[i].data_len);
    assert_int_equal(
        digest_hmac(key, macs[i].key_len, data, macs[i].data_len, out), 0);
    assert_hex(macs[i].label, out, macs[i].want);
  }
}

static void the_mac_may_replace_its_key(void **state) {
  (void)state;
  unsigned char apart[DIGEST_BYTES], key[DIGEST_BYTES] = "key";
  assert_int_equal(digest_hmac(key, sizeof(key), "text", 4, apart), 0);
  assert_int_equal(digest_hmac(key, sizeof(key), "text", 4, key), 0);
  assert_memory_equal(key, apart, sizeof(key));
}

static void takes_empty_keys_and_texts(void **state) {
  (void)state;
  unsigned char a[DIGEST_BYTES], b[DIGEST_BYTES];
  assert_int_equal(digest_hmac(NULL, 0, NULL, 0, a), 0);
  assert_int_equal(digest_hmac("", 0, "", 0, b), 0);
  assert_memory_equal(a, b, sizeof(a));
  assert_hex(
      "empty", a,
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void a_key_beyond_the_library_is_refused(void **state) {
  (void)state;
  unsigned char out[DIGEST_BYTES];
  static const unsigned char zeros[DIGEST_BYTES];
  memset(out, 1, sizeof(out));
  assert_int_equal(digest_hmac("k", (size_t)INT_MAX + 1, "", 0, out), -1);
  assert_memory_equal(out, zeros, sizeof(out));
}

static void is_set_up(void **state) {
  (void)state;
  assert_int_equal(digest_set_up(), 0);
}

static void wipes(void **state) {
  (void)state;
  char secret[] = "secret!";
  digest_wipe(secret, 6);
  assert_memory_equal(secret, "\0\0\0\0\0\0!", 8);
  digest_wipe(NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_set_up),
      cmocka_unit_test(knows_sha256),
      cmocka_unit_test(knows_hmac_sha256),
      cmocka_unit_test(the_mac_may_replace_its_key),
      cmocka_unit_test(takes_empty_keys_and_texts),
      cmocka_unit_test(a_key_beyond_the_library_is_refused),
      cmocka_unit_test(wipes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
