#!/bin/sh
# Refuses functions that cut, overflow, or depend on the locale, and doubles
# formatted outside the one file that does it under a C locale.
set -eu
cd "${srcdir:-.}"
strip=tests/lint/strip.awk
bad=0

words='strcpy|stpcpy|strcat|strncat|sprintf|vsprintf|strtok|strtok_r|strncpy'
words="$words|atoi|atol|atof|strtod|strtof|gmtime|gmtime_r|localtime"
words="$words|localtime_r|system|popen|alloca|gets|mktemp|tmpnam"

sources=$(find src -name '*.[ch]' ! -path src/build.h | sort)
if [ -z "$sources" ]; then
  echo "words: found nothing to look at"
  exit 1
fi

# Exceptions, each with its reason; the list may only shrink.
#   base/str.c strtod: numbers from text, under a C locale of its own
exceptions='^src/base/str\.c:[0-9]*:.*strtod *\('

if awk -v strings=1 -f "$strip" $sources |
  grep -E "(^|[^A-Za-z0-9_])($words) *\(" | grep -Ev "$exceptions"; then
  echo "words: a function that is not used here"
  bad=1
fi

# A conversion of a double: %f %g %e %a with flags, width and precision.
if awk -f "$strip" $sources | grep -v '^src/base/str\.c:' |
  grep -E '"[^"]*%[-+ #0]*([0-9]+|\*)?(\.([0-9]+|\*)?)?L?[fFgGeEaA]' |
  grep -Ev '%%[fFgGeEaA]'; then
  echo "words: doubles become text in base/str.c only"
  bad=1
fi
echo "words: $(echo "$sources" | wc -l) files"
exit $bad
