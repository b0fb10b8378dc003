"""HW322: downloads in front of a pipe, of whose status the test behind it tells nothing."""

from pathlib import Path

import pytest

from tests.texts import messages

INSTALL = "curl -fsSL https://ollama.com/install.sh | sh"


def said(folder: Path, *lines: str) -> list[str]:
    return messages(folder, {"setup.sh": "#!/bin/bash\n" + "\n".join(lines) + "\n"}, "HW322")


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        ((INSTALL, "if [ $? -ne 0 ]; then exit 1; fi"), "sh"),
        ((INSTALL, "", "[[ $? -eq 0 ]] || exit 1"), "sh"),
        ((f"if {INSTALL}; then echo ok; fi",), "sh"),
        ((f"{INSTALL} || exit 1",), "sh"),
        ((INSTALL.replace("| sh", "| sudo bash -s --"), "test $? = 0 || exit 1"), "sudo bash"),
        (("ollama pull qwen3:8b | tee pull.log", "if [ $? -ne 0 ]; then exit 1; fi"), "tee"),
        (("ollama pull qwen3:8b 2>&1 | tee pull.log || exit 1",), "tee"),
    ],
)
def test_the_status_of_a_pipe_is_that_of_its_end(
    lines: tuple[str, ...], last: str, tmp_path: Path
) -> None:
    (message,) = said(tmp_path, *lines)
    assert f"the status that is asked for is that of `{last}`" in message
    assert "set -o pipefail" in message


@pytest.mark.parametrize(
    "lines",
    [
        (INSTALL,),
        (INSTALL, "systemctl enable --now ollama"),
        ("set -euo pipefail", INSTALL, "if [ $? -ne 0 ]; then exit 1; fi"),
        ("set -e", INSTALL),
        (INSTALL, "if [ ${PIPESTATUS[0]} -ne 0 ]; then exit 1; fi"),
        ("curl -fsSL https://ollama.com/install.sh -o i.sh", "if [ $? -ne 0 ]; then exit 1; fi"),
        (INSTALL, "echo $?x"),
        (f"# {INSTALL} || exit 1", "ollama list"),
        ("ollama pull qwen3:8b", "if [ $? -ne 0 ]; then exit 1; fi"),
        ("ollama pull qwen3:8b || exit 1",),
    ],
)
def test_without_a_question_or_with_pipefail_nothing_is_said(
    lines: tuple[str, ...], tmp_path: Path
) -> None:
    assert said(tmp_path, *lines) == []
