"""Real Helm renders our values by the real charts, and everybody who reads the result takes it.

`HELM_BIN` names it (`tools/helm.sh` builds one); `OLLAMA_CHART` the folder of the chart of
otwld/ollama-helm, and `PRODUCTION_STACK` a checkout of vllm-project/production-stack, each at the
release that the catalogue says. Nothing is downloaded and no cluster is asked, but by the last
tests: those need what `cluster.py` says.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from generator.catalogue.catalogue import load_catalogue
from tests.commands import called
from tests.consumers import kubernetes
from tests.consumers.targets import written
from tests.engines.cluster import NEEDED
from tests.plans import PROFILES, plan, shipped
from tests.targets.test_k8s import CARD, CASES, RADEON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Plan
    from tests.engines.cluster import Cluster

HELM = os.environ.get("HELM_BIN") or shutil.which("helm") or ""
CHART = os.environ.get("OLLAMA_CHART", "")
STACK = os.environ.get("PRODUCTION_STACK", "")
pytestmark = pytest.mark.skipif(
    not (HELM and CHART and STACK),
    reason="there is no Helm, or OLLAMA_CHART or PRODUCTION_STACK is not set",
)
SERVER = "--kube-version=1.37.0"  # Helm of no release says 1.20
HF = {"name": "llama3.1:8b", "hf": "o/llama"}
EMBEDS = {"name": "nomic-embed-text", "hf": "o/nomic", "role": "embedding"}
VLLM: dict[str, dict[str, Any]] = {
    "one card": {"host": {"gpus": [CARD]}, "models": [HF]},
    "two cards": {
        "host": {"gpus": [CARD, CARD]},
        "models": [HF],
        "vllm": {"tensor_parallel": 2, "tool_parser": "hermes", "revision": "v1"},
        "container": {"env_files": ["/etc/tokens"]},
        "k8s": {"storage_class": "fast", "runtime_class": "nvidia"},
    },
    "claims of devices": {"host": {"gpus": [CARD]}, "models": [HF], "k8s": {"gpu": "dra"}},
    "several, more of them under load": {
        "host": {"gpus": [CARD, CARD]},
        "models": [HF, EMBEDS],
        "instances": [
            {"name": "chat", "gpus": ["0"], "models": ["llama3.1:8b"]},
            {"name": "embed", "gpus": ["1"], "models": ["nomic-embed-text"]},
        ],
        "front": {},
        "k8s": {"replicas": 2},
        "scale": {"max_replicas": 5, "prometheus": "http://prom.lan:9090"},
    },
}
OLLAMA: dict[str, dict[str, Any]] = {
    "all that values say": {
        "host": {"gpus": [CARD]},
        "models": [{"name": "llama3.1:8b", "preload": True, "parameters": {"top_k": 30}}],
        "resources": {"cpu_quota": "800%", "memory_max": "20G"},
        "k8s": {
            "namespace": "llm",
            "storage_class": "fast",
            "runtime_class": "nvidia",
            "node_selector": {"disk": "ssd"},
        },
        "service": {
            "environment_files": ["/run/a.env"],
            "credentials": {"SSL_CERT_FILE": {"path": "/k"}},
        },
    },
    "claims of AMD": {"host": {"gpus": [RADEON]}, "k8s": {"gpu": "dra"}},
    **{name: CASES[name] for name in CASES if name not in {"bare", "built"}},
}


def decided(name: str) -> Plan:
    """Return the Plan of a shipped profile or of a case."""
    if name in PROFILES:
        return shipped(name)
    return plan({"engine": "vllm", **VLLM[name]} if name in VLLM else OLLAMA[name])


NAMES = [*PROFILES, *OLLAMA, *VLLM]


@pytest.fixture(scope="module", name="charts")
def _charts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the chart of each engine; that of vLLM without those that it is off by itself with."""
    folder = tmp_path_factory.mktemp("charts") / "stack"
    shutil.copytree(Path(STACK) / "helm", folder)
    (folder / "Chart.lock").unlink(missing_ok=True)
    told = yaml.safe_load((folder / "Chart.yaml").read_text())
    del told["dependencies"]
    (folder / "Chart.yaml").write_text(yaml.safe_dump(told))
    return {"ollama": Path(CHART), "vllm": folder}


def helm(*words: str | Path) -> str:
    """Return what Helm prints; what it has against it fails the test."""
    done = subprocess.run(
        [HELM, *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def template(chart: Path, file: Path) -> str:
    return helm("template", "rel", chart, "--namespace=ns1", SERVER, f"--values={file}")


def told(chart: Path, file: Path) -> str:
    """Return the same, or nothing: the chart has read it, and refuses it."""
    words = (HELM, "template", "rel", chart, "--namespace=ns1", SERVER, f"--values={file}")
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout


def objects(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]


def each(charts: dict[str, Path], name: str, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the chart and the values of each release of a Plan."""
    made = decided(name)
    for file in sorted(written("helm", made, folder).glob("*.yaml")):
        yield charts[made.services[0].engine], file


@pytest.mark.parametrize("engine", ["ollama", "vllm"])
def test_the_charts_are_those_that_the_catalogue_names(
    engine: str, charts: dict[str, Path]
) -> None:
    told = yaml.safe_load((charts[engine] / "Chart.yaml").read_text())
    fact = load_catalogue().of(engine).at(engine).chart
    assert fact is not None
    assert (told["name"], told["version"]) == (fact.name, fact.version)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_chart_makes_of_them_is_taken(
    name: str, charts: dict[str, Path], tmp_path: Path
) -> None:
    remarked = {one.rule for one in decided(name).remarks} | SAID.get(name, set())
    for chart, file in each(charts, name, tmp_path):
        helm("lint", "--strict", chart, f"--values={file}")
        text = template(chart, file)
        assert kubernetes.verify(objects(text)) == []
        made = tmp_path / "rendered.yaml"
        made.write_text(text)
        # Comments that silence a rule are not in what the chart makes.
        assert _rules(made) <= remarked | _rules(file)


def _rules(file: Path) -> set[str]:
    done = called("check", str(file), "--fail-on=info", "--json")
    return {one["rule"] for one in json.loads(done.stdout)["findings"]}


SAID = {"several, more of them under load": {"HW654"}}
"""What the target has said it leaves out already, `k8s.longest_answer`, as the check calls it."""


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value that holds no other."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        if isinstance(one, dict | list) and one:
            yield from leaves(one, (*path, key))
        else:
            yield (*path, key)


def changed(values: Any, path: tuple[Any, ...]) -> Any:
    """Return values of which one is another: of its kind, as schemas ask."""
    whole = copy.deepcopy(values)
    place = whole
    for key in path[:-1]:
        place = place[key]
    was = place[path[-1]]
    place[path[-1]] = OTHER[was] if str(was) in OTHER else _other(was)
    return whole


OTHER = {"nvidia": "amd", "amd": "nvidia"}


def _other(was: Any) -> Any:
    if isinstance(was, bool):
        return not was
    if isinstance(was, int):
        return was + 7
    return {"sizeLimit": "7Gi"} if was == {} else f"{was}7"


def plain(path: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple("*" if isinstance(key, int) else key for key in path)


SEEN: set[tuple[Any, ...]] = set()
RICH = ("all that values say", "claims", "claims of AMD", "several, more of them under load")


@pytest.mark.parametrize("name", [*RICH, "two cards"])
def test_the_chart_passes_over_none_of_them(
    name: str, charts: dict[str, Path], tmp_path: Path
) -> None:
    """Each value in turn is another one, and so is then what comes out."""
    passed = []
    for chart, file in each(charts, name, tmp_path):
        values, was = yaml.safe_load(file.read_text()), template(chart, file)
        for path in leaves(values):
            key = (chart.name, *plain(path))
            # One of each way is enough, but for what another value switches on.
            if key in SEEN and "gpu" not in path:
                continue
            SEEN.add(key)
            other = tmp_path / "other"
            other.write_text(yaml.safe_dump(changed(values, path)))
            if told(chart, other) == was:
                passed.append(".".join(map(str, path)))
    assert passed == []


def test_a_value_that_is_passed_over_is_seen(charts: dict[str, Path], tmp_path: Path) -> None:
    """The chart gives shared memory only to a server that is told over how many cards."""
    (_, file) = next(each(charts, "one card", tmp_path))
    values = yaml.safe_load(file.read_text())
    (spec,) = values["servingEngineSpec"]["modelSpec"]
    assert spec["vllmConfig"].pop("tensorParallelSize") == 1
    texts = []
    for size in ("4096Mi", "8Gi"):
        spec["shmSize"] = size
        file.write_text(yaml.safe_dump(values))
        texts.append(template(charts["vllm"], file))
    assert texts[0] == texts[1]
    assert "/dev/shm" not in texts[0]  # noqa: S108 -- in a pod


def test_a_server_of_the_stack_is_as_its_pod_is_without_a_chart(
    charts: dict[str, Path], tmp_path: Path
) -> None:
    name = "one card"
    ((chart, file),) = each(charts, name, tmp_path / "helm")
    made = objects(template(chart, file))
    own = kubernetes.objects(written("k8s", decided(name), tmp_path / "k8s"))
    pods = [
        kubernetes.one(made, "Deployment", "rel-vllm-deployment-vllm"),
        kubernetes.one(own, "StatefulSet"),
    ]
    theirs, ours = (each["spec"]["template"]["spec"] for each in pods)
    (box,), (ours_box,) = theirs["containers"], ours["containers"]
    assert theirs["securityContext"] == ours["securityContext"]
    assert "runtimeClassName" not in theirs
    assert box["securityContext"] == {"runAsNonRoot": True, **ours_box["securityContext"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for key in ("periodSeconds", "failureThreshold", "timeoutSeconds"):
            assert box[probe][key] == ours_box[probe][key]
    shared = [one["emptyDir"] for one in theirs["volumes"] if one["name"] == "shm"]
    assert shared == [{"medium": "Memory", "sizeLimit": "4096Mi"}]
    assert box["resources"] == ours_box["resources"]


def test_devices_are_claimed_by_the_release_of_the_cluster(
    charts: dict[str, Path], tmp_path: Path
) -> None:
    ((chart, file),) = each(charts, "claims", tmp_path)
    claim = kubernetes.one(objects(template(chart, file)), "ResourceClaimTemplate")
    assert claim["apiVersion"] == "resource.k8s.io/v1"
    (request,) = claim["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"] == {"deviceClassName": "gpu.nvidia.com", "count": 1}


RESTRICTED = '{"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}'


@NEEDED
@pytest.mark.parametrize("name", NAMES)
def test_the_server_takes_it(
    name: str, charts: dict[str, Path], cluster: Cluster, tmp_path: Path
) -> None:
    for chart, file in each(charts, name, tmp_path):
        made = objects(template(chart, file))
        for namespace in {one["metadata"].get("namespace", "default") for one in made}:
            cluster.namespace(namespace)
            cluster.told("patch", "namespace", namespace, "--patch", RESTRICTED)
        kept = [one for one in made if not _is_test(one) and _is_known(one)]
        text = yaml.safe_dump_all(kept)
        done = cluster.kubectl("apply", "--dry-run=server", "--filename=-", given=text)
        assert done.returncode == 0, done.stderr
        warned = [line for line in done.stderr.splitlines() if "router" not in line]
        assert warned == []


def _is_test(one: dict[str, Any]) -> bool:
    return "helm.sh/hook" in one["metadata"].get("annotations", {})


def _is_known(one: dict[str, Any]) -> bool:
    return one["apiVersion"] not in kubernetes.MODELS
