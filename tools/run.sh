#!/bin/sh
# The main job from nothing: set up once, then print the NixOS module of a profile.
# More arguments go to gen: sh tools/run.sh --profile dual-pascal -t all -o out
set -eu
cd "$(dirname "$0")/.."
sh tools/venv.sh .venv run
[ "$#" -gt 0 ] || set -- --profile "${PROFILE:-xeon-cpu}"
exec .venv/bin/gen "$@"
