"""The Facts of a release, for tests: `facts_at("0.24")`; without one, of the newest."""

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.facts import Facts


def facts_at(release: str | None = None) -> Facts:
    """Return the Facts of a release as an operator writes it."""
    catalogue = load_catalogue()
    return catalogue.at("ollama", catalogue.release(release))
