"""HW565, HW573 to HW575, HW627, HW628, HW646 to HW649: what is asked of and around Ollama."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, checked, service, sides, told


def scrapes(target: str, more: str = "") -> Text:
    return {
        "prometheus.yml": "scrape_configs:\n  - job_name: llm\n"
        f"    static_configs: [{{targets: ['{target}']}}]\n{more}"
    }


def alert(expr: str, kind: str = "alert", more: str = "") -> Text:
    return {
        "rules.yml": f"groups:\n  - name: ollama\n    rules:\n      - {kind}: a\n"
        f"        expr: {expr}\n{more}"
    }


def asks(query: str) -> Text:
    return {
        "keda.yaml": "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s}\n"
        "spec:\n  scaleTargetRef: {name: ollama}\n  minReplicaCount: 1\n  triggers:\n"
        f'    - {{type: prometheus, metadata: {{query: "{query}"}}}}\n'
    }


def about(metric: str) -> str:
    return f"{metric}{{name='ollama'}} > 1"


THROTTLED = about("container_cpu_cfs_throttled_periods_total")

RULES = "rule_files: [rules.yml]\n"
TELLS = "alerting:\n  alertmanagers:\n    - static_configs:\n      - targets:\n"

# rule: (caught, left alone)
CASES: Cases = {
    "HW565": (
        (scrapes("ollama:11434"), scrapes("10.0.0.1:11434", "    metrics_path: /api/metrics\n"),
         {"prometheus.yml": "scrape_configs:\n  - job_name: llm\n    dns_sd_configs:\n"
          "      - {names: [tasks.ollama], port: 11434}\n"},
         scrapes("ollama:11434", "    metrics_path: /api/version\n")),
        (scrapes("ollama:9090"), scrapes("ollama-exporter:11434"), scrapes("router:11434")),
    ),
    "HW573": (
        (alert("up{job='ollama'} == 0") | scrapes("a:1"),),
        (alert("up{job='llm'} == 0") | scrapes("a:1"), alert("up{job='ollama'} == 0"),
         alert("up{job=~'ollama.*'} == 0") | scrapes("a:1"),
         alert("up{job='ollama'} == 0") | scrapes("a:1", "    honor_labels: true\n"),
         alert("up{job='ollama'} == 0", "record") | scrapes("a:1"),
         alert("up{job='ollama'} == 0") | scrapes("a:1", "scrape_config_files: [b.yml]\n")),
    ),
    "HW574": (
        (alert("up{job='llm'} == 0") | scrapes("a:1", RULES),
         alert("up{job='llm'} == 0") | scrapes("a:1", f"{RULES}{TELLS}          # - a:9093\n")),
        (alert("up{job='llm'} == 0") | scrapes("a:1"), scrapes("a:1", RULES),
         alert("up{job='llm'} == 0") | scrapes("a:1", f"{RULES}{TELLS}        - a:9093\n")),
    ),
    "HW575": (
        (alert("absent(container_last_seen{name=~'ollama|redis'})"),),
        (alert("absent(container_last_seen{name='ollama'})"),
         alert("absent(up{job=~'ollama.*'})"), alert("up{job=~'ollama|redis'} == 0")),
    ),
    "HW627": (
        (alert("rate(haproxy_backend_current_queue{proxy='ollama'}[5m]) > 4"),
         alert("sum(increase(vllm:num_requests_waiting[5m])) > 1  # ollama"),
         asks("sum(rate(haproxy_backend_current_sessions[1m])) or vector(0)")),
        (alert("avg_over_time(haproxy_backend_current_queue{proxy='ollama'}[5m]) > 4"),
         alert("rate(haproxy_backend_http_requests_total{proxy='ollama'}[5m]) > 4"),
         alert("rate(vllm:num_requests_waiting_total{model='ollama'}[5m]) > 4")),
    ),
    "HW628": (
        (alert("up{job='ollama'} == 0", more="        for: 5 minutes\n"),
         alert("up{job='ollama'} == 0", more="        keep_firing_for: 300\n"),
         alert("up{job='ollama'} == 0", more="    interval: 1m30\n")),
        (alert("up{job='ollama'} == 0", more="        for: 1h30m\n    interval: 15s\n"),
         alert("up{job='ollama'} == 0", more="        for: 0s\n"),
         alert("up{job='ollama'} == 0", more="        for: '{{ wait }}'\n")),
    ),
    "HW646": (
        (alert("ollama_queue_length > 10"), alert("sum(rate(ollama_requests_total[5m])) by (m)"),
         alert("ollama_queue_length > 10") | scrapes("ollama:11434")),
        (alert("up{job='ollama_main'} == 0"), alert("ollama_router_up == 0"),
         alert("haproxy_backend_current_queue{proxy='ollama_a'} > 4"),
         alert("ollama_queue_length > 10") | scrapes("ollama-exporter:9401"),
         alert("sum(x) by (ollama_model) > 1")),
    ),
    "HW647": (
        (alert("llamacpp:requests_deferred > 4  # ollama"),
         alert("vllm_num_requests_waiting{model='ollama'} > 4"),
         alert("haproxy_backend_http_responses_total{proxy='ollama',code='503'} > 0")),
        (alert("llamacpp:requests_processing > 4  # ollama"),
         alert("vllm:num_requests_waiting{model='ollama'} > 4"),
         alert("haproxy_backend_http_responses_total{proxy='ollama',code='5xx'} > 0"),
         alert("traefik_service_requests_total{service='ollama',code='503'} > 0")),
    ),
    "HW648": (
        (alert(THROTTLED) | service(),),
        (alert(THROTTLED), alert(THROTTLED) | service("cpus: 8"),
         alert("container_cpu_cfs_throttled_periods_total > 1  # ollama") | service(),
         alert(about("container_cpu_usage_seconds_total")) | service()),
    ),
    "HW649": (
        (alert(about("container_memory_usage_bytes")),
         alert("container_memory_usage_bytes{name=~'.+'} > 1  # ollama")),
        (alert(about("container_memory_rss")),
         alert(about("container_memory_usage_bytes"), "record")),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_it_is_sure_only_where_it_knows_what_is_asked(tmp_path: Path) -> None:
    alone = checked(tmp_path / "a", alert("ollama_queue_length > 10"))
    both = checked(tmp_path / "b", alert("ollama_queue_length > 10") | scrapes("node:9100"))
    assert [p.finding.severity for p in alone.findings] == ["info"]
    assert [p.finding.severity for p in both.findings] == ["warning"]


def test_of_rules_that_count_at_a_proxy_nothing_is_said(tmp_path: Path) -> None:
    files = alert("haproxy_backend_current_queue{proxy='ollama'} > 4") | scrapes("haproxy:8405")
    report = checked(tmp_path, files)
    assert (report.findings, report.not_judged) == ((), ())
