#!/bin/sh
# Builds Helm from its module and prints where it is; `make engines` asks it when HELM_BIN names it.
# A minute or some, 60 MB. It needs Go and its module proxy, and nothing else. The program is kept in
# .tools/helm.
set -eu
cd "$(dirname "$0")/.."
version=${HELM_VERSION:-3.22.0}
place=$PWD/.tools/helm-$version
if [ ! -x "$place/helm" ]; then
  command -v go >/dev/null || {
    echo 'error: go is not installed' >&2
    echo 'hint: install Go, or name a helm by HELM_BIN' >&2
    exit 3
  }
  GOFLAGS=-mod=mod GOBIN=$place go install -p 2 "helm.sh/helm/v3/cmd/helm@v$version"
fi
echo "$place/helm"
