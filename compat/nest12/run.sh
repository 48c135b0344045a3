#!/bin/sh
# Usage: compat/nest12/run.sh <packed tarball>
exec "$(dirname "$0")/../nest.sh" nest12 "$1"
