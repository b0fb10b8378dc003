"""Files of the corpus, imported and rendered: what differs in effect then is in the list."""

import shutil
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.errors import HostwrightError
from generator.importing.importing import Imported, ImportRequest, imported
from generator.profiles.document import Document
from generator.profiles.validate import validate
from generator.readers.base import Context
from generator.readers.discover import discover
from generator.readers.seen import views
from generator.readers.text import read_beside
from generator.resolve import resolve
from generator.targets import all_files
from generator.view import View
from tests.host import put
from tests.importing.texts import profile
from tests.test_corpus import CORPUS

KINDS = {"systemd": "systemd", "compose": "compose", "quadlet": "quadlet", "env": "systemd"}
FOLDERS = [
    (kind, path.name)
    for kind in KINDS
    for path in sorted((CORPUS / kind).iterdir())
    if path.name not in {"expected.toml"}
]


def server(folder: Path, service: str = "") -> View:
    """Return the server that files describe."""
    context = Context(load_catalogue(), read=read_beside)
    found = views(discover([str(folder)]), context).views
    # A job beside it says less.
    return max(found, key=lambda view: (view.name == service, len(view.variables)))


def effect(view: View) -> dict[str, object]:
    """Return variables and limits by their names."""
    limits: dict[str, object] = {one.name: one.value for one in view.bounds}
    return limits | {one.name: one.value for one in view.served if not one.refused}


def told(found: Imported) -> set[str]:
    """Return the names of settings of which something is said."""
    others = {one.name for one in found.carried if one.note}
    return others | {one.name for one in found.left}


@pytest.mark.parametrize(("kind", "name"), FOLDERS, ids=str)
def test_what_differs_is_said(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CORPUS / kind, tmp_path / "was")
    monkeypatch.chdir(tmp_path)
    path = Path("was", name)
    try:
        found = imported(ImportRequest(paths=(str(path),)))
    except HostwrightError as error:
        pytest.skip(error.message)
    document = Document("again.toml", profile(found), {}, "")
    plan = resolve(validate(document), load_catalogue(), source="again.toml")
    put(all_files(KINDS[kind], plan), tmp_path / "now")
    before = effect(server(path, found.service))
    after = effect(server(Path("now"), found.service))
    differ = {key for key, value in before.items() if after.get(key) != value}
    assert {key for key in differ if not same(key, before[key], after.get(key))} <= told(found)


def same(name: str, before: object, after: object) -> bool:
    """Whether the server reads the same in both, as `true` is `1` and `:80` a whole address."""
    from generator.engines import load_engine

    catalogue = load_catalogue()
    running = load_engine("ollama").running(catalogue.at("ollama"))
    texts = [value for value in (before, after) if isinstance(value, str)]
    return len(texts) == 2 and len({running.meaning(name, text) for text in texts}) == 1
