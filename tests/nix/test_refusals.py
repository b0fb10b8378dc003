"""What `modules/` refuse: nonsense in an option, and a profile that is none. Each by its name.

With NIXPKGS_LIB set, the real module system is asked instead of the tests' own.
"""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.codec import to_dict
from tests.consumers import nix
from tests.consumers.effective import ConsumerError, Effective
from tests.nix.test_modules import MODULES, XEON, host
from tests.plans import shipped

LIB = Path(os.environ["NIXPKGS_LIB"]) if os.environ.get("NIXPKGS_LIB") else None


def read(folder: Path, body: str) -> Effective:
    return nix.read(host(folder, body), lib=LIB)


def refusal(folder: Path, body: str) -> str:
    with pytest.raises(ConsumerError) as caught:
        read(folder, body)
    return str(caught.value)


def warnings(folder: Path, body: str) -> list[str]:
    told: list[str] = read(folder, body).extra["nix"]["warnings"]
    return told


SETTINGS = [
    ('LLAMA_ARG_BATCH = "";', "settings.LLAMA_ARG_BATCH is empty", "write null"),
    ('LLAMA_ARG_BATCH = " ";', "settings.LLAMA_ARG_BATCH is empty", "write null"),
    ('OLLAMA_HOST = "0.0.0.0";', "settings.OLLAMA_HOST never reaches", "set hostwright.exposure"),
    ('OLLAMA_MODELS = "/m";', "settings.OLLAMA_MODELS never reaches", "set hostwright.modelsDir"),
    ("HOME = null;", "settings.HOME never reaches", "set services.ollama.home"),
    ('OLLAMA_KEEP_ALIVE = "7d";', "settings.OLLAMA_KEEP_ALIVE is `7d`", "write `168h`"),
    ('OLLAMA_LOAD_TIMEOUT = "1h 5m";', "settings.OLLAMA_LOAD_TIMEOUT is `1h 5m`", "`5m`"),
    ('OLLAMA_KEEP_ALIVE = "1.5";', "settings.OLLAMA_KEEP_ALIVE is `1.5`", "`24h`"),
    ('"9LIVES" = "x";', "settings.9LIVES is no name of a variable", "write letters"),
    ('"A B" = "x";', "settings.A B is no name of a variable", "write letters"),
    ('"" = "x";', "is no name of a variable", "write letters"),
    (
        'OLLAMA_KV_CACHE_TYPE = "q4_0"; OLLAMA_FLASH_ATTENTION = "False";',
        "settings.OLLAMA_KV_CACHE_TYPE is `q4_0`, which needs flash attention",
        "write null for one of them",
    ),
]


@pytest.mark.parametrize(("body", "what", "fix"), SETTINGS)
def test_a_setting_that_breaks_the_server_is_refused(
    body: str, what: str, fix: str, tmp_path: Path
) -> None:
    text = refusal(tmp_path, f"{XEON}  hostwright.settings = {{ {body} }};")
    assert f"hostwright.{what}".replace("hostwright.is", "is") in text
    assert fix in text


def test_all_of_them_at_once(tmp_path: Path) -> None:
    body = 'hostwright.settings = { OLLAMA_HOST = "x"; LLAMA_ARG_BATCH = ""; "A B" = "x"; };'
    text = refusal(tmp_path, XEON + body)
    assert [name for name in ("OLLAMA_HOST", "LLAMA_ARG_BATCH", "A B") if name not in text] == []


@pytest.mark.parametrize(
    "value",
    ["-1", "0", "300", "90s", "1h30m", "1.5h", ".5h", "-1m", "100ms", "5µs", "", "+2h"],
)
def test_what_go_reads_as_a_duration_is_left_alone(value: str, tmp_path: Path) -> None:
    body = f'{XEON}  hostwright.settings.OLLAMA_KEEP_ALIVE = "{value}";'
    assert read(tmp_path, body).environment["OLLAMA_KEEP_ALIVE"] == value


@pytest.mark.parametrize(
    "body",
    [
        'OLLAMA_KV_CACHE_TYPE = "f16"; OLLAMA_FLASH_ATTENTION = "0";',
        'OLLAMA_KV_CACHE_TYPE = null; OLLAMA_FLASH_ATTENTION = "0";',
        'OLLAMA_KV_CACHE_TYPE = "q8_0"; OLLAMA_FLASH_ATTENTION = "1";',
        'LLAMA_ARG_BATCH = null; OLLAMA_ORIGINS = ""; lower_case9 = "x";',
    ],
)
def test_settings_that_work_are_left_alone(body: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, f"{XEON}  hostwright.settings = {{ {body} }};") == []


OPTIONS = [
    ('resources.memoryHigh = "24G";', "hostwright.resources.memoryHigh", "above memoryMax"),
    ('resources.memoryHigh = "20.5G";', "hostwright.resources.memoryHigh", "lower memoryHigh"),
    ("resources.memoryMax = 0;", "hostwright.resources.memoryMax", "above 0"),
    ('resources.memoryMax = "20GB";', "hostwright.resources.memoryMax", "size like `20G`"),
    ('resources.numaPolicy = "spread";', "hostwright.resources.numaPolicy", '"interleave"'),
    ('resources.allowedCPUs = "all";', "hostwright.resources.allowedCPUs", "list like `0-11,24`"),
    ('modelsDir = "/srv/my models";', "hostwright.modelsDir", "without spaces"),
    ('modelsDir = "models";', "hostwright.modelsDir", "absolute path"),
    ('exposure.host = "[::1]";', "hostwright.exposure.host", "without port and brackets"),
    ('exposure.host = "0.0.0.0:11434";', "hostwright.exposure.host", "without port and brackets"),
    ('user = "my user";', "hostwright.user", "plain name"),
    ('models = [ { name = "a b"; } ];', "hostwright.models", "as `ollama list` writes it"),
    (
        'models = [ { name = "phi4"; parameters = [ { name = "num_ctx"; value = "1"; } ]; } ];',
        "hostwright.models: `phi4`",
        "set its serveAs",
    ),
    ("warmup.enable = true;", "hostwright.warmup.enable", "name it in hostwright.warmup.models"),
    ('profile = lib.mkForce "xeon";', "hostwright.profile", '"xeon-cpu"'),
]


@pytest.mark.parametrize(("body", "option", "fix"), OPTIONS)
def test_nonsense_is_refused_with_what_to_write(
    body: str, option: str, fix: str, tmp_path: Path
) -> None:
    text = refusal(tmp_path, f"{XEON}  hostwright.{body}")
    assert option in text
    assert fix in text


@pytest.mark.parametrize(("high", "top"), [('"20G"', '"20G"'), ('"18G"', "null"), ("1024", '"1K"')])
def test_memory_that_fits_is_left_alone(high: str, top: str, tmp_path: Path) -> None:
    limits = f"{{ memoryHigh = {high}; memoryMax = lib.mkForce {top}; }}"
    assert warnings(tmp_path, f"{XEON}  hostwright.resources = {limits};") == []


WARM = '  hostwright.profile = "container-dev";\n'


@pytest.mark.parametrize(
    ("body", "absent"),
    [
        ('hostwright.warmup.models = [ "phi4" ];', "phi4"),
        ("hostwright.models = lib.mkForce [ ];", "llama3:8b"),
        ('hostwright.models = [ { name = "phi4"; } ];', ""),
        (
            'hostwright = { models = [ { name = "phi4"; } ]; warmup.models = [ "phi4:latest" ]; };',
            "",
        ),
        (
            'hostwright.warmup.models = [ "phi4" ]; services.ollama.loadModels = [ "phi4" ];',
            "",
        ),
    ],
)
def test_a_warm_up_of_what_nothing_brings_is_told(body: str, absent: str, tmp_path: Path) -> None:
    told = warnings(tmp_path, f"{WARM}  {body}")
    assert [absent in line and "hostwright.warmup" in line for line in told] == [True] * bool(
        absent
    )


# ── profiles ──────────────────────────────────────────────────────────────────────────────────


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    data = copy.deepcopy(to_dict(shipped("dual-pascal")))
    change(data)
    return json.dumps(data)


PLANS = [
    ('{"name": "left-pad", "version": "1.0.0"}', "has no `schema_version`"),
    ("[]", "is not JSON; write one"),
    ("", "is not JSON; write one"),
    ('schema_version = 1\nname = "mine"\n', "is no plan, for it is not JSON"),
    (
        edited(lambda p: p.update(schema_version=2)),
        "has schema version 2, and these modules read 1",
    ),
    (edited(lambda p: p.update(schema_version="1")), 'has schema version "1"'),
    (edited(lambda p: p.pop("listen")), "`listen` is missing; write it again with `gen plan`"),
    (edited(lambda p: p["listen"].pop("port")), "`listen.port` is missing"),
    (edited(lambda p: p["listen"].update(port="11434")), "`listen.port` is not a whole number"),
    (edited(lambda p: p.update(models={})), "`models` is not a list"),
    (edited(lambda p: p["environment"][1].update(value=1)), "`environment.1.value` is not text"),
    (
        edited(lambda p: p["environment"][1].update(group="threads", value="all")),
        "`environment.1.value` is no number of threads",
    ),
    (edited(lambda p: p["devices"]["driver"].update(open="no")), "is not true or false"),
    (edited(lambda p: p["devices"].update(wait=[])), "`devices.wait` is not a table"),
    (edited(lambda p: p["service"].update(after=None)), "`service.after` is not a list"),
    (
        edited(lambda p: p["limits"].append({"name": "cpu", "value": 1, "reason": ""})),
        "`limits.0.name` is no limit that these modules know",
    ),
    (
        edited(lambda p: (p.pop("release"), p["listen"].pop("host"))),
        "`listen.host` is missing, `release` is missing",
    ),
    (edited(lambda p: p.update(acceleration="gpu")), "hostwright.acceleration"),
]


@pytest.mark.parametrize(("text", "told"), PLANS)
def test_a_file_that_is_no_plan_is_refused(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")
    said = refusal(tmp_path, f"  hostwright.profile = {file};")
    assert told in said
    assert "hostwright.profile" in said or told == "hostwright.acceleration"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/none.json;")
    assert f"hostwright.profile: there is no file {tmp_path}/none.json; write it" in said
    assert "add it to git" in said


def test_half_a_file_is_refused_in_the_words_of_the_parser(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(edited(lambda _: None)[:-1], encoding="utf-8")
    said = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json;")
    assert "parse error" in said
    assert "infinite recursion" not in said


def test_without_a_profile_it_says_which_option_is_missing(tmp_path: Path) -> None:
    assert "hostwright.profile" in refusal(tmp_path, "")


def test_a_plan_may_be_given_as_data(tmp_path: Path) -> None:
    plan = MODULES / "plans" / "dual-pascal.json"
    given = read(tmp_path, f"  hostwright.profile = lib.importJSON {plan};").extra["nix"]
    named = read(tmp_path, '  hostwright.profile = "dual-pascal";').extra["nix"]
    assert given["units"] == named["units"]
    assert given["nvidia"] == named["nvidia"]


def test_data_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    assert "hostwright.profile: this is no plan" in refusal(tmp_path, "  hostwright.profile = { };")


# ── a part of the modules ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("part", ["server", "nvidia", "nixos-jobs"])
@pytest.mark.parametrize("body", ["", "hostwright.enable = true;"])
def test_a_single_file_says_that_it_is_none(part: str, body: str, tmp_path: Path) -> None:
    file = tmp_path / "host.nix"
    file.write_text(f"{{ imports = [ {MODULES}/{part}.nix ]; {body} }}", encoding="utf-8")
    with pytest.raises(ConsumerError) as caught:
        nix.read(file, lib=LIB)
    said = str(caught.value)
    ours = "hostwright: import the directory `modules`, for a single file of it is half a module"
    assert ours in said or (body and "The option `hostwright' does not exist" in said)


def test_the_directory_works_without_a_flake(tmp_path: Path) -> None:
    file = tmp_path / "host.nix"
    file.write_text(
        f"{{ imports = [ {MODULES} {MODULES}/server.nix ]; "
        'hostwright = { enable = true; profile = "xeon-cpu"; }; }'
    )
    assert nix.read(file, lib=LIB).environment == read(tmp_path, XEON).environment
