"""Replacements of kustomizations: a value of one resource in fields of others."""

import pytest

from tests.readers.test_kubernetes import POD, env, views

CONFIG = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    "data: {port: '9999', tag: 0.31.2, at: 'a:b:c'}\n"
)
WITH = f"{POD}      env: [{{name: A, value: 'x:y'}}]\n"


def told(source: str, target: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables of the pod, and what is not judged."""
    top = (
        "resources: [pod.yaml, c.yaml]\nreplacements:\n"
        f"  - source: {{kind: ConfigMap, name: c, {source}}}\n"
        f"    targets: [{{select: {{kind: Pod}}, {target}}}]\n"
    )
    beside = {"pod.yaml": WITH, "c.yaml": CONFIG}
    (view,) = views(top, beside=beside, name="kustomization.yaml")
    return env(view), [gap.part for gap in view.not_judged]


FIRST = "fieldPaths: ['spec.containers.[name=ollama].env.[name=A].value']"


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("fieldPath: data.port", FIRST, "9999"),
        ("fieldPath: data.port", "fieldPaths: [spec.containers.0.env.0.value]", "9999"),
        ("fieldPath: data.port", "fieldPaths: ['spec.containers.*.env.*.value']", "9999"),
        ("fieldPath: metadata.name", FIRST, "c"),
        ("fieldPath: data.at, options: {delimiter: ':', index: 1}", FIRST, "b"),
        ("fieldPath: data.port", f"{FIRST}, options: {{delimiter: ':', index: 1}}", "x:9999"),
    ],
)
def test_a_value_is_put_in_place(source: str, target: str, value: str) -> None:
    assert told(source, target) == ({"A": value}, [])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("fieldPath: data.none", FIRST),
        ("fieldPath: data.port", "fieldPaths: ['spec.containers.[name=none].image']"),
        ("fieldPath: data.port", f"{FIRST}, options: {{delimiter: ':', index: 7}}"),
        ("fieldPath: data.port", f"{FIRST}, reject: [{{kind: Pod}}]"),
    ],
)
def test_what_finds_no_place_is_named(source: str, target: str) -> None:
    assert told(source, target) == ({"A": "x:y"}, ["a patch"])


def test_a_field_that_is_not_there_is_made_where_that_is_asked() -> None:
    target = "fieldPaths: [spec.nodeName], options: {create: true}"
    assert told("fieldPath: data.port", target) == ({"A": "x:y"}, [])
