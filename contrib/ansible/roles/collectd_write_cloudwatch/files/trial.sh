# usage: sh -c THIS trial COLLECTD SNIPPET
# Whether COLLECTD starts with SNIPPET.  Its -t reads nothing up to version 5.12,
# and its -T would send: so it is -T with DryRun, which leaves a spool alone, and
# without the status file of the collectd that runs.
set -eu
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -E '/^ *(DryRun|StatusFile) /d' "$2" >"$folder/snippet.conf"
cat >"$folder/collectd.conf" <<END
Hostname "trial"
FQDNLookup false
BaseDir "$folder"
PIDFile "$folder/pid"
LoadPlugin logfile
<Plugin logfile>
  LogLevel err
  File STDERR
  Timestamp false
</Plugin>
Include "$folder/snippet.conf"
<Plugin write_cloudwatch>
  DryRun true
</Plugin>
END
timeout 60 "$1" -T -C "$folder/collectd.conf"
