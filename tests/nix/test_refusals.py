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
    (
        'OLLAMA_HOST = "0.0.0.0";',
        "settings.OLLAMA_HOST never reaches",
        "set hostwright.ollama.host",
    ),
    (
        'OLLAMA_MODELS = "/m";',
        "settings.OLLAMA_MODELS never reaches",
        "set hostwright.ollama.modelsDir",
    ),
    ("HOME = null;", "settings.HOME never reaches", "set service.home in the profile"),
]


USER = 'services.ollama.user = "ollama";'
HIDDEN = [
    (
        'hostwright.ollama.modelsDir = "/home/me/models";',
        "hostwright.ollama.modelsDir is /home/me/models",
    ),
    ('services.ollama.modelsDir = "/root/m";', "services.ollama.modelsDir is /root/m"),
    ('services.ollama.home = "/home/ollama";', "services.ollama.home is /home/ollama"),
    ('services.ollama.modelsDir = "//home/m";', "services.ollama.modelsDir is /home/m"),
    ('services.ollama.modelsDir = "/root/./m/";', "services.ollama.modelsDir is /root/m"),
    ('hostwright.ollama.modelsDir = "/home/me/";', "hostwright.ollama.modelsDir is /home/me,"),
]
SHOWN = [
    ('services.ollama.modelsDir = "/srv/home/m";', "true", ""),
    ('services.ollama.modelsDir = "/home/me/m";', '"tmpfs"', '"/home/me/m"'),
    ('services.ollama.modelsDir = "/home/me/m";', '"tmpfs"', '[ "-/disk:/home/me:rbind" ]'),
    ('services.ollama.modelsDir = "/home/me/m";', '"read-only"', ""),
]


@pytest.mark.parametrize(("body", "protect", "bound"), SHOWN)
def test_a_place_that_the_unit_shows_is_not_refused(
    body: str, protect: str, bound: str, tmp_path: Path
) -> None:
    binds = f"BindPaths = {bound};" if bound else ""
    more = f"serviceConfig = {{ ProtectHome = lib.mkForce {protect}; {binds} }}"
    assert warnings(tmp_path, f"{XEON}{body}{USER} systemd.services.ollama.{more};") == []


@pytest.mark.parametrize("place", ["/", "/srv", "/home//"])
def test_a_directory_of_the_system_is_refused(place: str, tmp_path: Path) -> None:
    text = refusal(tmp_path, f'{XEON}{USER} services.ollama.modelsDir = "{place}";')
    assert "which belongs to the system; write a directory below it" in text


def test_a_place_that_leads_upwards_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, XEON + 'services.ollama.modelsDir = "/home/../srv/m";')
    assert "services.ollama.modelsDir is /home/../srv/m, which leads upwards" in text
    text = refusal(tmp_path, XEON + 'services.ollama.home = "/srv/../home/me";')
    assert "services.ollama.home is /home/me, which the unit hides" in text


def test_a_place_beside_what_the_unit_shows_is_refused(tmp_path: Path) -> None:
    body = 'services.ollama.modelsDir = "/home/me/m";'
    config = '{ ProtectHome = lib.mkForce "tmpfs"; BindPaths = "/home/me/models"; }'
    text = refusal(tmp_path, f"{XEON}{body} systemd.services.ollama.serviceConfig = {config};")
    assert "services.ollama.modelsDir is /home/me/m" in text


@pytest.mark.parametrize(("body", "what"), HIDDEN)
def test_a_place_that_the_unit_hides_is_refused(body: str, what: str, tmp_path: Path) -> None:
    assert what in refusal(tmp_path, XEON + body)
    shown = "systemd.services.ollama.serviceConfig.ProtectHome = lib.mkForce false;" + USER
    assert read(tmp_path, XEON + body + shown).extra["nix"]["warnings"] == []


def test_a_variable_of_upstreams_option_is_refused_as_ours_is(tmp_path: Path) -> None:
    body = 'services.ollama.environmentVariables.OLLAMA_HOST = "0.0.0.0";'
    text = refusal(tmp_path, XEON + body)
    assert "services.ollama.environmentVariables.OLLAMA_HOST never reaches" in text


@pytest.mark.parametrize(("body", "what", "fix"), SETTINGS)
def test_a_setting_that_nixos_overwrites_is_refused(
    body: str, what: str, fix: str, tmp_path: Path
) -> None:
    text = refusal(tmp_path, f"{XEON}  hostwright.settings = {{ {body} }};")
    assert f"hostwright.{what}" in text
    assert fix in text


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, XEON + 'hostwright.settings."A B" = "x";')
    assert "hostwright.settings.A B: systemd drops a variable" in text
    text = refusal(tmp_path, XEON + 'systemd.services.ollama.environment."1A" = "x";')
    assert "systemd.services.ollama.environment.1A: systemd drops a variable" in text


def test_all_of_them_at_once(tmp_path: Path) -> None:
    text = refusal(tmp_path, XEON + 'hostwright.settings = { OLLAMA_HOST = "x"; HOME = "/x"; };')
    assert [name for name in ("OLLAMA_HOST", "HOME") if name not in text] == []


@pytest.mark.parametrize(
    "body",
    [
        'OLLAMA_KV_CACHE_TYPE = null; OLLAMA_FLASH_ATTENTION = "0";',
        'LLAMA_ARG_BATCH = null; OLLAMA_ORIGINS = ""; lower_case9 = "x";',
    ],
)
def test_settings_that_work_are_left_alone(body: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, f"{XEON}  hostwright.settings = {{ {body} }};") == []


OPTIONS = [
    ("resources.memoryMax = 0;", "hostwright.resources.memoryMax", "above 0"),
    ('resources.memoryMax = "20GB";', "hostwright.resources.memoryMax", "size like `20G`"),
    ('resources.numaPolicy = "spread";', "hostwright.resources.numaPolicy", '"interleave"'),
    ('resources.allowedCpus = "all";', "hostwright.resources.allowedCpus", "list like `0-11,24`"),
    ('resources.allowedCpus = "0-3,";', "hostwright.resources.allowedCpus", "list like `0-11,24`"),
    (
        'service = { user = null; group = "x"; }; hostwright.ollama.modelsDir = "/srv/m";',
        "hostwright.ollama.modelsDir is /srv/m, where a dynamic user cannot write",
        "name the owner in hostwright.service.user",
    ),
    (
        'service = { user = null; group = "x"; };',
        "hostwright.service.group is x, which does nothing for a dynamic user",
        "in hostwright.service.user",
    ),
    ('ollama.modelsDir = "/srv/my models";', "hostwright.ollama.modelsDir", "without spaces"),
    ('ollama.modelsDir = "models";', "hostwright.ollama.modelsDir", "absolute path"),
    ('ollama.host = "[::1]";', "hostwright.ollama.host", "without port and brackets"),
    ('ollama.host = "0.0.0.0:11434";', "hostwright.ollama.host", "without port and brackets"),
    ('service.user = "my user";', "hostwright.service.user", "plain name"),
    ('models = [ "a b" ];', "hostwright.models", "as `ollama list` writes it"),
    ('models = [ "-h/x" ];', "hostwright.models", "as `ollama list` writes it"),
    ('models = [ "../u/x" ];', "hostwright.models", "as `ollama list` writes it"),
    ("warmup.enable = true;", "hostwright.warmup.enable", "name one in hostwright.warmup.models"),
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
        ('allowedCpus = "0-8191";', "AllowedCPUs", "0-8191"),
        ('allowedCpus = "9-10 12,8-9";', "AllowedCPUs", "9-10 12,8-9"),
        ('numaMask = "0";', "NUMAMask", "0"),
        ('cpuQuota = "9999999%";', "CPUQuota", "9999999%"),
        ('memoryMax = "7E";', "MemoryMax", "7E"),
        ('limitMemlock = "infinity";', "LimitMEMLOCK", "infinity"),
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
        'service.user = null; ollama.modelsDir = "/var/lib/ollama/m";',
        'service.user = "me"; ollama.modelsDir = "/srv/m";',
        'service = { user = "me"; group = "us"; };',
    ],
)
def test_a_directory_with_an_owner_is_left_alone(body: str, tmp_path: Path) -> None:
    assert warnings(tmp_path, f"{XEON}  hostwright = {{ {body} }};") == []


WARM = '  hostwright.profile = "container-dev";\n'


@pytest.mark.parametrize(
    ("body", "absent"),
    [
        ('hostwright.warmup.models = [ "phi4" ];', "phi4"),
        ("hostwright.models = lib.mkForce [ ];", "llama3:8b"),
        ('hostwright.models = [ "phi4" ];', ""),
        (
            'hostwright = { models = [ "phi4" ]; warmup.models = [ "phi4:latest" ]; };',
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


REVEALED = [
    ('hostwright.settings.HF_TOKEN = "hf_x1";', "hostwright.settings.HF_TOKEN holds a secret"),
    (
        'services.ollama.environmentVariables.HTTPS_PROXY = "http://me:pw@proxy.lan:1";',
        "services.ollama.environmentVariables.HTTPS_PROXY holds a secret",
    ),
    ("hostwright.service.environmentFiles = [ ./x.env ];", "outside the store of Nix"),
    (
        'hostwright.service.environmentFiles = [ "${builtins.storeDir}/x" ];',
        "outside the store of Nix",
    ),
    ('hostwright.service.environmentFiles = [ "/run/../nix/store/x" ];', "without `..`"),
    ('hostwright.service.environmentFiles = [ "//nix/./store/x" ];', "outside the store of Nix"),
    (
        'systemd.services.ollama.environment.HF_TOKEN = "hf_x1";',
        "systemd.services.ollama.environment.HF_TOKEN holds a secret",
    ),
    (
        'systemd.services.ollama.environment.HTTPS_PROXY = "http://me:pw@proxy.lan:1";',
        "systemd.services.ollama.environment.HTTPS_PROXY holds a secret",
    ),
    ("hostwright.service.credentials.id_ed25519 = ./key;", "outside the store of Nix"),
    (
        'hostwright.service.credentials.hf_token = "/run/x";',
        "hostwright.service.credentials.hf_token",
    ),
]


@pytest.mark.parametrize(("body", "what"), REVEALED)
def test_a_secret_does_not_get_into_the_store(body: str, what: str, tmp_path: Path) -> None:
    assert what in refusal(tmp_path, XEON + body)


def test_a_secret_is_named_by_its_path(tmp_path: Path) -> None:
    body = """
      hostwright.service.environmentFiles = [ "/run/secrets/ollama.env" "/srv/nix/store/a" ];
      hostwright.service.credentials.id_ed25519 = { path = "/run/agenix/key"; encrypted = true; };
      hostwright.service.credentials.SSL_CERT_FILE = "/etc/ca.pem";
      hostwright.settings = { HF_TOKEN = null; A_API_KEY = "ollama"; B_KEY_FILE = "/run/b"; };
      systemd.services.ollama.serviceConfig.EnvironmentFile = [ "/run/more.env" ];
    """
    found = read(tmp_path, XEON + body)
    assert sorted(found.extra["fields"]["EnvironmentFile"]) == [
        "/run/more.env",
        "/run/secrets/ollama.env",
        "/srv/nix/store/a",
    ]
    assert found.environment["SSL_CERT_FILE"] == "/run/credentials/ollama.service/SSL_CERT_FILE"
    (link,) = found.extra["exec"]["ExecStartPre"]
    assert link.endswith(" .ollama/id_ed25519 id_ed25519")
