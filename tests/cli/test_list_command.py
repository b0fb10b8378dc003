"""`gen list`."""

import json

from tests.commands import run
from tests.plans import PROFILES


def test_list_shows_every_shipped_profile() -> None:
    plain, data = run("list"), json.loads(run("list", "--json").stdout)
    assert [profile["name"] for profile in data["profiles"]] == PROFILES
    assert all(name in plain.stdout for name in PROFILES)
