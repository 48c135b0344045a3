#!/bin/sh
# Usage: compat/oauth-servers/run.sh <packed tarball>
exec "$(dirname "$0")/../run.sh" oauth-servers "$1"
