#!/bin/sh
# Refuses a source, test, example or page that Makefile.am does not name: it
# would be neither built nor shipped, and nobody would notice.
set -eu
cd "${srcdir:-.}"

bad=0
n=0
# Fuzz targets are named by their word, fuzz_X.c as X.
for file in $(find src tests -name '*.[ch]' ! -path src/build.h | sort) \
  $(find tests/lint tests/unit tests/fuzz tests/diff contrib collectd.conf.d \
    man -type f '(' -name '*.sh' -o -name 'test_*.py' -o -name '*.conf' \
    -o -name '*.pod' -o -path 'contrib/*' ')' 2>/dev/null | sort) \
  $(ls README NEWS HACKING COPYING 2>/dev/null); do
  n=$((n + 1))
  case $file in
  tests/fuzz/fuzz_*.c)
    word=tests/fuzz/replay_$(basename "$file" .c | sed 's/^fuzz_//') ;;
  tests/unit/*.c | tests/diff/*.c | tests/lint/*.c | tests/fault/*.c)
    word=${file%.c} ;;
  *) word=$file ;;
  esac
  if ! grep -Eq "(^|[[:space:]])$word([[:space:]]|\$)" Makefile.am; then
    echo "listed: Makefile.am does not name $word"
    bad=1
  fi
done
if [ "$n" -eq 0 ]; then
  echo "listed: found nothing to look at"
  exit 1
fi
echo "listed: $n files"
exit $bad
