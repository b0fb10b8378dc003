"""The JSON Schema of profiles: it says what `gen` says, but for what no schema can say."""

import itertools
import os
from typing import Any

import jsonschema

from generator.catalogue.catalogue import load_catalogue
from generator.errors import Problem, ProfileError
from generator.profiles.document import Document
from generator.profiles.json_schema import json_schema
from generator.profiles.validate import validate
from generator.resolve import resolve
from tests.profiles.mutated import WHOLE, mutated

COUNT = int(os.environ.get("MUTATED_PROFILES", "400"))
# What takes more than a look at one value, in the words of `gen`.
MEANING = (
    "belongs to the system",
    "leads upwards",
    "which unit files take for something else",  # letters of other scripts may, blanks may not
    "is in the store of Nix",
    "is beyond 292 years",
    "does not bound anything",  # so little that nothing is left of it
    "is more than any machine has",
    "names a CPU that no kernel has",
    "runs backwards",
    "is not an IP address",
    "there are fewer threads than cores",
    "reserved is more than memory",
    "say the same thing",
    ".0` is not",  # 5.0 is an integer to JSON Schema
)


def test_the_schema_describes_every_table() -> None:
    tables = json_schema()["$defs"].values()
    assert all(table["description"] for table in tables)


def test_the_schema_and_gen_agree() -> None:
    told = {"accepted": 0, "refused": 0, "refused for its meaning alone": 0}
    wrong = []
    says = validator()
    for data in itertools.chain([WHOLE], mutated(seed=14, count=COUNT)):
        by_schema = sorted(map(_line, says.iter_errors(data)))
        problems = problems_of(data, decide=bool(by_schema))
        form = [one for one in problems if not any(text in one.message for text in MEANING)]
        if bool(problems) < bool(by_schema) or bool(by_schema) < bool(form):
            wrong.append((by_schema, [f"{one.where}: {one.message}" for one in problems]))
        told[list(told)[1 if by_schema else 2 if problems else 0]] += 1
    print(told)  # noqa: T201 -- for `-s`
    assert wrong == []
    assert min(told["accepted"], told["refused"]) > 0


def test_a_cache_type_of_the_schema_is_one_that_a_release_takes() -> None:
    catalogue = load_catalogue()
    known = set()
    for release in ("0.5.0", str(catalogue.newest)):
        variable = catalogue.at("ollama", catalogue.release(release)).variable(
            "OLLAMA_KV_CACHE_TYPE"
        )
        known |= set((variable and variable.allowed("x86_64-linux")) or ())
    field = json_schema()["$defs"]["Ollama"]["properties"]["kv_cache_type"]
    assert set(field["anyOf"][0]["enum"]) == known


def validator() -> jsonschema.Draft202012Validator:
    """Return what reads the schema; to ECMAScript, `$` is the end, to Python also a line before."""
    return jsonschema.Draft202012Validator(_ends(json_schema()))


def _ends(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: value[:-1] + r"\Z"
            if key == "pattern" and isinstance(value, str) and value.endswith("$")
            else _ends(value)
            for key, value in schema.items()
        }
    return [_ends(each) for each in schema] if isinstance(schema, list) else schema


def problems_of(data: dict[str, Any], *, decide: bool) -> tuple[Problem, ...]:
    """Return what is wrong with the form, and if nothing is, with what a release takes."""
    try:
        profile = validate(Document("mutated.toml", data, {}, ""))
        if decide:
            resolve(profile, load_catalogue(), source="mutated.toml")
    except ProfileError as error:
        return error.problems
    return ()


def _line(error: jsonschema.ValidationError) -> str:
    return f"{'.'.join(map(str, error.absolute_path))}: {error.message[:80]}"
