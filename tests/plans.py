"""Plans for tests: shipped profiles and small inline ones, through the public door."""

import functools
from collections.abc import Mapping

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.records import Era
from generator.plan import Plan
from generator.profiles.load import read_document
from generator.profiles.schema import Profile
from generator.profiles.shipped import shipped_profiles
from generator.profiles.validate import validate
from generator.resolve import resolve

CATALOGUE = load_catalogue()
PROFILES = [path.stem for path in shipped_profiles()]
# Of in-process ggml, by which runner binaries are gone, and the newest, of llama-server.
RELEASES = [*(name for era in CATALOGUE.all("era", Era) for name in era.tried), "0.32.15"]


@functools.cache
def shipped(
    name: str,
    *overrides: str,
    version: str | None = None,
    legacy_env: bool = False,
    strict: bool = False,
) -> Plan:
    document = read_document(name, overrides)
    return resolve(
        validate(document),
        load_catalogue(),
        source=document.source,
        version=version,
        legacy_env=legacy_env,
        strict=strict,
    )


def plan(
    data: Mapping[str, object], version: str | None = None, *, legacy_env: bool = False
) -> Plan:
    """Resolve an inline profile; `schema_version` and `name` are filled in."""
    profile = Profile.model_validate({"schema_version": 1, "name": "test", **data}, strict=False)
    return resolve(
        profile, load_catalogue(), source="test.toml", version=version, legacy_env=legacy_env
    )


ALONE = [name for name in PROFILES if len(shipped(name).services) == 1]
"""Those with one server."""

# What tells the server of its place on the host.
CONNECTION = {"HOME", "OLLAMA_HOST", "OLLAMA_MODELS"}


def environment(plan: Plan) -> dict[str, str]:
    """Return the variables beside those of CONNECTION."""
    settings = plan.service.environment
    return {setting.name: setting.value for setting in settings if setting.name not in CONNECTION}


def rules(plan: Plan) -> set[str]:
    return {finding.rule for finding in plan.findings}
