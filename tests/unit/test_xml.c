#include "aws/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
  const char *label;
  struct str body;
  const char *want;
} roots[] = {
    {"plain", STR("<A><B/></A>"), "A"},
    {"with attributes", STR("<A xmlns=\"u\">"), "A"},
    {"after a declaration", STR("<?xml version=\"1.0\"?>\n<A>"), "A"},
    {"after a comment", STR("<!-- > --> <A>"), "A"},
    {"after a document type", STR("<!DOCTYPE html><html>"), "html"},
    {"declaration without an end", STR("<?xml version"), ""},
    {"comment without an end", STR("<!-- <A>"), ""},
    {"no markup", STR("A"), ""},
    {"nothing", STR(""), ""},
};

static void names_the_root(void **state) {
  (void)state;
  for (size_t i = 0; i < N(roots); i++)
    if (!str_eq(xml_root(roots[i].body), str_of(roots[i].want)))
      fail_msg("%s", roots[i].label);
}

static const struct {
  const char *label;
  struct str body;
  bool want;
} ends[] = {
    {"plain", STR("<A><B></B></A>"), true},
    {"blanks in the tag", STR("<A></A \r\n>"), true},
    {"nothing but the opening tag", STR("<A>"), false},
    {"without its bracket", STR("<A></A"), false},
    {"in the midst of its name", STR("<AB></A"), false},
    {"of another element", STR("<A></B>"), false},
    {"of a name that ends like it", STR("<A></BA>"), false},
    {"something after it", STR("<A></A>x"), false},
    {"nothing", STR(""), false},
};

static void knows_the_end_of_the_root(void **state) {
  (void)state;
  for (size_t i = 0; i < N(ends); i++)
    if (xml_is_ended(ends[i].body, xml_root(ends[i].body)) != ends[i].want)
      fail_msg("%s", ends[i].label);
}

static const struct {
  const char *label;
  struct str body;
  const char *want;
} elements[] = {
    {"plain", STR("<r><Code>x</Code></r>"), "x"},
    {"the first of two", STR("<Code>x</Code><Code>y</Code>"), "x"},
    {"with attributes", STR("<Code a=\"b\">x</Code>"), "x"},
    {"tags with blanks", STR("<Code\n>x</Code >"), "x"},
    {"not one of a longer name", STR("<Codes>x</Codes><Code>y</Code>"), "y"},
    {"the empty form is stepped over", STR("<Code/><Code>y</Code>"), "y"},
    {"the empty form with a blank", STR("<Code /><Code>y</Code>"), "y"},
    {"other elements inside", STR("<Code><a>x</a></Code>"), "<a>x</a>"},
    {"nothing inside", STR("<Code></Code>"), ""},
    {"not there", STR("<r>Code</r>"), ""},
    {"no closing tag", STR("<Code>x"), ""},
    {"closed before it opens", STR("</Code><Code>x"), ""},
    {"cut off in the opening tag", STR("<Code"), ""},
    {"cut off after a blank", STR("<Code a"), ""},
    {"cut off in the closing tag", STR("<Code>x</Code"), ""},
    {"a NUL after the name", STR("<Code\0>x</Code>"), ""},
    {"nothing at all", STR(""), ""},
};

static void finds_elements(void **state) {
  (void)state;
  for (size_t i = 0; i < N(elements); i++)
    if (!str_eq(xml_element(elements[i].body, "Code"),
                str_of(elements[i].want)))
      fail_msg("%s", elements[i].label);
}

/* A megabyte of opening tags, whole ones or not, is read in no time: looking
 * for each one's end anew would take minutes. */
static void reads_a_long_text_once(void **state) {
  (void)state;
  static const char *const pieces[] = {"<Code", "<Code ", "<Code/>", "<Code>"};
  size_t size = (size_t)1 << 20;
  char *text = malloc(size);
  assert_non_null(text);
  for (size_t i = 0; i < N(pieces); i++) {
    size_t len = strlen(pieces[i]);
    for (size_t at = 0; at < size; at++)
      text[at] = pieces[i][at % len];
    memcpy(text + size - 2, "/>", 2);
    assert_int_equal(xml_element((struct str){text, size}, "Code").len, 0);
  }
  free(text);
}

static const struct {
  const char *label;
  struct str text;
  const char *want; /* NULL: failed */
} texts[] = {
    {"no entity", STR("a+b/c="), "a+b/c="},
    {"the five names", STR("&lt;&gt;&amp;&quot;&apos;"), "<>&\"'"},
    {"decimal and hexadecimal", STR("&#43;&#x2F;&#x2f;"), "+//"},
    {"decoded once", STR("&amp;lt;"), "&lt;"},
    {"an unknown one stays", STR("&nbsp;&;&#;&#x;&#xg;&"),
     "&nbsp;&;&#;&#x;&#xg;&"},
    {"one too long stays", STR("&#000000043;"), "&#000000043;"},
    {"bytes stay as they are", STR("\xc3\xa9"), "\xc3\xa9"},
    {"beyond ASCII", STR("a&#xe9;"), NULL},
    {"far beyond", STR("&#x10FFFF;a"), NULL},
};

static void decodes_entities(void **state) {
  (void)state;
  for (size_t i = 0; i < N(texts); i++) {
    struct buf out = BUF_INIT(100);
    xml_put(&out, texts[i].text);
    if (buf_ok(&out) != (texts[i].want != NULL) ||
        (buf_ok(&out) && strcmp(buf_str(&out), texts[i].want) != 0))
      fail_msg("%s: %s", texts[i].label, buf_str(&out));
    buf_clear(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_the_root),
      cmocka_unit_test(knows_the_end_of_the_root),
      cmocka_unit_test(finds_elements),
      cmocka_unit_test(reads_a_long_text_once),
      cmocka_unit_test(decodes_entities),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
