from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.hostile import Answer, Serve

# Neither looks at the code: a busy machine is slow, and no fault of an example.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# Whoever runs us in the background, or by nohup, has these ignored; the programs that tests start
# and interrupt would inherit that.
for _name in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_name) is signal.SIG_IGN:
        signal.signal(_name, signal.SIG_DFL)


# Thousands of tests are many objects, and going through all of them finds nothing; what goes in
# circles is still found, later.
_YOUNG, _OLDER, _OLD = 50_000, 20, 100


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while tests are collected, and seldom afterwards: a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.set_threshold(_YOUNG, _OLDER, _OLD)
        gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden (refused in CI)"
    )


@pytest.fixture(scope="session")
def update_golden(pytestconfig: pytest.Config) -> bool:
    update = bool(pytestconfig.getoption("--update-golden"))
    if update and os.environ.get("CI") == "true":
        pytest.fail("--update-golden is refused in CI: goldens are reviewed, then committed")
    return update


@pytest.fixture(autouse=True)
def _no_remembered_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decide every Plan anew; the tests about remembering undo this."""
    monkeypatch.setenv("HOSTWRIGHT_NO_CACHE", "1")


@pytest.fixture(autouse=True)
def _backups_of_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep backups among the files of tests; each has the path of its file, so none meet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve bytes: what is called answers each connection, once its request is there."""
    from tests.live.hostile import Serving  # The package's own tests go without that room.

    every: list[Serving] = []

    def start(answer: Answer) -> str:
        every.append(Serving(answer))
        return every[-1].url

    yield start
    for one in every:
        one.close()
