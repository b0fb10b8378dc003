"""Values of otwld/ollama-helm, as operators write them."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.check.mend import mended
from generator.engines.ollama.rules.values import boolean_misread
from generator.errors import ProfileError
from generator.readers.base import Context, NeedsMore, Source
from generator.readers.helm.read import quantity, read
from generator.readers.helm.releases import is_chart_of
from generator.view import Edit, Place, View
from tests.views import found

VALUES = """\
# values.yaml
image:
  repository: ollama/ollama
  tag: "0.32.15"
ollama:
  gpu:
    enabled: true
    type: nvidia
    number: 2
  models:
    pull:
      - llama3.1:8b
      - nomic-embed-text
    run:
      - llama3.1:8b
    create:
      - name: coder
        template: |
          FROM qwen2.5-coder:7b
service:
  type: NodePort
  nodePort: 31434
resources:
  requests: {cpu: 2000m, memory: 4096Mi}
  limits:
    cpu: 4000m
    memory: 8Gi
persistentVolume:
  enabled: true
  existingClaim: models
livenessProbe: {enabled: true, path: /api/health}
securityContext: {privileged: true, runAsUser: 1000}
extraEnv:
  - name: OLLAMA_KEEP_ALIVE
    value: "1d"
  - name: OLLAMA_DEBUG
    value: 1
  - name: OLLAMA_API_KEY
    valueFrom:
      secretKeyRef: {name: ollama, key: api}
extraEnvFrom:
  - secretRef: {name: more}
"""


def one(text: str, path: str = "values.yaml") -> View:
    (view,) = read([Source(path, text)], Context(load_catalogue()))
    return view


def test_the_chart_s_values_are_read() -> None:
    view = one(VALUES)
    assert (view.phrases.kind, view.name, str(view.release), view.release_told) == (
        "helm", "ollama", "0.32.15", True,
    )  # fmt: skip
    assert [(v.name, v.value, v.place.line, v.unresolved) for v in view.variables] == [
        ("OLLAMA_KEEP_ALIVE", "1d", 35, False),
        ("OLLAMA_DEBUG", "1", 37, False),
        ("OLLAMA_API_KEY", "", 38, True),
    ]
    assert [(b.name, b.value, b.place.line, b.written) for b in view.bounds] == [
        ("cpu_quota", 400, 26, "4000m"),
        ("memory_max", 8589934592, 27, "8Gi"),
    ]
    assert [(m.name, m.warmed, m.place.line) for m in view.models] == [
        ("llama3.1:8b", True, 12),
        ("nomic-embed-text", False, 13),
        ("coder", False, 19),
    ]
    assert view.acceleration == "cuda"


def test_the_container_is_that_of_the_deployment() -> None:
    box = one(VALUES).container
    assert box is not None
    assert (box.image, box.tag, box.place.line) == ("ollama/ollama:0.32.15", "0.32.15", 4)
    assert (box.gpu_access, box.restart, box.user) == ("reservation", "always", "1000")
    assert [(text, place.line) for text, place in box.mounts] == [("models:/root/.ollama", 29)]
    assert box.privileged is not None
    assert (box.privileged.line, box.privileged.key) == (32, "securityContext.privileged")


def test_everything_else_is_a_line() -> None:
    lines = {(line.section, line.name): (line.value, line.place.line) for line in one(VALUES).lines}
    assert lines["service", "type"] == ("NodePort", 21)
    assert lines["persistentVolume", "enabled"] == ("true", 29)
    assert lines["livenessProbe", "path"] == ("/api/health", 31)
    assert lines["resources.requests", "cpu"] == ("2000m", 24)
    assert lines["extraEnvFrom.secretRef", "name"] == ("more", 42)


def test_what_the_pod_is_asked_and_opens() -> None:
    held = one(VALUES).container
    assert held is not None
    path = "livenessProbe.path"
    assert held.probes == (("/api/health", Place("values.yaml", 31, path)),)
    assert [(line.value, line.place.line) for line in held.exposed] == [("NodePort", 21)]
    assert held.unkept is None
    closed = one(VALUES.replace("NodePort", "ClusterIP")).container
    assert closed is not None
    assert closed.exposed == ()


def test_a_volume_that_is_turned_off_can_be_turned_on() -> None:
    off = VALUES.replace("enabled: true\n  existingClaim", "enabled: false\n  existingClaim")
    held = one(off).container
    assert held is not None
    place = Place("values.yaml", 29, "persistentVolume.enabled")
    assert held.unkept == Edit(place, "false", "true")


def test_values_of_a_chart_that_wraps_it_are_found() -> None:
    text = "ollama:\n  ollama:\n    gpu: {enabled: false}\n  image: {tag: 0.9.2-rocm}\n"
    view = one(text)
    assert (str(view.release), view.acceleration) == ("0.9.2", "cpu")
    assert view.container is not None
    assert view.container.place.key == "ollama.image.tag"


def test_what_is_left_out_is_not_told() -> None:
    view = one("ollama: {gpu: {type: amd}}")
    assert (view.release_told, view.acceleration, view.bounds) == (False, "", ())
    assert view.container is not None
    assert view.container.tag == "{{ .Chart.AppVersion }}"
    assert view.container.mounts == ()


def test_the_first_charts_had_a_plain_list_of_models() -> None:
    assert [m.name for m in one("ollama:\n  models: [llama2, mistral]\n").models] == [
        "llama2",
        "mistral",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", "4"), ("0.5", "0.5"), ("500m", "0.5"), ("8Gi", "8589934592"), ("8G", "8000000000"),
     ("1e3", "1000"), ("2Ki", "2048"), ("100M", "100000000"), ("7k", "7000")],
)  # fmt: skip
def test_quantities_are_those_of_kubernetes(text: str, value: str) -> None:
    assert quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["8GB", "8gi", "lots", "", "-1", "8 Gi", "32Gigs", "9e300"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", "", "no values of the Ollama chart"),
        ("image: {tag: 1}", "", "no values of the Ollama chart"),
        ("ollama: yes", "", "no values of the Ollama chart"),
        ("ollama:\n  gpu: {enabled: true}\nresources: {limits: {cpu: lots, memory: 1GB}}",
         "line 3", "`resources.limits.cpu`: `lots` is no quantity"),
        ("ollama:\n\tgpu: 1", "line 2", "is not YAML"),
        ("ollama: {gpu: {}}\nollama: {}", "line 2", "stands here twice"),
        ("{{ .Values }}", "line 1", "this key is no plain word"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(text: str, where: str, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        one(text)
    problem = caught.value.problems[0]
    assert problem.where == where
    assert message in problem.message
    assert problem.hint
    assert problem.source == "values.yaml"


@pytest.mark.parametrize(
    "text",
    [
        "services: {ollama: {image: ollama/ollama}}",
        "ollama: {url: http://localhost}",
        "extraEnv: [{name: LOG_LEVEL, value: debug}]",
    ],
)
def test_values_of_other_charts_are_refused(text: str) -> None:
    with pytest.raises(ProfileError) as error:
        read([Source("values.yaml", text)], Context(load_catalogue()))
    assert error.value.problems[0].message == "these are no values of the Ollama chart"


def test_values_that_only_set_variables_are_told_by_their_names() -> None:
    text = 'extraEnv:\n  - name: OLLAMA_DEBUG\n    value: "1"\n'
    (view,) = read([Source("values.yaml", text)], Context(load_catalogue()))
    assert [(v.name, v.value, v.place.line) for v in view.variables] == [("OLLAMA_DEBUG", "1", 3)]


@pytest.mark.parametrize("spelt", ["off", '"off"', "'off'"])
def test_a_fix_leaves_a_string(spelt: str) -> None:
    """Kubernetes refuses a manifest whose variable is a number or a Boolean."""
    text = f"extraEnv:\n  - name: OLLAMA_FLASH_ATTENTION\n    value: {spelt}\n"
    (view,) = read([Source("values.yaml", text)], Context(load_catalogue()))
    new = mended(found(boolean_misread, view), {"values.yaml": text})
    (entry,) = yaml.safe_load(new["values.yaml"])["extraEnv"]
    assert entry == {"name": "OLLAMA_FLASH_ATTENTION", "value": "0"}


def test_an_empty_item_among_the_models_is_a_line() -> None:
    seen = one("ollama:\n  models:\n    pull:\n      - qwen3:8b\n      -\n")
    empty = [line for line in seen.lines if line.name == "-"]
    assert [(line.section, line.place.line) for line in empty] == [("models.pull", 5)]


def test_values_of_another_chart_with_the_image_are_not_judged() -> None:
    with pytest.raises(NeedsMore):
        one("image:\n  repository: ollama/ollama\ngpu:\n  privileged: true\n")


HELMFILE = """\
repositories: [{name: otwld, url: https://otwld.github.io/ollama-helm}]
releases:
  - name: web
    chart: x/nginx
    values: [gone.yaml]
  - name: llm
    chart: otwld/ollama
    values:
      - base.yaml
      - ollama: {gpu: {enabled: true}}
    set:
      - {name: 'extraEnv[0].value', value: 2h}
"""


def test_a_release_of_a_helmfile_has_all_that_it_is_given() -> None:
    base = "extraEnv: [{name: OLLAMA_KEEP_ALIVE, value: 1h}]\n"
    context = Context(load_catalogue(), read={"x/base.yaml": base}.get)
    (view,) = read((Source("x/helmfile.yaml", HELMFILE),), context)
    assert [(v.value, v.place.line) for v in view.variables] == [("2h", 12)]
    assert view.acceleration == "cuda"
    assert view.not_judged == ()


def test_a_helmfile_names_what_is_not_at_hand() -> None:
    (view,) = read((Source("helmfile.yaml", HELMFILE),), Context(load_catalogue()))
    assert [gap.part for gap in view.not_judged] == ["`base.yaml`"]
    text = "releases:\n  - name: llm\n    chart: x/ollama\n    values: [{{ .Values.file }}]\n"
    with pytest.raises(NeedsMore):
        read((Source("helmfile.yaml", text),), Context(load_catalogue()))


def test_files_of_values_are_judged_with_the_helmfile_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "helmfile.yaml").write_text(HELMFILE)
    values = "ollama: {gpu: {enabled: false}}\nextraEnv: [{name: OLLAMA_MODLES, value: '1'}]\n"
    values += "persistentVolume: {enabled: true}\n"
    (tmp_path / "base.yaml").write_text(values)
    report = check(CheckRequest(paths=[str(tmp_path)]))
    assert [Path(one.place.file).name for one in report.findings if one.setting] == ["base.yaml"]
    assert report.not_judged == ()


@pytest.mark.parametrize(
    ("chart", "ours"),
    [
        ("otwld/ollama", True),
        ("ollama-helm/ollama", True),
        ("oci://ghcr.io/otwld/ollama-helm/ollama:1.2.3", True),
        ("./charts/ollama", False),
        ("charts/ollama", False),
        ("$DIR/charts/ollama", False),
        ("${path.module}/ollama", False),
        ("otwld/ollama-web", False),
        ("ollama", False),
    ],
)
def test_a_chart_in_a_folder_is_somebodys_own(chart: str, ours: bool) -> None:
    assert is_chart_of("ollama", chart) is ours
    assert is_chart_of("ollama", "ollama", repository=True)
