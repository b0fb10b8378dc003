"""Property lists of launchd: what they run, and what that gets."""

from pathlib import Path

import pytest

from tests.check.told import lines, report

PLIST = """\
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
  <key>Label</key><string>com.ollama</string>
  <!-- <key>EnvironmentVariables</key><dict><key>OLLAMA_DEBUG</key><string>1</string></dict> -->
  <key>ProgramArguments</key>
  <array>{}</array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>OLLAMA_KEEP_ALIVE</key>
    <string>2d</string>
  </dict>
</dict></plist>
"""


def words(*texts: str) -> str:
    return PLIST.format("".join(f"<string>{text}</string>" for text in texts))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("/opt/homebrew/bin/ollama", "serve"), ["10 HW109 warning"]),
        (("/bin/sh", "-c", "sleep 1 &amp;&amp; exec ollama serve"), ["10 HW109 warning"]),
        (("launchctl", "setenv", "OLLAMA_NUM_THREADS", "6"), ["6 HW101 warning"]),
        (("/bin/sh", "-c", "launchctl setenv OLLAMA_KEEP_ALIVE 1d"), ["6 HW109 warning"]),
        (("/usr/bin/python3", "app.py"), []),
    ],
)
def test_what_an_agent_runs_and_gets(
    arguments: tuple[str, ...], told: list[str], tmp_path: Path
) -> None:
    assert lines(tmp_path, "com.ollama.plist", words(*arguments)) == told


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (found,) = report(tmp_path, {"a.plist": "bplist00 ollama OLLAMA_DEBUG"}).findings
    assert "no property list in XML" in found.finding.message
