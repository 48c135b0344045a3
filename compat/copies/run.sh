#!/bin/sh
# Usage: compat/copies/run.sh <packed tarball>
exec "$(dirname "$0")/../run.sh" copies "$1"
