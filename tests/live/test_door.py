"""The door to other programs: it hands in nothing, waits no longer, and leaves nobody behind."""

import os
import sys
import time
from pathlib import Path

import pytest

from generator.errors import EnvironmentFailure
from generator.live.door import ask


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_both_streams_and_the_code_come_back() -> None:
    text = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    answer = ask(python(text))
    assert (answer.code, answer.out, answer.err) == (3, "out\n", "err\n")


def test_nothing_is_handed_in_and_no_shell_looks_at_it() -> None:
    argv = [*python("import sys; print(sys.argv[1], len(sys.stdin.read()))"), "$HOME; *"]
    assert ask(argv).out == "$HOME; * 0\n"


def test_bytes_that_are_no_text_are_marked() -> None:
    assert ask(python("import os; os.write(1, b'a\\xffb')")).out == "a\ufffdb"


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(EnvironmentFailure, match="there is no `no-such-program`"):
        ask(["no-such-program"])


@pytest.mark.parametrize(
    "text",
    [
        "import time; time.sleep(60)",
        "import os, time; os.close(1); os.close(2); time.sleep(60)",
        "import time\nwhile True: print('.', flush=True); time.sleep(0.01)",
    ],
)
def test_who_does_not_end_is_ended(text: str) -> None:
    with pytest.raises(EnvironmentFailure, match=r"has not answered in 0\.3 seconds"):
        ask(python(text), seconds=0.3)


def test_who_prints_without_end_is_ended() -> None:
    with pytest.raises(EnvironmentFailure, match="more than 1000 bytes"):
        ask(python("while True: print('x' * 1000)"), most=1000)


def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    """A child that keeps the streams open would hold the answer back."""
    pid = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {pid}; wait"
    with pytest.raises(EnvironmentFailure, match="has not answered"):
        ask(["sh", "-c", script], seconds=3)
    number = int(pid.read_text())
    for _ in range(100):
        if not running(number):
            return
        time.sleep(0.05)
    raise AssertionError("the child still runs")


def test_what_it_has_started_goes_on_where_that_is_meant(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 60 >/dev/null 2>&1 & echo $! > {pid}"
    assert ask(["sh", "-c", script], leave=True).code == 0
    number = int(pid.read_text())
    assert running(number)
    os.kill(number, 9)


def running(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and os.path.exists(f"/proc/{number}")  # noqa: PTH110
