"""A real API server of Kubernetes with its etcd, on loopback, and the kubectl that asks it.

`KUBE_APISERVER_BIN` names it (`tools/kube_apiserver.sh` builds one), `ETCD_BIN` its etcd; kubectl
is that on the PATH. There is no node: what a kubelet would tell of pods, a test writes itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = os.environ.get("KUBE_APISERVER_BIN", "")
ETCD = os.environ.get("ETCD_BIN") or shutil.which("etcd") or ""
NEEDED = pytest.mark.skipif(
    not (SERVER and ETCD), reason="KUBE_APISERVER_BIN names no kube-apiserver, or there is no etcd"
)
TOKEN = "a-token-of-the-test"  # noqa: S105 -- of a server that this test starts
PATIENCE = 120.0
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Cluster:
    """What is asked by `kubectl`, as the file `config` says."""

    config: Path

    @property
    def environment(self) -> dict[str, str]:
        """What has every kubectl ask this cluster, and no other."""
        return os.environ | {"KUBECONFIG": str(self.config)}

    def kubectl(self, *words: str, given: str | None = None) -> Done:
        """Return what kubectl did."""
        return subprocess.run(
            [require("kubectl"), *words],
            input=given,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def told(self, *words: str, given: str | None = None) -> str:
        """Return what kubectl printed; what it refused fails the test."""
        done = self.kubectl(*words, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def namespace(self, name: str) -> None:
        """Make a namespace, or leave it as it is."""
        self.kubectl("create", "namespace", name)


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """Yield a cluster that is there until the block ends."""
    secure = _prepared(folder)
    with (folder / "log").open("w") as log:
        running = [
            subprocess.Popen(words, stdout=log, stderr=log) for words in _programs(folder, secure)
        ]
        try:
            cluster = Cluster(folder / "config")
            _wait(cluster, folder / "log")
            yield cluster
        finally:
            for program in reversed(running):
                program.terminate()
                program.wait(timeout=30)


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _prepared(folder: Path) -> int:
    """Write keys, the token and how the server is asked; return its port."""
    key, public, secure = folder / "sa.key", folder / "sa.pub", _port()
    made = f"openssl genrsa -out {key} 2048", f"openssl rsa -in {key} -pubout -out {public}"
    for line in made:
        subprocess.run(line.split(), capture_output=True, check=True, timeout=PATIENCE)
    (folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
    server = {"server": f"https://127.0.0.1:{secure}", "insecure-skip-tls-verify": True}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    (folder / "config").write_text(json.dumps(config))
    return secure


def _programs(folder: Path, secure: int) -> list[list[Any]]:
    clients, peers = _port(), _port()
    return [
        [
            *(ETCD, "--data-dir", folder / "etcd"),
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


def _wait(cluster: Cluster, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while cluster.kubectl("get", "--raw", "/readyz").returncode:
        assert time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(1)
