#!/bin/sh
# Lets our code, botocore and npm's @aws-sdk find credentials, region and
# endpoint in made-up environments, and compares what they found.
#
#   diff_chain.sh [COUNT [SEED]]
#
# All of it runs in a network of its own, where the metadata services have the
# addresses that AWS gives them and nothing else can be reached.
#
# DIFF_CHAIN    our program (tests/diff/diff_chain)
# DIFF_MODULES  the folder with a node_modules that holds what package.json
#               here names (the folder of this script); tests/run installs it
# DIFF_FOLDER   where to leave cases and answers, to look at them afterwards
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${DIFF_CHAIN:-tests/diff/diff_chain}")
modules=${DIFF_MODULES:-$here}
count=${1:-900} seed=${2:-3}

if [ ! -d "$modules/node_modules/@aws-sdk/credential-provider-node" ]; then
  echo "diff_chain: the SDK is not in $modules/node_modules; run tests/run," \
    "or npm install --no-package-lock --prefix $modules" >&2
  exit 77 # skipped, which tests/run counts as failed
fi
if [ -z "${DIFF_CHAIN_INSIDE:-}" ]; then
  # Root needs no other user's rights, which a chroot would refuse it.
  how=-rn
  [ "$(id -u)" -ne 0 ] || how=-n
  if ! unshare "$how" true; then
    echo "diff_chain: a network of its own needs root or user namespaces" >&2
    exit 77
  fi
  DIFF_CHAIN_INSIDE=1 DIFF_CHAIN=$program exec unshare "$how" -- "$0" "$@"
fi

ip link set lo up
for address in 169.254.169.254 169.254.170.2 169.254.170.23; do
  ip address add "$address/32" dev lo
done
for address in fd00:ec2::254 fd00:ec2::23; do
  ip address add "$address/128" dev lo nodad
done

folder=${DIFF_FOLDER:-$(mktemp -d)}
rm -rf "$folder/cases"
mkdir -p "$folder"
server='' botocore=''
finish() {
  for process in $server $botocore; do
    kill "$process" 2>/dev/null || :
  done
  [ -n "${DIFF_FOLDER:-}" ] || rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
export PYTHONDONTWRITEBYTECODE=1 NODE_NO_WARNINGS=1

echo "diff_chain: seed $seed"
/usr/bin/python3 "$here/chain_cases.py" "$folder/cases" "$count" "$seed" \
  >"$folder/cases.jsonl"
rm -f "$folder/ready"
/usr/bin/python3 "$here/chain_server.py" "$folder/ready" 240 &
server=$!
for _ in $(seq 100); do
  [ -e "$folder/ready" ] && break
  sleep 0.1
done

timeout 200 /usr/bin/python3 "$here/chain_oracle.py" \
  <"$folder/cases.jsonl" >"$folder/botocore.jsonl" &
botocore=$!
timeout 200 node "$here/chain_oracle.mjs" "$modules" \
  <"$folder/cases.jsonl" >"$folder/sdk.jsonl"
timeout 200 "$program" <"$folder/cases.jsonl" >"$folder/ours.jsonl"
wait "$botocore"
/usr/bin/python3 "$here/chain_compare.py" "$folder/cases.jsonl" \
  "$folder/ours.jsonl" "$folder/botocore.jsonl" "$folder/sdk.jsonl"
