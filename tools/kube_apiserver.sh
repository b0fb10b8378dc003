#!/bin/sh
# Builds kube-apiserver from the modules of Kubernetes and prints where it is; `make engines` asks it
# when KUBE_APISERVER_BIN names it. 2080 packages: some eighty minutes of one CPU, 171 MB. It needs Go
# and its module proxy, and nothing else. The program is kept in .tools/kube.
set -eu
cd "$(dirname "$0")/.."
version=${KUBERNETES_VERSION:-1.37.2}
place=$PWD/.tools/kube
server=$place/kube-apiserver-$version
if [ ! -x "$server" ]; then
  command -v go >/dev/null || {
    echo 'error: go is not installed' >&2
    echo 'hint: install Go, or name a kube-apiserver by KUBE_APISERVER_BIN' >&2
    exit 3
  }
  mkdir -p "$place/module"
  cd "$place/module"
  sources=$(GOFLAGS=-mod=mod go mod download -json "k8s.io/kubernetes@v$version" |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  # Modules of its own tree go by v0 of the same release.
  {
    echo 'module apiserver'
    sed -n 's/^\(go [0-9.]*\)$/\1/p' "$sources/go.mod"
    echo "require k8s.io/kubernetes v$version"
    sed -n 's|^[[:space:]]*\(k8s.io/[a-z0-9-]*\) => ./staging/.*|\1|p' "$sources/go.mod" |
      while read -r module; do echo "replace $module => $module v0.${version#1.}"; done
  } >go.mod
  printf 'package main\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver/app"\n\nfunc main() {}\n' >main.go
  GOFLAGS=-mod=mod go build -p 2 -o "$server" k8s.io/kubernetes/cmd/kube-apiserver
fi
echo "$server"
