#!/bin/sh
# Usage: compat/nest10/run.sh <packed tarball>
exec "$(dirname "$0")/../nest.sh" nest10 "$1"
