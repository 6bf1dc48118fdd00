#!/bin/sh
# Refuses names of the status file that its schema does not know, or knows alone:
# what troubles there are (the table in look.c), and reasons to leave a value out
# (those of tally_name()).  Members are compared in tests/e2e, where files are.
set -eu
cd "${srcdir:-.}"
schema=contrib/status.schema.json
bad=0

# words: the strings in quotes of what comes in, one a line.
words() { grep -o '"[a-z_]*"' | tr -d '"' | sort; }

# compare WHAT FILE WORDS WORDS: of the file, and of the schema.
compare() {
  if [ -z "$3" ] || [ "$3" != "$4" ]; then
    echo "status: $1 of $2 and of $schema differ:" $3 "/" $4
    bad=1
  fi
}

troubles=$(sed -n '/^static void look_for_trouble/,/^  };/p' src/run/look.c |
  words)
of_schema=$(sed -n '/"what": *{/,/}/p' $schema | grep '"enum"' |
  sed 's/.*"enum": *\[\([^]]*\)\].*/\1/' | words)
compare troubles src/run/look.c "$troubles" "$of_schema"

reasons=$(sed -n '/^const char \*tally_name/,/^}/p' src/metric/tally.c | words)
of_schema=$(sed -n '/"left_out": *{/,/}/p' $schema | grep '"required"' |
  sed 's/.*"required": *\[\([^]]*\)\].*/\1/' | words)
compare reasons src/metric/tally.c "$reasons" "$of_schema"

echo "status:" $(echo "$troubles" | wc -l) troubles, \
  $(echo "$reasons" | wc -l) reasons
exit $bad
