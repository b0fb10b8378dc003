"""A real API server of Kubernetes takes each manifest, as `kubectl apply` asks it.

What it needs, `cluster.py` says. `HOSTWRIGHT_CRDS` names folders with the kinds of KEDA
(`config/crd/bases` of kedacore/keda) and of the operator of Prometheus
(`example/prometheus-operator-crd` of its repository), a `:` between them.
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from generator.targets import load_target
from tests.commands import called
from tests.consumers.targets import written
from tests.engines.cluster import NEEDED
from tests.plans import PROFILES, plan, shipped
from tests.targets.test_k8s import CARD, CASES

if TYPE_CHECKING:
    from generator.plan import Plan
    from tests.engines.cluster import Cluster

CRDS = os.environ.get("HOSTWRIGHT_CRDS", "")
pytestmark = NEEDED


WARNED = '{"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}'
ASKED = ("apply", "--dry-run=server", "-k")


def _applied(cluster: Cluster, decided: Plan, folder: Path) -> str:
    """Return what the server says against the manifests, or warns of in a restricted namespace."""
    place = written("k8s", decided, folder)
    pod = decided.services[0].pod
    assert pod is not None
    cluster.namespace(pod.namespace or "default")
    cluster.told("patch", "namespace", pod.namespace or "default", "--patch", WARNED)
    return cluster.kubectl(*ASKED, str(place)).stderr


@pytest.mark.parametrize("name", PROFILES)
def test_the_server_takes_shipped_profiles(name: str, cluster: Cluster, tmp_path: Path) -> None:
    assert _applied(cluster, shipped(name), tmp_path) == ""


@pytest.mark.parametrize("name", CASES)
def test_the_server_takes_each_case(name: str, cluster: Cluster, tmp_path: Path) -> None:
    assert _applied(cluster, plan(CASES[name]), tmp_path) == ""


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("readinessProbe:", "readinesProbe:"),
        ('storage: "50Gi"', 'storage: "50Gigs"'),
        ('serviceName: "ollama-pods"', 'serviceNames: "ollama-pods"'),
    ],
)
def test_the_server_refuses_what_is_wrong(
    was: str, becomes: str, cluster: Cluster, tmp_path: Path
) -> None:
    file = written("k8s", plan({}), tmp_path) / "statefulset.yaml"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, becomes))
    assert cluster.kubectl(*ASKED, str(tmp_path)).returncode


def test_it_warns_of_what_a_restricted_pod_may_not(cluster: Cluster, tmp_path: Path) -> None:
    loose = plan({"container": {"no_new_privileges": False}})
    assert "would violate PodSecurity" in _applied(cluster, loose, tmp_path)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("quantity(", "quantitty("), (".compareTo(", " > ("), (") >= 0", ")")],
)
def test_the_server_compiles_what_a_claim_asks_for(
    was: str, becomes: str, cluster: Cluster, tmp_path: Path
) -> None:
    claims = plan({**CASES["claims"], "models": [{"name": "llama3.1:8b"}]})
    assert _applied(cluster, claims, tmp_path) == ""
    file = tmp_path / "resourceclaimtemplate.yaml"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, becomes))
    assert "CEL" in cluster.kubectl(*ASKED, str(tmp_path)).stderr.replace("cel", "CEL")


# ── As a user applies, changes and removes it ─────────────────────────────────────────────────────


KINDS_OF_OURS = "statefulset,deployment,service,poddisruptionbudget,networkpolicy,configmap"


def _named(cluster: Cluster, *words: str) -> set[str]:
    words = ("get", KINDS_OF_OURS, "--namespace=walk", "--output=name", *words)
    return {name.partition("/")[2] for name in cluster.told(*words).split()} - {"kube-root-ca.crt"}


def test_the_readme_says_how_to_apply_change_and_remove(cluster: Cluster, tmp_path: Path) -> None:
    cluster.namespace("walk")
    k8s = {"k8s": {"namespace": "walk"}, "front": {}}
    two = plan({**CASES["instances"], **k8s})
    one = plan({"host": {"gpus": [CARD]}, **k8s, "models": [{"name": "a:1b"}]})
    for decided in (two, one):
        place = str(written("k8s", decided, tmp_path / decided.services[0].container.name))
        cluster.told("apply", "-k", place)
        assert cluster.told("diff", "-k", place) == ""
    assert {"ollama-chat", "ollama-code", "ollama"} < _named(cluster)
    (readme,) = load_target("k8s").install_note(one, ())
    (line,) = [line for line in readme.text.splitlines() if " notin " in line]
    kubectl, _, *rest = shlex.split(line)
    assert kubectl == "kubectl"
    gone = {"ollama-chat", "ollama-chat-pods", "ollama-code", "ollama-code-pods"}
    assert {name for name in _named(cluster, *rest[1:]) if "modelfiles" not in name} == gone
    cluster.told("delete", *rest)
    assert _named(cluster) == {"ollama", "ollama-pods", "test-front"}
    cluster.told("delete", "-k", place)
    assert _named(cluster) == set()


def _runs(cluster: Cluster, *changes: str) -> None:
    """Have a pod of the StatefulSet, and tell of it what a kubelet would."""
    words = ("get", "statefulset", "ollama", "--namespace=seen", "--output=json")
    template = json.loads(cluster.told(*words))["spec"]["template"]
    spec = template["spec"] | {"nodeName": "nowhere"}
    spec["volumes"].append({"name": "models", "emptyDir": {}})
    text = json.dumps(spec)
    for was, becomes in zip(changes[::2], changes[1::2], strict=True):
        assert was in text
        text = text.replace(was, becomes)
    meta = {"name": "ollama-0", "namespace": "seen", "labels": template["metadata"]["labels"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": json.loads(text)}
    cluster.told("create", "--filename=-", given=json.dumps(pod))
    state = '{"status": {"phase": "Running", "startTime": "2026-11-30T22:00:00Z"}}'
    words = ("pod", "ollama-0", "--namespace=seen", "--subresource=status", "--type=merge")
    cluster.told("patch", *words, "--patch", state)


PROFILE = """schema_version = 1
name = "seen"
host.memory = "64GiB"
resources.memory_max = "20G"
resources.cpu_quota = "800%"
ollama.keep_alive = "24h"
k8s.namespace = "seen"
"""


@pytest.mark.parametrize(
    ("changes", "keep", "memory"),
    [((), ("24h", "unknown"), "20G"), (('"24h"', '"5m"', "20Gi", "8Gi"), ("5m", "drift"), "8G")],
)
def test_what_the_cluster_holds_is_compared(
    changes: tuple[str, ...], keep: tuple[str, str], memory: str, cluster: Cluster, tmp_path: Path
) -> None:
    """By what the server itself prints of a pod; no kubelet is there to be asked for more."""
    (tmp_path / "seen.toml").write_text(PROFILE)
    cluster.namespace("seen")
    done = called(str(tmp_path / "seen.toml"), "-t", "k8s", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    cluster.told("apply", "-k", str(tmp_path / "k8s"))
    _runs(cluster, *changes)
    try:
        words = ("verify", str(tmp_path / "seen.toml"), "--via", "kubectl", "--timeout", "20s")
        told = json.loads(called(*words, "--json", env=cluster.environment).stdout)
        text = called(*words, env=cluster.environment)
    finally:
        cluster.told("delete", "pod", "ollama-0", "--namespace=seen", "--force")
    assert told["manager"] == {"by": "kubectl", "name": "seen/ollama-0"}
    rows = {row["setting"]: row for row in told["rows"]}
    row = rows["OLLAMA_KEEP_ALIVE"]
    assert (row["held"], row["verdict"]) == keep
    assert (rows["MemoryMax"]["held"], rows["CPUQuota"]["held"]) == (memory, "800%")
    assert {one["who"] for one in told["not_asked"]} == {"kubectl exec", "kubectl"}
    assert "kubectl exec tells nothing: Error from server" in " ".join(text.stdout.split())


# ── Kinds of operators ────────────────────────────────────────────────────────────────────────────


WATCHED = CASES["watched and scaled"]
COMPONENTS = ("monitoring", "scaling")
BESIDE = {
    "resources": ["k8s"],
    "components": [f"k8s/{name}" for name in COMPONENTS],
    "labels": [{"pairs": {"release": "NAME"}}],
}
KINDS = ("keda.sh_scaledobjects", "coreos.com_servicemonitors", "coreos.com_prometheusrules")


@pytest.fixture(scope="module", name="operated")
def _operated(cluster: Cluster) -> Cluster:
    """Return a cluster that has the kinds of both operators, but neither of these."""
    if not CRDS:
        pytest.skip("HOSTWRIGHT_CRDS names no folder with the kinds of KEDA and of Prometheus")
    every = [file for one in CRDS.split(":") for file in Path(one).glob("*.yaml")]
    wanted = [file for file in every if file.stem.endswith(KINDS)]
    assert len(wanted) == len(KINDS)
    for file in wanted:
        cluster.told("create", "--filename", str(file))
    names = [yaml.safe_load(file.read_text())["metadata"]["name"] for file in wanted]
    cluster.told("wait", "--for=condition=Established", *(f"crd/{name}" for name in names))
    cluster.namespace("test")
    return cluster


def _beside(folder: Path) -> Path:
    """Write what the README says stands beside the files, and return its folder."""
    written("k8s", plan(WATCHED), folder / "k8s")
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(BESIDE))
    return folder


def test_operators_take_their_kinds(operated: Cluster, tmp_path: Path) -> None:
    place = str(_beside(tmp_path))
    assert operated.kubectl(*ASKED, place).stderr == ""
    operated.told("apply", "-k", place)
    kinds = ("scaledobject", "servicemonitor", "prometheusrule")
    words = ("get", ",".join(kinds), "--namespace=test", "--output=yaml")
    held = yaml.safe_load(operated.told(*words))["items"]
    sent = [
        one
        for name in COMPONENTS
        for file in (tmp_path / "k8s" / name).glob("*.yaml")
        for one in yaml.safe_load_all(file.read_text())
        if one["kind"].lower() in kinds
    ]
    # The server drops what a kind has no word for, and adds what it has a default for.
    specs = {one["kind"]: one["spec"] for one in held}
    assert {one["kind"]: one["spec"] for one in sent} == specs
    assert {one["metadata"]["labels"]["release"] for one in held} == {"NAME"}
    assert operated.told("diff", "-k", place) == ""
    operated.told("delete", "-k", place)


@pytest.mark.parametrize(
    ("file", "was", "becomes"),
    [
        ("scaling/scaledobject.yaml", 'threshold: "4"', "threshold: 4"),
        ("scaling/scaledobject.yaml", "maxReplicaCount", "maxReplicas"),
        ("monitoring/servicemonitor.yaml", 'interval: "15s"', 'interval: "15 s"'),
        ("monitoring/prometheusrule.yaml", 'for: "300s"', 'for: "5 minutes"'),
    ],
)
def test_a_wrong_word_of_an_operator_is_refused(
    file: str, was: str, becomes: str, operated: Cluster, tmp_path: Path
) -> None:
    place = _beside(tmp_path)
    text = (place / "k8s" / file).read_text()
    assert was in text
    (place / "k8s" / file).write_text(text.replace(was, becomes))
    assert operated.kubectl(*ASKED, str(place)).returncode
