#!/bin/sh
# Says which settings have no effect, since a file that systemd reads later says otherwise, with the
# line that wins: what a shell can tell where there is no Python for verify.py. It changes nothing.
#
#     usage: verify.sh [UNIT]
#
# Without UNIT it is about the bundle beside this script, else about what the file of UNIT itself
# says. Values count by what they mean: 1h and 60m are the same. Status 0: all have effect, 1: some
# have none, 2: usage, 3: nobody could be asked. The script is the same for every host.
set -eu

newline='
'
tab=$(printf '\t')
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
export PATH

# Asks the systemd of this bundle: the host's, or with `--user` that of whoever runs the script.
systemctl() { command systemctl ${scope:+"$scope"} "$@"; }

# Says what a bundle is made of, in $servers, $scope and $files: those whose lines are its own. The
# file of a unit that Podman makes is one of them, and is first of all.
read_bundle() {
  root=${DESTDIR:-} generated=no paths=''
  while IFS= read -r line; do
    case $line in
      "scope${tab}user") scope=--user root=${DESTDIR:-}$HOME ;;
      "server$tab"*) servers="$servers ${line#*"$tab"}" ;;
      "generator$tab"*) generated=yes ;;
      "file$tab"*) paths=$paths${line#*"$tab"}$newline ;;
    esac
  done <"$1/bundle.conf"
  if [ "$generated" = no ]; then files=$paths; fi
}

# `systemctl cat` has all lines in the order in which they count, below the name of each file.
lost() {
  systemctl cat "$unit" 2>/dev/null | OURS=$files ROOT=$root WHOSE=$whose awk '
    function bare(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }

    # What a text means as a Boolean, a time in seconds, or a size in bytes; else nothing.
    function truth(text) {
      if (text ~ /^(1|t|T|TRUE|true|True)$/) return "true"
      return text ~ /^(0|f|F|FALSE|false|False)$/ ? "false" : ""
    }
    function seconds(text, total, number, unit) {
      if (text ~ /^[0-9]+$/) return text + 0
      if (text !~ /^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$/) return ""
      total = 0
      while (match(text, /^[0-9.]+/)) {
        number = substr(text, 1, RLENGTH); text = substr(text, RLENGTH + 1)
        match(text, /^[a-z]+/)
        unit = substr(text, 1, RLENGTH); text = substr(text, RLENGTH + 1)
        total += number * scale[unit]
      }
      return total
    }
    function bytes(text, power) {
      if (text !~ /^[0-9]+[KMGT]?$/) return ""
      power = index("KMGT", substr(text, length(text)))
      return substr(text, 1, length(text) - (power > 0)) * 1024 ^ power
    }
    function same(a, b) {
      a = bare(a); b = bare(b)
      if (a == b) return 1
      if (truth(a) != "" && truth(a) == truth(b)) return 1
      if (seconds(a) != "" && seconds(b) != "" && seconds(a) == seconds(b)) return 1
      return bytes(a) != "" && bytes(b) != "" && bytes(a) == bytes(b)
    }

    # Parts a line into words as systemd does: in quotes a blank is none, and \ keeps what follows.
    function parted(text, word, i, c, quote, open) {
      count = 0; word = ""; quote = ""; open = 0
      for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\\" && i < length(text)) { word = word substr(text, ++i, 1); open = 1 }
        else if (quote != "") { if (c == quote) quote = ""; else word = word c }
        else if (c == "\"" || c == "\047") { quote = c; open = 1 }
        else if (c == " " || c == "\t") { if (open) words[++count] = word; word = ""; open = 0 }
        else { word = word c; open = 1 }
      }
      if (open) words[++count] = word
    }

    # Notes what a file says of a setting, by its key: a variable has `=` before its name.
    function said(key, value, at) {
      if (own) { wanted[key] = value; delete lost[key] }
      else if (key in wanted) { if (same(value, wanted[key])) delete lost[key]; else lost[key] = at }
    }
    function variables(text, i, cut, key) {
      parted(text)
      if (!count && !own) for (key in wanted) if (key ~ /^=/) lost[key] = at
      for (i = 1; i <= count; i++) {
        cut = index(words[i], "=")
        if (cut) said("=" substr(words[i], 1, cut - 1), substr(words[i], cut + 1), at)
      }
    }
    # What a file of variables says counts more than any line of a unit.
    function read_file(path, line, number, cut, value) {
      own = 0; number = 0
      while ((getline line <path) > 0) {
        number++; line = bare(line); cut = index(line, "=")
        if (!cut || line ~ /^[#;]/) continue
        parted(substr(line, cut + 1))
        value = count ? words[1] : ""
        for (i = 2; i <= count; i++) value = value " " words[i]
        said("=" substr(line, 1, cut - 1), value, path ":" number)
      }
      close(path)
    }

    BEGIN {
      split("ns us ms s m h", units, " "); split("1e-9 1e-6 1e-3 1 60 3600", values, " ")
      for (i in units) scale[units[i]] = values[i] + 0
      number = split(ENVIRON["OURS"], paths, "\n")
      for (i = 1; i <= number; i++) if (paths[i] != "") ours[ENVIRON["ROOT"] "/" paths[i]] = 1
      alone = number == 0
    }
    (NR == 1 || before == "") && /^# \/[^ ]*\.(service|conf)$/ {
      file = substr($0, 3); number = 0; before = $0; held = ""; section = ""
      if (alone && NR == 1) ours[file] = 1
      own = file in ours
      next
    }
    { number++; before = $0 }
    /^[ \t]*[#;]/ { next }
    { if (held == "") at = file ":" number }
    /\\$/ { held = held substr($0, 1, length($0) - 1) " "; next }
    { line = bare(held $0); held = "" }
    line ~ /^\[/ { section = line; next }
    section != "[Service]" || !index(line, "=") { next }
    {
      key = bare(substr(line, 1, index(line, "=") - 1))
      value = bare(substr(line, index(line, "=") + 1))
    }
    key == "Environment" { variables(value); next }
    key == "EnvironmentFile" {
      if (value == "") many = 0
      else { sub(/^-/, "", value); parted(value); named[++many] = words[1] }
      next
    }
    key == "UnsetEnvironment" {
      if (value == "") split("", unset)
      parted(value)
      for (i = 1; i <= count; i++) unset[words[i]] = at
      next
    }
    key ~ /^(AllowedCPUs|(CPU|IO|Limit|Memory|NUMA|Nice|OOM|Tasks)[A-Za-z]*)$/ { said(key, value, at) }
    END {
      for (i = 1; i <= many; i++) read_file(named[i])
      for (word in unset) {
        name = word; sub(/=.*/, "", name)
        if (("=" name) in wanted && (word == name || word == name "=" wanted["=" name]))
          lost["=" name] = unset[word]
      }
      for (key in lost) {
        name = key; sub(/^=/, "", name)
        print name " of " ENVIRON["WHOSE"] " has no effect: " lost[key] " says otherwise."
      }
    }
  ' | LC_ALL=C sort
}

scope='' files='' root='' servers='' whose='this bundle'
case $#:${1:-} in
  0:*)
    # The bundle lies beside this script, or beside what a link to it points to.
    here=$(dirname "$0")
    if [ ! -e "$here/bundle.conf" ]; then here=$(dirname "$(readlink -f "$0")"); fi
    read_bundle "$here"
    ;;
  1:-h | 1:--help)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
  1:[!-]*) servers=$1 whose=$1 ;;
  *)
    echo 'usage: verify.sh [UNIT]' >&2
    exit 2
    ;;
esac
for tool in awk sort; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "There is no $tool on this host: nothing is compared." >&2
    exit 3
  fi
done
every=''
for unit in $servers; do
  if ! systemctl cat "$unit" >/dev/null 2>&1; then
    echo "systemd does not tell of $unit: nothing is compared." >&2
    exit 3
  fi
  found=$(lost)
  if [ "$(systemctl show -p NeedDaemonReload --value "$unit" 2>/dev/null)" = yes ]; then
    found="Files of $unit have changed that systemd has not read: systemctl daemon-reload$newline$found"
  fi
  if [ -n "$found" ]; then every=$every${found%"$newline"}$newline; fi
done
found=$every
if [ -z "$found" ]; then exit 0; fi
# What others have written does nothing to a terminal.
printf '%s\n' "${found%"$newline"}" | tr -d '\000-\011\013-\037\177'
exit 1
