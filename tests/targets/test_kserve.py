"""An LLMInferenceService: what it says beside the template of KServe, and how that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import ProfileError, RenderError
from generator.formats.kserve import argument, plain, repository, served_name
from generator.targets import limitations
from tests.consumers import kserve, kubernetes
from tests.consumers.targets import written
from tests.hostile import HOSTILE
from tests.plans import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan

ON = ("engine=vllm", "k8s.serve=kserve")
CARD = '{ name = "A100", memory = "80GiB", compute_capability = "8.0" }'
TWO = (f"host.gpus=[{CARD}, {CARD}]", "host.unified_memory=false", "vllm.tensor_parallel=2")
CASES: dict[str, tuple[str, ...]] = {
    "bare": (),
    "scheduled": ("k8s.router=scheduler", "k8s.replicas=3", "k8s.namespace=llm"),
    "two cards": (*TWO, "k8s.router=route"),
    "claims": ("k8s.gpu=dra", "k8s.runtime_class=nvidia"),
    "a slice": ("k8s.gpu_resource=nvidia.com/mig-3g.40gb",),
    "a token": ('container.env_files=["/etc/vllm.env"]', "vllm.revision=v1.2"),
    "instances": (
        *TWO[:2],
        'models=[{ name = "a:1b", hf = "o/a" }, { name = "b:1b", hf = "o/b" }]',
        'instances=[{ name = "chat", gpus = ["0"], models = ["a:1b"] },'  # noqa: ISC004
        ' { name = "code", gpus = ["1"], models = ["b:1b"] }]',
    ),
}


def plan(*sets: str) -> Plan:
    return shipped("dgx-spark", *ON, *sets)


def objects(decided: Plan, folder: Path) -> list[dict[str, Any]]:
    return kubernetes.objects(written("k8s", decided, folder))


def service(folder: Path, *sets: str) -> dict[str, Any]:
    return kubernetes.one(objects(plan(*sets), folder), "LLMInferenceService")


@pytest.mark.parametrize("name", CASES)
def test_the_crd_and_three_releases_of_kubernetes_accept_it(name: str, tmp_path: Path) -> None:
    found = objects(plan(*CASES[name]), tmp_path)
    assert kubernetes.verify(found) == []
    count = len(plan(*CASES[name]).services)
    assert sum(one["kind"] == "LLMInferenceService" for one in found) == count
    assert not {"StatefulSet", "Service"} & {one["kind"] for one in found}


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("spec", "modle"), {}, "'modle' was unexpected"),
        (("spec", "replicas"), "two", "'two' is not of type"),
        (("spec", "model", "url"), "x", "'url' was unexpected"),
        (("spec", "router", "shedule"), {}, "'shedule' was unexpected"),
        (("spec", "parallelism"), {"tensor": 0}, "0 is less than"),
        (("spec", "template", "containers", 0, "arg"), [], "'arg' was unexpected"),
    ],
)
def test_what_is_wrong_is_refused(
    path: tuple[Any, ...], value: object, fault: str, tmp_path: Path
) -> None:
    found = objects(plan("k8s.router=scheduler"), tmp_path)
    place: Any = kubernetes.one(found, "LLMInferenceService")
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert fault in "\n".join(kubernetes.verify(found))


@pytest.mark.parametrize("name", CASES)
def test_the_server_is_told_each_thing_once(name: str, tmp_path: Path) -> None:
    decided = plan(*CASES[name])
    found = objects(decided, tmp_path)
    for own in decided.services:
        made = kubernetes.one(found, "LLMInferenceService", own.container.name)
        told = kserve.told(made, kserve.server(made)["args"], tmp_path / own.container.name)
        names = [word for word in told if word.startswith("--")]
        assert sorted(names) == sorted(set(names))
        wanted = {one.name: one.value for one in own.arguments if one.scope == "any"}
        options = {word: told[at + 1] for at, word in enumerate(told[:-1]) if word[:2] == "--"}
        assert told[:2] == ["serve", "/mnt/models"]
        left = {"--revision", *(word for word in wanted if not word.startswith("--"))}
        assert {key: options.get(key) for key in wanted if key not in left} == {
            key: value for key, value in wanted.items() if key not in left
        }
        assert options["--port"] == "8000"


def test_a_request_that_runs_may_end(tmp_path: Path) -> None:
    made = service(tmp_path, "k8s.longest_answer=7m")
    told = kserve.told(made, [], tmp_path)
    assert int(told[told.index("--shutdown-timeout") + 1]) >= 7 * 60


def test_an_argument_arrives_as_it_was(tmp_path: Path) -> None:
    made = service(tmp_path)
    texts = [*HOSTILE, "{{ .Spec }}", "{{{", "a}}{{`", "{{`{{`}}", "$(HOME) $@ `id`"]
    told = [argument(text, "x") for text in texts]
    made["spec"]["template"]["containers"][0]["args"] = told
    words = [kubernetes.expanded(word, {"HOME": "/home"}) for word in kserve.server(made)["args"]]
    assert kserve.told(made, words, tmp_path)[-len(texts) :] == texts


def test_an_argument_has_no_nul() -> None:
    with pytest.raises(RenderError, match="NUL"):
        argument("a\0b", "x")


@pytest.mark.parametrize("text", [*HOSTILE, "{{ .Spec }}", "{{{", "a}}{{`", "{{`{{`}}"])
def test_a_variable_arrives_as_it_was(text: str, tmp_path: Path) -> None:
    made = service(tmp_path)
    made["spec"]["template"]["containers"][0]["env"] = [{"name": "A", "value": plain(text)}]
    assert kserve.server(made)["env"][0]["value"] == text


def test_a_name_is_one_that_a_shell_leaves_alone() -> None:
    assert served_name("org/llama3.1:8b", "x") == "org/llama3.1:8b"
    for name in ('a"b', "a b", "$(id)", "a;b", "{{ x }}", ""):
        with pytest.raises(RenderError, match="without quotes"):
            served_name(name, "models.name")


def test_a_revision_is_of_the_uri() -> None:
    assert repository("org/name", "v1", "x") == "hf://org/name:v1"
    for revision in ("refs/pr/1", "a b"):
        with pytest.raises(RenderError, match="KServe downloads"):
            repository("org/name", revision, "vllm.revision")


def test_the_token_goes_to_what_downloads(tmp_path: Path) -> None:
    made = service(tmp_path, *CASES["a token"])
    assert made["spec"]["model"]["uri"] == "hf://meta-llama/Llama-3.1-8B-Instruct:v1.2"
    (before,) = made["spec"]["template"]["initContainers"]
    secret = [{"secretRef": {"name": "vllm-env"}}]
    assert before == {"name": "storage-initializer", "envFrom": secret}
    assert made["spec"]["template"]["containers"][0]["envFrom"] == secret


def test_what_the_template_says_is_left_to_it(tmp_path: Path) -> None:
    made = service(tmp_path)
    template = made["spec"]["template"]
    (box,) = template["containers"]
    assert not {"command", "ports", "livenessProbe", "readinessProbe", "lifecycle"} & set(box)
    assert {one["name"] for one in box["env"]} == {"USER"}
    assert box["startupProbe"] == {"periodSeconds": 10, "failureThreshold": 180}
    assert [one["name"] for one in template["volumes"]] == ["dshm"]
    # 16 GB of weights, a tenth, and a GiB of compiled kernels, in steps of 5 GiB.
    assert box["resources"]["requests"]["ephemeral-storage"] == "20Gi"
    assert "router" not in made["spec"]


@pytest.mark.parametrize(
    ("router", "keys"),
    [("route", {"route", "gateway"}), ("scheduler", {"route", "gateway", "scheduler"})],
)
def test_a_router_is_there_where_it_is_asked_for(
    router: str, keys: set[str], tmp_path: Path
) -> None:
    found = objects(plan(f"k8s.router={router}"), tmp_path)
    assert set(kubernetes.one(found, "LLMInferenceService")["spec"]["router"]) == keys
    (way,) = kubernetes.one(found, "NetworkPolicy")["spec"]["ingress"]
    assert "from" not in way


def test_it_is_for_vllm_and_a_router_is_of_it() -> None:
    for sets in (("k8s.serve=kserve",), ("engine=vllm", "k8s.router=route")):
        with pytest.raises(ProfileError) as caught:
            shipped("dgx-spark", *sets)
        assert len(caught.value.problems) == 1


def test_what_it_has_nothing_for_is_said() -> None:
    decided = plan("front={}", "k8s.replicas=2", "scale.max_replicas=4", "k8s.storage_class=fast")
    said = {finding.where: finding.message for finding in limitations("k8s", decided)}
    assert "no names that a front could ask" in said["front"]
    assert "an autoscaler of its own" in said["scale.max_replicas"]
    assert "no claim" in said["k8s.storage_class"]
    assert (
        "the chart makes the pods"
        in {finding.where: finding.message for finding in limitations("helm", plan())}["k8s.serve"]
    )
