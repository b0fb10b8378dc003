"""HW113, HW122: addresses, origins and proxies."""

from pathlib import Path
from typing import Any

import pytest

from generator.rules.registry import every_rule
from generator.view import Container, Edit, Place, View
from tests.texts import told
from tests.views import FILE, found, view

RULE = every_rule()
LINE = Place(FILE, 1)
PROXY = "http://proxy.example.com:3128"

# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW113": (view({"OLLAMA_HOST": "http://0.0.0.0"}), view({"OLLAMA_HOST": "[::]:80"})),
    "HW122": (view({"HTTP_PROXY": PROXY}), view({"HTTPS_PROXY": PROXY, "NO_PROXY": "localhost"})),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULE[rule], caught)
    assert not found(RULE[rule], left)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:11434", "0.0.0.0:80", "localhost", "gpu-box:8080", ""),
        *("::", "::1", "[::]", "[::1]:11434", "fd00::5", "fe80::1%eth0", "'0.0.0.0'", "0.0.0.0/"),
    ],
)
def test_what_the_server_reads_as_meant_is_fine(host: str) -> None:
    assert not found(RULE["HW113"], view({"OLLAMA_HOST": host}))


@pytest.mark.parametrize(
    ("host", "severity", "message", "meant", "mended"),
    [
        (
            "http://0.0.0.0:11434",
            "info",
            "`http://` means nothing to the server",
            "0.0.0.0:11434",
            True,
        ),
        ("http://0.0.0.0", "warning", "means port 80, not 11434", "0.0.0.0:11434", False),
        ("https://ai.example.com", "warning", "means port 443", "ai.example.com:11434", False),
        ("https://0.0.0.0:11434", "warning", "the server speaks no TLS", "0.0.0.0:11434", False),
        (
            "0.0.0.0:11434/v1",
            "info",
            "the path `/v1` means nothing to the server",
            "0.0.0.0:11434",
            True,
        ),
        (
            "0.0.0.0:99999",
            "warning",
            "`99999` is no port; Ollama warns and listens on 11434",
            "0.0.0.0:11434",
            True,
        ),
        ("http://0.0.0.0:x", "warning", "`x` is no port", "0.0.0.0:11434", True),
        (":11434", "warning", "the server listens on all of them", "127.0.0.1:11434", False),
        ("11434", "error", "is a port without an address", "127.0.0.1:11434", False),
        ("127.0.0.1:11434:11434", "error", "has two ports", "127.0.0.1:11434", False),
        ("::1:11434", "error", "needs brackets", "[::1]:11434", True),
        ("*:11434", "error", "`*:11434` is no address", "0.0.0.0:11434", True),
        ("my host", "error", "is no address", "127.0.0.1:11434", False),
        ("127.0.0.256", "error", "is no address", "127.0.0.1:11434", False),
        ("192.168.1:11434", "error", "is no address", "127.0.0.1:11434", False),
    ],
)
def test_what_it_reads_otherwise(
    host: str, severity: str, message: str, meant: str, mended: bool
) -> None:
    (placed,) = found(RULE["HW113"], view({"OLLAMA_HOST": host}))
    assert placed.finding.severity == severity
    assert message in placed.finding.message
    assert f"`{meant}`" in placed.finding.fix
    edit = Edit(LINE, f"OLLAMA_HOST={host}", f"OLLAMA_HOST={meant}")
    assert placed.edits == ((edit,) if mended else ())


@pytest.mark.parametrize(
    "origins",
    [
        *("*", "http://*", "https://chat.example.com", "chrome-extension://abc,http://localhost"),
        *("app://obsidian.md/*", ""),
    ],
)
def test_origins_with_a_scheme_or_a_star_are_fine(origins: str) -> None:
    assert not found(RULE["HW113"], view({"OLLAMA_ORIGINS": origins}))


@pytest.mark.parametrize(
    ("origins", "what", "mended"),
    [
        ("chat.example.com", "`chat.example.com` has no scheme that it takes", ""),
        ("app://obsidian.md", "`app://obsidian.md` has no scheme that it takes", ""),
        ("http://*.example.com:*", "has more than one `*`", ""),
        ("http://a, http://b", "` http://b` starts with a blank", "http://a,http://b"),
        ("http://a,", "an entry is empty", "http://a"),
    ],
)
def test_other_origins_end_the_server(origins: str, what: str, mended: str) -> None:
    (placed,) = found(RULE["HW113"], view({"OLLAMA_ORIGINS": origins}))
    assert placed.finding.severity == "error"
    assert what in placed.finding.message
    assert placed.finding.message.endswith("; the server panics at start")
    edit = Edit(LINE, f"OLLAMA_ORIGINS={origins}", f"OLLAMA_ORIGINS={mended}")
    assert placed.edits == ((edit,) if mended else ())


class TestProxies:
    def told(self, env: dict[str, str], **more: Any) -> tuple[str, str]:
        (placed,) = found(RULE["HW122"], view(env, **more))
        return placed.finding.severity, placed.finding.message

    def test_it_comes_between_clients_and_a_server_on_all_addresses(self) -> None:
        severity, message = self.told({"HTTP_PROXY": PROXY, "OLLAMA_HOST": "0.0.0.0:11434"})
        assert severity == "warning"
        assert "through the proxy" in message
        boxed = Container(image="ollama/ollama", place=Place(FILE))
        assert self.told({"http_proxy": PROXY}, container=boxed)[0] == "warning"

    @pytest.mark.parametrize(
        "spared",
        [
            {"OLLAMA_HOST": "127.0.0.1:11434"},
            {"OLLAMA_HOST": "0.0.0.0:11434", "NO_PROXY": "localhost, 0.0.0.0"},
            {"OLLAMA_HOST": "ollama", "no_proxy": "*"},
        ],
    )
    def test_go_and_no_proxy_spare_some(self, spared: dict[str, str]) -> None:
        severity, message = self.told({"HTTP_PROXY": PROXY} | spared)
        assert severity == "info"
        assert message == "`HTTP_PROXY` does nothing for pulls, which use HTTPS"

    def test_whether_the_proxy_is_used_is_for_a_person_to_say(self) -> None:
        (placed,) = found(RULE["HW122"], view({"http_proxy": PROXY}))
        assert placed.finding.fix == "use https_proxy alone"
        assert placed.edits == ()

    def test_beside_the_right_name_it_goes(self) -> None:
        (placed,) = found(RULE["HW122"], view({"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}))
        assert placed.finding.fix == "remove it"
        assert placed.edits == (Edit(LINE, "HTTP_PROXY", ""),)


@pytest.mark.parametrize("host", ["0.0.0.1", "0.0.0.1:11434", "http://0.0.0.255:80", "0.1.2.3"])
def test_an_address_of_nobody_cannot_be_bound_and_is_not_open(host: str) -> None:
    seen = view({"OLLAMA_HOST": host})
    (placed,) = found(RULE["HW113"], seen)
    assert (placed.finding.severity, placed.edits) == ("error", ())
    assert "cannot be bound; the server does not start" in placed.finding.message
    assert not found(RULE["HW401"], seen)


def test_a_client_may_have_a_url(tmp_path: Path) -> None:
    run = "docker run --rm -e OLLAMA_HOST=https://llm.example.org/x ollama/ollama:0.32.15 {}\n"
    assert "HW113" not in told(tmp_path, {"run.sh": run.format("pull qwen3:8b")})
    assert "HW113" in told(tmp_path, {"run.sh": run.format("serve")})
    once = {"a.service": f"[Service]\nType=oneshot\nExecStart={run.format('list')}"}
    assert "HW113" not in told(tmp_path, once)
