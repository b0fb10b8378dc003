"""HW505, HW540, HW610 and others as whole units: homes and models that the service cannot use."""

from pathlib import Path

import pytest

from tests.texts import START, Cases, Text, messages, sides, told, unit

BOTH = "/srv/models /var/lib/ollama"
TMP = "/tmp/models"  # noqa: S108 -- to recognise
MODELS = "Environment=HOME=/var/lib/ollama OLLAMA_MODELS={}"
SRV = "Environment=HOME=/srv/ollama"
HIDDEN, STRICT = "ProtectHome=yes", "ProtectSystem=strict"
FILLED_IN = "Environment=HOME=/home/{{ who }}\n"
MOUNT = {"net-nas.mount": "[Mount]\nWhat=nas:/x\nWhere=/net/nas\nType=nfs4\n"}
RUN = "ExecStart=/usr/bin/docker run --rm {} ollama/ollama:0.32.15"


def system(*lines: str) -> Text:
    return unit("User=ollama", *lines)


# rule: (caught, left alone)
CASES: Cases = {
    "HW505": (
        (
            system(MODELS.format("/srv/models"), "InaccessiblePaths=/srv"),
            system(MODELS.format("/srv/models"), "TemporaryFileSystem=/srv:ro"),
            system(MODELS.format("/srv/models"), "ReadOnlyPaths=-/srv/models"),
            system(MODELS.format(TMP), "PrivateTmp=yes"),
            unit("DynamicUser=yes", MODELS.format(f"/var{TMP}"), "StateDirectory=ollama"),
            unit("DynamicUser=yes", "StateDirectory=ollama", "Environment=HOME=/opt/ollama"),
            unit("DynamicUser=yes", "StateDirectory=o", SRV, "ReadWritePaths=/srv"),
            unit("DynamicUser=yes", "RuntimeDirectory=ollama", "Environment=HOME=/run/ollama"),
            system(MODELS.format("/dev/shm/models")),  # noqa: S108 -- to recognise
            system("ProtectSystem=strict", "ProtectHome=yes"),
            {"ollama.service.d/a.conf": "[Service]\nProtectSystem=strict\n"},
            {"ollama@.service": f"[Service]\n{START}\n{HIDDEN}\nEnvironment=HOME=/home/%i\n"},
            {"ollama.service.j2": f"[Service]\n{START}\n{HIDDEN}\n" + FILLED_IN},
            {"ollama@.service": f"[Service]\n{START}\nEnvironment=HOME=/srv/%i\n{STRICT}\n"},
            unit("User=alice", HIDDEN),
            unit("User=1000", "ProtectHome=tmpfs"),
        ),
        (
            system("ProtectSystem=strict", "StateDirectory=ollama"),
            system("ProtectSystem=strict", "ReadWritePaths=/usr/share/ollama"),
            system("ProtectSystem=strict", "EnvironmentFile=/etc/ollama.env"),
            {"web.service.d/a.conf": "[Service]\nProtectSystem=strict\n"},
            {"ollama@.service": f"[Service]\n{START}\nUser=kim\nEnvironment=HOME=/home/%i\n"},
            {"ollama@.service": f"[Service]\n{START}\n{HIDDEN}\nEnvironment=HOME=/%i/home\n"},
            {
                "ollama@.service": f"[Service]\n{START}\nEnvironment=HOME=/srv/%i\n{STRICT}\n"
                "ReadWritePaths=/srv/kim\n"
            },
            system(HIDDEN),
            unit("User=alice", HIDDEN, "Environment=HOME=/srv/ollama"),
            unit("User=alice", HIDDEN, "EnvironmentFile=/etc/ollama.env"),
            unit("User=alice", HIDDEN, "DynamicUser=yes", SRV, "ReadWritePaths=/srv"),
            unit("User=alice"),
            {"ollama.service.d/a.conf": f"[Service]\nUser=alice\n{HIDDEN}\n"},
            system(MODELS.format("/srv/models"), "InaccessiblePaths=/srv/other"),
            system(MODELS.format("/srv/m"), "TemporaryFileSystem=/srv", "BindPaths=/srv/m"),
            system(MODELS.format("/srv/models"), "ReadOnlyPaths=/", f"ReadWritePaths={BOTH}"),
            system(MODELS.format("/var/lib/ollama"), "ReadOnlyPaths=/", "StateDirectory=ollama"),
            system(MODELS.format(TMP)),
            system(MODELS.format("/srv/models"), "PrivateTmp=yes"),
            unit("DynamicUser=yes", "StateDirectory=a:b", "Environment=HOME=/var/lib/b"),
            unit("DynamicUser=yes", "Group=models", SRV, "ReadWritePaths=/srv"),
            unit("DynamicUser=yes", "User=ollama", SRV, "ReadWritePaths=/srv"),
            system(MODELS.format("/run/media/disk1/models")),
            system(
                "RuntimeDirectory=ollama",
                "RuntimeDirectoryPreserve=restart",
                MODELS.format("/srv/models"),
            ),
        ),
    ),
    "HW540": (
        (
            unit("DynamicUser=yes"),
            system("Environment=HOME=/var/lib/ollama", "UnsetEnvironment=LANG HOME"),
        ),
        (
            unit("DynamicUser=yes", "StateDirectory=o", "Environment=HOME=/var/lib/o"),
            system("UnsetEnvironment=LANG"),
        ),
    ),
    "HW610": (
        (
            unit("User=nobody"),
            system("Environment=HOME=/nonexistent"),
            system("Environment=HOME=/dev/null OLLAMA_MODELS=/srv/models"),
        ),
        (
            unit("User=nobody", "Environment=HOME=/var/lib/ollama"),
            unit("User=nobody", "ExecStart=/usr/bin/ollama-exporter"),
            system(),
            unit("DynamicUser=yes", "Environment=HOME=/var/lib/o", "StateDirectory=o"),
        ),
    ),
    "HW513": (
        (system("Restart=on-success"), system("Restart=on-watchdog"), system()),
        (system("Restart=on-failure"), system("Restart=no"), system("Restart=on-abnormal")),
    ),
    "HW118": (
        (unit(RUN.format(""), "Environment=OLLAMA_KEEP_ALIVE=2h"),),
        (
            unit(RUN.format("-e OLLAMA_KEEP_ALIVE"), "Environment=OLLAMA_KEEP_ALIVE=2h"),
            unit(RUN.format("-e OLLAMA_KEEP_ALIVE=${KEEP}"), "Environment=KEEP=2h"),
            unit(
                RUN.format("-e OLLAMA_KEEP_ALIVE=${OLLAMA_KEEP_ALIVE}"),
                "Environment=OLLAMA_KEEP_ALIVE=2h",
            ),
            system("Environment=OLLAMA_KEEP_ALIVE=2h"),
        ),
    ),
    "HW544": (
        (
            {**system(MODELS.format("/net/nas/models")), **MOUNT},
            {**system(MODELS.format("/net/nas/models")), "net.mount": "", **MOUNT},
        ),
        (
            {**system(MODELS.format("/srv/models")), **MOUNT},
            {
                **system(MODELS.format("/net/nas/models")),
                "net-nas.mount": MOUNT["net-nas.mount"].replace("nfs4", "ext4"),
            },
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_a_mount_is_read_beside_the_unit_alone(tmp_path: Path) -> None:
    (tmp_path / "net-nas.mount").write_text(MOUNT["net-nas.mount"])
    asked = {"ollama.service": f"[Unit]\nRequiresMountsFor=/net/nas/a-b\n[Service]\n{START}\n"}
    assert "HW544" not in told(tmp_path, asked)


@pytest.mark.parametrize(
    ("home", "advice"),
    [
        ("/opt/ollama", "add `StateDirectory=ollama`, and choose a directory below"),
        ("/var/lib/llm", "add `StateDirectory=llm`"),
    ],
)
def test_a_user_made_up_at_each_start_gets_a_directory_of_its_own(
    home: str, advice: str, tmp_path: Path
) -> None:
    (said,) = messages(tmp_path, unit("DynamicUser=yes", f"Environment=HOME={home}"), "HW505")
    assert advice in said
    assert "ReadWritePaths" not in said


QUADLET = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nUserNS=keep-id\n"


@pytest.mark.parametrize(
    ("more", "caught"),
    [
        ("Volume=o:/root/.ollama\n", True),
        ("Volume=o:/root/.ollama\nEnvironment=HOME=/root\n", True),
        ("Volume=o:/root/.ollama\nUser=0\n", False),
        ("Volume=o:/.ollama\n", False),
        ("Volume=o:/data\nEnvironment=HOME=/data\n", False),
    ],
)
def test_the_hosts_user_may_not_enter_the_home_of_root(
    more: str, caught: bool, tmp_path: Path
) -> None:
    text = f"{QUADLET}{more}[Service]\nRestart=always\n"
    assert ("HW541" in told(tmp_path, {"ollama.container": text})) is caught
