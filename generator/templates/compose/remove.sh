#!/bin/sh
# Takes away the containers and networks of the project of Compose beside it; volumes stay, and with
# them the models. The script is the same for every host.
set -eu

usage() {
  cat <<'END'
Takes away the containers and networks of the project beside this script. Its volumes stay.

    usage: remove.sh [--dry-run | --help]

    --dry-run  say which containers would go, and which volumes stay, and change nothing
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
docker compose version >/dev/null 2>&1 || { echo 'remove.sh: there is no Docker Compose here' >&2; exit 3; }
if [ -n "$dry" ]; then
  docker compose ps --all --format 'would go: container {{.Name}}'
  docker compose config --volumes | sed 's/^/stays: volume /'
  exit 0
fi
docker compose down
rm -rf .applied
