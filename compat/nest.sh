#!/bin/sh
# Usage: compat/nest.sh <folder> <packed tarball>
# From ESM and from CommonJS, each in a process of its own; their counts are added up.
tarball=$(realpath "$2")
cd "$(dirname "$0")/$1" || exit
{
  ../run.sh "$1" "$tarball" || echo FAILED
  node run.cjs || echo FAILED
  # One at a time: in one program, each would declare the option for the other too.
  for file in types.mts types.cts; do
    ../../node_modules/.bin/tsc --noEmit --ignoreConfig --strict --skipLibCheck --target es2022 --module nodenext "$file" || echo FAILED
  done
} | awk '
  /^FAILED$/ { broken = 1; next }
  /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; next }
  { print }
  END { printf "%d passed, %d failed\n", passed, failed; exit broken || passed == 0 }
'
