#!/usr/bin/env bash
# Deploys a fleet by deploy-rs, wave after wave, and stops at the first host that is not healthy: one
# whose activation fails, which waits for the server, or that cannot be reached afterwards. deploy-rs
# puts back what ran there before.
# Written by Hostwright's `gen fleet`, the same for every fleet. `waves` has a line for each host: the
# number of its wave, its name and its tags.
set -euo pipefail

usage() {
  cat <<'END'
usage: deploy-waves [--only HOST|TAG]... [--from WAVE] [--parallel N] [--pause SECONDS]
                    [--flake REFERENCE] [--list] [-- ARGUMENTS OF deploy]

  --only      deploy this host, or hosts with this tag, and no others
  --from      leave out the waves before this one
  --parallel  deploy so many hosts of a wave at a time
  --pause     wait so long after each wave
  --flake     the flake; left out: the one of this directory
  --list      show the waves, and deploy nothing
END
}

misused() {
  echo "error: $1" >&2
  usage >&2
  exit 2
}

number() {
  case $2 in
    '' | *[!0-9]* | ?????????*) misused "$1 takes a number, not '$2'" ;;
  esac
}

deploy=deploy waves='' from=1 parallel=1 pause=0 flake=. list=no
only=() arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --)
      shift
      arguments=("$@")
      break
      ;;
    -h | --help)
      usage
      exit
      ;;
    --list) list=yes ;;
    --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
    --deploy | --waves | --only | --from | --parallel | --pause | --flake)
      [ $# -ge 2 ] || misused "$1 lacks its value"
      case $1 in
        --deploy) deploy=$2 ;;
        --waves) waves=$2 ;;
        --only) only+=("${2#@}") ;;
        --from) number "$1" "$2" && from=$2 ;;
        --parallel) number "$1" "$2" && parallel=$2 ;;
        --pause) number "$1" "$2" && pause=$2 ;;
        --flake) flake=$2 ;;
      esac
      shift
      ;;
    *) misused "there is no $1" ;;
  esac
  shift
done
[ "$parallel" -gt 0 ] || misused "--parallel takes a number above 0"

# Whether a host is asked for, given its name and its tags.
asked_for() {
  local name word
  [ ${#only[@]} -gt 0 ] || return 0
  for name in "${only[@]}"; do
    for word; do
      if [ "$word" = "$name" ]; then return 0; fi
    done
  done
  return 1
}

last=0
hosts=() numbers=()
while read -r wave host tags; do
  last=$wave
  # shellcheck disable=SC2086 # tags are words
  if [ "$wave" -ge "$from" ] && asked_for "$host" $tags; then
    hosts+=("$host") numbers+=("$wave")
  fi
done <"${waves:-$(dirname "$0")/waves}"
if [ ${#hosts[@]} = 0 ]; then
  echo "error: there is no such host in the waves from $from to $last" >&2
  exit 2
fi

# Says what failed and what is left, and ends.
stop() {
  echo "deploy-waves: stopped in wave $1 of $last, not healthy: ${failed[*]}" >&2
  if [ ${#left[@]} -gt 0 ]; then echo "deploy-waves: not deployed: ${left[*]}" >&2; fi
  echo "deploy-waves: once it is mended, go on with --from $1" >&2
  exit 1
}

declare -A host_of=()
failed=()

# Waits for one of the hosts that are being deployed.
reap() {
  local status=0 pid=''
  wait -n -p pid || status=$?
  if [ "$status" != 0 ]; then failed+=("${host_of[$pid]}"); fi
  unset "host_of[$pid]"
}

# Deploys the hosts of a wave, no further one once one has failed; those left are in $left.
run_wave() {
  while [ ${#left[@]} -gt 0 ] && [ ${#failed[@]} = 0 ]; do
    if [ ${#host_of[@]} -ge "$parallel" ]; then
      reap
      continue
    fi
    host=${left[0]}
    left=("${left[@]:1}")
    # Checks are of the whole fleet; they are for CI.
    if [ "$parallel" = 1 ]; then
      "$deploy" --skip-checks "$flake#$host" "${arguments[@]}" || failed+=("$host")
    else
      "$deploy" --skip-checks "$flake#$host" "${arguments[@]}" </dev/null &
      host_of[$!]=$host
    fi
  done
  while [ ${#host_of[@]} -gt 0 ]; do reap; done
}

at=0
while [ "$at" -lt ${#hosts[@]} ]; do
  wave=${numbers[at]}
  left=()
  while [ "$at" -lt ${#hosts[@]} ] && [ "${numbers[at]}" = "$wave" ]; do
    left+=("${hosts[at]}")
    at=$((at + 1))
  done
  echo "deploy-waves: wave $wave of $last: ${left[*]}"
  if [ "$list" = yes ]; then continue; fi
  run_wave
  if [ ${#failed[@]} -gt 0 ]; then
    left+=("${hosts[@]:at}")
    stop "$wave"
  fi
  if [ "$at" -lt ${#hosts[@]} ] && [ "$pause" -gt 0 ]; then sleep "$pause"; fi
done
if [ "$list" = no ]; then echo "deploy-waves: deployed, and healthy: ${#hosts[@]}"; fi
