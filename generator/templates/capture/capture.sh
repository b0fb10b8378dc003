# Prints an archive of what a comparison asks of this machine: files of /proc and of control groups,
# units and what else says how the server runs, and what programs answer. It changes nothing but a
# directory of its own, which it takes away again, and secrets stay here. Before it stand
# `signs` (words that the program and those it starts have in their command), `files` (patterns),
# `unit`, `mentioned` (a word that says what a file is about), `address` (of the server), `pattern`
# (lines of its log), `redact` (a program of awk), `endings`, `parts` and `elsewhere` (its words), and
# `asks`, which asks programs, and `mark`, a line that the archive begins behind.
set -u
umask 077
LC_ALL=C
export LC_ALL
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
MOST=1048576

out=$(mktemp -d "${TMPDIR:-/tmp}/capture.XXXXXX") || exit 3
trap 'rm -rf "$out"' EXIT
trap 'exit 3' HUP INT TERM

there() { command -v "$1" >/dev/null 2>&1; }

# What may wait for ever has a few seconds.
briefly() { if there timeout; then timeout 5 "$@"; else "$@"; fi; }

clean() {
  awk -v endings="$endings" -v parts="$parts" -v elsewhere="$elsewhere" -v entries="${1:-}" "$redact"
}

# A place for the file of that path.
place() { mkdir -p "$out/${1%/*}"; }

# A file as it is, of /proc and /sys.
keep() {
  [ -f "$1" ] && [ -r "$1" ] || return 0
  place "$1"
  head -c "$MOST" "$1" >"$out/$1" 2>/dev/null
}

# A file of text without secrets.
keep_text() {
  [ -f "$1" ] && [ -r "$1" ] || return 0
  place "$1"
  head -c "$MOST" "$1" 2>/dev/null | clean >"$out/$1"
}

# Entries that each end with a zero byte, without secrets.
keep_entries() {
  [ -r "$1" ] || return 0
  place "$1"
  head -c "$MOST" "$1" 2>/dev/null | tr '\n\0' '\001\n' | clean entries | tr '\n\001' '\0\n' \
    >"$out/$1"
}

tools=.hostwright/tools
mkdir -p "$out/$tools"

# What a program prints: the file for it, and the command.
tool() {
  file=$1
  shift
  there "$1" || return 0
  briefly "$@" 2>/dev/null </dev/null | head -c 8388608 | clean >"$out/$tools/$file"
}

# Where a link of /proc leads, as a text.
keep_target() {
  found=$(readlink "$1" 2>/dev/null) || return 0
  place "$1"
  printf '%s\n' "$found" >"$out/$1"
}

# The lines of a log that tell what the server has read and computes on: the file for them, and the
# command that prints it.
log() {
  file=$1
  shift
  there "$1" || return 0
  [ -s "$out/$file" ] && return 0
  place "$file"
  briefly "$@" 2>&1 </dev/null | head -c 33554432 | grep -E "$pattern" | tail -n 500 | clean \
    >"$out/$file"
}

# What the server answers: the file for it, the path, and the body of a question.
api() {
  at="http://$address$2" file="$out/$tools/$1"
  if there curl; then
    briefly curl -fsS -m 5 ${3:+-H} ${3:+"Content-Type: application/json"} ${3:+-d} ${3:+"$3"} "$at"
  elif there wget; then
    briefly wget -q -T 5 -O - ${3:+"--post-data=$3"} "$at"
  elif there python3; then
    briefly python3 -c 'import sys, urllib.request as u
b = sys.argv[2].encode() or None
sys.stdout.write(u.urlopen(u.Request(sys.argv[1], b), timeout=5).read().decode())' "$at" "${3:-}"
  fi 2>/dev/null </dev/null | head -c 33554432 >"$file"
  [ -s "$file" ] || rm -f "$file"
}

# A control group and those above it, of one mount.
group() {
  dir=$2
  while :; do
    for file in cgroup.procs cpu.max cpu.weight cpu.stat cpu.pressure cpuset.cpus.effective \
      memory.max memory.high memory.swap.max memory.current memory.swap.current memory.events \
      memory.pressure io.pressure pids.max pids.current cpu.cfs_quota_us cpu.cfs_period_us \
      cpu.shares cpuset.effective_cpus memory.limit_in_bytes memory.usage_in_bytes; do
      keep "/sys/fs/cgroup$1${dir%/}/$file"
    done
    case $dir in '' | /) return 0 ;; esac
    dir=${dir%/*}
  done
}

groups() {
  [ -f "$out/proc/$1/cgroup" ] || return 0
  while IFS=: read -r number names path; do
    case $path in *..* | [!/]*) continue ;; esac
    if [ "$number" = 0 ]; then
      group '' "$path"
      group /unified "$path"
    else
      case $names in cpu | cpu,cpuacct | cpuacct,cpu | memory | pids | cpuset)
        group "/$names" "$path"
        ;;
      esac
    fi
  done <"$out/proc/$1/cgroup"
}

for file in /proc/meminfo /proc/cpuinfo /proc/stat /proc/loadavg /proc/uptime /proc/version \
  /proc/self/cgroup /proc/pressure/cpu /proc/pressure/memory /proc/pressure/io \
  /etc/os-release; do
  keep "$file"
done

printf '%s\n' "http://$address" >"$out/$tools/server-url.txt"
# Its own network: a server in another one may have the same port.
[ -r /proc/self/ns/net ] && keep_target /proc/self/ns/net

set --
for sign in $signs; do set -- "$@" -e "$sign"; done
for file in $(grep -sal "$@" /proc/[0-9]*/cmdline); do
  pid=${file#/proc/}
  pid=${pid%/cmdline}
  first=$({ tr '\0' '\n' <"$file" | head -n 1; } 2>/dev/null)
  for sign in $signs; do
    [ "${first##*/}" = "$sign" ] || continue
    keep_entries "/proc/$pid/cmdline"
    keep_entries "/proc/$pid/environ"
    for one in stat status limits cgroup oom_score_adj; do keep "/proc/$pid/$one"; done
    keep_target "/proc/$pid/ns/net"
    groups "$pid"
    # Where its errors go is often a file.
    [ -f "/proc/$pid/fd/2" ] && log "/proc/$pid/fd/2" cat "/proc/$pid/fd/2"
  done
done

# Whatever says how the server runs, by its name or by what it says.
cd / || exit 3
for file in $files; do
  [ -f "$file" ] || [ -L "$file" ] || continue
  case $file in
  *"${unit%.service}"* | */service.d/*) ;;
  *) grep -qi -e "$mentioned" "$file" 2>/dev/null || continue ;;
  esac
  if [ -f "$file" ]; then keep_text "/$file"; else place "/$file" && : >"$out/$file"; fi
done

asks

# Files of variables that units name, and the projects of compose.
sed -n 's/^EnvironmentFiles\{0,1\}=-\{0,1\}\(\/[^ ]*\).*/\1/p' "$out/$tools/systemctl-show.txt" \
  $(find "$out/etc" "$out/run" "$out/usr" "$out/lib" -name '*.service' -o -name '*.conf' \
    -o -name '*.container' 2>/dev/null) 2>/dev/null | sort -u | while read -r file; do
  keep_text "$file"
done
if [ -s "$out/$tools/docker-compose.txt" ]; then
  while IFS='	' read -r folder names; do
    IFS=,
    for file in $names "$folder/.env"; do
      case $file in /*) keep_text "$file" ;; *) keep_text "$folder/$file" ;; esac
    done
    unset IFS
  done <"$out/$tools/docker-compose.txt"
fi
find "$out" -type f -size 0 -path "*/$tools/*" -exec rm -f {} +
# What a login may have printed stands before it.
printf '\n%s\n' "$mark"
cd "$out" && tar -cf - .
