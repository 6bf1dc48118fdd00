/* Lines of an input: a selector, the name, the namespace, the value of a
 * dimension.  They compile or it is said why; and whatever a value list then
 * maps to is fit for CloudWatch. */
#include "metric/rule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SELECTOR_MAX 40

static void check_text(const char *text, size_t max) {
  size_t len = strlen(text);
  if (len == 0 || len > max || strspn(text, " ") == len)
    abort();
  for (size_t i = 0; i < len; i++)
    if (text[i] < 0x20 || text[i] > 0x7e)
      abort();
}

/* What was told before. */
struct told {
  size_t reading, n_dimensions;
};

static void check_series(void *context, size_t reading, const struct rule *rule,
                         const struct series_name *name) {
  struct told *last = context;

  if (reading > 1 || rule->label == NULL || name->n_dimensions > 2 ||
      (reading == last->reading && name->n_dimensions < last->n_dimensions))
    abort();
  *last = (struct told){reading, name->n_dimensions};
  check_text(name->namespace, CW_NAMESPACE_MAX);
  check_text(name->name, CW_NAME_MAX);
  if (name->namespace[0] == ':' || strncmp(name->namespace, "AWS/", 4) == 0)
    abort();
  for (size_t i = 0; i < name->n_dimensions; i++)
    check_text(name->dimensions[i].value, CW_DIMENSION_VALUE_MAX);
}

static void check_notice(void *context, const char *sentence) {
  (void)context;
  if (sentence[0] != '<')
    abort();
}

static const char *no_variable(const char *name) {
  (void)name;
  return NULL;
}

static void check_map(const struct rules *rules) {
  static const struct reading readings[] = {{.name = "rx"}, {.name = "tx"}};
  static const char *const meta[TMPL_META_MAX] = {
      "", "b", "c", "", "e", "f", "", "h", "i", "", "k", "l", "", "n", "o", ""};
  struct input in = {.part = {"K\xc3\xb6ln", "if", " ", "if_octets", ":a"},
                     .meta = meta,
                     .readings = readings,
                     .n_readings = 2};
  struct told last = {0};
  if (rules_map(rules, &in, check_series, check_notice, &last) != 0)
    abort();
}

/* glibc takes minutes and gigabytes for nested repetition and back references,
 * which only the administrator could write. */
static bool is_tame(const char *selector) {
  size_t repetitions = 0;
  for (const char *c = selector; *c != '\0'; c++)
    repetitions += strchr("*+?", *c) != NULL;
  return repetitions <= 3 && strlen(selector) <= SELECTOR_MAX &&
         strpbrk(selector, "{\\") == NULL;
}

static char *next_line(struct str *rest) {
  struct str line = {0};
  str_split(rest, '\n', &line);
  char *text = str_dup(line);
  if (text == NULL)
    abort();
  return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str rest = {(const char *)data, size};
  char *selector = next_line(&rest);
  struct rule_spec rule = RULE_SPEC_INIT;
  struct text_list lines = {&selector, 1};
  char dimension_names[][2] = {"A", "B"}, host[] = "%{host}";
  char *of_a[] = {dimension_names[0]};
  struct text_list sets[] = {{of_a, 1}, {NULL, 0}};
  struct err err = {0};
  struct buf warnings = BUF_INIT(4096);

  rule.name = next_line(&rest);
  rule.where.namespace = next_line(&rest);
  rule.select[PART_TYPE] = lines;
  struct dimension_spec dimensions[] = {{dimension_names[0], next_line(&rest)},
                                        {dimension_names[1], host}};
  rule.where.dimensions = dimensions;
  rule.where.n_dimensions = 2;
  rule.where.sets = sets;
  rule.where.n_sets = size % 2 == 0 ? 2 : 0;
  struct rules_spec spec = {.rules = &rule, .n_rules = 1};

  if (is_tame(selector)) {
    bool good = rule_check_selector(str_of(selector), &err) == 0;
    struct rules *rules =
        rules_compile(&spec, "collectd", no_variable, &warnings, &err);
    if (rules != NULL ? !good : err.text[0] == '\0')
      abort();
    if (rules != NULL)
      check_map(rules);
    rules_free(rules);
  }
  free(dimensions[0].template);
  free(rule.where.namespace);
  free(rule.name);
  free(selector);
  buf_clear(&warnings);
  return 0;
}
