#!/bin/sh
# Signs requests made from a seed with our code and with botocore, and compares
# every text between request and signature.
#
#   diff_sigv4.sh [COUNT [SEED]]
#
# The environment may name the folder of the sources (srcdir) and the program
# (DIFF_SIGV4, default: tests/diff/diff_sigv4 where this was started).
set -eu
here=${srcdir:-.}/tests/diff
program=${DIFF_SIGV4:-./tests/diff/diff_sigv4}
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
trap 'exit 1' HUP INT TERM

"$program" "$@" >"$lines"
/usr/bin/python3 "$here/sigv4_oracle.py" compare "$lines"
/usr/bin/python3 "$here/sigv4_oracle.py" check \
  "${srcdir:-.}"/tests/vectors/sigv4/*
