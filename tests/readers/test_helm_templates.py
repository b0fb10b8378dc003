"""Templates of a chart, read as manifests with the chart's own values."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report

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
