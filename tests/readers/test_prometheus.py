"""Files of Prometheus: rules are held against the configuration beside or above them."""

from pathlib import Path

from generator.check.gather import CheckRequest, check
from tests.texts import checked, told

RULES = "groups:\n- name: ollama\n  rules:\n  - alert: a\n    expr: ollama_a > 1\n"
CONFIG = "scrape_configs:\n- job_name: {}\n  static_configs: [{{targets: ['{}']}}]\n"


def test_a_tree_is_judged_together(tmp_path: Path) -> None:
    for name, text in {
        "prometheus.yml": CONFIG.format("ollama", "ollama:11434"),
        "rules/llm.yml": RULES,
        "compose.yaml": "services:\n  a: {image: nginx}\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path)]))
    found = [(p.finding.rule, p.finding.severity) for p in report.findings]
    assert sorted(found) == [("HW565", "warning"), ("HW646", "warning")]


def test_a_broken_file_hides_no_other(tmp_path: Path) -> None:
    report = checked(tmp_path, {"a.yml": f"groups: 1\ngroups: 2\n{RULES}", "rules.yml": RULES})
    found = {(Path(p.place.file).name, p.finding.rule) for p in report.findings}
    assert found == {("a.yml", "HW000"), ("rules.yml", "HW646")}


def test_a_name_that_a_rule_records_is_there(tmp_path: Path) -> None:
    record = "  - record: ollama_a\n    expr: sum(haproxy_backend_current_queue)\n"
    assert not checked(tmp_path, {"rules.yml": RULES + record}).findings


def test_one_that_is_relabelled_asks_somebody_else(tmp_path: Path) -> None:
    more = "  relabel_configs: [{target_label: __address__, replacement: 'blackbox:9115'}]\n"
    text = CONFIG.format("probe", "ollama:11434") + more
    assert not checked(tmp_path, {"prometheus.yml": text}).findings


def test_promtail_has_jobs_and_is_another_program(tmp_path: Path) -> None:
    text = "server: {http_listen_port: 9080}\nclients: [{url: 'http://loki:3100'}]\n"
    job = CONFIG.format("ollama", "localhost") + "  pipeline_stages: [{docker: {}}]\n"
    assert told(tmp_path, {"promtail.yml": text + job}) == {"HW000"}
