#!/bin/sh
# Compares our request bodies and headers with those that AWS's own clients
# make of the same random data: AWS JSON with npm's @aws-sdk/client-cloudwatch,
# AWS Query with botocore.  Sends nothing.  TEST_SEED repeats a run.
#
# DIFF_BODY     the program that makes the requests (tests/diff/diff_body)
# DIFF_MODULES  the folder with a node_modules that holds what package.json
#               here names (the folder of this script); tests/run installs it
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=${DIFF_BODY:-tests/diff/diff_body}
modules=${DIFF_MODULES:-$here}

if [ ! -d "$modules/node_modules/@aws-sdk/client-cloudwatch" ]; then
  echo "diff_body: the SDK is not in $modules/node_modules; run tests/run, or" \
    "npm install --no-package-lock --prefix $modules" >&2
  exit 77 # skipped, which tests/run counts as failed
fi

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
"$program" >"$lines"
NODE_NO_WARNINGS=1 timeout 120 node "$here/body_oracle.mjs" "$modules" <"$lines"
timeout 120 /usr/bin/python3 "$here/body_oracle.py" <"$lines"
