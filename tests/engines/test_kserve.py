"""KServe itself: its CRD on a real API server, and its controller's merge of what we write.

`HOSTWRIGHT_KSERVE` names a folder with the `source` of KServe and with `merge`, which its own code
is in (`tools/kserve.sh` makes both); what the API server needs, `cluster.py` says. The command that
KServe makes is then run by a real bash, with a stand-in for `vllm` that prints what it is told.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from generator.formats.kserve import argument, plain
from generator.formats.kubernetes import literal
from generator.formats.yaml import to_yaml
from tests.consumers import kserve, kubernetes
from tests.consumers.targets import written
from tests.engines.cluster import NEEDED, PATIENCE
from tests.hostile import HOSTILE
from tests.targets.test_kserve import CASES, plan, service

if TYPE_CHECKING:
    from tests.engines.cluster import Cluster

PLACE = Path(os.environ.get("HOSTWRIGHT_KSERVE", "/nowhere"))
SOURCE = PLACE / "source/config"
CRD = SOURCE / "crd/full/llmisvc/serving.kserve.io_llminferenceservices.yaml"
ASKED = ("apply", "--dry-run=server", "-k")
pytestmark = pytest.mark.skipif(
    not (PLACE / "merge").exists(), reason="HOSTWRIGHT_KSERVE names no folder of tools/kserve.sh"
)


@pytest.fixture(scope="module")
def knowing(cluster: Cluster) -> Cluster:
    """Return a cluster that knows the kind."""
    cluster.kubectl("create", "-f", str(CRD))
    end = time.monotonic() + PATIENCE
    while cluster.kubectl("get", "llminferenceservices").returncode:
        assert time.monotonic() < end
        time.sleep(1)
    return cluster


@NEEDED
@pytest.mark.parametrize("name", CASES)
def test_the_server_takes_each_case(name: str, knowing: Cluster, tmp_path: Path) -> None:
    decided = plan(*CASES[name])
    pod = decided.services[0].pod
    assert pod is not None
    knowing.namespace(pod.namespace or "default")
    done = knowing.kubectl(*ASKED, str(written("k8s", decided, tmp_path)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "llminferenceservice.serving.kserve.io/" in done.stdout


@NEEDED
@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("replicas: 1", "replica: 1", 'unknown field "spec.replica"'),
        ("replicas: 1", "replicas: -1", "should be greater than or equal to 0"),
        ("replicas: 1", "replicas: 1\n  scaling: {maxReplicas: 2}", "mutually exclusive"),
        ('uri: "hf', 'url: "hf', 'unknown field "spec.model.url"'),
        ("startupProbe:", "startupProb:", "unknown field"),
        ("router:", "route:", 'unknown field "spec.route"'),
    ],
)
def test_the_server_refuses_what_is_wrong(
    was: str, becomes: str, fault: str, knowing: Cluster, tmp_path: Path
) -> None:
    file = written("k8s", plan("k8s.router=route"), tmp_path) / "llminferenceservice.yaml"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, becomes, 1))
    done = knowing.kubectl(*ASKED, str(tmp_path))
    assert done.returncode
    assert fault in done.stderr


@NEEDED
@pytest.mark.parametrize("key", ["model.uri", "parallelism.tensor", "router.scheduler", "template"])
def test_the_server_explains_what_is_used(key: str, knowing: Cluster) -> None:
    version = f"--api-version={kserve.API}"
    said = knowing.told("explain", version, f"llminferenceservice.spec.{key}")
    assert f"FIELD: {key.rpartition('.')[2]}" in said


def merged(found: dict[str, Any]) -> dict[str, Any]:
    """Return what KServe's own code makes of an object and its templates."""
    # As the API server stores it.
    placed = {**found, "metadata": {"namespace": "default", **found["metadata"]}}
    router = found["spec"].get("router", {})
    parts = ["template", *(["scheduler"] if "scheduler" in router else [])]
    parts += ["router-route"] if "route" in router else []
    files = [SOURCE / f"llmisvcconfig/config-llm-{part}.yaml" for part in parts]
    done = subprocess.run(
        [PLACE / "merge", *map(str, files)],
        input=to_yaml(placed),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    whole: dict[str, Any] = json.loads(done.stdout)
    return whole


def run(whole: dict[str, Any], folder: Path) -> list[str]:
    """Return what `vllm` is told by the container `main`, started as a kubelet starts it."""
    (box,) = (one for one in whole["spec"]["template"]["containers"] if one["name"] == "main")
    bin_ = folder / "bin"
    bin_.mkdir(parents=True, exist_ok=True)
    stub = '#!/bin/sh\n[ "$1" = serve ] || { echo 0.33.0; exit; }\nprintf "%s\\0" "$@" >"$TOLD"\n'
    (bin_ / "vllm").write_text(stub)
    (bin_ / "vllm").chmod(0o755)
    known = kubernetes.environment(box)
    words = [kubernetes.expanded(word, known) for word in (*box["command"], *box["args"])]
    told = folder / "told"
    variables = {**known, "PATH": f"{bin_}:/usr/bin:/bin", "TOLD": str(told)}
    subprocess.run(words, env=variables, check=True, capture_output=True, timeout=60)
    return told.read_bytes().decode().split("\0")[:-1]


@pytest.mark.parametrize("name", CASES)
def test_vllm_is_told_what_the_plan_says_and_nothing_twice(name: str, tmp_path: Path) -> None:
    decided = plan(*CASES[name])
    found = kubernetes.objects(written("k8s", decided, tmp_path))
    for own in decided.services:
        made = kubernetes.one(found, "LLMInferenceService", own.container.name)
        told = run(merged(made), tmp_path / own.container.name)
        options = [word for word in told if word.startswith("--")]
        assert sorted(options) == sorted(set(options))
        values = {word: told[at + 1] for at, word in enumerate(told[:-1]) if word[:2] == "--"}
        wanted = {each.name: each.value for each in own.arguments if each.scope == "any"}
        for key in wanted.keys() - {"--revision"}:
            if key.startswith("--"):
                assert values[key] == wanted[key], key
        assert told[:2] == ["serve", "/mnt/models"]
        # What stands here of the template is what the template says.
        stands = kserve.told(made, kserve.server(made)["args"], tmp_path / own.name)
        assert set(stands) <= set(told)


def test_nothing_of_the_template_is_lost_that_we_do_not_say(tmp_path: Path) -> None:
    pod = merged(service(tmp_path))["spec"]["template"]
    (box,) = pod["containers"]
    assert box["image"] == "vllm/vllm-openai:v0.33.0"
    # The probe of the template with our numbers.
    assert box["startupProbe"]["httpGet"] == {"path": "/health", "port": 8000, "scheme": "HTTPS"}
    assert box["startupProbe"]["failureThreshold"] == 180
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert volumes["dshm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "4Gi"}
    assert {"home", "model-cache", "tmp-dir", "tls-certs"} <= set(volumes)
    assert {"HOME", "HF_HUB_CACHE", "USER"} <= {each["name"] for each in box["env"]}
    assert pod["terminationGracePeriodSeconds"] == 635
    assert pod["securityContext"]["runAsUser"] == 10001


def test_any_text_arrives_at_vllm(tmp_path: Path) -> None:
    made = service(tmp_path)
    texts = [*HOSTILE, "{{ .Spec }}", "{{{", "a}}{{`", "{{`{{`}}", "$(HOME) $@ `id`"]
    (box,) = made["spec"]["template"]["containers"]
    box["args"] = [argument(text, "x") for text in texts]
    box["env"] = [
        {"name": f"T{n}", "value": plain(literal(text, "x"))} for n, text in enumerate(texts)
    ]
    whole = merged(made)
    assert run(whole, tmp_path)[-len(texts) :] == texts
    told = kubernetes.environment(whole["spec"]["template"]["containers"][0])
    assert [told[f"T{n}"] for n, _ in enumerate(texts)] == texts
