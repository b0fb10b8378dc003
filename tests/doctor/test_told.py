"""What programs and the kernel tell, read; and secrets, taken out."""

from __future__ import annotations

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.doctor import told
from generator.doctor.symptoms import Clock, Listener, Pressure, Space, Step, User
from generator.redact import redacted


def test_folders_with_their_rights() -> None:
    text = "drwxr-x---+ 3 0 998 4096  /srv/a b\nlrwxrwxrwx 1 0 0 7  /srv -> /mnt/srv\nls: cannot\n"
    assert told.way(text) == (
        Step("lrwxrwxrwx", 0, 0, "/srv"),
        Step("drwxr-x---+", 0, 998, "/srv/a b"),
    )


def test_room_and_pressure_and_users() -> None:
    assert told.space("   1B-blocks    Avail\n     1000      50\n") == Space(1000, 50)
    assert told.pressure("some avg10=1.00 avg60=2.50 avg300=0 total=1\n") == Pressure(2.5, 0.0)
    assert told.user_of_id("uid=998(ollama) gid=998(ollama) groups=998(ollama),44(video)\n") == (
        User(998, frozenset({998, 44}))
    )
    status = "Uid:\t0\t998\t998\t998\nGid:\t0\t997\t997\t997\nGroups:\t44 100\n"
    assert told.user_of_status(status) == User(998, frozenset({997, 44, 100}))


def test_clocks_and_listeners() -> None:
    row = "NVIDIA GB10, 51, 12.04, [N/A], [N/A], Not Active, Not Active, Not Active, [N/A], Active"
    assert told.clocks(f"{row}\nNo devices were found\n") == (
        Clock("NVIDIA GB10", 51, 12.04, None, None, ("sw_power_cap",)),
    )
    line = 'LISTEN 0 4096 127.0.0.1:11434 0.0.0.0:* users:(("ollama",pid=829,fd=3))\n'
    assert told.listeners(line * 2, 11434) == (Listener("ollama", 829),)
    assert told.listeners(line, 1143) == ()


@pytest.mark.parametrize("text", ["", "\0\n", "9" * 5000, "a b c\n" * 3, "[" * 9999, "{}", "[1]"])
def test_nonsense_is_nothing(text: str) -> None:
    assert (told.way(text), told.clocks(text), told.listeners(text, 1)) == ((), (), ())
    for read in (told.space, told.pressure, told.user_of_id, told.user_of_status):
        assert read(text) is None
    assert told.first_object(text) == {}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("proxy http://ada:hunter2@proxy:3128/", "proxy http://ada:***@proxy:3128/"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        ("key sk-proj-abcdefghijklmnop used", "key *** used"),
        ("hf_abcdefghijklmnop", "***"),
        ("curl https://x/v1?api_key=abc&n=1", "curl https://x/v1?api_key=***&n=1"),
        ("llama-server --api-key abc -c 4096", "llama-server --api-key *** -c 4096"),
        ("OLLAMA_API_KEY:0123 OLLAMA_HOST:http://x", "OLLAMA_API_KEY:*** OLLAMA_HOST:http://x"),
        ('HF_TOKEN="a b"', 'HF_TOKEN="*** b"'),
        ('Environment="OLLAMA_API_KEY=0123456789"', 'Environment="OLLAMA_API_KEY=***"'),
        ("Environment=HF_TOKEN=0123456789 A=b", "Environment=HF_TOKEN=*** A=b"),
        ("OLLAMA_KEEP_ALIVE=5m tokens=128 key=val", "OLLAMA_KEEP_ALIVE=5m tokens=128 key=val"),
    ],
)
def test_secrets_go_and_the_rest_stays(text: str, left: str) -> None:
    facts = load_catalogue().at("ollama")
    assert redacted(text, facts.secrets.has) == left


def test_a_secret_behind_many_names_goes() -> None:
    has = load_catalogue().at("ollama").secrets.has
    assert redacted("A_NAME=" * 20_000 + "HF_TOKEN=0123456789", has).endswith("=HF_TOKEN=***")
