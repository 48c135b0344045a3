#!/bin/sh
# Usage: compat/sqlite/run.sh <packed tarball>
exec "$(dirname "$0")/../run.sh" sqlite "$1"
