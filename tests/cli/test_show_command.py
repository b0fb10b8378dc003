"""`gen show`: every setting with its reason."""

import json
from pathlib import Path

import pytest

from generator.cli.plan_command import _to_look_at
from generator.cli.writing import print_patch
from generator.errors import ProfileError
from generator.pipeline import plan_of
from generator.profiles.load import read_document
from generator.rules.registry import every_rule
from tests.commands import run


@pytest.mark.parametrize("verb", ["render", "show"])
def test_what_a_target_cannot_express_is_silenced_too(verb: str, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    text = 'schema_version = 1\nname = "mine"\n[resources]\nnice = 5\n'
    profile.write_text(text)
    asked = (verb, str(profile), "-t", "compose")
    assert "HW601" in run(*asked).stderr
    profile.write_text(text + '[check]\nignore = [{ rule = "HW601", reason = "no matter" }]\n')
    assert "HW601" not in run(*asked).stderr
    findings = json.loads(run(*asked, "--json").stdout)["findings"]
    assert {f["ignored"] for f in findings if f["rule"] == "HW601"} == {"no matter"}


def test_show_gives_every_setting_its_reason() -> None:
    data = json.loads(run("show", "xeon-cpu", "--json").stdout)
    settings = {row["setting"]: row for row in data["settings"]}
    assert settings["CPUQuota"]["value"] == "2000%"
    assert "OLLAMA_NUM_THREADS" in settings["LLAMA_ARG_THREADS"]["why"]
    assert {"HW201", "HW203"} <= {finding["rule"] for finding in data["findings"]}
    assert all(row["why"] for row in data["settings"])


def test_show_says_what_a_target_leaves_out() -> None:
    told = run("show", "dual-pascal", "-t", "compose")
    assert "compose leaves out" in told.stdout
    assert "service.resume_fix" in told.stdout
    assert "HW601 service.resume_fix" in told.stderr
    plain = run("show", "dual-pascal")
    assert "leaves out" not in plain.stdout + plain.stderr


def left_out(*args: str) -> dict[str, str]:
    rows = json.loads(run("show", *args, "--json").stdout)["left_out"]
    found = {row["what"]: row["why"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_what_a_target_writes_of_this_profile_is_not_said_to_be_left_out(tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text(
        'schema_version = 1\nname = "mine"\n[ollama]\nopen_firewall = true\nhost = "0.0.0.0"\n'
        '[resources]\nallowed_cpus = "0-3"\nnice = 5\noom_score_adjust = -5\n'
    )
    asked = (str(profile), "-t", "quadlet")
    resources = {"resources.allowed_cpus", "resources.oom_score_adjust"}
    rootful = left_out(*asked)
    assert not {key for key in rootful if key.startswith("resources.")}
    assert "past the firewall" in rootful["open_firewall"]
    rootless = left_out(*asked, "--set", "container.rootless=true")
    assert {key for key in rootless if key.startswith("resources.")} == resources
    assert "as a user" in rootless["open_firewall"]


def test_show_toml_prints_a_profile_that_gives_the_same_plan(tmp_path: Path) -> None:
    flags = ("--set", "threads.count=8", "--set", "ollama.env.A=b")
    merged = tmp_path / "merged.toml"
    merged.write_text(run("show", "dual-pascal", "--toml", *flags).stdout)
    first = json.loads(run("plan", "dual-pascal", *flags).stdout)
    second = json.loads(run("plan", str(merged)).stdout)
    assert (first["header"][1], first["services"]) == (second["header"][1], second["services"])
    named = {"source": "", "header": ""}
    assert {**second, **named} == {**first, **named}


def test_one_may_insist_on_secrets(tmp_path: Path) -> None:
    """As by ignoring the rule, for the output is clean, too, and `gen show` hides them."""
    path = tmp_path / "p.toml"
    own = '[[check.ignore]]\nrule = "HW210"\nreason = "so"\n'
    path.write_text(
        f'schema_version = 1\nname = "p"\n[ollama.env]\nHF_TOKEN = "hf_abcdefghijkl"\n{own}'
    )
    assert isinstance(run("plan", str(path)).exception, ProfileError)
    done = run("plan", str(path), "--allow-plain-secrets")
    assert "hf_abcdefghijkl" in done.stdout
    ignored = [each["rule"] for each in json.loads(done.stdout)["silences"]]
    assert ignored[:2] == ["HW210", "HW406"]
    assert all(every_rule()[rule].secret for rule in ignored[1:])
    assert "hf_abc" not in run("show", str(path), "--allow-plain-secrets").stdout
    out = str(tmp_path / "out")
    wrote = run("render", str(path), "-t", "all", "-o", out, "--allow-plain-secrets")
    assert wrote.exit_code == 0, wrote.stderr
    done = run("check", out)
    assert "HW406" not in done.stdout
    assert "ignored" in done.stdout


def test_a_command_in_a_readme_names_a_secret_alone(tmp_path: Path) -> None:
    path, out = tmp_path / "p.toml", tmp_path / "out"
    path.write_text('schema_version = 1\nname = "p"\n[ollama.env]\nHF_TOKEN = "hf_abcdefghijkl"\n')
    run("render", str(path), "-t", "compose", "-o", str(out), "--allow-plain-secrets")
    text = (out / "compose" / "README.md").read_text()
    assert "hf_abc" not in text
    assert "  --env HF_TOKEN \\\n" in text
    assert "# Export before, as nobody should see it here: HF_TOKEN." in text


def test_a_patch_on_a_terminal_has_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patch = ' Environment="OLLAMA_API_KEY=0123456789"\n-Environment=A=b\n'
    print_patch(patch)
    assert capsys.readouterr().out == patch  # as `git apply` takes it
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_patch(patch)
    assert "0123456789" not in (told := capsys.readouterr().out)
    assert "OLLAMA_API_KEY=***" in told


def test_a_plan_on_a_terminal_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.toml"
    path.write_text('schema_version = 1\nname = "p"\n[ollama.env]\nHF_TOKEN = "hf_abcdefghijkl"\n')
    plan = plan_of(read_document(str(path)), allow_plain_secrets=True)
    assert "hf_abcdefghijkl" in str(_to_look_at(plan))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "hf_abc" not in str(_to_look_at(plan))


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_secret_that_a_profile_insists_on_is_not_shown(more: list[str], tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'schema_version = 1\nname = "p"\n[ollama.env]\nHF_TOKEN = "hf_abcdefghijkl"\n'
        'HTTPS_PROXY = "http://user:geheim@proxy:3128"\n'
        '[[check.ignore]]\nrule = "HW406"\nreason = "a lab"\n'
    )
    shown = run("show", str(path), *more)
    assert "HF_TOKEN" in shown.stdout
    assert "proxy:3128" in shown.stdout
    assert "hf_abc" not in shown.stdout + shown.stderr
    assert "geheim" not in shown.stdout + shown.stderr
