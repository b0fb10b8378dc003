"""HW110: a release younger than all that is known, of a profile or a Plan."""

from generator.engines.ollama.rules.decided import younger_release
from generator.view import View
from tests.views import found, view

# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW110": (view(release="0.99.0", kind="profile"), view(release="0.32.15", kind="profile")),
}


def test_a_file_of_others_may_be_for_any_release() -> None:
    caught, left = CASES["HW110"]
    assert found(younger_release, caught)
    assert not found(younger_release, left)
    assert not found(younger_release, view(release="0.99.0", kind="compose"))
