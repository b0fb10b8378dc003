"""What `systemctl show` prints, as systemd 252 does."""

import pytest

from generator.verify.manager import argv, held, quota, words

UNIT = "ollama.service"


def show(**values: str) -> str:
    return "".join(f"{key}={value}\n" for key, value in {"LoadState": "loaded", **values}.items())


def test_one_question_for_all() -> None:
    assert argv(UNIT)[:3] == ("systemctl", "show", UNIT)
    assert {"CPUQuotaPerSecUSec", "MemoryMax", "NeedDaemonReload"} <= {
        *argv(UNIT)[3][11:].split(",")
    }


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("infinity", None),
        ("500ms", 50),
        ("20s", 2000),
        ("1min 4s", 6400),
        ("1.500s", 150),
        ("", None),
        ("soon", None),
    ],
)
def test_a_quota(text: str, percent: int | None) -> None:
    assert quota(text) == percent


def test_what_it_holds() -> None:
    found = held(UNIT, show(
        MainPID="714", ControlGroup="/system.slice/ollama.service", NeedDaemonReload="yes",
        CPUQuotaPerSecUSec="500ms", CPUWeight="[not set]", MemoryMax="536870912",
        MemorySwapMax="infinity", TasksMax="100", LimitMEMLOCK="infinity", Nice="-5",
        AllowedCPUs="0-3 8", OOMScoreAdjust="-500",
        Environment='A=1 "B=two words" "C=say \\"x\\""', UnsetEnvironment="A",
        EnvironmentFiles="/etc/a.env (ignore_errors=no) ; /etc/b c.env (ignore_errors=yes)",
    ))  # fmt: skip
    assert found is not None
    assert (found.by, found.name, found.pid, found.stale) == ("systemd", UNIT, 714, True)
    assert found.cgroup == "/system.slice/ollama.service"
    assert found.variables == {"B": "two words", "C": 'say "x"'}
    assert found.files == ("/etc/a.env", "/etc/b c.env")
    assert found.limits == {
        "cpu_quota": 50, "cpu_weight": 100, "memory_max": 536870912, "memory_swap_max": None,
        "tasks_max": 100, "limit_memlock": None, "nice": -5, "allowed_cpus": "0-3 8",
        "oom_score_adjust": -500,
    }  # fmt: skip


@pytest.mark.parametrize("told", ["", show(LoadState="not-found"), "no such thing\n", "=\n=\n"])
def test_no_such_unit(told: str) -> None:
    assert held(UNIT, told) is None


@pytest.mark.parametrize("text", ["a 'b", 'A="x', "A=\\"])
def test_quotes_without_an_end(text: str) -> None:
    assert words(text) == text.split()
