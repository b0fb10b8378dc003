"""A real API server of Kubernetes takes each manifest, as `kubectl apply --dry-run=server` asks it.

`KUBE_APISERVER_BIN` names it (`tools/kube_apiserver.sh` builds one), `ETCD_BIN` its etcd; kubectl
is that on the PATH. Nothing but loopback is listened on.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.consumers.targets import written
from tests.plans import PROFILES, plan, shipped
from tests.targets.test_k8s import CASES
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.plan import Plan

SERVER = os.environ.get("KUBE_APISERVER_BIN", "")
ETCD = os.environ.get("ETCD_BIN") or shutil.which("etcd") or ""
pytestmark = pytest.mark.skipif(
    not (SERVER and ETCD), reason="KUBE_APISERVER_BIN names no kube-apiserver, or there is no etcd"
)
TOKEN = "a-token-of-the-test"  # noqa: S105 -- of a server that this test starts
PATIENCE = 120.0


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Yield the words of a kubectl that asks an API server, which is there as long as the tests."""
    folder = tmp_path_factory.mktemp("kubernetes")
    (folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
    _run("openssl", "genrsa", "-out", str(folder / "sa.key"), "2048")
    _run("openssl", "rsa", "-in", str(folder / "sa.key"), "-pubout", "-out", str(folder / "sa.pub"))
    clients, peers, secure = _port(), _port(), _port()
    programs = [
        [
            *(ETCD, "--data-dir", str(folder / "etcd")),
            *("--listen-client-urls", f"http://127.0.0.1:{clients}"),
            *("--advertise-client-urls", f"http://127.0.0.1:{clients}"),
            *("--listen-peer-urls", f"http://127.0.0.1:{peers}"),
        ],
        [
            *(SERVER, f"--etcd-servers=http://127.0.0.1:{clients}"),
            *(f"--secure-port={secure}", "--bind-address=127.0.0.1"),
            *(f"--cert-dir={folder}/certs", f"--token-auth-file={folder}/tokens.csv"),
            *("--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24"),
            *("--service-account-issuer=https://k", "--disable-admission-plugins=ServiceAccount"),
            f"--service-account-key-file={folder}/sa.pub",
            f"--service-account-signing-key-file={folder}/sa.key",
        ],
    ]
    with (folder / "log").open("w") as log:
        running = [subprocess.Popen(words, stdout=log, stderr=log) for words in programs]
        try:
            asked = (
                *(require("kubectl"), "--server", f"https://127.0.0.1:{secure}"),
                *("--insecure-skip-tls-verify", "--token", TOKEN, "--kubeconfig", os.devnull),
            )
            _wait(asked, folder / "log")
            yield asked
        finally:
            for program in reversed(running):
                program.terminate()
                program.wait(timeout=30)


def _wait(kubectl: tuple[str, ...], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while _run(*kubectl, "get", "--raw", "/readyz").returncode:
        assert time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(1)
    for namespace in ("default", "llm", "test"):
        _run(*kubectl, "create", "namespace", namespace)


def _applied(kubectl: tuple[str, ...], decided: Plan, folder: Path) -> str:
    """Return what the server says against the manifests; components need kinds that it has not."""
    place = written("k8s", decided, folder)
    pod = decided.services[0].pod
    assert pod is not None
    if pod.namespace:
        _run(*kubectl, "create", "namespace", pod.namespace)
    done = _run(*kubectl, "apply", "--dry-run=server", "-k", str(place))
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("name", PROFILES)
def test_the_server_takes_shipped_profiles(
    name: str, kubectl: tuple[str, ...], tmp_path: Path
) -> None:
    assert _applied(kubectl, shipped(name), tmp_path) == ""


@pytest.mark.parametrize("name", CASES)
def test_the_server_takes_each_case(name: str, kubectl: tuple[str, ...], tmp_path: Path) -> None:
    assert _applied(kubectl, plan(CASES[name]), tmp_path) == ""


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("readinessProbe:", "readinesProbe:"),
        ('storage: "50Gi"', 'storage: "50Gigs"'),
        ('serviceName: "ollama-pods"', 'serviceNames: "ollama-pods"'),
    ],
)
def test_the_server_refuses_what_is_wrong(
    was: str, becomes: str, kubectl: tuple[str, ...], tmp_path: Path
) -> None:
    file = written("k8s", plan({}), tmp_path) / "statefulset.yaml"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, becomes))
    assert _run(*kubectl, "apply", "--dry-run=server", "-k", str(tmp_path)).returncode
