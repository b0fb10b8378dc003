#!/bin/sh
# Says which values of compose.yaml another file of the project wins over, and which containers run
# with something else than the files say: what a shell can tell where there is no Python for verify.py.
# It changes nothing. Status 0: all have effect, 1: some have none, 2: usage, 3: nobody could be asked.
set -eu

[ $# -eq 0 ] || { echo 'usage: verify.sh' >&2; exit 2; }
cd -- "$(dirname -- "$0")"
unasked() { echo "verify.sh: $1" >&2; exit 3; }
ours=$(docker compose --file compose.yaml config) || unasked 'Docker Compose cannot be asked'
every=$(docker compose config) || unasked 'Docker Compose cannot be asked'
services=$(docker compose config --services) || unasked 'Docker Compose cannot be asked'

status=0
# Values may be secrets: of a line that is lost its key is said, of an item of a list all of it.
lost=$(printf '%s\n' "$ours" | EVERY=$every awk '
  BEGIN { number = split(ENVIRON["EVERY"], lines, "\n"); for (i = 1; i <= number; i++) there[lines[i]]++ }
  there[$0] > 0 { there[$0]--; next }
  { sub(/^ +/, ""); sub(/: .*/, ""); print }')
if [ -n "$lost" ]; then
  status=1
  printf '%s\n' "$lost" | sed 's/^/of compose.yaml without effect, for another file says otherwise: /'
fi

for service in $services; do
  want=$(docker compose config --hash "$service" | awk '{ print $2 }')
  id=$(docker compose ps --all --quiet "$service") || unasked 'Docker cannot be asked'
  if [ -z "$id" ]; then
    status=1
    echo "$service has no container: ./apply.sh makes it"
    continue
  fi
  has=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.config-hash"}}' "$id")
  if [ "$has" != "$want" ]; then
    status=1
    echo "$service runs with something else than the files say: ./apply.sh starts it anew"
  fi
done
exit "$status"
