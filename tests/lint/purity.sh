#!/bin/sh
# Refuses a clock, file, environment, socket, thread or log call in the core:
# what libcore needs from outside must stand in the list below.
#
# usage: purity.sh [ARCHIVE]
set -eu
archive=${1:-${builddir:-.}/.libs/libcore.a}
nm=${NM:-nm}

allowed='
abort bcmp bsearch calloc free malloc memchr memcmp memcpy memmem memmove
memrchr memset qsort realloc strcasecmp strchr strcmp strcspn strdup strlen
strncasecmp strncmp strndup strnlen strpbrk strrchr strspn strstr strtol
strtoll strtoul strtoull snprintf vsnprintf tolower toupper
frexp isfinite ldexp log log10 log2 nearbyint pow rint round trunc ceil floor
fabs fmod llrint lrint llround lround exp2 nextafter
regcomp regerror regexec regfree
newlocale freelocale uselocale strtod
'
# What compilers put in by themselves, hardening and sanitizers included.
inserted='^(__(asan|ubsan|tsan|sanitizer|msan|start|stop)_.*|__stack_chk_fail'
inserted="$inserted|__[a-z]+_chk|__assert_fail|__errno_location|__isoc(99|23)_.*"
inserted="$inserted|__ctype_(b|tolower|toupper)_loc|_GLOBAL_OFFSET_TABLE_"
inserted="$inserted|__tls_get_addr|__odr_asan.*|__gcov.*|__llvm.*)\$"
# Libraries of the core; which file may use which is the business of layers.sh.
libraries='^(yajl_.*|deflate.*|crc32|EVP_.*|HMAC.*|SHA256.*|OPENSSL_cleanse'
libraries="$libraries|CRYPTO_memcmp)\$"

if [ ! -s "$archive" ]; then
  echo "purity: $archive is not there"
  exit 1
fi
defined=$($nm -P -g --defined-only "$archive" | awk 'NF > 1 {print $1}' |
  sort -u)
needed=$($nm -P -u "$archive" | awk 'NF > 1 {print $1}' | sort -u)
if [ -z "$defined" ] || [ -z "$needed" ]; then
  echo "purity: found nothing to look at in $archive"
  exit 1
fi

bad=0
for symbol in $needed; do
  case " $(echo $allowed $defined) " in
  *" $symbol "*) continue ;;
  esac
  if ! echo "$symbol" | grep -Eq -e "$inserted" -e "$libraries"; then
    echo "purity: the core may not call $symbol:"
    $nm -A -u "$archive" | grep -w "$symbol" | sed 's/^/  /'
    bad=1
  fi
done
echo "purity: $(echo "$needed" | wc -l) symbols from outside"
exit $bad
