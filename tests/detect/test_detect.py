"""`detect`: the use case of `gen detect`, called from Python."""

import tomllib

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.detect.detect import detect
from generator.detect.machine import read_machine
from generator.errors import HostwrightError
from generator.profiles.load import load_profile
from tests.detect.machines import root_of


def test_a_machine_and_its_profile() -> None:
    detection = detect(read_machine(root_of("xeon-cpu")), load_catalogue())
    assert detection.like == "xeon-cpu"
    assert detection.at.facts.known
    assert {choice.key for choice in detection.tuning} >= {"ollama.acceleration", "ollama.version"}
    assert {left.key for left in detection.left_out} >= {"threads.count"}
    assert tomllib.loads(detection.profile("grey-area"))["name"] == "grey-area"


def test_only_what_differs_from_a_base() -> None:
    found = read_machine(root_of("xeon-cpu"))
    detection = detect(found, load_catalogue(), base=load_profile("xeon-cpu"))
    assert [choice.key for choice in detection.tuning] == ["threads.count"]
    text = detection.profile(extends="xeon-cpu")
    assert tomllib.loads(text)["extends"] == "xeon-cpu"
    assert "is like the shipped profile" not in text


def test_a_release_that_there_is_not() -> None:
    found = read_machine(root_of("xeon-cpu"))
    with pytest.raises(HostwrightError, match="--ollama-version: `x` is not a release"):
        detect(found, load_catalogue(), release="x")
    assert not detect(found, load_catalogue(), release="9.9").at.facts.known
