"""Files of Alertmanager: judged beside what is about a server, and by what it refuses."""

from pathlib import Path

from generator.check.gather import CheckRequest, check
from tests.texts import manager, told

ROUTE = "route: {receiver: a}\n"
PLAIN = f"{ROUTE}receivers: [{{name: a, webhook_configs: [{{url: 'http://hook:1/'}}]}}]\n"
ALERTMANAGER = "  alertmanager: {image: 'prom/alertmanager:v0.34.0'}\n"


def test_who_hears_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, manager("  - {name: a}\n")) == {"HW574"}
    own = manager("  - {name: a, webhook_configs: [{url: 'http://localhost:5001/'}]}\n")
    assert not told(tmp_path, own)
    box = {"compose.yaml": f"services:\n{ALERTMANAGER}"}
    assert "HW574" in told(tmp_path, own | box)


def test_it_is_judged_beside_a_server_and_not_alone(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(ROUTE + "receivers: [{name: b}]\n", "utf-8")
    asked = CheckRequest(paths=[str(tmp_path)])
    assert not check(asked).findings
    (tmp_path / ".env").write_text("OLLAMA_KEEP_ALIVE=2h\n", "utf-8")
    assert [p.finding.rule for p in check(asked).findings] == ["HW577"]


def test_what_a_program_fills_in_is_left_alone(tmp_path: Path) -> None:
    text = PLAIN.replace("//hook", "//${HOOK}")
    assert told(tmp_path, {"alertmanager.yml": text}) == {"HW120"}
    assert not told(tmp_path / "made", {"alertmanager.yml.tmpl": text})
    start = {"start.sh": "envsubst < a > b\nollama list\n", "alertmanager.yml": text}
    assert "HW120" not in told(tmp_path, start)


def test_aliases_of_aliases_are_looked_into_once(tmp_path: Path) -> None:
    lists = "".join(f"x{n + 1}: &x{n + 1} [{', '.join([f'*x{n}'] * 9)}]\n" for n in range(12))
    text = f"{PLAIN}x0: &x0 ['${{HOOK}}']\n{lists}"
    assert "HW120" in told(tmp_path, {"alertmanager.yml": text})
