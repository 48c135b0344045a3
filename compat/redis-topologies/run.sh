#!/bin/sh
# Usage: compat/redis-topologies/run.sh <packed tarball>
exec "$(dirname "$0")/../run.sh" redis-topologies "$1"
