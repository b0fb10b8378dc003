#!/bin/sh
# Installs the programs that read Hostwright's output, for the tests that ask them.
# Prints one line per tool: ok, installed, or missing with what to do. Run it as often as you like.
# Needs nothing but apt; without apt, or without the right to use it, it says what to install.
# With CI=true a missing tool is an error.
# The formatter and the linter of Nix are built from source, which takes a minute or two: they are
# installed where cargo is and the word `nix` is given, `sh tools/consumers.sh nix`.
set -u
cd "$(dirname "$0")/.." || exit 1
tools=$PWD/.tools
scratch=
missing=0
trap 'rm -rf "$scratch"' EXIT

has() { command -v "$1" >/dev/null 2>&1; }

say() { printf '%-18s %s\n' "$1" "$2"; }

# Run as root, if this user may do so without being asked.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

refresh() {
  [ -n "${refreshed:-}" ] || as_root apt-get -qq update
  refreshed=yes
}

apt_install() {
  has apt-get || return 1
  as_root true 2>/dev/null || return 1
  refresh >/dev/null 2>&1
  DEBIAN_FRONTEND=noninteractive as_root apt-get -qq -y --no-install-recommends install "$1" \
    >/dev/null 2>&1
}

# ensure TOOL PACKAGE TEST...: install the package unless the test holds.
ensure() {
  tool=$1 package=$2
  shift 2
  if "$@"; then
    say "$tool" ok
  elif apt_install "$package" && "$@"; then
    say "$tool" installed
  else
    say "$tool" "missing: install the package $package"
    missing=1
  fi
}

has_manager() { [ -x /usr/lib/systemd/systemd ] || [ -x /lib/systemd/systemd ]; }

# ── Compose, version 2 or later ────────────────────────────────────────────────────────────────

is_compose() {
  "$@" version 2>/dev/null | grep -Eq 'version v?([2-9]|[1-9][0-9]+)\.'
}

has_compose() {
  is_compose "${HOSTWRIGHT_COMPOSE:-false}" || is_compose docker compose ||
    is_compose "$tools/docker-compose" || is_compose docker-compose
}

# The release that has it: the system's own, or Debian 13 on an older Debian.
# Only the one package is fetched and one file taken from it: no engine, no dependency.
fetch_compose() {
  fetch own_compose docker-compose \
    ./usr/libexec/docker/cli-plugins/docker-compose docker-compose
}

# fetch OWN PACKAGE MEMBER NAME...: download with OWN, or PACKAGE of Debian 13, and keep these files.
fetch() {
  has apt-get && has dpkg-deb || return 1
  rm -rf "$scratch"
  scratch=$(mktemp -d) && mkdir -p "$tools" || return 1
  "$1" "$2" || from_trixie "$2" || return 1
  shift 2
  while [ $# -gt 1 ]; do
    dpkg-deb --fsys-tarfile "$scratch"/*.deb | tar -xO -f - "$1" >"$scratch/$2" &&
      chmod 755 "$scratch/$2" &&
      mv "$scratch/$2" "$tools/$2" || return 1
    shift 2
  done
}

# The package as the system itself has it.
own_package() { (cd "$scratch" && apt-get -qq download "$1" >/dev/null 2>&1); }

candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p'; }

own_compose() {
  for package in docker-compose-v2 docker-compose; do
    case $(candidate "$package") in
      '' | '(none)' | 0.* | 1.*) ;;
      *) (cd "$scratch" && apt-get -qq download "$package" >/dev/null 2>&1) && return 0 ;;
    esac
  done
  return 1
}

own_podman() {
  case $(candidate podman) in
    '' | '(none)' | [0-4].* | 5.[0-3].*) return 1 ;;
    *) (cd "$scratch" && apt-get -qq download podman >/dev/null 2>&1) ;;
  esac
}

# Ask the system's own mirror for another release, with lists and caches of our own, so that
# nothing of the system's apt changes. apt checks the signatures as always.
from_trixie() {
  # shellcheck disable=SC2016 # apt fills in the placeholders
  site=$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Identifier: Packages' 2>/dev/null |
    sed -n "s/^$(debian_codename) //p" | head -n 1)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -n "$site" ] && [ -r "$keyring" ] || return 1
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
  : >"$scratch/status"
  echo "deb [signed-by=$keyring] $site trixie main" >"$scratch/sources.list"
  own_apt update && (cd "$scratch" && own_apt download "$1")
}

debian_codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

own_apt() {
  apt-get -qq \
    -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=- \
    -o Dir::State="$scratch" -o Dir::State::lists="$scratch/lists" \
    -o Dir::State::status="$scratch/status" -o Dir::Cache="$scratch/cache" \
    -o APT::Sandbox::User= -o Acquire::Languages=none "$@" >/dev/null 2>&1
}

ensure_compose() {
  if has_compose; then
    say 'docker compose' ok
  elif fetch_compose && has_compose; then
    say 'docker compose' installed
  else
    say 'docker compose' 'missing: install Compose 2 or set HOSTWRIGHT_COMPOSE to its binary'
    missing=1
  fi
}

# ── Podman's quadlet, 5.4 or later ─────────────────────────────────────────────────────────────

is_quadlet() { case $("$1" -version 2>/dev/null) in 5.[4-9]* | 5.[1-9][0-9]* | [6-9].*) ;; *) false ;; esac }

has_quadlet() {
  is_quadlet "${HOSTWRIGHT_QUADLET:-false}" || is_quadlet "$tools/quadlet" ||
    is_quadlet /usr/libexec/podman/quadlet
}

ensure_quadlet() {
  if has_quadlet; then
    say quadlet ok
  elif fetch own_podman podman ./usr/libexec/podman/quadlet quadlet && has_quadlet; then
    say quadlet installed
  else
    say quadlet 'missing: install Podman 5.4 or set HOSTWRIGHT_QUADLET to its quadlet'
    missing=1
  fi
}

# ── Prometheus and what it asks: the programs alone, so that none of them runs here ───────────────

# ensure_files TOOL PACKAGE MEMBER NAME...: programs of a package, on the PATH or kept here.
ensure_files() {
  tool=$1 package=$2
  shift 2
  if has_files "$@"; then
    say "$tool" ok
  elif { fetch own_package "$package" "$@" || { refresh && fetch own_package "$package" "$@"; }; } &&
    has_files "$@"; then
    say "$tool" installed
  else
    say "$tool" "missing: install the package $package"
    missing=1
  fi
}

has_files() {
  while [ $# -gt 1 ]; do
    has "$2" || [ -x "$tools/$2" ] || return 1
    shift 2
  done
}

ensure_monitoring() {
  ensure_files prometheus prometheus ./usr/bin/prometheus prometheus ./usr/bin/promtool promtool
  ensure_files alertmanager prometheus-alertmanager \
    ./usr/bin/prometheus-alertmanager prometheus-alertmanager ./usr/bin/amtool amtool
  ensure_files node_exporter prometheus-node-exporter \
    ./usr/bin/prometheus-node-exporter prometheus-node-exporter
  ensure_files blackbox prometheus-blackbox-exporter \
    ./usr/bin/prometheus-blackbox-exporter prometheus-blackbox-exporter
}

# ── kubectl, of which kustomize knows components: 1.21 or later ─────────────────────────────────

has_kubectl() { "$tools/kubectl" version --client >/dev/null 2>&1 || has kubectl; }

own_kubectl() {
  case $(candidate kubectl) in
    '' | '(none)') return 1 ;;  # Before Debian 13 it was kubernetes-client, and too old.
    *) (cd "$scratch" && apt-get -qq download kubectl >/dev/null 2>&1) ;;
  esac
}

ensure_kubectl() {
  if has_kubectl; then
    say kubectl ok
  elif fetch own_kubectl kubectl ./usr/bin/kubectl kubectl && has_kubectl; then
    say kubectl installed
  else
    say kubectl 'missing: install kubectl 1.21 or later'
    missing=1
  fi
}

# ── What stands before servers: HAProxy and Caddy ────────────────────────────────────────────────
#
# Their packages start a daemon when they are installed, so they are only unpacked, with the
# libraries that are not here yet.

has_program() { has "$1" || [ -x "/usr/sbin/$1" ] || "$tools/$1" "$2" >/dev/null 2>&1; }

# unpack PACKAGE PROGRAM: fetch what apt would install for it, and begin it by a script of ours.
unpack() {
  has apt-get && has dpkg-deb || return 1
  refresh >/dev/null 2>&1
  rm -rf "$scratch" "$tools/unpacked/$1"
  scratch=$(mktemp -d) && mkdir -p "$scratch/partial" "$tools/unpacked/$1" || return 1
  apt-get -qq -y --download-only --no-install-recommends -o Debug::NoLocking=1 \
    -o Dir::Cache::archives="$scratch" -o APT::Sandbox::User= install "$1" >/dev/null 2>&1 ||
    return 1
  for package in "$scratch"/*.deb; do
    dpkg-deb -x "$package" "$tools/unpacked/$1" || return 1
  done
  cat >"$tools/$1" <<END
#!/bin/sh
root=\$(dirname "\$0")/unpacked/$1
for folder in "\$root"/usr/lib/*-linux-gnu; do
  LD_LIBRARY_PATH=\$folder\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "\$root$2" "\$@"
END
  chmod 755 "$tools/$1"
}

# ensure_unpacked PACKAGE PROGRAM WORD: WORD makes the program say its version.
ensure_unpacked() {
  if has_program "$1" "$3"; then
    say "$1" ok
  elif unpack "$1" "$2" && has_program "$1" "$3"; then
    say "$1" installed
  else
    say "$1" "missing: install the package $1"
    missing=1
  fi
}

# ── The types of Grafana's dashboards, and the compiler that judges by them ─────────────────────────

has_grafana() { [ -x "$tools/grafana/node_modules/.bin/tsc" ]; }

ensure_grafana() {
  if has_grafana; then
    say 'grafana types' ok
  elif has npm && npm install --silent --no-audit --no-fund --ignore-scripts --prefix \
    "$tools/grafana" @grafana/schema@13.2.3 typescript@7.0.2 >/dev/null 2>&1 && has_grafana; then
    say 'grafana types' installed
  else
    say 'grafana types' 'missing: install node and npm'
    missing=1
  fi
}

# ── The layout of Nix, by nixfmt_rs, and unused names, by deadnix ────────────────────────────────
#
# nixfmt_rs is a port of nixfmt to Rust: no registry that is asked here has the original.

has_nix_layout() { [ -x "$tools/bin/nixfmt" ] && [ -x "$tools/bin/deadnix" ]; }

ensure_nix_layout() {
  if has_nix_layout; then
    say nixfmt ok
  elif ! has cargo; then
    say nixfmt 'not here: install cargo for it; the tests that need none hold what they can'
  elif [ "${1:-}" != nix ]; then
    say nixfmt 'not asked for: `sh tools/consumers.sh nix` builds it, in a minute or two'
  elif cargo install --quiet --locked --root "$tools" nixfmt_rs@0.5.3 deadnix@1.3.1 2>/dev/null; then
    say nixfmt installed
  else
    say nixfmt 'missing: cargo could not build nixfmt_rs and deadnix'
    missing=1
  fi
}

# ── Redis: its server is in the package of its tools under another name, and no service with it ──

has_redis() { has redis-server || [ -x "$tools/redis-server" ]; }

link_redis() {
  [ -x /usr/bin/redis-check-rdb ] && mkdir -p "$tools" &&
    ln -sf /usr/bin/redis-check-rdb "$tools/redis-server" && has_redis
}

ensure_redis() {
  if has_redis; then
    say redis-server ok
  elif { link_redis || { apt_install redis-tools && link_redis; }; }; then
    say redis-server installed
  else
    say redis-server 'missing: install the package redis-server'
    missing=1
  fi
}

ensure nix-instantiate nix-bin has nix-instantiate
ensure systemd-analyze systemd has systemd-analyze
ensure systemd systemd has_manager
ensure_compose
ensure_quadlet
ensure_redis
ensure_monitoring
ensure_kubectl
ensure_grafana
ensure_unpacked haproxy /usr/sbin/haproxy -v
ensure_unpacked caddy /usr/bin/caddy version
ensure_nix_layout "$@"
[ "${CI:-}" != true ] || exit "$missing"
