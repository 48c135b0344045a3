#!/bin/sh
# Usage: compat/msw/run.sh <packed tarball>
exec "$(dirname "$0")/../run.sh" msw "$1"
