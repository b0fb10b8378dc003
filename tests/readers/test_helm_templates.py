"""Templates of a chart, read as manifests with the chart's own values."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from generator.readers.kubernetes.conditions import holds
from generator.readers.syntax.yaml_tree import Node, Scalar
from generator.view import Place

POD = """\
{{{{- if .Values.enabled }}}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{{{ include "x.fullname" . }}}}
  labels:
    {{{{- include "x.labels" . | nindent 4 }}}}
spec:
  selector:
    matchLabels: {{{{- include "x.selector" . | nindent 6 }}}}
  template:
    metadata:
      labels:
        {{{{- include "x.selector" . | nindent 8 }}}}
    spec:
      containers:
        - name: {{{{ .Chart.Name }}}}
          image: "{{{{ .Values.image.repository }}}}:{{{{ .Values.image.tag | default .Chart.AppVersion }}}}"
          env:
            - name: OLLAMA_KEEP_ALIVE
              value: {{{{ .Values.keep | quote }}}}
            - name: OLLAMA_HOST
              value: {{{{ .Values.host }}}}
          volumeMounts:
            - name: data
              mountPath: /root/.ollama
{}
{{{{- end }}}}
"""  # noqa: E501
VALUES = "image: {repository: ollama/ollama}\nkeep: 2d\n"
CHART = "apiVersion: v2\nname: llm\nversion: 1.0.0\nappVersion: 0.32.15\n"
NONE = "      nodeSelector: {}"
OWN = "      volumes:\n        - name: data\n          emptyDir: {}"
GIVEN = "      volumes:\n        {{- toYaml .Values.volumes | nindent 8 }}"


def checked(folder: Path, volumes: str) -> Report:
    (folder / "templates").mkdir()
    (folder / "templates/deployment.yaml").write_text(POD.format(volumes))
    (folder / "values.yaml").write_text(VALUES)
    (folder / "Chart.yaml").write_text(CHART)
    return check(CheckRequest(paths=[str(folder / "templates/deployment.yaml")]))


@pytest.mark.parametrize(
    ("volumes", "found"),
    [
        (NONE, ["21 HW109", "25 HW615"]),
        (OWN, ["21 HW109", "25 HW518"]),
        # What the values put in, may be the volume.
        (GIVEN, ["21 HW109"]),
    ],
)
def test_a_template_is_judged_by_what_stands_there(
    tmp_path: Path, volumes: str, found: list[str]
) -> None:
    report = checked(tmp_path, volumes)
    assert sorted(f"{p.place.line} {p.finding.rule}" for p in report.findings) == found
    assert [gap.line for gap in report.not_judged if gap.part == "values"] == [23]
    assert any("functions" in gap.part for gap in report.not_judged)


def test_what_is_no_yaml_all_the_same_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD.format("   - {{ .Values.x }}: ["))
    report = check(CheckRequest(paths=[str(tmp_path / "a.yaml")]))
    assert report.findings == ()
    assert [gap.part for gap in report.not_judged] == [""]


PARTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: llm}
spec:
  selector: {matchLabels: {app: llm}}
  template:
    spec:
      containers:
        - name: ollama
          image: "{{ .Values.ollama.image }}"
          {{- with .Values.ollama.env }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          resources: {{- toYaml .Values.ollama.resources | nindent 12 }}
          volumeMounts:
            - name: data
              mountPath: /root/.ollama
      volumes:
        - name: data
          {{- if and .Values.keep (eq .Values.kind "claim") }}
          persistentVolumeClaim: {claimName: models}
          {{- else }}
          emptyDir: {}
          {{- end }}
"""
GIVEN_PARTS = """\
ollama:
  image: ollama/ollama:0.32.15
  env:
    - name: OLLAMA_NUM_THREADS
      value: "4"
  resources:
    limits:
      cpu: "2"
keep: {}
kind: {}
"""


@pytest.mark.parametrize(
    ("keep", "kind", "found"),
    [
        ("true", "claim", ["values.yaml:4 HW101", "values.yaml:8 HW213"]),
        ("true", "none", ["a.yaml:17 HW518", "values.yaml:4 HW101", "values.yaml:8 HW213"]),
        ("false", "claim", ["a.yaml:17 HW518", "values.yaml:4 HW101", "values.yaml:8 HW213"]),
    ],
)
def test_parts_of_the_values_stand_where_the_template_puts_them(
    tmp_path: Path, keep: str, kind: str, found: list[str]
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/a.yaml").write_text(PARTS)
    (tmp_path / "values.yaml").write_text(GIVEN_PARTS.format(keep, kind))
    report = check(CheckRequest(paths=[str(tmp_path / "templates/a.yaml")]))
    lines = [f"{Path(p.place.file).name}:{p.place.line} {p.finding.rule}" for p in report.findings]
    assert sorted(lines) == found


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (".Values.on", True),
        ("not .Values.on", False),
        ("and .Values.on (not .Values.off)", True),
        ("or .Values.off .Values.gone", False),
        ('ne .Values.word "x"', False),
        ("eq .Values.word", False),
        ("hasKey .Values.on", None),
        (".Capabilities.x", None),
        ("and (", None),
        ("not", None),
        ("", None),
    ],
)
def test_conditions_are_decided_as_far_as_values_tell(
    condition: str, expected: bool | None
) -> None:
    place = Place("values.yaml", 1)
    told: dict[str, Node] = {
        ".Values.on": Scalar("true", place), ".Values.off": Scalar("0", place),
        ".Values.word": Scalar("x", place),
    }  # fmt: skip

    def value(name: str) -> Node | None:
        if not name.startswith(".Values."):
            raise LookupError(name)
        return told.get(name)

    assert holds(condition, value) is expected
