#!/bin/sh
# Make a virtual environment at $1 with the project and its test tools in it; nothing to do where
# it is younger than pyproject.toml. Debian's python3 comes without ensurepip; where we may, we
# install it.
set -eu
cd "$(dirname "$0")/.."
venv=${1:-.venv}
stamp=$venv/.installed
[ -z "$(find "$stamp" -newer pyproject.toml 2>/dev/null)" ] || exit 0

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "error: Python 3.11 or newer is needed" >&2
    echo "hint: install it, or name it: PYTHON=/path/to/python3.11 make run" >&2
    exit 3
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

python=$(find_python)
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if ! { command -v apt-get && as_root true; } >/dev/null 2>&1; then
        echo "error: $python cannot make virtual environments" >&2
        echo "hint: sudo apt-get install $package" >&2
        exit 3
    fi
    echo "installing $package" >&2
    as_root apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
fi

echo "setting up $venv, once" >&2
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[test]'
touch "$stamp"
