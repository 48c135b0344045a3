#!/bin/sh
# Usage: compat/nest-migration/run.sh <packed tarball>
# Both applications are type-checked, and the same tests run on both.
exec "$(dirname "$0")/../run.sh" nest-migration "$1"
