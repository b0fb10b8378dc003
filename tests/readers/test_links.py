"""Files with several names, links that lead elsewhere, and files that are named together."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from generator.check.reports import as_json
from tests.check.told import report
from tests.commands import called, run

BOX = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n    restart: always\n"
SETS = (
    "    volumes: [m:/root/.ollama]\n    environment: {OLLAMA_NUM_THREADS: '8'}\nvolumes: {m: }\n"
)
UNIT = "[Service]\nUser=ollama\nRestart=always\nExecStart=/usr/local/bin/ollama serve\n"


def told(found: Report, folder: Path) -> list[str]:
    return [
        f"{Path(p.place.file).relative_to(folder)} {p.place.line} {p.finding.rule}"
        for p in found.findings
    ]


def links(found: Report) -> dict[str, str]:
    return {
        Path(one["file"]).name: Path(one["same_as"]).name
        for one in json.loads(as_json(found))["links"]
    }


def named(folder: Path, *names: str) -> Report:
    return check(CheckRequest(paths=[str(folder / name) for name in names]))


@pytest.mark.parametrize(
    ("link", "file", "kept"),
    [
        ("docker-compose.yml", "compose.yaml", "compose.yaml"),
        ("compose.yaml", "docker-compose.yml", "docker-compose.yml"),
        # It is the link that Compose reads by itself.
        ("compose.yaml", "compose.prod.yaml", "compose.yaml"),
    ],
)
def test_a_file_and_a_link_beside_it_are_judged_once(
    link: str, file: str, kept: str, tmp_path: Path
) -> None:
    (tmp_path / link).symlink_to(file)
    other = link if kept == file else file
    for found in (report(tmp_path, {file: BOX + SETS}), named(tmp_path, link, file)):
        assert told(found, tmp_path) == [f"{kept} 6 HW101"]
        assert links(found) == {other: kept}
        assert found.judged == (str(tmp_path / kept),)
        assert not found.not_judged


def test_the_report_says_which_name_is_the_same_file(tmp_path: Path) -> None:
    report(tmp_path, {"compose.yaml": BOX})
    (tmp_path / "docker-compose.yml").symlink_to("compose.yaml")
    done = called("check", ".", "--fail-on", "not-judged", cwd=tmp_path)
    assert "docker-compose.yml: the same file as compose.yaml" in done.stdout
    assert done.returncode == 1


def test_an_alias_of_a_unit_is_that_unit_but_for_drop_ins_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "llm.service").symlink_to("ollama.service")
    (tmp_path / "gpt.service").symlink_to(tmp_path / "llm.service")
    files = {
        "ollama.service": UNIT + "Environment=OLLAMA_NUM_THREADS=8\n",
        "ollama.service.d/a.conf": "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=1d\n",
    }
    found = report(tmp_path, files)
    assert {*told(found, tmp_path)} == {"ollama.service 5 HW101", "ollama.service.d/a.conf 2 HW109"}
    assert len(found.findings) == 2
    assert links(found) == {"llm.service": "ollama.service", "gpt.service": "ollama.service"}
    found = report(
        tmp_path, {"llm.service.d/b.conf": "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=2d\n"}
    )
    assert "llm.service.d/b.conf 2 HW109" in told(found, tmp_path)
    assert told(found, tmp_path).count("ollama.service 5 HW101") == 1
    assert links(found) == {"gpt.service": "ollama.service"}


def test_a_path_that_is_written_in_two_ways_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(tmp_path, {"compose.yaml": BOX + SETS})
    monkeypatch.chdir(tmp_path)
    found = check(CheckRequest(paths=["compose.yaml", "./compose.yaml", "."]))
    assert [(p.place.file, p.place.line) for p in found.findings] == [("compose.yaml", 6)]


def test_a_path_from_the_root_is_the_file_that_another_one_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = BOX.replace("0.32.15", "0.12.6") + "    env_file: [a.env]\n"
    report(tmp_path, {"compose.yaml": older, "a.env": "OLLAMA_NUM_THREADS=4\n"})
    monkeypatch.chdir(tmp_path)
    for names in ([str(tmp_path / "a.env"), "compose.yaml"], ["compose.yaml", str(tmp_path)]):
        found = check(CheckRequest(paths=names))
        assert found.judged == ("a.env", "compose.yaml")
        (placed,) = (p for p in found.findings if p.finding.rule == "HW101")
        assert (placed.place.file, placed.edits) == ("a.env", ())


def test_a_link_in_another_folder_has_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod/compose.yaml").symlink_to("../compose.yaml")
    asks = BOX + SETS.replace("'8'", "'8', OLLAMA_KEEP_ALIVE: '${KEEP}'")
    found = report(tmp_path, {"compose.yaml": asks, ".env": "KEEP=5m\n", "prod/.env": "KEEP=1d\n"})
    assert sorted(told(found, tmp_path)) == ["compose.yaml 6 HW101", "prod/compose.yaml 6 HW109"]
    assert links(found) == {}


def test_links_that_lead_round_out_or_nowhere(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    report(outer, {"llm.service": UNIT + "Environment=OLLAMA_NUM_THREADS=8\n"})
    inner.mkdir()
    (inner / "ollama.service").symlink_to("ollama.socket")
    (inner / "ollama.socket").symlink_to("ollama.service")
    (inner / "a.service").symlink_to("../outer/llm.service")
    (inner / "b.service").symlink_to("a.service")
    found = report(inner, {})
    assert told(found, inner) == ["a.service 5 HW101"]
    assert {Path(gap.file).name for gap in found.not_judged} == {"ollama.service", "ollama.socket"}


def test_directories_to_which_links_lead(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    report(tmp_path / "outer", {"a.conf": "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=1d\n"})
    files = {"ollama.service": UNIT, "ollama/compose.yaml": BOX}
    report(inner, files)
    (inner / "ollama.service.d").symlink_to("../outer")
    (inner / "ollama-more").symlink_to("../outer")
    (inner / "result").symlink_to("../outer")
    (inner / "ollama-again").symlink_to("ollama")
    (inner / "ollama-round").symlink_to(".")
    found = report(inner, {})
    assert "ollama.service.d/a.conf 2 HW109" in told(found, inner)
    assert [(Path(g.file).name, g.hint) for g in found.not_judged] == [("ollama-more", "name it")]


def test_what_a_link_makes_a_file_of_a_kind_is_not_missed(tmp_path: Path) -> None:
    (tmp_path / "Vagrantfile").symlink_to("machine.of-ours")
    found = report(tmp_path, {"machine.of-ours": "x = <<A\nollama serve --port 1\nA\n"})
    assert told(found, tmp_path) == ["Vagrantfile 2 HW550"]
    assert not found.not_judged


def test_a_mended_link_stays_one(tmp_path: Path) -> None:
    report(tmp_path, {"compose.yaml": BOX + SETS})
    (tmp_path / "docker-compose.yml").symlink_to("compose.yaml")
    run("check", str(tmp_path), "--fix")
    assert (tmp_path / "docker-compose.yml").is_symlink()
    assert "LLAMA_ARG_THREADS" in (tmp_path / "compose.yaml").read_text()


NGINX = "http {\n  include times.conf;\n  server {\n    listen 80;\n    location / {\n"
NGINX += "      proxy_pass http://127.0.0.1:11434;\n    }\n  }\n}\n"
UNTIL = {"nginx.conf": NGINX, "times.conf": "proxy_read_timeout 5s;\n"}


def test_a_named_file_of_no_kind_is_judged_with_the_one_that_takes_it_in(tmp_path: Path) -> None:
    whole = report(tmp_path, UNTIL)
    found = named(tmp_path, "nginx.conf", "times.conf")
    assert "times.conf 1 HW223" in told(found, tmp_path)
    assert told(found, tmp_path) == told(whole, tmp_path)
    assert found.judged == (str(tmp_path / "nginx.conf"), str(tmp_path / "times.conf"))
    assert [p.finding.rule for p in named(tmp_path, "times.conf").findings] == ["HW000"]


@pytest.mark.parametrize("names", [("ollama.service", "ollama.env"), ("ollama.env",)])
def test_a_named_file_that_another_one_reads_is_judged_with_it(
    names: Sequence[str], tmp_path: Path
) -> None:
    unit = UNIT + "EnvironmentFile=/etc/ollama.env\n"
    report(tmp_path, {"ollama.service": unit, "ollama.env": "OLLAMA_NUM_PARALLEL 4\n"})
    assert told(named(tmp_path, *names), tmp_path) == ["ollama.env 1 HW553"]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("plan.json", '{\n  "schema_version": 2,\n  "name": "box",\n  "descr', 4),
        ("box.plan.json", '{"schema_version": 2, "name": "bo', 1),
        ("ollama.service", "[Unit]\nDescription=x\n\n[Serv", 4),
    ],
)
def test_what_is_cut_off_is_broken_in_a_directory_as_well(
    name: str, text: str, line: int, tmp_path: Path
) -> None:
    assert told(report(tmp_path, {name: text}), tmp_path) == [f"{name} {line} HW000"]
    assert told(named(tmp_path, name), tmp_path) == [f"{name} {line} HW000"]


@pytest.mark.parametrize("text", ['{"schema_version": 2, "name": "bo', '{"schema_version": 2}'])
def test_json_of_others_is_no_plan(text: str, tmp_path: Path) -> None:
    assert not told(report(tmp_path, {"mod.json": text}), tmp_path)


def test_rules_with_line_ends_of_windows_are_rules(tmp_path: Path) -> None:
    text = (
        "groups:\r\n- name: a\r\n  rules:\r\n  - alert: B\r\n    expr: ollama_queue_length > 1\r\n"
    )
    (tmp_path / "rules.yml").write_bytes(text.encode())
    assert told(report(tmp_path, {}), tmp_path) == ["rules.yml 5 HW646"]


def test_what_waits_for_its_name_says_so(tmp_path: Path) -> None:
    text = "extraEnv:\n  - name: OLLAMA_KEEP_ALIVE\n    value: 1d\n"
    (gap,) = report(tmp_path, {"more.yaml": text}).not_judged
    assert gap.reason.endswith("it is judged where you name it")
    assert told(named(tmp_path, "more.yaml"), tmp_path) == ["more.yaml 3 HW109"]
