#!/bin/sh
# Refuses an option that is missing in the table, the manual or the example
# file, and a default that they do not agree on.
#
#   table    what list_options prints: name, tab, default
#   manual   one "=item B<Name> ..." an option, in the order of the table; under
#            it "Default: C<value>" (or B<>) where the table has a default
#   example  inside <Plugin write_cloudwatch>, commented out or not, one line an
#            option with its default, or with any value where there is none
#
# usage: options.sh [TABLE], a file to be read instead of the program's output
set -eu
cd "${srcdir:-.}"
table=$(mktemp)
trap 'rm -f "$table"' EXIT
if [ $# -gt 0 ]; then
  cat "$1" >"$table"
else
  "${builddir:-.}/tests/lint/list_options" >"$table"
fi

awk -F '\t' '
function refuse(why) {
  print "options: " why
  failed = 1
}
# Of a line of the manual, without the markup.
function plain(text) {
  gsub(/E<lt>/, "<", text)
  gsub(/E<gt>/, ">", text)
  gsub(/E<nbsp>/, " ", text)
  gsub(/[BICF]</, "", text)
  return text
}
FILENAME != last {
  last = FILENAME
  part++
}

part == 1 {
  order[++n] = $1
  place[$1] = n
  fallback[$1] = $2
  next
}

# What an option is about goes on until the list is at its level again.
part == 2 && /^=over/ { depth++ }
part == 2 && /^=back/ { depth-- }
part == 2 && (depth < level || (depth == level && /^=item/)) { at = "" }
part == 2 && /^=item (E<lt>)?B</ {
  name = plain($0)
  sub(/^=item[ <]*/, "", name)
  sub(/[^A-Za-z0-9].*/, "", name)
  if (name !~ /^[A-Z][A-Za-z]*[a-z][A-Za-z]*$/)
    next
  if (!(name in fallback)) {
    refuse("the manual explains " name ", which is not in the table")
    next
  }
  if (!(name in explained))
    shown[++n_shown] = name
  explained[name] = 1
  at = name
  level = depth
}
part == 2 && at != "" { text[at] = text[at] " " $0 }
part == 2 { next }

/<Plugin "?write_cloudwatch/ { inside = 1; next }
/<\/Plugin>/ { inside = 0 }
!inside { next }
{
  line = $0
  commented = sub(/^[ \t]*#[ \t]*/, "", line)
  sub(/^[ \t]*<?/, "", line)
  name = line
  sub(/[^A-Za-z].*/, "", name)
  rest = substr(line, length(name) + 1)
  # What is commented out may also be prose.
  if (name !~ /^[A-Z]/ || rest !~ /^[ \t]+("|-?[0-9.]|true|false)/)
    next
  if (!(name in fallback)) {
    refuse("the example has " name ", which is not in the table")
    next
  }
  sub(/^[ \t]+/, "", rest)
  if (rest ~ /^"/) {
    sub(/^"/, "", rest)
    sub(/".*/, "", rest)
  } else
    sub(/[ \t].*/, "", rest)
  given[name] = given[name] "\t" rest "\t"
}

END {
  if (n == 0 || n_shown == 0 || part < 3)
    refuse("found nothing to look at")
  for (i = 1; i <= n; i++) {
    name = order[i]
    value = fallback[name]
    if (!(name in explained))
      refuse("the manual does not explain " name)
    else if (value != "" &&
             index(text[name], "Default: C<" value ">") == 0 &&
             index(text[name], "Default: B<" value ">") == 0)
      refuse("the manual does not say \"Default: C<" value ">\" of " name)
    if (!(name in given))
      refuse("the example lacks " name)
    else if (value != "" && index(given[name], "\t" value "\t") == 0)
      refuse("the example does not show the default " value " of " name)
  }
  for (i = 2; i <= n_shown; i++)
    if (place[shown[i]] < place[shown[i - 1]])
      refuse("the manual has " shown[i] " after " shown[i - 1] \
             ", the table before it")
  printf "options: %d in the table\n", n
  exit failed
}' "$table" man/collectd-write_cloudwatch.pod \
  collectd.conf.d/write_cloudwatch.conf
