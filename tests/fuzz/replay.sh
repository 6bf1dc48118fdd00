#!/bin/sh
# Feeds each fuzz target (REPLAYS names the programs) the inputs stored for it.
set -eu
corpus=${srcdir:-.}/tests/fuzz/corpus
n=0
for program in $REPLAYS; do
  n=$((n + 1))
  echo "$program:"
  "./$program" "$corpus/${program##*/replay_}"
done
for folder in "$corpus"/*/; do
  case " $REPLAYS " in
  *"/replay_$(basename "$folder") "*) ;;
  *)
    echo "$folder: no target reads these"
    exit 1
    ;;
  esac
done
[ "$n" -gt 0 ]
