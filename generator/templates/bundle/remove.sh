#!/bin/sh
# Takes away all that Hostwright has put in place. The user and the models stay.
#
#     usage: remove.sh [--dry-run | --help]
#
#     --dry-run  say which files would go, which would come back, and change nothing
#
# What was there before comes back. A file that somebody has edited is kept as FILE.edited-1.
set -eu
case $* in
  '' | --dry-run) ;;
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
  *)
    echo 'usage: remove.sh [--dry-run | --help]' >&2
    exit 2
    ;;
esac
# apply.sh, which knows what there can be, lies beside this script, or beside what a link to it
# points to.
here=$(dirname "$0")
if [ ! -e "$here/apply.sh" ]; then here=$(dirname "$(readlink -f "$0")"); fi
exec sh "$here/apply.sh" --remove "$@"
