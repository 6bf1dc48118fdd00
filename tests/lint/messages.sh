#!/bin/sh
# Refuses a message that the log can hold and the manual's chapter MESSAGES does
# not explain, a code of AWS in our tables that it does not, and what it
# explains although no code says it.  How the two are compared, and what is left
# out for which reason, stands in messages.py.
set -eu
cd "${srcdir:-.}"
exec "${PYTHON:-/usr/bin/python3}" -B tests/lint/messages.py
