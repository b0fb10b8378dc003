"""Plans that are remembered, and those that an installed program carries."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from generator import pipeline
from generator.bench.remembered import text_of
from generator.errors import ProfileError
from generator.files import cache as kept
from generator.fit.measured import Measured
from generator.pipeline import plan_of
from generator.plan import Plan
from generator.profiles.load import read_document
from tests.commands import ROOT, process
from tests.profiles.bad import HEAD


def planned(name: str, overrides: Sequence[str] = (), version: str | None = None) -> Plan:
    return pipeline.plan_of(read_document(name, overrides), version=version)


class TestRemembering:
    def test_the_second_start_needs_no_pydantic(self, tmp_path: Path) -> None:
        env = {"XDG_CACHE_HOME": str(tmp_path), "HOSTWRIGHT_NO_CACHE": "0"}
        first = process("--profile", "xeon-cpu", env=env)
        code = (
            "import sys; from generator.cli import main\n"
            "try: main(['--profile', 'xeon-cpu'])\n"
            "finally: assert 'pydantic' not in sys.modules"
        )
        second = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.stderr == first.stderr
        assert second.stdout == first.stdout
        assert len(list((tmp_path / "hostwright/plans").iterdir())) == 1

    @pytest.mark.parametrize(
        "more",
        [("--set", "threads.count=8"), ("--ollama-version", "0.9"), ("--legacy-env",)],
    )
    def test_other_flags_are_another_plan(self, more: tuple[str, ...], tmp_path: Path) -> None:
        env = {"XDG_CACHE_HOME": str(tmp_path), "HOSTWRIGHT_NO_CACHE": "0"}
        first = process("plan", "xeon-cpu", env=env)
        assert process("plan", "xeon-cpu", *more, env=env).stdout != first.stdout

    def test_an_edited_profile_is_another_plan(self, tmp_path: Path) -> None:
        env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOSTWRIGHT_NO_CACHE": "0"}
        profile, base = tmp_path / "mine.toml", tmp_path / "base.toml"
        base.write_text('schema_version = 1\nname = "base"\n[threads]\ncount = 4\n')
        profile.write_text('schema_version = 1\nname = "mine"\nextends = "./base.toml"\n')
        assert '"4"' in process("plan", str(profile), env=env).stdout
        base.write_text('schema_version = 1\nname = "base"\n[threads]\ncount = 5\n')
        assert '"5"' in process("plan", str(profile), env=env).stdout

    def test_what_was_measured_of_a_watched_host_is_another_plan(self, tmp_path: Path) -> None:
        env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOSTWRIGHT_NO_CACHE": "0"}
        profile, beside = tmp_path / "mine.toml", tmp_path / "mine.measured.json"
        profile.write_text(
            'schema_version = 1\nname = "mine"\n[host]\ncpu = { cores = 8 }\n'
            '[[models]]\nname = "qwen3:4b"\n[monitor]\nenable = true\n'
        )
        for rate in (0, 40, 20):
            if rate:
                one = Measured(
                    model="qwen3:4b", quantisation="", digest="", release="", machine="8 cores",
                    date="2026-11-01", requests=9, slots=1, context=4096, cache_type="f16",
                    depth=9, decode=float(rate), low=1.0, high=99.0, prompt=1.0, size=0,
                    on_gpus=0, load=1.0,
                )  # fmt: skip
                beside.write_text(text_of([one]))
            for command in (("plan", str(profile)), ("render", str(profile), "-t", "plan")):
                text = process(*command, env=env).stdout
                assert (f'\\"qwen3:4b\\"}} < {rate // 2}"' in text) is bool(rate), (rate, command)
                assert ("no speed of this host is remembered" in text) is not bool(rate)
        beside.write_text("{}")
        broken = process("plan", str(profile), env=env)
        assert broken.returncode == 2
        assert "mine.measured.json" in broken.stderr

    def test_a_broken_memory_is_worked_out_again(self, tmp_path: Path) -> None:
        env = {"XDG_CACHE_HOME": str(tmp_path), "HOSTWRIGHT_NO_CACHE": "0"}
        first = process("plan", "xeon-cpu", env=env)
        (file,) = (tmp_path / "hostwright/plans").iterdir()
        whole = file.read_bytes()
        digest, _, plan = whole.partition(b"\n")
        for rubbish in (
            b"",
            b"{",
            b'{"schema_version": 1}',
            plan,
            whole[:-1],
            whole.replace(b'"port": 11434', b'"port": 11435'),
            whole.replace(b'"port": 11434', b'"port": [[]]'),
            digest + b"\n" + b"[" * 100_000,
        ):
            assert rubbish != whole
            file.write_bytes(rubbish)
            assert process("plan", "xeon-cpu", env=env).stdout == first.stdout

    def test_nothing_is_remembered_without_a_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HOME", "XDG_CACHE_HOME", kept.OFF):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(kept, "remember", lambda *_: pytest.fail("remembered"))
        assert planned("xeon-cpu").name == "xeon-cpu"


class TestPackagedPlans:
    """An installed program carries the Plans of the shipped profiles."""

    @pytest.fixture(autouse=True)
    def _installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        marked = json.loads((ROOT / "modules/plans/xeon-cpu.json").read_text())
        (tmp_path / "shipped/modules/plans").mkdir(parents=True)
        (tmp_path / "shipped/modules/plans/xeon-cpu.json").write_text(
            json.dumps({**marked, "description": "packaged"})
        )
        monkeypatch.setattr(pipeline, "_CODE", tmp_path)

    def test_they_answer_for_the_profile_as_shipped(self) -> None:
        assert planned("xeon-cpu").description == "packaged"

    def test_they_do_not_answer_for_flags(self) -> None:
        assert planned("xeon-cpu", ["threads.count=8"]).description != "packaged"
        assert planned("xeon-cpu", version="0.24").service.release == "0.24.0"

    def test_they_do_not_answer_for_another_text_of_that_name(self, tmp_path: Path) -> None:
        profile = tmp_path / "xeon-cpu.toml"
        profile.write_text('schema_version = 1\nname = "xeon-cpu"\ndescription = "mine"\n')
        assert planned(str(profile)).description == "mine"


@pytest.mark.parametrize(
    ("text", "flags", "where", "origin"),
    [
        ("", ["ollama.kv_cache_type=q9"], "ollama.kv_cache_type", "--set"),
        ('extends = "./base.toml"', [], "ollama.kv_cache_type", "base.toml"),
        ('ollama.kv_cache_type = "q9"', [], "ollama.kv_cache_type", "mine.toml"),
    ],
)
def test_an_error_of_meaning_names_the_file_or_flag_too(
    tmp_path: Path, text: str, flags: list[str], where: str, origin: str
) -> None:
    (tmp_path / "base.toml").write_text(HEAD + 'ollama.kv_cache_type = "q9"\n')
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + text)
    with pytest.raises(ProfileError) as caught:
        plan_of(read_document(str(file), flags))
    assert [(p.where, Path(p.source).name) for p in caught.value.problems] == [(where, origin)]


ALL_AT_ONCE = {
    "a misspelt key": "num_paralel = 2",
    "a value of another type": "num_parallel = 'two'",
    "an item of a list": "origins = [3]",
    "a number beyond 64 bits": "num_parallel = 99999999999999999999",
    "a number of too many digits": f"num_parallel = {'9' * 5000}",
}


@pytest.mark.parametrize("line", ALL_AT_ONCE.values(), ids=ALL_AT_ONCE)
def test_form_and_meaning_are_told_in_one_go(line: str, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text(f"{HEAD}[ollama]\n{line}\nkv_cache_type = 'q9'\n")
    with pytest.raises(ProfileError) as caught:
        planned(str(profile))
    told = [problem.where for problem in caught.value.problems]
    assert len(told) == 2
    assert told[1] == "ollama.kv_cache_type"


@pytest.mark.parametrize(
    "text",
    [
        "[ollama]\nversion = 'x.y'\nkv_cache_type = 'q9'\n",  # Of which release?
        "[host]\nmemory = 'much'\n[gpu]\nvisible_devices = [9]\n",  # Of which host?
        "[[models]]\nname = '-x'\n[ollama]\nkeep_alive = 'x'\n",  # A model without a name.
    ],
)
def test_what_follows_from_a_broken_value_is_not_told(text: str, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text(HEAD + text)
    with pytest.raises(ProfileError) as caught:
        planned(str(profile))
    told = [problem.where for problem in caught.value.problems]
    assert set(told) <= {"ollama.version", "host.memory", "models.0.name", "ollama.keep_alive"}


BROKEN = {
    "models.0.name": "extends = 'dgx-spark'\nengine = 'vllm'\n"
    "models = [{ name = 'a b', hf = 'a/b' }]\n",
    "scale.periods.0.begins.0": "[[scale.periods]]\nname = 'day'\nbegins = ['25:00']\n",
    "host.gpus.0.memory": "engine = 'vllm'\n[[host.gpus]]\nname = 'NVIDIA L4'\nmemory = 'x'\n"
    "[[models]]\nname = 'a'\nhf = 'a/b'\n",
    "front.kind": "[front]\nkind = 'cady'\n[scale]\nmax_replicas = 3\n",
}


def test_a_time_that_has_to_end_is_not_told_to_be_for_ever() -> None:
    with pytest.raises(ProfileError) as caught:
        plan_of(read_document("xeon-cpu", ["k8s.longest_answer=99999999999h"]))
    (problem,) = caught.value.problems
    assert problem.hint == "write a time like `5m`"


def test_pods_are_added_where_haproxy_tells_who_waits() -> None:
    sets = ["front.kind=caddy", "front.route_by_body=false", "scale.max_replicas=3"]
    with pytest.raises(ProfileError) as caught:
        plan_of(read_document("dual-pascal-pair", sets))
    assert ["haproxy" in one.hint for one in caught.value.problems] == [True]


@pytest.mark.parametrize(("where", "text"), BROKEN.items(), ids=BROKEN)
def test_only_what_is_broken_is_told(where: str, text: str, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text(HEAD + text)
    with pytest.raises(ProfileError) as caught:
        planned(str(profile))
    assert [problem.where for problem in caught.value.problems] == [where]
