/* rules_map(): which series a value list goes to, and what is said. */
#include "metric/rule.h"

#include "rule_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const char *environment(const char *name) {
  return strcmp(name, "STAGE") == 0 ? "prod" : NULL;
}

/* Writes "0 namespace|name {A=x B=y} Unit 60" for each series, "! sentence" for
 * each notice. */
static void put_series(void *context, size_t reading, const struct rule *rule,
                       const struct series_name *name) {
  struct buf *out = context;
  assert_non_null(rule->label);
  buf_printf(out, "%zu %s|%s {", reading, name->namespace, name->name);
  for (size_t i = 0; i < name->n_dimensions; i++)
    buf_printf(out, "%s%s=%s", i == 0 ? "" : " ", name->dimensions[i].name,
               name->dimensions[i].value);
  buf_printf(out, "} %s %d\n", name->unit, name->resolution_s);
}

static void put_notice(void *context, const char *sentence) {
  buf_printf(context, "! %s\n", sentence);
}

/* What becomes of a value list under the blocks of text. */
static struct buf map(const char *text, const struct input *in) {
  struct rules_spec spec = rule_text_read(text);
  struct buf out = BUF_INIT(65536), warnings = BUF_INIT(4096);
  struct err err = {0};
  struct rules *rules =
      rules_compile(&spec, "collectd", environment, &warnings, &err);

  if (rules == NULL)
    fail_msg("%s: %s", text, err.text);
  rules_spec_clear(&spec); /* nothing of it is needed any more */
  assert_int_equal(rules_map(rules, in, put_series, put_notice, &out), 0);
  assert_true(buf_ok(&out));
  rules_free(rules);
  buf_clear(&warnings);
  return out;
}

struct mapping {
  const char *label, *text;
  const char *want; /* all that is told */
};

static void check_mappings(const struct mapping *cases, size_t n,
                           const struct input *in) {
  for (size_t i = 0; i < n; i++) {
    struct buf got = map(cases[i].text, in);
    if (strcmp(buf_str(&got), cases[i].want) != 0)
      fail_msg("%s:\n%swanted\n%s", cases[i].label, buf_str(&got),
               cases[i].want);
    buf_clear(&got);
  }
}

#define CHECK_MAPPINGS(cases, in)                                              \
  check_mappings(cases, sizeof(cases) / sizeof((cases)[0]), in)

static const struct reading one[] = {{.name = "value", .kind = KIND_GAUGE}};
static const struct reading two[] = {{.name = "rx", .kind = KIND_DERIVE},
                                     {.name = "tx", .kind = KIND_DERIVE}};
static const char *const team[] = {"blue", "", ""};

static const struct input memory = {
    .part = {"web-1", "memory", "", "memory", "free"},
    .meta = team,
    .readings = one,
    .n_readings = 1,
};
static const struct input octets = {
    .part = {"web-1", "interface", "eth0", "if_octets", ""},
    .meta = team,
    .readings = two,
    .n_readings = 2,
};

#define TAKEN "0 collectd|m {} Bytes 60\n"

static void selectors_choose(void **state) {
  (void)state;
  static const struct mapping cases[] = {
      {"none takes any value", "Metric 'm'", TAKEN},
      {"each part, literally",
       "Metric 'm'\nHost 'web-1'\nPlugin 'memory'\nPluginInstance ''\n"
       "Type 'memory'\nTypeInstance 'free'\nDataSource 'value'",
       TAKEN},
      {"another host", "Metric 'm'\nHost 'web-2'", ""},
      {"a literal is whole", "Metric 'm'\nPlugin 'mem'", ""},
      {"a literal is no expression", "Metric 'm'\nPlugin 'm.*'", ""},
      {"an instance where there is none", "Metric 'm'\nPluginInstance 'x'", ""},
      {"an expression matches anywhere", "Metric 'm'\nPlugin '/mo/'", TAKEN},
      {"an anchored expression",
       "Metric 'm'\nTypeInstance '/^(free|buffered)$/'", TAKEN},
      {"an anchored expression, another",
       "Metric 'm'\nTypeInstance '/^(used|buffered)$/'", ""},
      {"any of several", "Metric 'm'\nPlugin 'cpu'\nPlugin '/^mem/'", TAKEN},
      {"none of several", "Metric 'm'\nPlugin 'cpu'\nPlugin '/^x/'", ""},
      {"excluded literally", "Metric 'm'\nTypeInstance '!free'", ""},
      {"another is excluded", "Metric 'm'\nTypeInstance '!used'", TAKEN},
      {"excluded by expression", "Metric 'm'\nTypeInstance '!/^f/'", ""},
      {"the empty text is excluded", "Metric 'm'\nPluginInstance '!'", ""},
      {"taken and excluded",
       "Metric 'm'\nTypeInstance '/e/'\nTypeInstance '!/^f/'", ""},
      {"excluded first, taken later",
       "Metric 'm'\nTypeInstance '!/^f/'\nTypeInstance '/e/'", ""},
      {"taken, and another excluded",
       "Metric 'm'\nTypeInstance '!used'\nTypeInstance 'free'", TAKEN},
      {"not taken, and another excluded",
       "Metric 'm'\nTypeInstance '!used'\nTypeInstance 'cached'", ""},
      {"the one data source has a name", "Metric 'm'\nDataSource '!value'", ""},
      {"a disabled block", "Metric 'x'\nEnabled 'false'\nMetric 'm'", TAKEN},
      {"several blocks: each gets it", "Metric 'm'\nMetric 'n'",
       TAKEN "0 collectd|n {} Bytes 60\n"},
  };
  CHECK_MAPPINGS(cases, &memory);
}

static void names_expand(void **state) {
  (void)state;
  static const struct mapping cases[] = {
      {"name and namespace",
       "Namespace '%{env:STAGE}/%{meta:team}'\n"
       "Metric '%{plugin}.%{type}%{.type_instance}%{.ds}'",
       "0 prod/blue|memory.memory.free {} Bytes 60\n"},
      {"namespace of the block", "Namespace 'a'\nMetric 'm'\nNamespace 'b'",
       "0 b|m {} Bytes 60\n"},
      {"high resolution", "Metric 'm'\nStorageResolution '1'",
       "0 collectd|m {} Bytes 1\n"},
      {"an empty name is refused", "Metric '%{plugin_instance}'",
       "! <Metric \"%{plugin_instance}\">: values for which the name is empty "
       "are not published; give it a text for that case, as in "
       "\"%{type_instance|other}\"\n"},
      {"a blank name is refused", "Metric ' %{plugin_instance} '",
       "! <Metric \" %{plugin_instance} \">: values for which the name is "
       "empty are not published; give it a text for that case, as in "
       "\"%{type_instance|other}\"\n"},
      {"an empty namespace is refused",
       "Metric 'm'\nNamespace '%{plugin_instance}'",
       "! <Metric \"m\">: values for which the namespace is empty are not "
       "published; give it a text for that case, as in "
       "\"%{meta:team|other}\"\n"},
      {"a reserved namespace is refused", "Metric 'm'\nNamespace ':%{host}'",
       "! <Metric \"m\">: values for which the namespace begins with \":\" or "
       "\"AWS/\" are not published, because CloudWatch refuses them; put a "
       "text before it\n"},
      {"AWS's namespace is refused", "Metric 'm'\nNamespace 'AWS/%{host}'",
       "! <Metric \"m\">: values for which the namespace begins with \":\" or "
       "\"AWS/\" are not published, because CloudWatch refuses them; put a "
       "text before it\n"},
      {"a refused block does not hinder others",
       "Metric '%{plugin_instance|}'\nPlugin 'x'\nMetric 'm'", TAKEN},
  };
  CHECK_MAPPINGS(cases, &memory);
}

static void dimensions_and_sets(void **state) {
  (void)state;
  static const struct mapping cases[] = {
      {"no set: one of all, sorted by name",
       "Dimension 'b' 'x'\nMetric 'm'\nDimension 'a' '%{host}'\n"
       "Dimension 'B' '%{type_instance}'",
       "0 collectd|m {B=free a=web-1 b=x} Bytes 60\n"},
      {"a dimension here overrides the one outside",
       "Dimension 'A' 'out'\nDimension 'B' 'out'\nMetric 'm'\n"
       "Dimension 'A' 'in'",
       "0 collectd|m {A=in B=out} Bytes 60\n"},
      {"and does so for this metric only",
       "Dimension 'A' 'out'\nMetric 'm'\nDimension 'A' 'in'\nMetric 'n'",
       "0 collectd|m {A=in} Bytes 60\n0 collectd|n {A=out} Bytes 60\n"},
      {"per host, per group and the fleet, least first",
       "Dimension 'Host' '%{host}'\nDimension 'Group' 'g'\n"
       "DimensionSet 'Host' 'Group'\nDimensionSet 'Group'\nDimensionSet ''\n"
       "Metric 'm'",
       "0 collectd|m {} Bytes 60\n0 collectd|m {Group=g} Bytes 60\n"
       "0 collectd|m {Group=g Host=web-1} Bytes 60\n"},
      {"sets here replace those outside",
       "Dimension 'A' 'x'\nDimensionSet 'A'\nMetric 'm'\nDimensionSet ''",
       TAKEN},
      {"the order of names is of no matter",
       "Dimension 'A' 'x'\nDimension 'B' 'y'\nDimensionSet 'A' 'B'\n"
       "DimensionSet 'B' 'A'\nMetric 'm'",
       "0 collectd|m {A=x B=y} Bytes 60\n"},
      {"an empty value leaves its set",
       "Dimension 'A' '%{plugin_instance}'\nDimension 'B' 'y'\nMetric 'm'",
       "0 collectd|m {B=y} Bytes 60\n"},
      {"a blank value leaves its set",
       "Dimension 'A' ' %{plugin_instance}'\nMetric 'm'", TAKEN},
      {"sets that became equal are told once",
       "Dimension 'A' '%{plugin_instance}'\nDimension 'B' 'y'\n"
       "DimensionSet 'A' 'B'\nDimensionSet 'B'\nDimensionSet 'A'\n"
       "DimensionSet ''\nMetric 'm'",
       TAKEN "0 collectd|m {B=y} Bytes 60\n"},
      {"order counts what is left of a set",
       "Dimension 'A' '%{plugin_instance}'\nDimension 'B' 'y'\n"
       "Dimension 'C' 'z'\nDimensionSet 'B' 'C'\nDimensionSet 'A' 'B'\n"
       "Metric 'm'",
       "0 collectd|m {B=y} Bytes 60\n0 collectd|m {B=y C=z} Bytes 60\n"},
      {"fallback text keeps a dimension",
       "Dimension 'A' '%{plugin_instance|none}'\nMetric 'm'",
       "0 collectd|m {A=none} Bytes 60\n"},
  };
  CHECK_MAPPINGS(cases, &memory);
}

static void several_data_sources(void **state) {
  (void)state;
  static const struct mapping cases[] = {
      {"each has a series", "Metric '%{type}.%{ds}'",
       "0 collectd|if_octets.rx {} Bytes/Second 60\n"
       "1 collectd|if_octets.tx {} Bytes/Second 60\n"},
      {"each has a dimension", "Metric 'm'\nDimension 'D' '%{ds}'",
       "0 collectd|m {D=rx} Bytes/Second 60\n"
       "1 collectd|m {D=tx} Bytes/Second 60\n"},
      {"one is selected", "Metric 'm'\nDataSource 'tx'",
       "1 collectd|m {} Bytes/Second 60\n"},
      {"Combine joins them", "Metric 'm'\nCombine 'sum'",
       "0 collectd|m {} Bytes/Second 60\n1 collectd|m {} Bytes/Second 60\n"},
      {"one series without Combine is warned of", "Metric 'm'",
       "0 collectd|m {} Bytes/Second 60\n1 collectd|m {} Bytes/Second 60\n"
       "! <Metric \"m\">: the data sources \"rx\" and \"tx\" of type "
       "\"if_octets\" go to one metric; put %{.ds} into the name, or choose "
       "one with DataSource, or say how to Combine them\n"},
      {"also when one of the sets is shared",
       "Metric 'm'\nDimension 'D' '%{ds}'\nDimensionSet 'D'\nDimensionSet ''",
       "0 collectd|m {} Bytes/Second 60\n"
       "0 collectd|m {D=rx} Bytes/Second 60\n"
       "1 collectd|m {} Bytes/Second 60\n"
       "1 collectd|m {D=tx} Bytes/Second 60\n"
       "! <Metric \"m\">: the data sources \"rx\" and \"tx\" of type "
       "\"if_octets\" go to one metric; put %{.ds} into the name, or choose "
       "one with DataSource, or say how to Combine them\n"},
  };
  CHECK_MAPPINGS(cases, &octets);
}

static void units_by_default(void **state) {
  (void)state;
  static const struct mapping gauges[] = {
      {"by type", "Metric 'm'", TAKEN},
      {"configured", "Metric 'm'\nUnit 'Count'\nScale '2'",
       "0 collectd|m {} Count 60\n"},
      {"scaled", "Metric 'm'\nScale '2'", "0 collectd|m {} None 60\n"},
      {"a sum of bytes is bytes", "Metric 'm'\nCombine 'sum'", TAKEN},
      {"the number of members is a count", "Metric 'm'\nCombine 'count'",
       "0 collectd|m {} Count 60\n"},
  };
  static const struct mapping counters[] = {
      {"rate", "Metric 'm'\nDataSource 'rx'\nCounters 'rate'",
       "0 collectd|m {} Bytes/Second 60\n"},
      {"delta", "Metric 'm'\nDataSource 'rx'\nCounters 'delta'",
       "0 collectd|m {} None 60\n"},
      {"raw", "Metric 'm'\nDataSource 'rx'\nCounters 'raw'",
       "0 collectd|m {} None 60\n"},
  };
  CHECK_MAPPINGS(gauges, &memory);
  CHECK_MAPPINGS(counters, &octets);
}

/* Marks are shown as "$0", by the number of the value. */
static void show_marks(struct buf *out, const char *from) {
  char *copy = str_dup(str_of(from));
  buf_reset(out);
  for (const char *p = copy; *p != '\0'; p++) {
    if (*p != EC2_MARK) {
      buf_putc(out, *p);
      continue;
    }
    buf_printf(out, "$%d", p[1] - ' ');
    p = strchr(p + 1, EC2_MARK);
  }
  free(copy);
}

static void values_of_the_instance(void **state) {
  (void)state;
  static const struct {
    const char *label, *text;
    const char *own, *relayed;
  } cases[] = {
      {"host, group and fleet of one value, least first",
       "Dimension 'Group' '%{ec2:autoscaling_group}'\n"
       "Dimension 'Id' '%{ec2:instance_id}'\nDimensionSet 'Id' 'Group'\n"
       "DimensionSet 'Group'\nDimensionSet ''\nMetric 'm'",
       TAKEN "0 collectd|m {Group=$0} Bytes 60\n"
             "0 collectd|m {Group=$0 Id=$1} Bytes 60\n",
       TAKEN},
      {"empty for others, so it leaves the set",
       "Dimension 'Group' '%{ec2:tag:A}'\nDimension 'Host' '%{host}'\n"
       "Metric 'm'",
       "0 collectd|m {Group=$0 Host=web-1} Bytes 60\n",
       "0 collectd|m {Host=web-1} Bytes 60\n"},
      {"a text stands for others",
       "Dimension 'Group' '%{ec2:tag:A|other}'\nMetric 'm'",
       "0 collectd|m {Group=$0} Bytes 60\n",
       "0 collectd|m {Group=other} Bytes 60\n"},
      {"a blank text is none in a name, too", "Metric 'm%{ec2:tag:A| }'",
       "0 collectd|m$0 {} Bytes 60\n", "0 collectd|m {} Bytes 60\n"},
      {"a blank text is none", "Dimension 'Group' '%{ec2:tag:A| }'\nMetric 'm'",
       "0 collectd|m {Group=$0} Bytes 60\n", TAKEN},
      {"in name and namespace",
       "Namespace 'N%{.ec2:region}'\nMetric 'm%{-ec2:region}'",
       "0 N$0|m$0 {} Bytes 60\n", "0 N|m {} Bytes 60\n"},
      {"a name of nothing else, for others", "Metric '%{ec2:region}'",
       "0 collectd|$0 {} Bytes 60\n",
       "! <Metric \"%{ec2:region}\">: values for which the name is empty are "
       "not published; give it a text for that case, as in "
       "\"%{type_instance|other}\"\n"},
      {"a dimension that no set names",
       "Dimension 'A' '%{ec2:region}'\n"
       "DimensionSet ''\nMetric 'm'",
       TAKEN, TAKEN},
  };
  struct buf shown = BUF_INIT(65536);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int own = 0; own < 2; own++) {
      struct input in = memory;
      in.is_local = own == 1;
      struct buf got = map(cases[i].text, &in);
      show_marks(&shown, buf_str(&got));
      const char *want = own == 1 ? cases[i].own : cases[i].relayed;
      if (strcmp(buf_str(&shown), want) != 0)
        fail_msg("%s:\n%swanted\n%s", cases[i].label, buf_str(&shown), want);
      buf_clear(&got);
    }
  buf_clear(&shown);
}

static void marked_texts_are_made_fit_later(void **state) {
  (void)state;
  struct input in = memory;
  in.is_local = true;
  in.part[PART_TYPE_INSTANCE] = "K\xc3\xb6ln";
  struct buf got =
      map("Metric 'm'\nDimension 'D' '%{type_instance}%{ec2:region}'", &in);
  assert_non_null(strstr(buf_str(&got), "{D=K\xc3\xb6ln\x01"));
  assert_null(strstr(buf_str(&got), "!"));
  buf_clear(&got);
}

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

/* How often word stands in text. */
static size_t count(const char *text, const char *word) {
  size_t n = 0;
  for (; (text = strstr(text, word)) != NULL; text++)
    n++;
  return n;
}

static void unfit_texts_are_made_fit_and_said(void **state) {
  (void)state;
  struct input in = memory;
  in.part[PART_TYPE_INSTANCE] = "K\xc3\xb6ln";
  struct buf got = map("Metric '%{type_instance}'\n"
                       "Namespace 'n/%{type_instance}'\n"
                       "Dimension 'D' '%{type_instance}'\n"
                       "Dimension 'E' '%{type_instance}'\nDimensionSet 'D'",
                       &in);
  assert_int_equal(count(buf_str(&got), "! <Metric \"%{type_instance}\">"), 3);
  assert_int_equal(count(buf_str(&got), "where the name is not so"), 1);
  assert_int_equal(count(buf_str(&got), "where the namespace is not so"), 1);
  assert_int_equal(count(buf_str(&got), "value of Dimension \"D\""), 1);
  assert_int_equal(count(buf_str(&got), "0 n/K__ln-"), 1);
  assert_int_equal(count(buf_str(&got), "|K__ln-"), 1);
  assert_int_equal(count(buf_str(&got), "{D=K__ln-"), 1);
  buf_clear(&got);
}

static void long_texts_are_cut(void **state) {
  (void)state;
  struct input in = memory;
  const char *name;
  in.part[PART_TYPE_INSTANCE] = X100 X100 X100;
  struct buf got = map("Metric '%{type_instance}'\nDimension 'D' "
                       "'%{type_instance}%{type_instance}%{type_instance}"
                       "%{type_instance}'",
                       &in);
  name = strstr(buf_str(&got), "0 collectd|");
  assert_non_null(name);
  assert_int_equal(strcspn(name + strlen("0 collectd|"), " "), 255);
  name = strstr(name, "{D=");
  assert_int_equal(strcspn(name + strlen("{D="), "}"), 1024);
  buf_clear(&got);
}

static void a_value_list_without_values_goes_nowhere(void **state) {
  (void)state;
  struct input in = memory;
  in.n_readings = 0;
  struct buf got = map("Metric 'm'", &in);
  assert_string_equal(buf_str(&got), "");
  buf_clear(&got);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(selectors_choose),
      cmocka_unit_test(names_expand),
      cmocka_unit_test(dimensions_and_sets),
      cmocka_unit_test(several_data_sources),
      cmocka_unit_test(units_by_default),
      cmocka_unit_test(values_of_the_instance),
      cmocka_unit_test(marked_texts_are_made_fit_later),
      cmocka_unit_test(unfit_texts_are_made_fit_and_said),
      cmocka_unit_test(long_texts_are_cut),
      cmocka_unit_test(a_value_list_without_values_goes_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
