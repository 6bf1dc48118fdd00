#!/bin/sh
# Compares the endpoints that we find, of CloudWatch and of STS, for each region
# of AWS's partition data and for made-up ones, with and without FIPS, dual
# stack and the legacy endpoint of STS, with the endpoint resolvers of npm's
# @aws-sdk.  Sends nothing.
#
# DIFF_ENDPOINT  the program that finds endpoints (tests/diff/diff_endpoint)
# DIFF_MODULES   the folder with a node_modules that holds what package.json
#                here names (the folder of this script); tests/run installs it
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=${DIFF_ENDPOINT:-tests/diff/diff_endpoint}
modules=${DIFF_MODULES:-$here}

if [ ! -d "$modules/node_modules/@aws-sdk/credential-provider-node" ]; then
  echo "diff_endpoint: the SDK is not in $modules/node_modules; run tests/run," \
    "or npm install --no-package-lock --prefix $modules" >&2
  exit 77 # skipped, which tests/run counts as failed
fi

oracle() {
  NODE_NO_WARNINGS=1 timeout 120 node "$here/endpoint_oracle.mjs" "$modules" "$@"
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
oracle regions >"$folder/regions"
# No variable and no file of this host has a part in it.
env -i HOME="$folder" "$program" <"$folder/regions" >"$folder/lines"
oracle <"$folder/lines"
