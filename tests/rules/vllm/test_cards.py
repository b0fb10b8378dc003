"""HW685: servers of one project that want more of a card than it has."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, sides

CARD = "deploy: {resources: {reservations: {devices: [{driver: nvidia, %s, capabilities: [gpu]}]}}}"
FIRST = CARD % "count: 1"


def server(name: str, *words: str, card: str = FIRST, more: str = "") -> str:
    told = "".join(f", {word!r}" for word in words)
    return (
        f"  {name}:\n    image: vllm/vllm-openai:v0.33.0\n    restart: always\n    ipc: host\n"
        f"    command: [org/{name}{told}]\n    volumes: ['hf:/root/.cache/huggingface']\n"
        f"    {card}\n{more}"
    )


def project(*servers: str) -> Text:
    return {"compose.yaml": f"services:\n{''.join(servers)}volumes: {{hf: {{}}}}\n"}


SHARE = "--gpu-memory-utilization"


# rule: (caught, left alone)
CASES: Cases = {"HW685": ((project(server("chat"), server("embed")),), (project(server("chat")),))}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert bool(messages(tmp_path, files, rule)) is caught


@pytest.mark.parametrize(
    ("files", "total"),
    [
        (project(server("chat"), server("embed")), "1.80"),
        (project(server("chat"), server("embed", SHARE, "0.3")), "1.20"),
        (project(server("chat", f"{SHARE}=0.8"), server("embed", SHARE, ".5")), "1.30"),
        (project(server("chat", card="gpus: all"), server("embed", card="gpus: all")), "1.80"),
        (
            project(
                server("chat", card=CARD % "device_ids: ['1']"),
                server("embed", card=CARD % "device_ids: ['1', '0']"),
            ),
            "1.80",
        ),
    ],
)
def test_shares_of_one_card_are_added(files: Text, total: str, tmp_path: Path) -> None:
    (message,) = messages(tmp_path, files, "HW685")
    assert f"`chat` and this server are on one card, and want {total}" in message


def test_the_one_that_is_too_much_is_named(tmp_path: Path) -> None:
    shares = (server(name, SHARE, share) for name, share in (("a", "0.5"), ("b", "0.4")))
    third = server("c", SHARE, "0.3")
    (message,) = messages(tmp_path, project(*shares, third), "HW685")
    assert message.startswith("`a` and `b` and this server are on one card, and want 1.20")


@pytest.mark.parametrize(
    "files",
    [
        project(server("chat", SHARE, "0.6"), server("embed", SHARE, "0.3")),
        project(server("chat", SHARE, "0.6"), server("embed", SHARE, "0.4")),
        project(
            server("chat", card=CARD % "device_ids: ['0']"),
            server("embed", card=CARD % "device_ids: ['1']"),
        ),
        project(server("chat"), server("embed", more="    profiles: [embed]\n")),
        project(server("chat"), server("embed", "--kv-cache-memory-bytes", "2G")),
        project(server("chat"), server("embed", SHARE, "${SHARE}")),
        project(server("chat"), server("embed", card="environment: [CUDA_VISIBLE_DEVICES=1]")),
        project(server("chat", card=CARD % "device_ids: ['$A']"), server("embed")),
        project(server("chat")),
    ],
)
def test_shares_that_fit_or_nobody_knows_are_left_alone(files: Text, tmp_path: Path) -> None:
    assert messages(tmp_path, files, "HW685") == []
