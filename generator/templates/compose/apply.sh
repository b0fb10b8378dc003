#!/bin/sh
# Starts the project of Compose beside it, waits until its servers answer, and compares. Where they do
# not, what was applied last is started again. The script is the same for every host.
set -eu

usage() {
  cat <<'END'
Starts the project of Compose beside this script, and compares what is in effect.

    usage: apply.sh [--dry-run | --help]

    --dry-run  say what Compose would do, and change nothing

Status 0: all is in effect, 1: the servers do not answer, and what was applied last runs again, 2: usage
or a file that Compose cannot read, 3: there is no Docker Compose, 4: something is not in effect, or
nobody can tell.
$WAIT: the seconds that servers have to answer, 300 if not set.
END
}

dry=
case ${1-} in
  '') ;;
  --dry-run) dry=yes ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2; exit 2; }

cd -- "$(dirname -- "$0")"
compose() { docker compose "$@"; }
compose version >/dev/null 2>&1 || { echo 'apply.sh: there is no Docker Compose here' >&2; exit 3; }
compose config --quiet || exit 2
if [ -n "$dry" ]; then
  compose --dry-run up --detach
  exit 0
fi

# Only servers have a health check; jobs that have ended are not listed.
unhealthy() {
  left=${WAIT:-300}
  while :; do
    states=$(compose ps --format '{{.Service}} {{.Health}}') || return 0
    case $states in
      *' unhealthy'*) return 0 ;;
      *' healthy'*) case $states in *' starting'*) ;; *) return 1 ;; esac ;;
    esac
    [ "$left" -gt 0 ] || return 0
    left=$((left - 1))
    sleep 1
  done
}

if ! compose up --detach || unhealthy; then
  echo 'apply.sh: the servers do not answer; the last lines of their log:' >&2
  compose logs --tail 20 >&2 || :
  if [ -f .applied/compose.yaml ]; then
    echo 'apply.sh: what was applied last is started again' >&2
    compose --project-directory . --file .applied/compose.yaml up --detach >&2 || :
  fi
  exit 1
fi
mkdir -p .applied
cp compose.yaml .applied/compose.yaml
echo 'The servers answer.'

if command -v python3 >/dev/null 2>&1; then
  python3 verify.py || exit 4
else
  sh ./verify.sh || exit 4
fi
