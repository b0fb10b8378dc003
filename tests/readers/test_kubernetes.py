"""Manifests of Kubernetes: what becomes of variables, references, volumes and services."""

from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.errors import ProfileError
from generator.readers.base import Context, NeedsMore, Source
from generator.readers.kubernetes.read import read
from generator.rules.registry import judge
from generator.view import View
from tests.texts import pod

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: llm
  labels: {app: llm}
spec:
  containers:
    - name: ollama
      image: ollama/ollama:0.32.15
"""


def views(*texts: str, beside: dict[str, str] | None = None, name: str = "a.yaml") -> list[View]:
    sources = [Source(name if not n else f"{n}.yaml", text) for n, text in enumerate(texts)]
    return list(read(sources, Context(load_catalogue(), read=(beside or {}).get)))


def env(view: View) -> dict[str, str]:
    return {variable.name: variable.value for variable in view.variables}


def test_variables_come_from_references_of_the_same_files() -> None:
    config = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata: {A: one, B: two}\n"
    (view,) = views(
        POD
        + "      envFrom:\n        - configMapRef: {name: c}\n          prefix: X_\n"
        + "      env:\n        - {name: C, value: three}\n"
        + "        - name: D\n          valueFrom: {configMapKeyRef: {name: c, key: B}}\n"
        + "        - name: E\n          valueFrom: {secretKeyRef: {name: s, key: B}}\n",
        config,
    )
    assert env(view) == {"X_A": "one", "X_B": "two", "C": "three", "D": "two", "E": ""}
    assert {v.name for v in view.variables if v.unresolved} == {"E"}
    assert {v.place.file for v in view.variables if v.name == "D"} == {"1.yaml"}
    # As the file has it, without the prefix.
    assert [v.place.key for v in view.variables if v.name == "X_A"] == ["data.A"]


def test_a_reference_to_nowhere_is_said() -> None:
    (view,) = views(POD + "      envFrom: [{configMapRef: {name: gone}}]\n")
    assert [gap.reason for gap in view.not_judged] == [
        "the ConfigMap `gone` is in none of the files"
    ]


@pytest.mark.parametrize(
    ("workload", "path"),
    [("Deployment", "template"), ("CronJob", "jobTemplate: {spec: {template"), ("Job", "template")],
)
def test_every_workload_has_its_pod(workload: str, path: str) -> None:
    pod = "{spec: {containers: [{name: ollama, image: ollama/ollama}]}}"
    ends = "}}" if "{" in path else ""
    text = (
        f"apiVersion: x\nkind: {workload}\nmetadata: {{name: a}}\nspec: {{{path}: {pod}{ends}}}\n"
    )
    assert [view.name for view in views(text)] == ["a"]


@pytest.mark.parametrize(
    ("kind", "selector", "told"),
    [
        ("LoadBalancer", "{app: llm}", ["LoadBalancer"]),
        ("ClusterIP", "{app: llm}", []),
        ("NodePort", "{app: other}", []),
    ],
)
def test_a_service_opens_the_pods_that_it_selects(
    kind: str, selector: str, told: list[str]
) -> None:
    service = f"kind: Service\napiVersion: v1\nspec: {{type: {kind}, selector: {selector}}}\n"
    (view,) = views(f"{POD}---\n{service}")
    assert view.container is not None
    assert [line.value for line in view.container.exposed] == told


def test_a_sidecar_takes_the_port_of_a_service() -> None:
    service = (
        "kind: Service\napiVersion: v1\n"
        "spec: {type: NodePort, selector: {app: llm}, ports: [{port: 80, targetPort: http}]}\n"
    )
    sidecar = "    - {name: proxy, image: caddy, ports: [{name: http, containerPort: 8080}]}\n"
    (view,) = views(f"{POD}{sidecar}---\n{service}")
    assert view.container is not None
    assert view.container.exposed == ()


def test_a_patch_alone_says_what_it_sets() -> None:
    text = POD.replace("      image: ollama/ollama:0.32.15\n", "      env: [{name: A, value: b}]\n")
    (view,) = views(text)
    assert env(view) == {"A": "b"}
    assert not view.phrases.volumes_told


def test_a_kustomization_reads_bases_patches_and_generators() -> None:
    top = (
        "resources: [../base]\npatches:\n  - patch: |\n"
        "      kind: Pod\n      metadata: {name: llm}\n"
        "      spec: {containers: [{name: ollama, envFrom: [{configMapRef: {name: g}}]}]}\n"
        "configMapGenerator: [{name: g, envs: [g.env]}]\n"
    )
    beside = {"base/kustomization.yaml": "resources: [pod.yaml]\n", "base/pod.yaml": POD,
              "over/g.env": "A=1\n"}  # fmt: skip
    (view,) = views(top, beside=beside, name="over/kustomization.yaml")
    assert env(view) == {"A": "1"}
    assert [(v.place.file, v.place.line) for v in view.variables] == [("over/g.env", 1)]


def test_what_is_not_at_hand_is_said() -> None:
    with pytest.raises(NeedsMore) as caught:
        views("resources: [../gone]\n", name="over/kustomization.yaml")
    assert "not at hand" in caught.value.problems[0].message


def test_a_template_has_to_be_rendered_first() -> None:
    with pytest.raises(NeedsMore) as caught:
        views("apiVersion: v1\nkind: Pod\nspec: {{ toYaml .Values.pod }}\n")
    assert "Helm fills in" in caught.value.problems[0].message


def test_a_broken_file_stops_no_other() -> None:
    (view,) = views(POD, "apiVersion: [\n")
    assert [gap.file for gap in view.not_judged] == ["1.yaml"]
    with pytest.raises(ProfileError):
        views("apiVersion: [\n")


@pytest.mark.parametrize("kind", ["HelmRelease", "HelmChart", "Application"])
def test_values_of_the_chart_are_read_as_such(kind: str) -> None:
    values = "{extraEnv: [{name: OLLAMA_DEBUG, value: '1'}]}"
    spec = {
        "HelmRelease": f"{{values: {values}}}",
        "HelmChart": "{valuesContent: \"extraEnv: [{name: OLLAMA_DEBUG, value: '1'}]\"}",
        "Application": f"{{source: {{helm: {{valuesObject: {values}}}}}}}",
    }[kind]
    (view,) = views(f"apiVersion: x\nkind: {kind}\nspec: {spec}\n")
    assert env(view) == {"OLLAMA_DEBUG": "1"}
    assert view.variables[0].place.line == 3


def test_other_workloads_have_no_view() -> None:
    assert (
        views(
            POD.replace("ollama/ollama:0.32.15", "caddy:2").replace("- name: ollama", "- name: web")
        )
        == []
    )


def test_files_of_a_directory_are_told_apart(tmp_path: Path) -> None:
    base = {"base/kustomization.yaml": "resources: [pod.yaml]\n", "base/pod.yaml": POD}
    sources = [Source(path, text) for path, text in base.items()]
    over = Source("over/kustomization.yaml", "resources: [../base]\n")
    found = read([*sources, over], Context(load_catalogue(), read=base.get))
    assert len(found) == 1


def test_a_variable_twice_in_one_list() -> None:
    text = "      env:\n        - {name: A, value: one}\n        - {name: A, value: two}\n"
    (view,) = views(POD + text)
    assert [(lost.value, lost.place.line, lost.by.line) for lost in view.overruled] == [
        ("one", 11, 12)
    ]
    assert env(view) == {"A": "two"}


FAR = f"/spec/containers/{'9' * 5000}"


@pytest.mark.parametrize(
    "patch",
    [
        "patchesJson6902:\n- path: ops.yaml\n  target: {kind: Pod}\n",
        "patches:\n- path: ops.yaml\n  target: {kind: Pod}\n",
        "patches:\n- target: {kind: Pod}\n  patch: |-\n    - op: remove\n      path: /x\n",
        f"patches:\n- target: {{kind: Pod}}\n  patch: '[{{op: remove, path: {FAR}}}]'\n",
    ],
)
def test_a_patch_that_finds_nothing_at_its_path_is_named(patch: str, tmp_path: Path) -> None:
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: ollama}\n"
        "spec: {containers: [{name: ollama, image: 'ollama/ollama:0.32.15'}]}\n"
    )
    texts = {
        "kustomization.yaml": f"{head}namePrefix: ollama-\nresources: [pod.yaml]\n{patch}",
        "pod.yaml": pod,
        "ops.yaml": "- op: remove\n  path: /x\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path)]))
    assert [gap.part for gap in report.not_judged] == ["a patch"]


@pytest.mark.parametrize(
    "beside",
    [
        "readinessProbe: {exec: {command: [ollama, list]}}",
        "livenessProbe: {exec: {command: [sh, -c, ollama ps]}}",
        "lifecycle: {postStart: {exec: {command: [ollama, pull, 'qwen3:8b']}}}",
    ],
)
def test_a_probe_or_hook_makes_no_client_of_a_server(beside: str) -> None:
    (view,) = views(f"{POD}      {beside}\n")
    facts = load_catalogue().at(view.engine, view.release)
    rules = {placed.finding.rule for placed in judge(view, facts)}
    assert "HW518" in rules


@pytest.mark.parametrize(("folder", "gaps"), [(".", ["kustomization.yaml"]), ("other", [])])
def test_a_kustomization_beside_a_workload_is_read(
    folder: str, gaps: list[str], tmp_path: Path
) -> None:
    """It speaks of the workload by its kind alone; one of another directory is none of ours."""
    (tmp_path / "other").mkdir()
    (tmp_path / "pod.yaml").write_text(pod()["pod.yaml"].replace("name: ollama", "name: llm"))
    (tmp_path / folder / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [pod.yaml]\n"
        "patches:\n  - target: {kind: Pod}\n    patch: |-\n      - op: remove\n        path: /x\n"
    )
    found = check(CheckRequest(paths=[str(tmp_path)])).not_judged
    assert [Path(gap.file).name for gap in found] == gaps


def kustomized(files: dict[str, str], top: str) -> View:
    """Return the server that the kustomization `top` makes of the files below it."""
    (view,) = views(files[top], beside=files, name=top)
    return view


BASE = {
    "base/kustomization.yaml": "resources: [pod.yaml]\nnamePrefix: my-\n"
    "configMapGenerator: [{name: g, literals: [A=1, B=2]}]\n"
    "images: [{name: ollama/ollama, newTag: 0.30.0}]\n",
    "base/pod.yaml": f"{POD}      envFrom: [{{configMapRef: {{name: g}}}}]\n",
}
OVER = "over/kustomization.yaml"


@pytest.mark.parametrize(
    ("behaviour", "seen"), [("merge", {"A": "3", "B": "2"}), ("replace", {"A": "3"})]
)
def test_a_generator_changes_what_the_base_has_generated(
    behaviour: str, seen: dict[str, str]
) -> None:
    top = (
        "resources: [../base]\n"
        f"configMapGenerator:\n  - {{name: g, behavior: {behaviour}, literals: [A=3]}}\n"
    )
    view = kustomized({**BASE, OVER: top}, OVER)
    assert env(view) == seen
    assert [(v.place.file, v.place.line) for v in view.variables if v.name == "A"] == [(OVER, 3)]


@pytest.mark.parametrize(
    ("more", "image"),
    [
        ("", "ollama/ollama:0.30.0"),
        ("images: [{name: ollama/ollama, newTag: 0.31.0}]", "ollama/ollama:0.31.0"),
        ("images: [{name: ollama/ollama, newName: x/ollama}]", "x/ollama:0.30.0"),
        ("images: [{name: ollama/ollama, digest: 'sha256:ab'}]", "ollama/ollama@sha256:ab"),
        # A patch of an overlay comes behind the images of its base, and before its own.
        (
            "patches: [{path: p.yaml}]",
            "ollama/ollama:latest",
        ),
    ],
)
def test_images_are_changed_where_kustomize_changes_them(more: str, image: str) -> None:
    patch = POD.replace("name: llm", "name: my-llm").replace("0.32.15", "latest")
    files = {**BASE, OVER: f"resources: [../base]\n{more}\n", "over/p.yaml": patch}
    view = kustomized(files, OVER)
    assert view.container is not None
    assert view.container.image == image


OPERATIONS = """\
- op: add
  path: /spec/containers/0/env
  value: [{name: A, value: one}, {name: B, value: two}]
- op: replace
  path: /spec/containers/0/env/1/value
  value: three
- op: add
  path: /spec/containers/0/env/-
  value: {name: C, value: four}
- op: remove
  path: /spec/containers/0/env/0
"""


@pytest.mark.parametrize(
    "target",
    [
        "{kind: Pod, name: llm}",
        "{name: 'l.*'}",
        "{kind: Pod|Job, name: my-llm}",
        "{labelSelector: 'app=llm,tier!=web'}",
        "{version: v1}",
    ],
)
@pytest.mark.parametrize("key", ["patches", "patchesJson6902"])
def test_operations_are_put_in_place(target: str, key: str) -> None:
    top = f"resources: [../base]\n{key}: [{{target: {target}, path: ops.yaml}}]\n"
    view = kustomized({**BASE, OVER: top, "over/ops.yaml": OPERATIONS}, OVER)
    assert {k: v for k, v in env(view).items() if k > "A"} == {"B": "three", "C": "four"}
    assert [v.place.line for v in view.variables if v.name == "B"] == [6]
    assert view.not_judged == ()


@pytest.mark.parametrize("target", ["{kind: Job}", "{name: 'x.*'}", "{labelSelector: app=web}"])
def test_operations_for_something_else_change_nothing(target: str) -> None:
    top = f"resources: [../base]\npatches: [{{target: {target}, path: ops.yaml}}]\n"
    view = kustomized({**BASE, OVER: top, "over/ops.yaml": OPERATIONS}, OVER)
    assert env(view) == {"A": "1", "B": "2"}


def test_a_strategic_patch_takes_things_away() -> None:
    patch = (
        "kind: Pod\nmetadata: {name: llm}\nspec:\n  containers:\n    - name: ollama\n"
        "      env: [{name: A, $patch: delete}, {name: B, value: '3'}]\n"
    )
    pod = f"{POD}      env: [{{name: A, value: '1'}}, {{name: B, value: '2'}}]\n"
    top = "resources: [pod.yaml]\npatches: [{path: patch.yaml}]\n"
    files = {"pod.yaml": pod, "patch.yaml": patch, "kustomization.yaml": top}
    assert env(kustomized(files, "kustomization.yaml")) == {"B": "3"}


def test_a_component_changes_what_is_there_before_it() -> None:
    component = "kind: Component\nimages: [{name: ollama/ollama, newTag: 0.29.0}]\n"
    top = "resources: [../base]\ncomponents: [../gpu]\n"
    view = kustomized({**BASE, OVER: top, "gpu/kustomization.yaml": component}, OVER)
    assert view.container is not None
    assert view.container.tag == "0.29.0"


def test_a_secret_that_is_generated_is_no_base64() -> None:
    top = "resources: [pod.yaml]\nsecretGenerator: [{name: g, literals: [OLLAMA_DEBUG=true]}]\n"
    pod = f"{POD}      envFrom: [{{secretRef: {{name: g}}}}]\n"
    view = kustomized({"pod.yaml": pod, "kustomization.yaml": top}, "kustomization.yaml")
    assert env(view) == {"OLLAMA_DEBUG": "true"}


def test_files_of_a_generator_that_are_not_at_hand_are_said() -> None:
    top = "resources: [../base]\nconfigMapGenerator: [{name: h, envs: [gone.env]}]\n"
    view = kustomized({**BASE, OVER: top}, OVER)
    assert [gap.reason for gap in view.not_judged] == ["`gone.env` is not at hand"]


def test_values_of_a_chart_lie_in_a_file_beside_the_kustomization() -> None:
    top = (
        "helmCharts:\n  - name: ollama\n    valuesFile: v.yaml\n"
        "    valuesInline: {ollama: {gpu: {enabled: false}}}\n"
    )
    values = "extraEnv: [{name: A, value: b}]\nollama: {gpu: {enabled: true}}\n"
    files = {"kustomization.yaml": top, "v.yaml": values}
    view = kustomized(files, "kustomization.yaml")
    assert env(view) == {"A": "b"}
    assert view.acceleration == "cpu"
    assert view.variables[0].place.file == "v.yaml"


def test_argo_cd_lays_parameters_over_values() -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  sources:
    - chart: ollama
      helm:
        valueFiles: [$values/deploy/base.yaml]
        values: |
          extraEnv:
            - {name: A, value: two}
        parameters:
          - {name: 'extraEnv[0].value', value: three}
          - {name: ollama.gpu.enabled, value: 'true'}
"""
    beside = {"deploy/base.yaml": "persistentVolume: {enabled: false}\n"}
    (view,) = views(text, beside=beside, name="a.yaml")
    assert [(v.value, v.place.line) for v in view.variables] == [("three", 12)]
    assert view.acceleration == "cuda"
    assert view.container is not None
    assert view.container.unkept is not None
    assert view.container.unkept.place.file == "deploy/base.yaml"


def test_flux_puts_a_value_at_its_path() -> None:
    text = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ollama}
spec:
  chart: {spec: {chart: ollama}}
  valuesFrom:
    - {kind: ConfigMap, name: v}
    - {kind: ConfigMap, name: v, valuesKey: gpu, targetPath: ollama.gpu.enabled}
    - {kind: Secret, name: s, optional: true}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: v}
data:
  gpu: "true"
  values.yaml: |
    extraEnv:
      - {name: A, value: b}
"""
    (view,) = views(text)
    assert [(v.value, v.place.line) for v in view.variables] == [("b", 18)]
    assert view.acceleration == "cuda"
    assert view.not_judged == ()


@pytest.mark.parametrize(
    ("selector", "told"), [("selector: {matchLabels: {app: o}}\n  ", True), ("", False)]
)
def test_a_workload_that_selects_no_pods_is_a_patch(selector: str, told: bool) -> None:
    text = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: o}\nspec:\n  "
        f"{selector}template:\n    spec:\n"
        "      containers:\n      - {name: ollama, image: 'ollama/ollama:0.32.15'}\n"
    )
    (view,) = views(text)
    facts = load_catalogue().at(view.engine, view.release)
    assert ("HW518" in {placed.finding.rule for placed in judge(view, facts)}) is told
