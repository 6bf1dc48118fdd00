#!/bin/sh
# Refuses a second exported symbol, and a symbol of the daemon that collectd 5.8
# lacks or that changed between 5.8 and now: one module serves them all.
#
# usage: exports.sh [MODULE]
set -eu
module=${1:-${builddir:-.}/.libs/write_cloudwatch.so}
nm=${NM:-nm}

# In 5.8 with the same prototype and meaning as today.  Not in this list on
# purpose: plugin_ctx_t by value (plugin_get_ctx, plugin_set_ctx: a member was
# added in 5.9), plugin_thread_create (lost an argument in 5.11), daemon_log (P_*
# of 5.9), uc_*_state and uc_*_hits (changed after 5.12).
since_5_8='
plugin_register_complex_config plugin_register_init plugin_register_write
plugin_register_flush plugin_register_shutdown plugin_register_complex_read
plugin_register_data_set plugin_register_notification
plugin_unregister_complex_config plugin_unregister_init
plugin_unregister_write plugin_unregister_flush plugin_unregister_shutdown
plugin_unregister_read plugin_unregister_notification
plugin_log plugin_get_ds plugin_get_interval plugin_dispatch_values
cf_util_get_boolean cf_util_get_double cf_util_get_int cf_util_get_string
cf_util_get_cdtime
meta_data_clone meta_data_create meta_data_destroy meta_data_exists
meta_data_type meta_data_toc meta_data_as_string
meta_data_get_boolean meta_data_get_double meta_data_get_signed_int
meta_data_get_string meta_data_get_unsigned_int
uc_get_rate cdtime format_name hostname_g interval_g
'

if [ ! -s "$module" ]; then
  echo "exports: $module is not there"
  exit 1
fi
bad=0

exported=$($nm -D --defined-only "$module" | awk '{print $NF}')
if [ "$exported" != module_register ]; then
  echo "exports: module_register alone must be exported, but there is:"
  echo "${exported:-nothing}"
  bad=1
fi

# What is left when the libraries that the module names have answered is what
# the daemon must offer.  Weak symbols may stay unanswered.
needed=$($nm -D -u "$module" | awk '$1 == "U" {print $2}' | sed 's/@.*//' |
  sort -u)
offered=$(ldd "$module" | awk '$3 ~ /^\// {print $3} $1 ~ /^\// {print $1}' |
  xargs $nm -D --defined-only 2>/dev/null | awk 'NF > 2 {print $3}' |
  sed 's/@.*//' | sort -u)
from_daemon=$(printf '%s\n' "$offered" | awk '
  NR == FNR { offered[$1]; next } !($1 in offered)' - /dev/fd/3 3<<END |
$needed
END
  grep -Ev '^__(asan|ubsan|tsan|sanitizer)_' || true)
if [ -z "$from_daemon" ]; then
  echo "exports: $module uses nothing of the daemon: nothing to look at"
  exit 1
fi
for symbol in $from_daemon; do
  case " $(echo $since_5_8) " in
  *" $symbol "*) ;;
  *)
    echo "exports: $symbol is not what collectd 5.8 has"
    bad=1
    ;;
  esac
done

# The list itself, against the daemon that is installed here, if there is one.
daemon=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v collectd || true)
if [ -n "$daemon" ] && has=$($nm -D --defined-only "$daemon" 2>/dev/null); then
  for symbol in $since_5_8; do
    if ! printf '%s\n' "$has" | grep -q " $symbol\$"; then
      echo "exports: the list names $symbol, which $daemon lacks"
      bad=1
    fi
  done
fi
echo "exports: $(echo "$from_daemon" | wc -l) symbols of the daemon"
exit $bad
