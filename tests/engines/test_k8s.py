"""A real API server of Kubernetes takes each manifest, as `kubectl apply` asks it.

What it needs, `cluster.py` says. `HOSTWRIGHT_CRDS` names folders with the kinds of KEDA
(`config/crd/bases` of kedacore/keda) and of the operator of Prometheus
(`example/prometheus-operator-crd` of its repository), a `:` between them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.consumers.targets import written
from tests.engines.cluster import NEEDED
from tests.plans import PROFILES, plan, shipped
from tests.targets.test_k8s import CASES

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
