#!/bin/bash
# Breaks a copy of the tree once for each gate and expects the gate to refuse:
# a gate that cannot fail guards nothing.
set -eu
cd "${srcdir:-.}"
here=$PWD
builddir=${builddir:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
n=0

fresh() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree/tests"
  cp -R src man contrib collectd.conf.d Makefile.am .clang-format "$work/tree"
  cp -R tests/lint tests/unit tests/fuzz "$work/tree/tests"
  chmod -R u+w "$work/tree" # distcheck's sources are read-only
}

# refused WHAT SAYS GATE...: the gate must end with 1 and say that.
refused() {
  local what=$1 says=$2 rc=0 out
  shift 2
  n=$((n + 1))
  out=$(cd "$work" && srcdir=$work/tree "$work/tree/tests/lint/"$@ 2>&1) || rc=$?
  if [ $rc -eq 77 ]; then
    echo "selftest: $1 was skipped"
  elif [ $rc -eq 0 ]; then
    echo "selftest: $1 lets pass: $what"
    bad=1
  elif ! grep -q -e "$says" <<<"$out"; then
    echo "selftest: $1 refuses $what without saying \"$says\":"
    echo "$out"
    bad=1
  fi
}

# broken GATE FILE LINE SAYS: with this line put at the end of the file.
broken() {
  fresh
  printf '%s\n' "$3" >>"$work/tree/$2"
  refused "$3" "$4" "$1"
}

library() {
  printf '%s\n' "$1" >"$work/x.c"
  rm -f "$work/x.o" "$work/x.a" "$work/x.so"
  ${CC:-cc} -fPIC -c -o "$work/x.o" "$work/x.c"
  ar cr "$work/x.a" "$work/x.o"
  ${CC:-cc} -shared -o "$work/x.so" "$work/x.o"
}

broken layers.sh src/base/err.c '#include "run/log.h"' 'base may not include run'
broken layers.sh src/aws/ini.c '#include "metric/metric.h"' 'may not include metric'
broken layers.sh src/run/file.c '#include <curl/curl.h>' 'only src/run/http.c'
broken layers.sh src/base/pool.c '#include <yajl/yajl_gen.h>' 'only src/base/json.c'
broken layers.sh src/aws/retry.c '#include <time.h>' 'may not see this header'
broken layers.sh src/run/log.c '#include "plugin.h"' 'run may not include door'
fresh
sed -i '0,/^#include/s/^#include/#include <math.h>\n&/' "$work/tree/src/base/buf.c"
refused 'another header before its own' 'must come first' layers.sh

broken words.sh src/run/log.c 'int x(char *s) { return atoi(s); }' 'not used here'
broken words.sh src/run/log.c 'const char *x = "%.3f";' 'doubles become text'
broken format.sh src/base/err.c 'int  x ;' 'code should be clang-formatted'
fresh
echo 'int x;' >"$work/tree/src/base/forgotten.c"
refused 'a file that is not built' 'does not name src/base/forgotten.c' listed.sh

library '#include <time.h>
time_t x(void) { return time(0); }'
refused 'a clock in the core' 'may not call time' purity.sh "$work/x.a"

library 'void plugin_log(int, const char *, ...);
void x(void) {}
void module_register(void) { plugin_log(3, "x"); }'
refused 'a second symbol' 'module_register alone' exports.sh "$work/x.so"
library 'int plugin_thread_create(void);
void module_register(void) { plugin_thread_create(); }'
refused 'a symbol that changed' 'plugin_thread_create is not' exports.sh \
  "$work/x.so"

# The table of options as it is, and changed.
"$builddir/tests/lint/list_options" >"$work/table"
fresh
printf 'Forgotten\t\n' | cat "$work/table" - >"$work/longer"
refused 'an option without manual' 'does not explain Forgotten' options.sh \
  "$work/longer"
refused 'an option without example' 'example lacks Forgotten' options.sh \
  "$work/longer"
sed 's/^Timeout\t.*/Timeout\t21/' "$work/table" >"$work/other"
refused 'another default' 'does not show the default 21' options.sh \
  "$work/other"
grep -v '^Timeout' "$work/table" >"$work/shorter"
refused 'an option that is no more' 'Timeout, which is not' options.sh \
  "$work/shorter"

# Messages and the manual.
broken messages.sh src/run/log.c \
  'void x(void) { log_say(SAY_INFO, "", "nobody has " "told %s", "y"); }' \
  'log.c:[0-9]*: the manual lacks "nobody has told I<>"'
broken messages.sh src/run/log.c \
  'const char *x = "five words and no more";' 'lacks "five words and no more"'
broken messages.sh src/metric/tally.c \
  '#define ODD_LIKE "of which"
static const struct reason_text texts[] = {{ODD_LIKE " nobody knows", ""}};' \
  'lacks "I<> of which nobody knows"'
broken messages.sh src/run/log.c 'const char *x = "odd words";' 'lacks "odd words"'
broken messages.sh src/run/log.c \
  'void x(void) { log_state_event(0, SAY_INFO, "", 0, "oddity"); }' \
  'lacks "oddity"'
broken messages.sh src/run/log.h \
  '#define SAY_ODD(s) log_say(SAY_INFO, "", "an odd %s", s)' 'lacks "an odd I<>"'
broken messages.sh src/run/log.h \
  'void tell(const char *, ...) __attribute__((format(printf, 1, 2)));' \
  'log.h:0: tell() prints: FORMATS lacks it'
broken messages.sh src/aws/reply.c \
  'static const struct bare bare[] = {{1, 2, "write ProxyLogin"}};' \
  'ProxyLogin, which is no option'
fresh
echo 'int x;' >"$work/tree/src/run/folder.c"
refused 'an exception for nothing' 'no text of src/run/folder.c needs say(' \
  messages.sh
# A new message in each of the files, whatever else is excepted there.
fresh
for file in "$work"/tree/src/*.c "$work"/tree/src/*/*.c; do
  name=${file#"$work/tree/"}
  echo "int x(struct err *e) { return err_set(e, \"odd in $name\"); }" >>"$file"
done
said=$(srcdir=$work/tree "$work/tree/tests/lint/messages.sh" || true)
for file in "$work"/tree/src/*.c "$work"/tree/src/*/*.c; do
  name=${file#"$work/tree/"}
  n=$((n + 1))
  if ! grep -q "^messages: $name:[0-9]*: .*odd in $name\"$" <<<"$said"; then
    echo "selftest: messages.sh lets pass: a new message in $name"
    bad=1
  fi
done
fresh
sed -i 's/{"SlowDown"/{"SlowUp"/' "$work/tree/src/aws/reply.c"
refused 'a code without manual' 'answers" lacks SlowUp' messages.sh
refused 'a code of no table' 'no table has SlowDown' messages.sh
fresh
manual=$work/tree/man/collectd-write_cloudwatch.pod
sed -i 's/^=item published I<datum>/=item published at last I<datum>/' "$manual"
refused 'a sentence that is said otherwise' 'lacks "published I<>"' messages.sh
refused 'an item that nothing says' 'nothing says "published at last' messages.sh
fresh
sed -i 's/^=item published I<datum>/=item ...shed.../' "$manual"
refused 'an item for nearly everything' '"...shed..." is too little' messages.sh

# The status file and its schema.
fresh
sed -i 's/{"sending", &d->sending}/{"sent", \&d->sending}/' \
  "$work/tree/src/run/look.c"
refused 'a trouble of no schema' 'troubles of src/run/look.c' status.sh
fresh
sed -i 's/"quarantined"/"isolated"/' "$work/tree/src/metric/tally.c"
refused 'a reason of no schema' 'reasons of src/metric/tally.c' status.sh
fresh
sed -i 's/"place_renewal", //' "$work/tree/contrib/status.schema.json"
refused 'a schema without a trouble' 'troubles of src/run/look.c' status.sh

# With nothing to look at.
find "$work/tree" -name '*.[ch]' -delete
: >"$work/empty"
refused nothing 'nothing to look at' layers.sh
refused nothing 'nothing to look at' words.sh
refused nothing 'nothing to look at' format.sh
refused nothing 'nothing to look at' messages.sh
refused nothing 'nothing to look at' options.sh "$work/empty"
refused nothing 'reasons of src/metric/tally.c' status.sh
refused nothing 'is not there' purity.sh "$work/none"
refused nothing 'is not there' exports.sh "$work/none"

echo "selftest: $n mutations"
exit $bad
