"""The page of `gen fit`: it is HTML and SVG, tells what JSON tells, and takes any name."""

import functools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.commands import run

VOID = {"meta"}
ASKED = ("fit", "--gpu", "RTX 4090", "--ram", "64GiB", "-m", "qwen3:14b", "--context", "16384",
         "--parallel", "4")  # fmt: skip
SHORT = ("fit", "--gpu", "RTX 4060", "--ram", "16GiB", "-m", "qwen3:14b")
HOSTILE = "</title></svg><script>alert(1)</script>\"'&\u202e"


class Balanced(HTMLParser):
    """Refuses what is left open or closed twice, and collects names and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data


@functools.cache
def page(*args: str) -> str:
    done = run(*args, "--html", "-")
    assert done.stdout.startswith("<!DOCTYPE html>"), done.output
    return done.stdout


def read(text: str) -> Balanced:
    found = Balanced()
    found.feed(text)
    found.close()
    assert not found.open
    return found


def drawings(text: str, kind: str) -> list[ElementTree.Element]:
    found = re.findall(r"<svg .*?</svg>", text, re.S)
    parsed = [ElementTree.fromstring(each) for each in found]  # noqa: S314 -- our own
    return [each for each in parsed if each.get("class") == kind]


@functools.cache
def document(*args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*args, "--json").stdout)
    return found


@pytest.mark.parametrize(
    "args",
    [
        ("fit", "dual-pascal"),
        SHORT,
        (*ASKED[:5], "--all"),
        ("fit", "xeon-cpu", "-m", "llama3.1:8b", "--quantisations"),
        ("fit", "--gpu", "RTX 3090", "--ram", "64GiB", "-m", "qwen3:8b", "-m", "llama3.1:8b"),
    ],
)
def test_it_is_one_small_page_without_script_or_network(args: tuple[str, ...]) -> None:
    text = page(*args)
    found = read(text)
    assert not found.names & {"script", "img", "iframe", "link", "object"}
    assert not {name for name in found.attributes if name.startswith("on")}
    assert not found.attributes & {"src", "style"}
    assert "http" not in text.replace("http-equiv", "")
    assert len(text.encode()) < 100_000
    assert drawings(text, "stack")


def test_the_stacks_are_what_json_says() -> None:
    rooms = document(*ASKED)["models"][0]["rooms"]
    stacks = drawings(page(*ASKED), "stack")
    assert len(stacks) == len(rooms) == 2
    for room, stack in zip(rooms, stacks, strict=True):
        told = {
            part.get("class"): int(re.findall(r"\((\d+) bytes\)", part.findtext("title") or "")[0])
            for part in stack.iter("rect")
        }
        named = {key: room[key] for key in ("weights", "kv", "compute", "other", "reserved")}
        assert told == {k: v for k, v in {**named, "free": room["left"]}.items() if v}
        for part in stack.iter("rect"):
            share = told[part.get("class")] / room["memory"]
            assert abs(int(part.get("width") or 0) - 1000 * share) <= 1


@pytest.mark.parametrize("models", [("qwen3:30b", "gemma3:27b"), ("llama3.3:70b", "gpt-oss:120b")])
def test_models_that_do_not_stay_side_by_side_are_no_sum(models: tuple[str, str]) -> None:
    first, second = models
    asked = (
        "fit",
        "--gpu",
        "RTX 4090",
        "--ram",
        "64GiB",
        "--cores",
        "16",
        "-m",
        first,
        "-m",
        second,
    )
    told = document(*asked)["together"]
    assert (told["loaded"], told["evicting"]) == ([first], [second])
    text = page(*asked)
    assert f"Not beside {first}: {second}." in text
    assert "Loaded side by side" not in text
    assert len(drawings(text, "stack")) == sum(len(m["rooms"]) for m in document(*asked)["models"])


def test_what_is_asked_is_a_place_of_the_plane() -> None:
    model = document(*ASKED)["models"][0]
    (plane,) = drawings(page(*ASKED), "plane")
    total = sum(room["needed"] for room in model["rooms"]) / 2**30
    titles = [each.findtext("title") or "" for each in plane.iter("rect")]
    assert f"4 slots × 16384 tokens: {model['verdict']}, {total:.2f} GiB" in titles
    asked = [each for each in plane.iter("rect") if each.get("class") == "asked"]
    assert len(asked) == 1
    texts = [each.text for each in plane.iter("text")]
    row = texts.index("4 slots")
    assert f"up to {model['largest_context']}" in texts[row:]


@pytest.mark.parametrize(("context", "slots"), [(2560, 1), (16384, 8), (40960, 2)])
def test_each_place_of_the_plane_is_what_json_says_of_it(context: int, slots: int) -> None:
    (plane,) = drawings(page(*ASKED), "plane")
    titles = [each.findtext("title") or "" for each in plane.iter("rect")]
    one = document(*ASKED[:-3], str(context), "--parallel", str(slots))["models"][0]
    total = sum(room["needed"] for room in one["rooms"]) / 2**30
    told = f"{slots} slot{'s' if slots > 1 else ''} × {context} tokens: {one['verdict']}"
    assert f"{told}, {total:.2f} GiB" in titles


def test_tables_are_what_json_says() -> None:
    found = document(*SHORT)
    text = read(page(*SHORT)).text
    assert found["ways"][0]
    for way in found["ways"][0]:
        needed = sum(room["needed"] for room in way["fit"]["rooms"]) / 2**30
        assert f"{needed:.2f}" in text
    levels = document("fit", "xeon-cpu", "-m", "llama3.1:8b", "--quantisations")["quantisations"]
    text = read(page("fit", "xeon-cpu", "-m", "llama3.1:8b", "--quantisations")).text
    assert all(f"{level['quantisation']}" in text for level in levels)


def test_without_a_model_the_recommended_one_is_drawn() -> None:
    asked = (*ASKED[:5], "--all")
    best = next(one for one in document(*ASKED[:5])["choices"] if one["recommended"])
    text = page(*asked)
    (plane,) = drawings(text, "plane")
    assert (plane.findtext("title") or "").startswith(f"{best['model']}: ")
    assert f"{best['model']} · {best['quantisation']}" in read(text).text


def test_more_than_a_device_has_goes_beyond_its_end() -> None:
    text = page("fit", "xeon-cpu", "-m", "llama3.1:70b:Q8_0")
    (stack,) = drawings(text, "stack")
    (end,) = stack.iter("path")
    at = int((end.get("d") or "M0")[1:].partition(" ")[0])
    assert 0 < at < 1000
    assert max(int(p.get("x") or 0) + int(p.get("width") or 0) for p in stack.iter("rect")) > at


def test_what_others_hold_of_a_card_is_told() -> None:
    asked = ("fit", "dual-pascal")
    rooms = document(*asked)["models"][0]["rooms"]
    held = [room for room in rooms if room["reserved"]]
    assert held
    stack = drawings(page(*asked), "stack")[rooms.index(held[0])]
    assert f"{held[0]['reserved'] / 2**30:.2f} held by others" in (stack.findtext("title") or "")


def test_any_name_is_text(tmp_path: Path) -> None:
    profile = tmp_path / "hostile.toml"
    profile.write_text(
        'schema_version = 1\nname = "h"\nhost = { memory = "32GiB", gpus = [{ name = '
        f'{json.dumps(HOSTILE)}, memory = "24GiB" }}] }}\n'
    )
    text = page("fit", str(profile), "-m", "llama3.1:8b")
    found = read(text)
    assert "script" not in found.names
    assert HOSTILE.replace("\u202e", "\\u202e") in found.text
    assert "\u202e" not in text


def test_a_page_goes_into_a_file_and_text_to_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "fit.html"
    done = run("fit", "xeon-cpu", "-m", "llama3.1:8b", "--html", str(file))
    assert done.stdout.startswith("llama3.1:8b")
    assert file.read_text() == page("fit", "xeon-cpu", "-m", "llama3.1:8b")
