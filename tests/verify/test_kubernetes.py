"""A pod by kubectl: a program of that name answers as kubectl 1.32 does.

What it prints of pods is reconstructed from the API of Kubernetes, v1.PodList, not captured; the
container's files are those of a real server of 0.33.0-rc2 below control groups of version 2.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from generator.verify.kubernetes import Pod, held
from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called

if TYPE_CHECKING:
    from pathlib import Path

SMALL = str(ROOT / "tests/verify/small.toml")
WANTED = ROOT / "tests/verify/machines/as-wanted"
CONTAINER = {
    "name": "ollama",
    "image": "docker.io/ollama/ollama:0.32.15",
    "env": [
        {"name": "OLLAMA_CONTEXT_LENGTH", "value": "4096"},
        {"name": "OLLAMA_KEEP_ALIVE", "value": "5m"},
        {"name": "OLLAMA_NUM_PARALLEL",
         "valueFrom": {"configMapKeyRef": {"name": "tuning", "key": "slots"}}},
    ],
    "resources": {"limits": {"cpu": "500m", "memory": "512Mi", "nvidia.com/gpu": "1"}},
}  # fmt: skip


def pod(name: str, *, phase: str = "Running", **container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "ai", "labels": {"app.kubernetes.io/name": "ollama"},
        },
        "spec": {"containers": [{"name": "proxy", "image": "envoy:1"}, CONTAINER | container]},
        "status": {"phase": phase, "startTime": "2026-11-30T09:00:00Z", "podIP": "10.0.0.7"},
    }  # fmt: skip


KUBECTL = f"""#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
case "$*" in
'get pods -o json') cat "$PODS" ;;
'get pods --all-namespaces'*) echo '{{"items": []}}' ;;
'exec --stdin --namespace ai ollama-0 --container ollama -- sh')
  cat >/dev/null
  printf '\\n-- hostwright capture --\\n'
  tar -C {WANTED} -cf - proc sys ;;
'logs --namespace ai ollama-0 --container ollama --limit-bytes=4000000')
  cat {WANTED}/.hostwright/tools/server-log.txt ;;
'get --raw /api/v1/namespaces/ai/pods/ollama-0:11434/proxy/api/version')
  echo '{{"version": "0.32.15"}}' ;;
*/proxy/api/*) echo '{{"models": []}}' ;;
*) echo "error: unexpected $*" >&2; exit 1 ;;
esac
"""
Done = subprocess.CompletedProcess[str]


def asked(
    folder: Path, *pods: dict[str, Any], program: str = KUBECTL, more: tuple[str, ...] = ()
) -> Done:
    (folder / "pods.json").write_text(json.dumps({"kind": "List", "items": pods}))
    (folder / "kubectl").write_text(program)
    (folder / "kubectl").chmod(0o755)
    env = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "LOG": str(folder / "log"),
        "PODS": str(folder / "pods.json"),
    }
    return called("verify", SMALL, "--via", "kubectl", *(more or ("--json",)), env=env)


def rows(done: Done) -> dict[str, dict[str, Any]]:
    return {row["setting"]: row for row in validated("verify", done.stdout)["rows"]}


def test_a_pod_that_has_it_otherwise(tmp_path: Path) -> None:
    done = asked(tmp_path, pod("ollama-1", phase="Pending"), pod("ollama-0"))
    document = validated("verify", done.stdout)
    assert document["manager"] == {"by": "kubectl", "name": "ai/ollama-0"}
    assert (document["release"], document["url"]) == ("0.32.15", "pod ai/ollama-0, port 11434")
    found = rows(done)
    keep = found["OLLAMA_KEEP_ALIVE"]
    assert (keep["held"], keep["verdict"], keep["why"]) == ("5m", "drift", "kubectl holds `5m`")
    # From a config map, which is not in the pod: as the process got it.
    assert (found["OLLAMA_NUM_PARALLEL"]["held"], found["OLLAMA_NUM_PARALLEL"]["verdict"]) == (
        "2", "ok",
    )  # fmt: skip
    assert (found["CPUQuota"]["held"], found["CPUQuota"]["verdict"]) == ("50%", "ok")
    assert (found["MemoryMax"]["held"], found["MemoryMax"]["effective"]) == ("512M", "512M")
    assert found["TasksMax"]["why"] == "a pod has no word for it"
    assert done.returncode == 1


def test_nothing_is_changed_in_the_cluster(tmp_path: Path) -> None:
    asked(tmp_path, pod("ollama-0"))
    verbs = {line.split()[0] for line in (tmp_path / "log").read_text().splitlines()}
    assert verbs == {"get", "exec", "logs"}


def test_a_capture_of_a_pod_tells_the_same(tmp_path: Path) -> None:
    env = [*CONTAINER["env"], {"name": "HF_TOKEN", "value": "hf_s3cr3t"},
           {"name": "HTTPS_PROXY", "value": "http://me:s3cr3t@proxy:3128"}]  # fmt: skip
    ours, file = pod("ollama-0", env=env, args=["--api-key", "s3cr3t"]), tmp_path / "pod.tar"
    live = validated("verify", asked(tmp_path, ours).stdout)
    done = asked(tmp_path, ours, more=("--capture", str(file)))
    assert done.returncode == 0, done.stderr
    assert b"s3cr3t" not in file.read_bytes()
    (tmp_path / "log").unlink()
    again = validated("verify", called("verify", SMALL, "--root", str(file), "--json").stdout)
    assert not (tmp_path / "log").exists()
    for name in ("manager", "release", "url", "process"):
        assert again[name] == live[name]
    rows = [{row["setting"]: row["verdict"] for row in one["rows"]} for one in (live, again)]
    # Whether a secret is as it should be, a capture does not tell.
    assert rows[1].pop("HF_TOKEN", "unknown") == "unknown"
    assert rows[1] == {name: verdict for name, verdict in rows[0].items() if name != "HF_TOKEN"}


def test_a_capture_of_a_pod_that_lets_nobody_in(tmp_path: Path) -> None:
    closed, file = KUBECTL.replace("'exec --stdin", "'nothing"), tmp_path / "pod.tar"
    done = asked(tmp_path, pod("ollama-0"), program=closed, more=("--capture", str(file)))
    assert (done.returncode, file.exists()) == (3, False)
    assert "unexpected exec" in done.stderr


def test_a_cluster_that_lets_nobody_in(tmp_path: Path) -> None:
    closed = KUBECTL.replace("'exec --stdin", "'nothing").replace("*/proxy/api/*", "nothing")
    done = asked(tmp_path, pod("ollama-0"), program=closed)
    document = validated("verify", done.stdout)
    assert document["process"] is None
    assert document["not_asked"][0]["who"] == "kubectl exec"
    assert "unexpected get --raw" in document["unanswered"]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("echo '{\"items\": []}'", "no pod has its label, its image or its name"),
        ("echo 'error: no configuration has been provided' >&2; exit 1", "no configuration"),
        (
            "printf 'E1130 23:03:17.77 1 memcache.go:265] x\nlocalhost was refused\n' >&2; exit 1",
            "localhost was refused",
        ),
        ("head -c 99999 /dev/zero | tr '\\0' '['", "no pod has its label"),
        ('echo \'{"items": [7, {"metadata": [], "spec": {"containers": 1}}]}\'', "no pod"),
        ("exec sleep 60", "has not answered"),
    ],
)
def test_no_pod(tmp_path: Path, told: str, message: str) -> None:
    (tmp_path / "kubectl").write_text(f"#!/bin/sh\n{told}\n")
    (tmp_path / "kubectl").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = called("verify", SMALL, "--via", "kubectl", "--timeout", "1s", env=env)
    assert (done.returncode, done.stdout) == (3, "")
    assert message in done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("limits", "quota", "memory"),
    [
        ({"cpu": "20", "memory": "20Gi"}, 2000, 20 * 2**30),
        ({"cpu": "1500m", "memory": "20G"}, 150, 20 * 10**9),
        ({"cpu": 2, "memory": 1048576}, 200, 2**20),
        ({"cpu": "0.5", "memory": "1e3"}, 50, None),
        ({}, None, None),
        ({"cpu": "many", "memory": []}, None, None),
    ],
)
def test_quantities(limits: dict[str, Any], quota: int | None, memory: int | None) -> None:
    spec = {"resources": {"limits": limits}, "envFrom": [{"configMapRef": {"name": "x"}}]}
    found = held(Pod(namespace="n", name="p", container="c", spec=spec), {"A": "1"})
    assert found.limits == {"cpu_quota": quota, "memory_max": memory}
    assert found.variables == {"A": "1"}
