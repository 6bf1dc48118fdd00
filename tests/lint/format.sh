#!/bin/sh
# Refuses C that clang-format would write differently.
#
# Versions of clang-format differ in details; the one that counts is 14.  With
# another, or none, the gate says so and is skipped; tests/run counts a skipped
# test as a failure.
set -eu
cd "${srcdir:-.}"

for tool in clang-format-14 clang-format; do
  if "$tool" --version 2>/dev/null | grep -q 'version 14\.'; then
    format=$tool
  fi
done
if [ -z "${format:-}" ]; then
  echo "format: clang-format 14 is missing (Debian: clang-format-14)"
  exit 77
fi
sources=$(find src tests -name '*.[ch]' ! -path src/build.h | sort)
if [ -z "$sources" ]; then
  echo "format: found nothing to look at"
  exit 1
fi
"$format" --dry-run --Werror $sources
echo "format: $(echo "$sources" | wc -l) files"
