"""`modules/system-manager.nix` against the `systemd` target, unit by unit, through systemd."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from generator.codec import to_dict
from generator.plan import Plan
from generator.targets import load_target
from tests.consumers import nix, system_manager, systemd
from tests.consumers.effective import ConsumerError, Effective
from tests.consumers.system_manager import MODULE, host
from tests.plans import ALONE, RELEASES, plan, shipped

UNITS = "etc/systemd/system"
DROP_IN = "systemd/system/ollama.service.d/50-hostwright.conf"
APPLY = "hostwright-apply.service"
XEON = '  hostwright.profile = "xeon-cpu";\n'
# Where a file lies, and what is told of it beside what it says.
PLACES = ("Fragment Path", "DropIn Path", "Name", "Unit", "Description")


def planned(folder: Path, plan: Plan, body: str = "") -> Path:
    """Write a host with `plan`."""
    (folder / "plan.json").write_text(json.dumps(to_dict(plan)), encoding="utf-8")
    return host(folder, f"  hostwright.profile = {folder}/plan.json;\n{body}")


def read(folder: Path, body: str, unit: str = nix.SERVICE) -> Effective:
    return system_manager.read(host(folder, body), unit=unit)


def triggers(folder: Path, body: str) -> str:
    text = system_manager.evaluate(host(folder, body))["units"][APPLY]
    found = re.search(r"(?m)^X-Restart-Triggers=(\w+)$", text)
    assert found
    return found[1]


# ── the same as the systemd target ────────────────────────────────────────────────────────────


def told(found: Effective) -> dict[str, Any]:
    """Everything that systemd tells of a service; the places of files and of their texts aside."""
    calls = [line.split() for line in found.extra["fields"].get("SystemCallFilter", [])]
    fields = {
        key: sorted(v.replace(f"{APPLY} (origin-file)", "").strip() for v in values)
        for key, values in found.extra["fields"].items()
        if key not in PLACES
    }
    commands = {
        kind: [re.sub(r"/\S*Modelfile\S*", "Modelfile", line) for line in lines]
        for kind, lines in found.extra["exec"].items()
    }
    return {
        "environment": found.environment,
        "exec": commands,
        "fields": {key: [v for v in values if v] for key, values in fields.items()}
        # They are told in an order of their own.
        | {"SystemCallFilter": [sorted(words) for words in calls if words]},
    }


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def wanted_by(unit: Path) -> list[str]:
    return [
        word
        for line in re.findall(r"(?m)^WantedBy=(.*)$", unit.read_text())
        for word in line.split()
    ]


def check(plan: Plan, folder: Path, lib: Path | None = None) -> None:
    rendered = folder / "rendered"
    for file in load_target("systemd").render(plan):
        path = rendered / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    answer = system_manager.evaluate(planned(folder, plan), lib=lib)
    ours, theirs = folder / "ours", rendered / UNITS
    system_manager.write_units(answer, ours)
    jobs = [path.name for path in sorted(theirs.glob("*.service"))]
    assert sorted(answer["units"]) == sorted([APPLY, *jobs])
    for unit in (nix.SERVICE, *jobs):
        assert told(systemd.read(ours, unit)) == told(systemd.read(theirs, unit)), unit
    assert {unit: answer["wanted_by"][unit] for unit in jobs} == {
        unit: wanted_by(theirs / unit) for unit in jobs
    }
    assert systemd.verify(ours, sorted(answer["units"])) == []
    same_files(answer, rendered / "etc")


def same_files(answer: dict[str, Any], etc: Path) -> None:
    """Compare what loads modules and makes directories."""
    loads = etc / "modules-load.d/hostwright-ollama.conf"
    text = answer["etc"].get("modules-load.d/hostwright-ollama.conf", "")
    assert lines(text) == (lines(loads.read_text()) if loads.exists() else [])
    made = etc / "tmpfiles.d/hostwright-ollama.conf"
    assert answer["tmpfiles"] == (lines(made.read_text()) if made.exists() else [])


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("name", ALONE)
def test_a_plan_gives_the_units_of_the_systemd_target(
    name: str, version: str, tmp_path: Path
) -> None:
    check(shipped(name, version=version), tmp_path)


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("name", ALONE)
def test_so_it_does_by_the_real_library(name: str, version: str, tmp_path: Path) -> None:
    check(shipped(name, version=version), tmp_path, lib=nix.nixpkgs_lib())


def test_so_it_does_with_everything_set(tmp_path: Path) -> None:
    data: dict[str, Any] = {
        "ollama": {"host": "::1", "models_dir": "/srv/models", "env": {"FOO": "50% $x \"'\\"}},
        "resources": {
            "cpu_quota": "350%",
            "cpu_weight": 200,
            "io_weight": 50,
            "allowed_cpus": "0-3",
            "memory_max": "7G",
            "memory_high": "6G",
            "memory_swap_max": "0",
            "nice": 5,
            "tasks_max": 512,
            "limit_memlock": "infinity",
            "oom_score_adjust": -200,
        },
        "threads": {"count": 3},
        "models": [{"name": "phi4", "preload": True, "parameters": {"num_ctx": 4096}}],
        "service": {"user": "me", "group": "us", "home": "/srv/home", "binary": "/opt/ollama"},
    }
    check(plan(data), tmp_path)


# ── what a host changes ───────────────────────────────────────────────────────────────────────


class TestOverrides:
    def test_one_resource_leaves_the_others(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + '  hostwright.resources.memoryMax = "24G";')
        limits = (found.memory_max, found.cpu_quota_percent, found.cpu_weight)
        assert limits == (24 * 2**30, 2000, 100)

    def test_a_limit_can_be_taken_away_and_added(self, tmp_path: Path) -> None:
        body = "  hostwright.resources = { memoryMax = null; tasksMax = 512; };"
        found = read(tmp_path, XEON + body)
        assert found.memory_max is None
        assert found.extra["fields"]["TasksMax"] == ["512"]

    def test_threads_reach_every_lever(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + "  hostwright.threads = 12;").environment
        assert found["LLAMA_ARG_THREADS"] == found["OMP_NUM_THREADS"] == "12"

    def test_a_variable_can_be_added_changed_and_unset(self, tmp_path: Path) -> None:
        body = (
            "  hostwright.settings = { OLLAMA_KV_CACHE_TYPE = null; "
            'OLLAMA_NUM_PARALLEL = "2"; FOO = "1"; };'
        )
        found = read(tmp_path, XEON + body).environment
        assert "OLLAMA_KV_CACHE_TYPE" not in found
        assert (found["OLLAMA_NUM_PARALLEL"], found["FOO"]) == ("2", "1")
        assert found["OLLAMA_CONTEXT_LENGTH"] == "8192"

    def test_a_reason_goes_with_the_value_that_it_is_for(self, tmp_path: Path) -> None:
        body = '  hostwright.resources.cpuQuota = "1200%";'
        text = system_manager.evaluate(host(tmp_path, XEON + body))["etc"][DROP_IN]
        assert "\nCPUQuota=1200%\n# Share of CPU time under contention" in text
        assert "20 of 24 hardware threads" not in text

    def test_models_add_up_and_are_pulled_before_others_are_made(self, tmp_path: Path) -> None:
        body = '  hostwright.models = [ "phi4" "llama3.1:8b" ];'
        pull = read(tmp_path, XEON + body, "ollama-pull.service").extra["exec"]["ExecStart"]
        assert [line.split()[-1] for line in pull].count("phi4") == 1
        assert len(pull) == 4
        decided = planned(tmp_path, shipped("xeon-cpu", version="0.9"))
        create = system_manager.read(decided, unit="ollama-create.service").extra
        assert "ollama-pull.service (origin-file)" in create["fields"]["After"]

    def test_a_plan_without_models_can_have_them(self, tmp_path: Path) -> None:
        chosen = 'models = [ "phi4" ]'
        body = f"  hostwright = {{ {chosen}; warmup = {{ enable = true; {chosen}; }}; }};"
        units = system_manager.evaluate(planned(tmp_path, plan({}), body))["units"]
        assert sorted(units) == [APPLY, "ollama-pull.service", "ollama-warmup.service"]
        assert "After=ollama.service ollama-pull.service\n" in units["ollama-warmup.service"]

    def test_the_jobs_ask_where_the_server_listens(self, tmp_path: Path) -> None:
        body = '  hostwright.ollama = { host = "fe80::1%eth0"; port = 8000; };'
        for unit in (nix.SERVICE, "ollama-pull.service"):
            found = read(tmp_path, XEON + body, unit)
            assert found.environment["OLLAMA_HOST"] == "[fe80::1%eth0]:8000"

    def test_a_models_directory_gets_an_owner(self, tmp_path: Path) -> None:
        found = read(tmp_path, XEON + '  hostwright.ollama.modelsDir = "/srv/m";')
        assert found.environment["OLLAMA_MODELS"] == "/srv/m"
        assert found.extra["fields"]["User"] == ["ollama"]
        assert found.extra["answer"]["tmpfiles"] == ["d /srv/m 0750 ollama ollama"]

    def test_disabled_it_does_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "host.nix"
        file.write_text(f"{{ imports = [ {MODULE} ]; }}")
        answer = system_manager.evaluate(file)
        assert (answer["etc"], answer["units"], answer["preflight"]) == ({}, {}, [])


# ── when the server restarts ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        "threads = 12;",
        'resources.memoryMax = "24G";',
        'settings.OLLAMA_KEEP_ALIVE = "24h";',
        "settings.OLLAMA_KV_CACHE_TYPE = null;",
        'models = [ "phi4" ];',
        'warmup = { enable = true; models = [ "llama3.1:8b" ]; };',
    ],
)
def test_a_change_restarts_the_server(change: str, tmp_path: Path) -> None:
    assert triggers(tmp_path, XEON + f"  hostwright.{change}") != triggers(tmp_path, XEON)


def test_a_reason_in_other_words_does_not(tmp_path: Path) -> None:
    data = to_dict(shipped("xeon-cpu"))
    (tmp_path / "one.json").write_text(json.dumps(data), encoding="utf-8")
    data["services"][0]["limits"][0]["reason"] = "Better put."
    (tmp_path / "two.json").write_text(json.dumps(data), encoding="utf-8")
    one, two = (f"  hostwright.profile = {tmp_path}/{name}.json;" for name in ("one", "two"))
    assert triggers(tmp_path, one) == triggers(tmp_path, two)


def test_the_restart_waits_for_nothing_and_nothing_waits_for_a_pull(tmp_path: Path) -> None:
    answer = system_manager.evaluate(host(tmp_path, XEON))
    apply = answer["units"][APPLY]
    assert "Before=ollama.service\n" in apply
    assert "ExecStart=/usr/bin/systemctl --no-block try-restart ollama.service\n" in apply
    assert "RemainAfterExit=true\n" in apply
    assert "Environment=" not in apply
    assert answer["wanted_by"][APPLY] == ["system-manager.target"]
    assert "X-RestartIfChanged=false\n" in answer["units"]["ollama-pull.service"]


def test_the_header_is_that_of_the_targets(tmp_path: Path) -> None:
    plan = shipped("dual-pascal")
    text = system_manager.evaluate(planned(tmp_path, plan))["etc"][DROP_IN]
    assert text.splitlines()[:2] == [f"# {line}" for line in plan.header]
    assert "# Not set: OLLAMA_NUM_GPU=999" in text


def test_a_build_of_ones_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConsumerError, match="asks for a build of Ollama"):
        system_manager.read(planned(tmp_path, plan({"ollama": {"build": {"blas": "openblas"}}})))


def test_secrets_go_by_reference_as_in_the_systemd_target(tmp_path: Path) -> None:
    handed = {
        "id_ed25519": {"path": "/etc/k.cred", "encrypted": True},
        "SSL_CERT_FILE": {"path": "/etc/ca"},
    }
    files = ["/run/secrets/a.env", "/run/secrets/b.env"]
    check(plan({"service": {"credentials": handed, "environment_files": files}}), tmp_path)
