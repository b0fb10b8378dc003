"""Boots the hosts of `nixos-test.nix`, and asks systemd and Ollama what they run."""
# ruff: noqa: F821, S101 -- the driver gives `Machine`, the machines and `subtest`.

import shlex

MODELS = ("qwen2.5-coder:7b", "deepseek-r1:7b", "llama3.1:8b")


def shown(machine: Machine, name: str) -> str:
    """Return what systemd says of the server."""
    told: str = machine.succeed(f"systemctl show ollama.service --value -p {name}")
    return told.strip()


def variables(machine: Machine) -> set[str]:
    """Return the variables that the server has got."""
    told: str = machine.succeed(f"tr '\\0' '\\n' </proc/{shown(machine, 'MainPID')}/environ")
    return set(told.splitlines())


def is_up(machine: Machine) -> None:
    """Wait until the server answers."""
    machine.wait_for_unit("ollama.service")
    machine.wait_for_open_port(11434)
    machine.succeed("curl --fail --silent http://127.0.0.1:11434/api/version")


def switch(system: str) -> str:
    """Return the command that makes the host that system until it boots again."""
    return f"/run/booted-system/{system}bin/switch-to-configuration test"


def loads(machine: Machine, model: str) -> None:
    """Wait until the warm-up has loaded the model."""
    machine.wait_until_succeeds(f"ollama ps | grep --fixed-strings {shlex.quote(model + ' ')}")


with subtest("the profile is what runs"):
    is_up(plain)
    assert shown(plain, "MemoryMax") == str(2**30)
    assert shown(plain, "CPUQuotaPerSecUSec") == "2s"
    expected = {
        "LLAMA_ARG_THREADS=2",
        "OLLAMA_CONTEXT_LENGTH=8192",
        "OLLAMA_KV_CACHE_TYPE=q8_0",
        "OLLAMA_NUM_PARALLEL=4",
    }
    assert expected <= variables(plain), expected - variables(plain)
    for model in MODELS:
        plain.wait_until_succeeds(f"ollama show {model}")
    plain.shutdown()

with subtest("a drop-in of the host comes after the profile"):
    is_up(overridden)
    assert "60-mine.conf" in shown(overridden, "DropInPaths")
    assert shown(overridden, "MemoryMax") == str(768 * 2**20)
    assert shown(overridden, "CPUQuotaPerSecUSec") == "2s"
    assert {"OLLAMA_KEEP_ALIVE=24h", "LLAMA_ARG_THREADS=2"} <= variables(overridden)
    overridden.shutdown()

with subtest("models lie in a directory of their own, which their user owns"):
    is_up(owned)
    assert shown(owned, "User") == "llm"
    assert "OLLAMA_MODELS=/srv/models" in variables(owned)
    assert owned.succeed("stat -c %U:%G /srv/models").strip() == "llm:llm"
    for model in MODELS:
        owned.wait_until_succeeds(f"ollama show {model}")
    owned.succeed("stat -c %U:%G /srv/models/blobs/sha256-* | grep --line-regexp llm:llm")
    owned.shutdown()

with subtest("what is pulled is created with its parameters, and loaded"):
    is_up(upgraded)
    asked = "ollama show qwen2.5-coder:7b-tuned --parameters"
    upgraded.wait_until_succeeds(f"{asked} | grep -E '^num_thread +2 *$'")
    loads(upgraded, "qwen2.5-coder:7b-tuned")
    assert "LLAMA_ARG_THREADS=2" not in variables(upgraded)

with subtest("a package of another era brings the plan of that era"):
    before = shown(upgraded, "MainPID")
    upgraded.succeed(switch("specialisation/newer/"))
    is_up(upgraded)
    assert shown(upgraded, "MainPID") != before
    assert "LLAMA_ARG_THREADS=2" in variables(upgraded)
    upgraded.fail("systemctl cat ollama-create.service")
    loads(upgraded, "qwen2.5-coder:7b")
    upgraded.shutdown()

with subtest("a switch to a server that never answers fails, and one back does not"):
    is_up(gated)
    status, said = gated.execute(f"{switch('specialisation/silent/')} 2>&1")
    assert status != 0, said
    assert "ollama.service" in said, said
    gated.succeed(switch(""))
    is_up(gated)
