#!/bin/sh
# Puts a bundle of Hostwright's in place and restarts its servers if it must. What an earlier bundle
# left goes. When anything fails, all is as it was before. README.md says more.
#
#     usage: apply.sh [--dry-run | --remove [--dry-run] | --help]
#
#     --dry-run  say what would change, with the differences, and change nothing
#     --remove   take away all that Hostwright has put in place, and put back what was there before
#
# A file in the way that is not Hostwright's is kept as FILE.before-hostwright. One of Hostwright's
# that somebody has edited is kept as FILE.edited-1, and so on, before it is written again or goes;
# to put that back: mv FILE.edited-1 FILE, and systemctl daemon-reload. What is to stay belongs into
# the profile, or into a drop-in with a later name, like override.conf.
#
# HOSTWRIGHT_WAIT is how many seconds the server may take to answer. Status 0: all is in place, 2:
# usage, 4: in place, but something else is in effect; any other: all is as it was before.
# The script is the same for every host: what this one is made of stands in bundle.conf.
set -eu

newline='
'
tab=$(printf '\t')
# A shell over ssh may lack the programs of the administrator.
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
export PATH
umask 022

say() { printf '%s\n' "$*"; }

fail() {
  say "$@" >&2
  exit 1
}

# Asks the systemd of this bundle: the host's, or with `--user` that of whoever runs the script.
systemctl() { command systemctl ${scope:+"$scope"} "$@"; }

# ── bundle.conf ───────────────────────────────────────────────────────────────────────────────

# Reads what the bundle is made of: in each line a word, a tab, and a value to the end of the line.
read_bundle() {
  files='' places='' jobs='' starts='' creates='' modules='' needs=''
  scope='' program='' user='' front='' generator='' wait='' product='' variable='' ask=''
  servers='' listens=''
  while IFS= read -r line; do
    value=${line#*"$tab"}
    case $line in
      '#'*) ;;
      "scope${tab}user") scope=--user ;;
      "need$tab"*) needs="$needs $value" ;;
      "file$tab"*) files=$files$value$newline ;;
      "server-file$tab"* | "job-file$tab"* | "model-file$tab"* | "other-file$tab"*)
        places=$places$line$newline
        ;;
      "server$tab"*) server=$value servers="$servers $value" ;;
      "job$tab"*) jobs="$jobs $value" ;;
      "start$tab"*) starts="$starts $value" ;;
      "front$tab"*) front=$value ;;
      "create$tab"*) creates="$creates $value" ;;
      "module$tab"*) modules="$modules $value" ;;
      "program$tab"*) program=$value ;;
      "generator$tab"*) generator=$value ;;
      "user$tab"*) user=$value ;;
      "product$tab"*) product=$value ;;
      "address$tab"*) listens=$listens$server$tab$value$newline ;;
      "variable$tab"*) variable=$value ;;
      "ask$tab"*) ask=$value ;;
      "wait$tab"*) wait=$value ;;
      *) fail "This apply.sh does not know what bundle.conf says: $line" ;;
    esac
  done <bundle.conf
  if [ -z "$wait" ]; then fail "The end of bundle.conf is missing."; fi
  # A path has no line break, so a list of them has one after each.
  files=$newline$files
}

# Says where files go: below DESTDIR, which is empty on a real host. The work directory is on their
# file system, so that a file goes in place, and back, by a rename.
locate() {
  if [ -n "$scope" ]; then
    root=${DESTDIR:-}$HOME
    units=.config/systemd/user
    others=.config/hostwright
    work=$root/.config/.hostwright-apply
  else
    root=${DESTDIR:-}
    units=etc/systemd/system
    others=etc/hostwright
    work=$root/etc/.hostwright-apply
  fi
  record=$root/$others/written
  # The parts of the day, which most profiles do not tell apart.
  name=${server%.service}
  places="${places}job-file$tab$units/${name%@*}-period*$newline"
  # What runs beside the server of some bundles; the bundle.conf of the others does not name it.
  for name in litellm redis; do
    places="${places}job-file$tab$units/hostwright-$name.service$newline"
    if [ -n "$generator" ]; then
      places="${places}server-file$tab$generator/hostwright-$name.container$newline"
    fi
  done
  places="${places}other-file$tab$others/litellm.yaml$newline"
  places="${places}other-file$tab$others/redis.conf$newline"
  places="${places}job-file$tab$units/hostwright-front.service$newline"
  if [ -n "$generator" ]; then
    places="${places}front-file$tab$generator/hostwright-front.container$newline"
  fi
  places="${places}front-file$tab$others/front/haproxy.cfg$newline"
  places="${places}front-file$tab$others/front/Caddyfile$newline"
}

need() {
  if [ ! -r "$1" ]; then fail "This bundle lacks $1."; fi
}

# Whether a unit is that of a server of this bundle.
is_server() {
  case "$servers " in
    *" $1 "*) return 0 ;;
  esac
  return 1
}

# Has all that follows ask about one of the servers, in $server, which listens at $listen.
turn_to() {
  server=$1
  each "$listens" take_address
}

take_address() {
  case $1 in
    "$server$tab"*) listen=${1#*"$tab"} ;;
  esac
}

# Whether a file is one of this bundle.
wanted() {
  case $files in
    *"$newline$1$newline"*) return 0 ;;
  esac
  return 1
}

# Calls a function with each line of a list.
each() {
  set -f
  IFS=$newline
  for item in $1; do
    set +f
    unset IFS
    "$2" "$item"
  done
  set +f
  unset IFS
}

# Calls a function with each file of this bundle.
each_wanted() { each "$files" "$1"; }

# Calls a function with each place where a bundle of any profile can have put a file.
each_place() {
  at_place=$1
  each "$places" each_match
}

# A place that ends with `*` stands for all the files there whose names begin so.
each_match() {
  set -- "$root/${1#*"$tab"}"
  case $1 in
    *'*') set -- "${1%?}"* ;;
  esac
  for match; do
    case $match in
      *.edited-[0-9]*) ;;
      *) "$at_place" "${match#"$root"/}" ;;
    esac
  done
}

# Says in $role what a file is of: the server, a job, a model, or another thing.
look_at_role() {
  role='' sought=$1
  each "$places" take_role
}

take_role() {
  place=${1#*"$tab"} begins=$sought
  case $place in
    *'*') begins=${sought#"${place%?}"} ;;
  esac
  if [ "$sought" = "$place" ] || [ "$sought" != "$begins" ]; then role=${1%%-file"$tab"*}; fi
}

# Calls a function with every file of this bundle, and with what another one can have left.
each_file() {
  each_wanted "$1"
  todo=$1
  each_place unless_wanted
}

unless_wanted() {
  wanted "$1" || "$todo" "$1"
}

# ── what is to become of a file ───────────────────────────────────────────────────────────────

ours() {
  grep -qs '^# Generated by Hostwright' "$1"
}

exists() {
  [ -e "$1" ] || [ -L "$1" ]
}

# Whether somebody has edited a file of ours since an apply.sh wrote it, by what that has noted. Of
# what it has not noted, nobody knows: it counts as edited, so that nothing is lost.
edited() {
  if ! ours "$now"; then return 1; fi
  ! grep -Fqsx "$(cksum <"$now")$tab$1" "$record"
}

# Says in $kept the name that an edited file gets.
name_edit() {
  number=1
  while exists "$now.edited-$number"; do number=$((number + 1)); done
  kept=$now.edited-$number
}

# Notes which text a file has, to know later whether it was edited.
note() { say "$(cksum <"$1")$tab$1"; }

# Says in $fate what is to become of a file, and in $now where it lies.
judge() {
  now=$root/$1
  fate=none
  if ! wanted "$1"; then
    if ours "$now"; then fate=drop; fi
  elif ! exists "$now"; then
    fate=add
  elif ours "$now"; then
    if [ -L "$now" ] || ! cmp -s "$1" "$now"; then fate=replace; fi
  elif ! exists "$now.before-hostwright"; then
    fate=keep
  elif cmp -s "$now" "$now.before-hostwright"; then
    fate=replace
  else
    fate=refuse
  fi
}

# Comments change nothing: for them alone no model is unloaded.
same_words() {
  [ "$(grep -v '^#' "$1")" = "$(grep -v '^#' "$2")" ]
}

# Notes what a file asks for: whether anything changed, to restart the server, units that are
# other ones, jobs that are gone and jobs to run again.
consider() {
  judge "$1"
  if [ "$fate" = none ]; then return 0; fi
  if [ "$fate" = refuse ]; then
    say "$now is not Hostwright's, and a file is kept from before already:" >&2
    fail "move one of them away, $now.before-hostwright or itself."
  fi
  changed=yes
  if [ "$fate" = replace ] && same_words "$1" "$now"; then return 0; fi
  look_at_role "$1"
  unit=${1##*/}
  case $fate:$role:$unit in
    drop:*:hostwright-*.container) stops="$stops ${unit%.*}.service" ;;
  esac
  case $fate:$role in
    drop:server)
      restart_for "$1"
      other="$other $unit"
      dismissed_by_file "$1"
      ;;
    *:server)
      restart_for "$1"
      other="$other $unit"
      ;;
    drop:job) gone="$gone $unit" ;;
    *:job) fresh="$fresh $unit" other="$other $unit" ;;
    *:model) fresh="$fresh$creates" ;;
    *:front) fresh="$fresh front $unit" ;;
  esac
}

# Notes the server that a file belongs to, to restart it; for a file of all of them, each. What is of
# a server that this bundle has not asks for none.
restart_for() {
  case ${1#"$generator/"} in
    *.service.d/*) owner=${1%%.service.d/*} ;;
    *.service) owner=${1%.service} ;;
    *@*.container) owner=${1%.container} ;;
    *) owner='' ;;
  esac
  owner=${owner##*/}
  for one in $servers; do
    case $one:$owner in
      "$owner.service":* | *:) restart_one "$one" ;;
    esac
  done
}

# Notes that a server is to be restarted.
restart_one() {
  case "$restarts " in
    *" $1 "*) ;;
    *) restarts="$restarts $1" ;;
  esac
}

restart_every() {
  for one in $servers; do restart_one "$one"; done
}

# Notes a server that another bundle has brought and this one has not: it ends.
dismissed_by_file() {
  case $1 in
    "$units"/*.d/*) return 0 ;;
    "$units"/*.service) ;;
    "$generator"/*.container) unit=${unit%.container}.service ;;
    *) return 0 ;;
  esac
  is_server "$unit" || gone="$gone $unit"
}

# Says what would happen to a file.
foretell() {
  judge "$1"
  if [ "$fate" = none ]; then return 0; fi
  name_edit
  case $fate in
    replace | drop) if edited "$1"; then say "would keep $now, which was edited, as $kept"; fi ;;
  esac
  case $fate in
    drop) say "would remove $now" ;;
    keep) say "would keep $now as $now.before-hostwright, and write $now" ;;
    *) say "would write $now" ;;
  esac
  if [ "$fate" != drop ] && command -v diff >/dev/null 2>&1; then
    if [ "$fate" = add ]; then now=/dev/null; fi
    diff -u "$now" "$1" || true
  fi
}

# ── before anything changes ───────────────────────────────────────────────────────────────────

# Refuses what it could not finish.
refuse() {
  for tool in $needs; do
    if ! command -v "$tool" >/dev/null; then
      fail "There is no $tool on this host: install it first."
    fi
  done
  if [ -n "$scope" ] && ! systemctl show-environment >/dev/null 2>&1; then
    fail "This user has no systemd of its own here: log in as the user whom the server is to run" \
      "as, not by sudo or su, and run apply.sh again."
  fi
  for server in $servers; do
    if [ -n "$generator" ]; then
      refuse_hidden
    elif ! wanted "$units/$server"; then
      refuse_drop_ins
    fi
    refuse_others
  done
  if [ -n "$program" ] && [ ! -x "$program" ]; then
    fail "There is no program $program: install $product, or name it by service.binary."
  fi
  each_wanted need
}

# A generated unit is one that no file of the same name hides.
refuse_hidden() {
  if exists "$root/$units/$server"; then
    fail "$root/$units/$server hides the unit of this bundle:" \
      "uninstall what it belongs to, or run the remove.sh that it came with."
  fi
}

# One server and several of the same program would be in each other's way.
refuse_others() {
  case $server in
    *@*)
      other=${server%@*}.service
      if ours "$root/$units/$other" || ours "$root/$generator/${other%.service}.container"; then
        return 0
      fi
      if systemctl is-active --quiet "$other" 2>/dev/null ||
        systemctl is-enabled --quiet "$other" 2>/dev/null; then
        fail "$other would be one more server, beside those of this bundle:" \
          "systemctl ${scope:+"$scope "}disable --now $other, and run apply.sh again."
      fi
      ;;
    *)
      for other in "$root/${generator:-$units}/${server%.service}@"*; do
        if ours "$other"; then
          fail "$other is of a bundle with several servers: run the remove.sh that it came with."
        fi
      done
      ;;
  esac
}

refuse_drop_ins() {
  if ours "$root/$units/$server" && ! exists "$root/$units/$server.before-hostwright"; then
    say "$root/$units/$server is a complete unit of Hostwright's," \
      "and this bundle has drop-ins for another." >&2
    fail "Run remove.sh, install $product, and then run apply.sh."
  fi
  if ! systemctl cat "$server" >/dev/null 2>&1; then
    fail "There is no $server for these drop-ins: install $product first."
  fi
  if [ -n "$user" ] && ! id -u "$user" >/dev/null 2>&1; then
    fail "There is no user $user: install $product first, or name another one."
  fi
}

copy_wanted() {
  mkdir -p "$work/new/${1%/*}"
  cat "$1" >"$work/new/$1"
}

# Shows systemd the units as they will be: what goes is hidden, or what it replaced is there again.
hide() {
  judge "$1"
  case $fate:$1 in
    drop:"$units"/*.conf) ;;
    drop:"$units"/*) is_server "${1##*/}" || return 0 ;;
    *) return 0 ;;
  esac
  mkdir -p "$work/new/${1%/*}"
  if exists "$now.before-hostwright"; then
    cp "$now.before-hostwright" "$work/new/$1"
  elif ! is_server "${1##*/}"; then
    ln -s /dev/null "$work/new/$1"
  fi
}

# Copies the bundle beside its places. A full disk ends here, before anything is changed.
stage() {
  each_wanted copy_wanted
  {
    say "# Generated by Hostwright's apply.sh: which text it has written, to know what was edited."
    each_wanted note
  } >"$work/written"
  each_file hide
  view=$work/new/$units
  if [ -n "$generator" ]; then return 0; fi
  for server in $servers; do stage_installed; done
}

stage_installed() {
  installed=$(systemctl show -p FragmentPath --value "$server" 2>/dev/null) || true
  for unit in "$root/$units/$server" "$installed"; do
    if [ ! -e "$view/$server" ] && [ -f "$unit" ]; then
      mkdir -p "$view"
      cp "$unit" "$view/$server"
    fi
  done
}

verify() {
  if [ -n "$generator" ]; then verify_generated; fi
  verify_units
}

# Lets Podman read the files that it makes units of.
verify_generated() {
  quadlet=$(PATH=$PATH:/usr/libexec/podman:/usr/lib/podman && command -v quadlet) || true
  if [ -z "$quadlet" ]; then
    say "There is no quadlet program of Podman: its files are not verified."
  elif ! QUADLET_UNIT_DIRS=$work/new/$generator \
    "$quadlet" -dryrun ${scope:+-user} >/dev/null 2>"$scratch/verify"; then
    grep -v ": Loading source unit file " "$scratch/verify" >&2 || true
    fail "Podman does not take these files: nothing is changed."
  fi
}

# Lets systemd read the merged units. Its exit status lies, in both directions; its words do not.
verify_units() {
  if ! command -v systemd-analyze >/dev/null 2>&1; then
    say "There is no systemd-analyze: the units are not verified."
    return 0
  fi
  set --
  for unit in $servers $jobs; do
    if [ -e "$view/$unit" ]; then set -- "$@" "$view/$unit"; fi
  done
  if [ $# = 0 ]; then return 0; fi
  status=0
  env LC_ALL=C SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=info SYSTEMD_LOG_LOCATION=0 \
    SYSTEMD_COLORS=0 SYSTEMD_UNIT_PATH="$view:$root/$units:" \
    systemd-analyze ${scope:+"$scope"} verify --man=no "$@" >"$scratch/verify" 2>&1 || status=$?
  faults=no
  while IFS= read -r line; do
    case "$servers$jobs " in
      *" ${line%%:*} "*) ;;
      *)
        line=${line#*"/new/$units/"}
        # The unit that somebody's installer made is not ours to judge.
        wanted "$units/${line%%:*}" || continue
        ;;
    esac
    say "$line" >&2
    faults=yes
  done <"$scratch/verify"
  if [ "$faults" = yes ]; then
    fail "systemd does not take these units: nothing is changed."
  fi
  if [ "$status" != 0 ]; then
    say "systemd-analyze has nothing against these units, but failed:" \
      "$(head -n 1 "$scratch/verify")"
  fi
}

# Of two at once, the second ends. One that was killed may have left files that no server has
# read: then the server is restarted.
lock() {
  if [ -d "$work" ]; then
    if grep -qs apply "/proc/$(cat "$work/pid" 2>/dev/null || echo none)/cmdline"; then
      fail "Another apply.sh is at work."
    fi
    say "An earlier apply.sh was killed at work: the server is restarted."
    rm -rf "$work"
    restart_every
  fi
  mkdir -p "${work%/*}"
  if ! mkdir "$work"; then
    if [ -n "$scope" ]; then fail "Run it as the user whose home $root is."; fi
    fail "Run it as root: sudo sh apply.sh"
  fi
  locked=yes
  echo $$ >"$work/pid"
}

# ── changes, and their undoing ────────────────────────────────────────────────────────────────

# Renames a file, and notes that first: the notes, read backwards, undo what was done of them.
move() {
  mkdir -p "${2%/*}"
  say "$1$tab$2" >>"$work/moves"
  mv "$1" "$2"
}

# Puts a file in place, or takes it away. A file that is not ours only ever gets another name.
place() {
  judge "$1"
  case $fate in
    none) return 0 ;;
    keep)
      move "$now" "$now.before-hostwright"
      say "$now was not written by Hostwright: kept as $now.before-hostwright"
      ;;
    replace | drop)
      if edited "$1"; then
        name_edit
        move "$now" "$kept"
        say_kept
      else
        move "$now" "$work/old/$1"
      fi
      ;;
  esac
  if [ "$fate" != drop ]; then
    put "$work/new/$1"
    label "$1"
  else
    say "removed $now"
    put_back
  fi
}

say_kept() {
  why='was edited'
  if [ ! -e "$record" ]; then why='may have been edited, which nobody has noted'; fi
  say "$now $why: kept as $kept; to put it back: mv '$kept' '$now'"
}

# Notes what was written, for the next apply.sh.
keep_record() {
  if exists "$record"; then move "$record" "$work/old-written"; fi
  make_folder "${record%/*}"
  move "$work/written" "$record"
}

put() {
  make_folder "${now%/*}"
  move "$1" "$now"
  # A renamed file keeps the SELinux label of where it was made.
  if command -v restorecon >/dev/null 2>&1; then restorecon "$now" || true; fi
  say "wrote $now"
}

# A container that runs reads Modelfiles by the SELinux label that Podman gave their directory.
label() {
  look_at_role "$1"
  if [ "${generator:+$role}" = model ]; then
    chcon --reference="${now%/*}" "$now" 2>/dev/null || true
  fi
}

make_folder() {
  if [ -d "$1" ]; then return 0; fi
  make_folder "${1%/*}"
  say "$1" >>"$work/folders"
  mkdir "$1"
}

put_back() {
  if exists "$now.before-hostwright"; then
    move "$now.before-hostwright" "$now"
    say "put back $now"
  fi
}

# Enables a unit, and anew if its file is another: where it belongs may have changed.
hook() {
  if ! systemctl is-enabled --quiet "$1" 2>/dev/null; then
    say "$1" >>"$work/enabled"
    systemctl enable "$1"
    return 0
  fi
  case " $other " in
    *" $1 "*)
      say "$1" >>"$work/reenabled"
      systemctl reenable "$1"
      ;;
  esac
}

unhook() {
  # What a generator has made is not enabled: it goes with its file.
  if [ -n "$generator" ] && ! exists "$root/$units/$1"; then
    say "$1" >>"$work/stopped"
    systemctl stop "$1" || true
    return 0
  fi
  if systemctl is-enabled --quiet "$1" 2>/dev/null; then say "$1" >>"$work/disabled"; fi
  # A server or a front that ran is to run again if this is undone; a job starts with its server.
  if systemctl is-active --quiet "$1" 2>/dev/null; then say "$1" >>"$work/stopped"; fi
  systemctl disable --now "$1"
}

# Calls a command with each line of a file, if there is one.
each_line() {
  lines=$1
  shift
  if [ ! -e "$lines" ]; then return 0; fi
  while IFS= read -r line; do
    "$@" "$line"
  done <"$lines"
}

# Prints the lines of a file, if there is one, the last first.
backwards() {
  if [ -e "$1" ]; then sed '1!G;h;$!d' "$1"; fi
}

cancel() {
  if is_server "$1"; then systemctl disable "$1"; else systemctl disable --now "$1"; fi
}

# Puts back what was there before, as far as anything was done.
undo() {
  each_line "$work/enabled" cancel
  backwards "$work/moves" | while IFS=$tab read -r from to; do
    if exists "$to" && ! exists "$from"; then mv "$to" "$from"; fi
  done
  backwards "$work/folders" | while IFS= read -r folder; do rmdir "$folder"; done
  systemctl daemon-reload
  each_line "$work/disabled" systemctl enable
  each_line "$work/reenabled" systemctl reenable
  each_line "$work/stopped" systemctl start
  if [ -e "$work/moves" ]; then
    for server in $restarted; do undo_restart; done
  fi
  say "What was there before is back." >&2
}

undo_restart() {
  systemctl reset-failed "$server" 2>/dev/null
  case "$were " in
    *" $server "*) systemctl restart "$server" || say "The server does not start again." >&2 ;;
    *) systemctl stop "$server" ;;
  esac
}

# Ends, however it ends: done, or with everything as it was before.
finish() {
  status=$?
  trap '' HUP INT PIPE TERM
  trap - EXIT
  set +e
  if [ "$placing" = yes ]; then undo; fi
  rm -rf "$scratch"
  if [ "$locked" = yes ]; then rm -rf "$work"; fi
  exit "$status"
}

# Takes away the directories that only Hostwright has files in: its own, and those of drop-ins.
tidy() { each_place tidy_folder; }

tidy_folder() {
  folder=${1%/*}
  case ${folder##*/} in
    hostwright | *.*.d | front) rmdir "$root/$folder" 2>/dev/null || true ;;
  esac
}

# ── the server ────────────────────────────────────────────────────────────────────────────────

# Says in $running which servers are to run, and in $run whether any is. One that is stopped and
# disabled is so on purpose. In $were are those that run already, and in $actives those that are up.
look_at_servers() {
  run=no running='' were='' actives=''
  for server in $servers; do
    if is_to_run; then run=yes running="$running $server"; fi
  done
}

is_to_run() {
  state=$(systemctl is-active "$server" 2>/dev/null) || true
  if [ "$state" = active ]; then actives="$actives $server"; fi
  case $state in
    active | activating | reloading)
      were="$were $server"
      return 0
      ;;
  esac
  case $(systemctl is-enabled "$server" 2>/dev/null) in
    disabled | masked*) return 1 ;;
  esac
}

# Whether a server is to run.
runs() {
  case "$running " in
    *" $1 "*) return 0 ;;
  esac
  return 1
}

# Says where the server listens: a later drop-in of the host's own may say something else than
# this bundle. The process knows what became of all of them. Before there is one systemd tells, which
# quotes a variable with a space in it, whose text is not one of ours then.
listens() {
  if [ -z "$program" ]; then return 0; fi
  pid=$(systemctl show -p MainPID --value "$server" 2>/dev/null) || true
  environ=${DESTDIR:-}/proc/${pid:-0}/environ
  if told=$({ tr '\000\n' '\n ' <"$environ"; } 2>/dev/null) && [ -n "$told" ]; then
    say "$told" | sed -n "s/^$variable=//p" | tail -n 1
    return 0
  fi
  systemctl show -p Environment --value "$server" 2>/dev/null |
    tr '\n' ' ' | sed 's/\\.//g' | tr '"' '\n' | sed 'y/ /\n/;n' |
    sed -n "s/^$variable=\\([^ ]*\\)\$/\\1/p" | tail -n 1
}

# Asks as a client does. The program makes a key in its home: one that goes again. Without a program
# on the host, a server is active only once it has answered.
answers() {
  if [ -z "$program" ]; then return 0; fi
  # shellcheck disable=SC2086 # The command is several words.
  env HOME="$scratch" "$variable=$address" timeout 10 "$program" $ask >/dev/null 2>&1
}

# Waits, but not for a server that systemd has given up. Active is asked for too: another server
# that holds the port would answer in its place.
answers_within() {
  end=$(($(date +%s) + $1))
  address=$(listens)
  address=${address:-$listen}
  while ! systemctl is-active --quiet "$server" || ! answers; do
    if systemctl is-failed --quiet "$server" || [ "$(date +%s)" -ge "$end" ]; then
      return 1
    fi
    sleep 1
  done
}

# Notes each server that is to run and does not answer now, to restart it; says in $addresses where
# they answer, and where the others would.
look_for_answers() {
  addresses=''
  for unit in $servers; do
    turn_to "$unit"
    address=$listen
    if runs "$unit" && ! is_due "$unit" && ! answers_now "$unit"; then
      say "The server does not answer: it is to be restarted."
      restart_one "$unit"
    fi
    addresses="$addresses $address"
  done
}

answers_now() {
  case "$actives " in
    *" $1 "*) answers_within 10 ;;
    *) return 1 ;;
  esac
}

# Whether a server is noted to be restarted.
is_due() {
  case "$restarts " in
    *" $1 "*) return 0 ;;
  esac
  return 1
}

# Waits for the answers of all servers that are to run.
await_all() {
  addresses=''
  for unit in $servers; do
    turn_to "$unit"
    address=$listen
    if runs "$unit"; then
      answers_within "$wait" ||
        give_up "The server does not answer at $address within $wait seconds."
      say "The server answers at $address."
    fi
    addresses="$addresses $address"
  done
}

# Says what failed, with the last words of the server, and ends: finish puts everything back.
give_up() {
  say "$1" >&2
  if command -v journalctl >/dev/null 2>&1; then
    journalctl ${scope:+"$scope"} -u "${server%.service}" -n 20 --no-pager >&2 || true
  fi
  exit 1
}

# Compares this bundle with what is in effect, and says what is not as it wants it. What Python finds
# counts; without it, the lines of files that win over those of this bundle do.
compare() {
  found=0
  # A small Python, like Debian's python3-minimal, lacks some of what it imports.
  if python3 -Ic 'import http.client, json, shlex, subprocess, sys
sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
    # shellcheck disable=SC2086 # an address has no space
    seen=$(python3 -I verify.py $addresses 2>&1) || found=$?
    if [ "$found" = 0 ]; then
      say "$seen"
      return 0
    fi
    say "$seen" >&2
  fi
  if [ "$found" = 1 ]; then drift=yes; fi
  status=0
  lost=$(sh verify.sh 2>&1) || status=$?
  case $status in
    0) ;;
    1)
      say "$lost" >&2
      drift=yes
      ;;
    *) say "$lost" ;;
  esac
}

# Restarts the servers that must be, and the jobs that changed of those that stay; waits for answers.
start() {
  stays=no
  for server in $running; do
    if is_due "$server"; then
      restarted="$restarted $server"
      systemctl restart "$server" || give_up "The server does not start."
    else
      stays=yes
    fi
  done
  if [ "$stays" = yes ]; then
    for job in $starts; do
      case " $fresh " in
        *" $job "*) systemctl --no-block restart "$job" ;;
      esac
    done
  fi
  await_all
  start_front
}

# Starts what stands before the server. With another configuration a new process answers, and the old
# one ends what it has begun; another unit needs a restart, which takes as long as that.
start_front() {
  if [ -z "$front" ]; then return 0; fi
  if ! systemctl is-active --quiet "$front"; then
    systemctl start "$front" || give_up "The front does not start."
    return 0
  fi
  case " $fresh " in
    *" $front "* | *" hostwright-front.container "*) systemctl --no-block restart "$front" ;;
    *" front "*)
      systemctl reload-or-restart "$front" || give_up "The front does not read its new file."
      ;;
  esac
}

# ── what is asked for ─────────────────────────────────────────────────────────────────────────

apply() {
  case $wait in
    *[!0-9]*)
      say "HOSTWRIGHT_WAIT is a number of seconds, not $wait" >&2
      exit 2
      ;;
  esac
  refuse
  changed=no restarts='' other='' gone='' fresh='' stops=''
  placing=no locked=no restarted=''
  each_file consider
  look_at_servers
  hooks=''
  for unit in $servers $jobs; do
    if is_server "$unit" && ! runs "$unit"; then continue; fi
    if wanted "$units/$unit"; then hooks="$hooks $unit"; fi
  done
  for unit in $hooks; do
    if ! systemctl is-enabled --quiet "$unit" 2>/dev/null; then changed=yes; fi
  done

  scratch=$(mktemp -d)
  trap finish EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM

  if [ -d "$work" ]; then changed=yes; fi
  look_for_answers
  if [ "$changed$restarts" = no ]; then
    say "Nothing to change."
  elif [ "$dry" = yes ]; then
    foretell_all
    return 0
  else
    change
  fi
  drift=no
  if [ "$run" = yes ]; then compare; fi
  if [ "$drift$dry" = yesno ]; then exit 4; fi
}

foretell_all() {
  work=$scratch
  stage
  each_file foretell
  for job in $gone; do say "would disable and stop $job"; done
  for unit in $hooks; do
    systemctl is-enabled --quiet "$unit" 2>/dev/null || say "would enable $unit"
  done
  for server in $running; do
    if is_due "$server"; then say "would restart $server"; fi
  done
  verify
}

change() {
  lock
  stage
  verify
  placing=yes
  for job in $gone; do unhook "$job"; done
  for unit in $stops; do systemctl stop "$unit" || true; done
  each_file place
  keep_record
  prepare
  systemctl daemon-reload
  for server in $servers; do
    if [ -z "$generator" ] && ! wanted "$units/$server" &&
      systemctl is-enabled --quiet "$server" 2>/dev/null; then
      hook "$server"
    fi
  done
  for unit in $hooks; do hook "$unit"; done
  if [ "$run" = yes ]; then
    start
    say_if_not_lingering
  fi
  for server in $servers; do
    runs "$server" || say_stopped
  done
  placing=no
  tidy
}

say_stopped() {
  if [ -n "$generator" ]; then
    say "The server is masked, and stays so: systemctl ${scope:+"$scope "}unmask ${server%.service}"
  else
    say "The server is stopped and disabled, and stays so:" \
      "systemctl ${scope:+"$scope "}enable --now ${server%.service}"
  fi
}

# Makes what the server needs before it starts: its user, its devices, its directories.
prepare() {
  each_wanted make_user
  if [ -n "$modules" ]; then
    # shellcheck disable=SC2086 # the name of a module has no space
    modprobe -a $modules ||
      say "A kernel module is missing: the server will start without the GPU." >&2
  fi
  each_wanted make_directories
}

make_user() {
  case $1 in
    etc/sysusers.d/*) systemd-sysusers "${1##*/}" ;;
  esac
}

make_directories() {
  case $1 in
    etc/tmpfiles.d/*) systemd-tmpfiles --create "${1##*/}" ;;
  esac
}

# The servers of a user are stopped with the last session, and started by the next.
say_if_not_lingering() {
  if [ -n "$scope" ] && [ "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null)" = no ]
  then
    say "The server runs only while you are logged in: loginctl enable-linger lets it stay."
  fi
}

# Takes away what Hostwright has put in place, by whichever bundle, and puts back what it replaced.
remove() {
  complete=''
  back=no
  for server in $servers; do
    if ours "$root/$units/$server"; then complete="$complete $server"; fi
  done
  if [ "$dry" = yes ]; then
    each_place foretell_removal
    return 0
  fi
  each_place dismiss
  each_place withdraw
  # What an apply.sh that was killed at work has left.
  rm -rf "$work"
  rm -f "$record"
  tidy
  rmdir "${record%/*}" 2>/dev/null || true
  systemctl daemon-reload
  for server in $servers; do leave_server; done
}

# Has a server that stays run as before.
leave_server() {
  case "$complete " in
    *" $server "*)
      if exists "$root/$units/$server"; then systemctl enable --now "$server"; fi
      return 0
      ;;
  esac
  if systemctl cat "$server" >/dev/null 2>&1; then
    if [ "$back" = yes ]; then verb=restart; else verb=try-restart; fi
    systemctl "$verb" "$server"
  fi
}

# Says what would become of a file.
foretell_removal() {
  now=$root/$1
  if ! ours "$now"; then return 0; fi
  name_edit
  if edited "$1"; then say "would keep $now, which was edited, as $kept"; fi
  case $1 in
    "$units"/*.d/*) say "would remove $now" ;;
    "$units"/*) say "would disable and stop ${1##*/}, and remove $now" ;;
    *) say "would remove $now" ;;
  esac
  if exists "$now.before-hostwright"; then say "would put back $now as it was before"; fi
}

dismiss() {
  if ! ours "$root/$1"; then return 0; fi
  unit=${1##*/}
  case $1 in
    "$units"/*.d/*) ;;
    "$units"/*) systemctl disable --now "$unit" ;;
    "$generator"/*.container) systemctl stop "${unit%.*}.service" || true ;;
  esac
}

withdraw() {
  now=$root/$1
  if ! ours "$now"; then return 0; fi
  if edited "$1"; then
    name_edit
    mv "$now" "$kept"
    say_kept
  else
    rm -f "$now"
    say "removed $now"
  fi
  if exists "$now.before-hostwright"; then
    mv -f "$now.before-hostwright" "$now"
    say "put back $now"
    case $1 in
      "$generator"/*) back=yes ;;
    esac
  fi
}

dry=no
if [ "${DRY_ACTIVATE:-}" = 1 ]; then dry=yes; fi
task=apply
case $* in
  '') ;;
  --dry-run) dry=yes ;;
  --remove) task=remove ;;
  '--remove --dry-run' | '--dry-run --remove') task=remove dry=yes ;;
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
  *)
    say "usage: apply.sh [--dry-run | --remove [--dry-run] | --help]" >&2
    exit 2
    ;;
esac
# The files lie beside this script, or beside what a link to it points to.
here=$(dirname "$0")
if [ ! -e "$here/bundle.conf" ]; then here=$(dirname "$(readlink -f "$0")"); fi
CDPATH='' cd -- "$here"
need bundle.conf
read_bundle
locate
wait=${HOSTWRIGHT_WAIT:-$wait}
"$task"
