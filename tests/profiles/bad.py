"""Profiles that are refused."""

from pathlib import Path

import pytest

from generator.errors import Problem, ProfileError
from generator.profiles.load import load_profile

HEAD = 'schema_version = 1\nname = "mine"\n'


def problems(path: Path, text: str, *overrides: str) -> dict[str, Problem]:
    path.write_text(HEAD + text, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        load_profile(str(path), overrides)
    return {problem.where: problem for problem in caught.value.problems}
