#!/bin/sh
# All checks from nothing: set up once, install the programs that read our output, lint, test.
# The whole suite runs on every core. Arguments go to pytest instead, in one process.
set -eu
cd "$(dirname "$0")/.."
# What is compiled is kept: tests start the command some hundred times, which took twice as long.
unset PYTHONDONTWRITEBYTECODE
sh tools/venv.sh .venv
sh tools/consumers.sh
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
[ $# -gt 0 ] || set -- --numprocesses logical --maxprocesses 8 --dist worksteal
exec .venv/bin/python -m pytest "$@"
