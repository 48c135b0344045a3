#!/bin/sh
# Usage: compat/suites/run.sh <packed tarball>
exec node "$(dirname "$0")/run.mjs" "$(realpath "$1")"
