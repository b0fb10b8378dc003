#!/bin/sh
# All checks from nothing: set up once, install the programs that read our output, lint, test.
# More arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
sh tools/venv.sh .venv
sh tools/consumers.sh
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
exec .venv/bin/python -m pytest "$@"
