#!/bin/sh
# Gets the sources of KServe from Go's module proxy, and builds of them what merges an
# LLMInferenceService over KServe's templates, as its controller does (tools/kserve/main.go). Prints
# the folder with both; `make engines` asks it when HOSTWRIGHT_KSERVE names it. 1400 packages: some
# twenty minutes of one CPU. It needs Go and its module proxy, and nothing else.
set -eu
cd "$(dirname "$0")/.."
version=${KSERVE_VERSION:-0.20.0}
place=$PWD/.tools/kserve-$version
program=$PWD/tools/kserve/main.go
if [ ! -x "$place/merge" ]; then
  command -v go >/dev/null || {
    echo 'error: go is not installed' >&2
    echo 'hint: install Go, or name the folder by HOSTWRIGHT_KSERVE' >&2
    exit 3
  }
  mkdir -p "$place/module"
  cp "$program" "$place/module/main.go"
  cd "$place/module"
  sources=$(GOFLAGS=-mod=mod go mod download -json "github.com/kserve/kserve@v$version" |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  {
    echo 'module merge'
    sed -n 's/^\(go [0-9.]*\)$/\1/p' "$sources/go.mod"
    echo "require github.com/kserve/kserve v$version"
    sed -n '/^replace (/,/^)/p; /^replace [a-z]/p' "$sources/go.mod"
  } >go.mod
  ln -sfn "$sources" "$place/source"
  GOFLAGS=-mod=mod go build -p 2 -o "$place/merge" .
fi
echo "$place"
