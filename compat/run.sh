#!/bin/sh
# Usage: compat/run.sh <folder> <packed tarball>
# Installs what the folder's lock file names, unless it did so before, and the tarball beside it; runs the checks.
set -eu
tarball=$(realpath "$2")
cd "$(dirname "$0")/$1"
if ! [ node_modules/.installed -nt package-lock.json ]; then
  npm ci --loglevel=error
  touch node_modules/.installed
fi
npm install --loglevel=error --no-save --no-package-lock --legacy-peer-deps "$tarball"
exec node run.mjs
