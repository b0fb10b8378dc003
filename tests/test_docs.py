"""The pages that follow from rules and facts say what they should, and links lead somewhere."""

import re
from pathlib import Path

import pytest

from tools import pages
from tools.links import linked

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = pages.files()


def test_every_rule_that_the_program_names_has_a_page() -> None:
    sources = (ROOT / "generator").rglob("*.py")
    quoted = (re.findall(r'"(HW\d{3})"', path.read_text(encoding="utf-8")) for path in sources)
    named = {name for names in quoted for name in names}
    assert {"HW101", "HW202", "HW601"} <= named
    assert {name for name in named if f"docs/rules/{name}.md" not in PAGES} == set()


def test_every_link_between_the_pages_leads_somewhere() -> None:
    for path in sorted(DOCS.rglob("*.md")):
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+)", text):
            if not target.startswith("https://"):
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_index_names_every_rule_with_its_severity() -> None:
    index = PAGES["docs/rules/README.md"]
    line = "| [HW202](HW202.md) | warning | more compute threads than the CPU quota lets run |"
    assert line in index.splitlines()
    assert len(re.findall(r"^\| \[HW\d{3}\]", index, re.MULTILINE)) == len(PAGES) - 2


def test_the_page_of_a_rule_has_all_its_parts() -> None:
    page = PAGES["docs/rules/HW202.md"]
    assert page.startswith("# HW202: more compute threads than the CPU quota lets run\n")
    assert "Severity: warning. Releases: all." in page
    assert "eight threads under a quota of four CPUs decoded 0.27" in page
    assert "## Bad\n\n```\nCPUQuota=400%\nEnvironment=LLAMA_ARG_THREADS=8\n```" in page
    assert '```\n[check]\nignore = [{ rule = "HW202", reason = "…" }]\n```' in page
    assert "```\n# hostwright: ignore HW202 because …\n```" in page
    assert "- [ollama#17916](https://github.com/ollama/ollama/issues/17916)" in page


def test_the_reference_has_living_and_dead_names() -> None:
    page = PAGES["docs/reference/environment.md"]
    rows = {line.split(" | ")[0]: line for line in page.splitlines() if line.startswith("| `")}
    assert rows["| `OLLAMA_KEEP_ALIVE`"] == (
        "| `OLLAMA_KEEP_ALIVE` | since 0.1.29 | How long an idle model stays loaded; negative: "
        "forever, 0: unload at once. Go duration or whole seconds; there are no days, `1d` "
        "silently gives 5m. Requests override it. | `5m0s` | The server uses the default and says "
        "nothing. | `ollama.keep_alive` |"
    )
    assert "since 0.3.10, no effect from 0.30.0" in rows["| `OLLAMA_GPU_OVERHEAD`"]
    assert rows["| `OLLAMA_NUM_THREADS`"] == (
        "| `OLLAMA_NUM_THREADS` | CPU thread count | LLAMA_ARG_THREADS=N; PARAMETER num_thread N "
        "in a Modelfile (before 0.30.0) |"
    )


def test_the_reference_has_what_changed_by_release() -> None:
    section = PAGES["docs/reference/environment.md"].split("### `OLLAMA_CONTEXT_LENGTH`\n\n")[1]
    assert section.splitlines()[:5] == [
        "| from | before | default | which means |",
        "|---|---|---|---|",
        "| 0.5.13 | 0.6.7 | 2048 |  |",
        "| 0.6.7 | 0.15.5 | 4096 |  |",
        "| 0.15.5 |  | 0 | by total VRAM: 262144 from 47 GiB, 32768 from 23 GiB, else 4096 |",
    ]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "llm/llama_server.go@v0.32.15:376-410",
            (
                "[llm/llama_server.go@v0.32.15:376-410](https://github.com/ollama/ollama/blob/"
                "v0.32.15/llm/llama_server.go#L376-L410)"
            ),
        ),
        (
            "Dockerfile@v0.9.2:7 and more",
            (
                "[Dockerfile@v0.9.2:7](https://github.com/ollama/ollama/blob/v0.9.2/Dockerfile#L7) "
                "and more"
            ),
        ),
        (
            "ollama#2496, nixpkgs#357604",
            (
                "[ollama#2496](https://github.com/ollama/ollama/issues/2496), "
                "[nixpkgs#357604](https://github.com/NixOS/nixpkgs/issues/357604)"
            ),
        ),
        (
            "llama.cpp common/arg.cpp@4df29be",
            (
                "[llama.cpp common/arg.cpp@4df29be]"
                "(https://github.com/ggml-org/llama.cpp/blob/4df29be/common/arg.cpp)"
            ),
        ),
        (
            "systemd.exec(5), Environment=",
            (
                "[systemd.exec(5)](https://www.freedesktop.org/software/systemd/man/latest/"
                "systemd.exec.html), Environment="
            ),
        ),
        ("measured: <7> asked", "measured: \\<7\\> asked"),
    ],
)
def test_sources_are_links_where_they_can_be(source: str, told: str) -> None:
    assert linked(source) == told


def test_what_could_be_markup_is_escaped() -> None:
    page = PAGES["docs/reference/environment.md"]
    assert "LLAMA_ARG_FIT_TARGET=\\<MiB to leave free\\>" in page
    assert not re.search(r"(?<![`\\])<", re.sub(r"`[^`]*`", "", page))
