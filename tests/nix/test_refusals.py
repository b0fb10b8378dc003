"""What `modules/` refuse or warn of: nonsense in an option, by its name.

With NIXPKGS_LIB set, the real module system is asked instead of the tests' own.
"""

import os
from pathlib import Path

import pytest

from tests.consumers import nix
from tests.consumers.effective import ConsumerError, Effective
from tests.nix.test_modules import XEON, host

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
    ('resources.allowedCPUs = "9-1";', "hostwright.resources.allowedCPUs", "list like `0-11,24`"),
    ('resources.allowedCPUs = "0,8192";', "hostwright.resources.allowedCPUs", "up to 8191"),
    ('resources.allowedCPUs = "0-3,";', "hostwright.resources.allowedCPUs", "list like `0-11,24`"),
    ('resources.allowedCPUs = "08";', "hostwright.resources.allowedCPUs", "list like `0-11,24`"),
    ('resources.numaMask = "999999";', "hostwright.resources.numaMask", "up to 8191"),
    ('resources.numaMask = "0-8192";', "hostwright.resources.numaMask", "up to 8191"),
    ('resources.memoryMax = "99999999999E";', "hostwright.resources.memoryMax", "size like `20G`"),
    ('resources.limitMEMLOCK = "16E";', "hostwright.resources.limitMEMLOCK", "size like `20G`"),
    ('resources.cpuQuota = "10000000%";', "hostwright.resources.cpuQuota", "like `2000%`"),
    (
        'resources.cpuQuota = "99999999999999999999%";',
        "hostwright.resources.cpuQuota",
        "like `2000%`",
    ),
    (
        'user = null; hostwright.group = "x"; hostwright.modelsDir = "/srv/m";',
        "hostwright.modelsDir is /srv/m, where a dynamic user cannot write",
        "name the owner in hostwright.user",
    ),
    (
        'user = null; hostwright.group = "x";',
        "hostwright.group is x, which does nothing for a dynamic user",
        "in hostwright.user",
    ),
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


@pytest.mark.parametrize(
    ("body", "limit", "value"),
    [
        ('allowedCPUs = "0-8191";', "AllowedCPUs", "0-8191"),
        ('allowedCPUs = "9-10 12,8-9";', "AllowedCPUs", "9-10 12,8-9"),
        ('numaMask = "0";', "NUMAMask", "0"),
        ('cpuQuota = "9999999%";', "CPUQuota", "9999999%"),
        ('memoryMax = "7E";', "MemoryMax", "7E"),
        ('limitMEMLOCK = "infinity";', "LimitMEMLOCK", "infinity"),
    ],
)
def test_the_largest_that_systemd_takes_is_taken(
    body: str, limit: str, value: str, tmp_path: Path
) -> None:
    file = host(tmp_path, f"{XEON}  hostwright.resources.{body}")
    assert nix.verify(file, lib=LIB) == []
    unit = nix.evaluate(file, lib=LIB)["units"]["ollama.service"]
    assert f"\n{limit}={value}\n" in unit


@pytest.mark.parametrize(
    "body",
    [
        'user = null; modelsDir = "/var/lib/ollama/m";',
        'user = "me"; modelsDir = "/srv/m";',
        'user = "me"; group = "us";',
    ],
)
def test_a_directory_with_an_owner_is_left_alone(body: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, f"{XEON}  hostwright = {{ {body} }};") == []


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
