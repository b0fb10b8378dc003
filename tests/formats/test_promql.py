"""PromQL and templates of alerts: any text is itself again once promtool has read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import RenderError
from generator.formats.promql import any_of, narrowed, plain_template, quoted, selector
from generator.formats.yaml import to_yaml
from tests.consumers import prometheus

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = (
    'a"b',
    "a\\b",
    "\\",
    'x"} or up{a="',
    "{{ $value }}",
    "}}{{",
    "{{{{",
    "$source ${source} $1",
    "é ü 模型 \U0001f916",
    "tab\tline\nend",
    "\x7f\x1b[31m\u2028",
    "a|b.c*",
    "`x`",
    "%s %d",
)


def test_what_needs_no_escape_has_none() -> None:
    assert selector("up", job="node", model="qwen3:14b") == 'up{job="node",model="qwen3:14b"}'
    assert selector("up") == "up"
    assert any_of("a", "b.c") == '"a|b\\\\.c"'


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_what_no_label_can_hold_is_refused(text: str) -> None:
    with pytest.raises(RenderError):
        quoted(text)


def test_grafana_finds_no_variable() -> None:
    assert not any("$" in quoted(text) for text in HOSTILE)


def test_any_text_is_itself_again(tmp_path: Path) -> None:
    """Of a selector `absent` makes the labels, of an annotation the alert its text."""
    rules: list[Any] = [
        {
            "alert": f"A{at}",
            "expr": f"absent({selector('nothing', a=text)})",
            "annotations": {"summary": plain_template(text)},
        }
        for at, text in enumerate(HOSTILE)
    ]
    tests: list[Any] = [
        {
            "interval": "1m",
            "input_series": [{"series": "up", "values": "1x5"}],
            "alert_rule_test": [
                {
                    "eval_time": "2m",
                    "alertname": f"A{at}",
                    "exp_alerts": [
                        {"exp_labels": {"a": text}, "exp_annotations": {"summary": text}}
                    ],
                }
            ],
        }
        for at, text in enumerate(HOSTILE)
    ]
    (tmp_path / "rules.yml").write_text(to_yaml({"groups": [{"name": "x", "rules": rules}]}))
    (tmp_path / "tests.yml").write_text(to_yaml({"rule_files": ["rules.yml"], "tests": tests}))
    assert prometheus.tested(tmp_path / "tests.yml") == []


def test_a_pattern_is_of_these_texts_alone(tmp_path: Path) -> None:
    rule: dict[str, Any] = {"alert": "A", "expr": f"up{{job=~{any_of(*HOSTILE)}}}"}
    series = [{"series": selector("up", job=text), "values": "1x5"} for text in HOSTILE]
    series.append({"series": 'up{job="aXb"}', "values": "1x5"})
    expected = [{"exp_labels": {"job": text}} for text in HOSTILE]
    asked = {"eval_time": "2m", "alertname": "A", "exp_alerts": expected}
    test: dict[str, Any] = {"interval": "1m", "input_series": series, "alert_rule_test": [asked]}
    (tmp_path / "rules.yml").write_text(to_yaml({"groups": [{"name": "x", "rules": [rule]}]}))
    (tmp_path / "tests.yml").write_text(to_yaml({"rule_files": ["rules.yml"], "tests": [test]}))
    assert prometheus.tested(tmp_path / "tests.yml") == []


def test_metrics_are_narrowed_and_texts_are_not() -> None:
    expr = 'sum(ha_up{a="ha_up{\\"ha_up"}) or ha_down > on() other_ha_x'
    assert narrowed(expr, "ha_", ns="x") == (
        'sum(ha_up{ns="x",a="ha_up{\\"ha_up"}) or ha_down{ns="x"} > on() other_ha_x'
    )
