#!/bin/sh
# Takes away all that Hostwright has put in place. The user and the models stay.
set -eu
# apply.sh, which knows what there can be, lies beside this script, or beside what a link to it
# points to.
here=$(dirname "$0")
if [ ! -e "$here/apply.sh" ]; then here=$(dirname "$(readlink -f "$0")"); fi
exec sh "$here/apply.sh" --remove
