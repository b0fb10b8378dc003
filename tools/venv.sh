#!/bin/sh
# Make a virtual environment at $1 with the project and its test tools in it, or with `run` as $2
# only what running needs; nothing to do where it is younger than pyproject.toml. Debian's python3
# comes without ensurepip; where we may, we install it.
set -eu
cd "$(dirname "$0")/.."
venv=${1:-.venv}
for_what=${2:-test}
stamp=$venv/.installed
[ "$for_what" = test ] || stamp=$venv/.runs
for done in "$venv/.installed" "$stamp"; do
    [ -z "$(find "$done" -newer pyproject.toml 2>/dev/null)" ] || exit 0
done

fail() {
    echo "error: $1" >&2
    echo "hint: $2" >&2
    exit 3
}

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed" \
        "install it, or name it: PYTHON=/path/to/python3.11 make run"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

python=$(find_python)
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if ! { command -v apt-get && as_root true; } >/dev/null 2>&1; then
        fail "$python cannot make virtual environments" "sudo apt-get install $package"
    fi
    echo "installing $package" >&2
    # An index that cannot be renewed may still be good enough: the installation decides.
    if ! said=$({
        as_root apt-get update -qq || :
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$package"
    } 2>&1); then
        echo "$said" >&2
        fail "apt-get could not install $package" \
            "see above; then sudo apt-get update && sudo apt-get install $package"
    fi
fi

if [ "$for_what" = test ]; then what='.[test]' size='390 MB'; else what=. size='40 MB'; fi
echo "setting up $venv with $size, once" >&2
# Somebody who looks on sees what pip does; a log has the one line above.
if [ -t 2 ]; then talk=--progress-bar=on; else talk=--quiet; fi
"$python" -m venv "$venv" ||
    fail "$python could not make $venv" "see above; remove $venv and try again"
"$venv/bin/python" -m pip install "$talk" --disable-pip-version-check --editable "$what" >&2 ||
    fail "pip could not install Hostwright into $venv" "see above; is the package index reachable?"
touch "$stamp"
