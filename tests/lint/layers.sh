#!/bin/sh
# Refuses an #include against the arrows: which room may use which, which files
# may know which library, and which headers of libc the core may see.
set -eu
cd "${srcdir:-.}"

find src -name '*.[ch]' ! -path src/build.h | sort | xargs awk '
BEGIN {
  uses["base"] = " base "
  uses["metric"] = " metric base "
  uses["aws"] = " aws base "
  uses["run"] = " run metric aws base "
  uses["door"] = " door run metric aws base "
  owner["curl/"] = "src/run/http.c"
  owner["yajl/"] = "src/base/json.c"
  owner["zlib.h"] = "src/base/gzip.c"
  owner["openssl/"] = "src/base/digest.c"
  # What the core may see of libc: nothing with a clock, a file or a thread.
  # stdio.h is there for snprintf; purity.sh refuses the rest of it.
  libc = " assert ctype errno float inttypes limits math regex stdalign" \
         " stdarg stdbool stddef stdint stdio stdlib string "
  only["locale.h"] = "src/base/str.c" # numbers under a C locale of its own
}
function refuse(why) {
  printf "%s:%d: %s: %s\n", FILENAME, FNR, target, why
  failed = 1
}
FNR == 1 {
  n_files++
  first = 1
  room = FILENAME
  sub("^src/", "", room)
  if (!sub("/.*", "", room))
    room = "door"
  own = ""
  if (FILENAME ~ /\.c$/) {
    own = FILENAME
    sub("^src/", "", own)
    sub("c$", "h", own)
    if ((getline line < ("src/" own)) <= 0)
      own = ""
    else
      close("src/" own)
  }
}
!/^[ \t]*#[ \t]*include/ { next }
{
  n_includes++
  target = $0
  sub(/^[ \t]*#[ \t]*include[ \t]*/, "", target)
  angle = target ~ /^</
  sub(/^[<"]/, "", target)
  sub(/[>"].*$/, "", target)
  if (first && own != "" && target != own)
    refuse("its own header, " own ", must come first")
  first = 0
  for (library in owner)
    if (index(target, library) == 1) {
      if (index(" " owner[library] " ", " " FILENAME " ") == 0)
        refuse("only " owner[library] " may know this library")
      next
    }
  if (angle) {
    name = target
    sub(/\.h$/, "", name)
    if (room ~ /^(base|metric|aws)$/ && FILENAME != only[target] &&
        index(libc, " " name " ") == 0)
      refuse("the core may not see this header")
    next
  }
  if (target == "build.h") {
    if (room != "run")
      refuse("only run/ may include it")
    next
  }
  to = target
  if (!sub("/.*", "", to) || !(to in uses))
    to = "door" # ours without a room, or the daemon'\''s
  if (index(uses[room], " " to " ") == 0)
    refuse(room " may not include " to)
}
END {
  if (n_files == 0 || n_includes == 0) {
    print "layers: found nothing to look at"
    failed = 1
  }
  printf "layers: %d files, %d includes\n", n_files, n_includes
  exit failed
}'
